"""Parse stored answers of the services: choose the parser of an answer and check the answer before it is stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any

from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.odds_plan import EVENTS, EVENTS_AT
from nba_pipeline.sources.parsing import (
    box_score,
    cdn_box_score,
    game_log,
    injury_report,
    lineups,
    odds,
    players,
    schedule,
    shot_chart,
)
from nba_pipeline.sources.parsing.acceptance import SetAside, accepted
from nba_pipeline.sources.parsing.result_sets import ROW_FLOOR
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, from_json, shown
from nba_pipeline.sources.payloads import Payload, PayloadStore
from nba_pipeline.sources.plan import CDN_BOX_SCORE, CDN_SCHEDULE, LINEUPS, NBA_CDN, NBA_STATS, ODDS_API, Call

BOX_SCORE_SOURCE = "NBA box score"
# Asked for again and again, and large: an answer is stored only when it says something new.
STORED_WHEN_CHANGED = frozenset({"schedule", "box_score", CDN_SCHEDULE, CDN_BOX_SCORE, LINEUPS})
Games = Mapping[str, Game]


def parsed(
    kind: str, key: str, content: bytes, fetched_at: datetime, games: Games, set_aside: list[SetAside] | None = None
) -> Any:
    """Parse an answer.

    Args:
        kind: kind of the call.
        key: key of the call within its kind.
        content: the raw answer.
        fetched_at: when it was fetched (UTC).
        games: the season's schedule by game id.
        set_aside: receives the elements of the answer that cannot be used.

    Returns:
        The result of the parser of the kind.

    Raises:
        PayloadError: the answer does not have the form that the service documents.
    """
    if kind == "report":
        return injury_report.report(injury_report.words(content), set_aside)
    payload = from_json(content)
    match kind:
        case "schedule" | "static_schedule":
            if schedule.season(payload) != key:
                raise PayloadError(f"the schedule is of {schedule.season(payload)}, not of {key}")
            return schedule.games(payload, set_aside)
        case "player_log":
            return _of_season(game_log.players(payload, games, set_aside), key, set_aside)
        case "team_log":
            return _of_season(game_log.teams(payload, games, set_aside), key, set_aside)
        case "box_score":
            return box_score.box_score(payload, games[key], BOX_SCORE_SOURCE, set_aside)
        case "live_box_score":
            return cdn_box_score.box_score(payload, games[key], set_aside)
        case "shots":
            attempts = shot_chart.shots(payload, set_aside)
            own = {id(row) for row in _of_season([row for _, row in attempts], key, set_aside)}
            return [(team, row) for team, row in attempts if id(row) in own]
        case "player_index":
            players.rosters(payload, fetched_at)  # an answer whose teams cannot be read is refused
            return players.index(payload, set_aside)
        case "player_bio":
            return players.ages(payload, key, set_aside)
        case "lineups":
            return lineups.lineups(payload, games, set_aside)
        case "events" | "events_at":
            return _listed(odds.events(payload, set_aside), key)
        case "event_odds" | "event_odds_at":
            return _of_event(odds.snapshot(payload, fetched_at, set_aside, odds.covered_markets(kind, key)), key)
        case "slate_odds" | "slate_odds_at":
            return odds.slate(payload, fetched_at, set_aside)
    raise AssertionError(f"no parser for {kind}")


def check(call: Call, content: bytes, fetched_at: datetime, games: Games) -> list[SetAside]:
    """Check whether an answer can be used.

    Args:
        call: the call that was answered.
        content: the raw answer.
        fetched_at: when it was fetched (UTC).
        games: the season's schedule by game id.

    Returns:
        The elements that cannot be used, with their reasons.

    Raises:
        PayloadError: no part of the answer can be used.
    """
    set_aside: list[SetAside] = []
    parsed(call.kind, call.key, content, fetched_at, games, set_aside)
    return set_aside


def is_unchanged(call: Call, content: bytes, fetched_at: datetime, games: Games, earlier: Payload) -> bool:
    """Return whether an answer has the content of the earlier one, so that it need not be stored again.

    Args:
        call: the call that was answered.
        content: the raw answer.
        fetched_at: when it was fetched (UTC).
        games: the season's schedule by game id.
        earlier: the newest stored answer to the same call.
    """
    if call.kind not in STORED_WHEN_CHANGED:
        return False
    try:
        former = earlier.read()
        return former == content or (
            parsed(call.kind, call.key, former, earlier.fetched_at, games)
            == parsed(call.kind, call.key, content, fetched_at, games)
        )
    except SourceError:
        return False  # one of them cannot be read: the new answer is judged and stored


def read_games(store: PayloadStore, season: str) -> list[Game] | None:
    """Read the latest schedule of the season, from whichever source; None if it was never fetched."""
    answers = [
        (answer, kind)
        for source, kind in ((NBA_STATS, "schedule"), (NBA_CDN, CDN_SCHEDULE))
        if (answer := store.latest(source, kind, season))
    ]
    if not answers:
        return None
    answer, kind = max(answers, key=lambda pair: pair[0].fetched_at)
    games: list[Game] = parsed(kind, season, answer.read(), answer.fetched_at, {})
    return [replace(g, source=cdn_box_score.SOURCE) for g in games] if kind == CDN_SCHEDULE else games


def listed_events(store: PayloadStore, day: date) -> list[odds.Event] | None:
    """Read the events of all stored lists of a day, oldest list first; None if no list is stored."""
    lists = [
        parsed(kind, key, answer.read(), answer.fetched_at, {})
        for kind in (EVENTS_AT, EVENTS)
        for key in store.keys(ODDS_API, kind, f"{day}")
        for answer in store.all(ODDS_API, kind, key)
    ]
    return [event for listed in lists for event in listed] if lists else None


def read_events(store: PayloadStore, games: Sequence[Game]) -> dict[str, odds.Event]:
    """Match games to events from all stored lists of their days; return events by game id."""
    matched = {}
    for day in sorted({g.day for g in games}):
        of_day = [g for g in games if g.day == day]
        for event in listed_events(store, day) or ():
            game = event.game(of_day)
            if game:
                matched[game.game_id] = event
    return matched


def without_event(store: PayloadStore, games: Sequence[Game]) -> list[Game]:
    """List the games without an event, on days with a stored list of events."""
    matched = read_events(store, games)
    listed = {day for day in {g.day for g in games} if listed_events(store, day) is not None}
    return [g for g in games if g.day in listed and g.game_id not in matched]


def stray_events(store: PayloadStore, games: Sequence[Game], days: Iterable[date]) -> list[odds.Event]:
    """List the events between two clubs on these days that match none of `games`, the schedule of these days."""
    listed = {e for day in days for e in listed_events(store, day) or () if e.day == day}
    strays = [e for e in listed if e.home and e.away and e.game([g for g in games if g.day == e.day]) is None]
    return sorted(strays, key=lambda e: (e.day, e.id))


def _of_season(rows: list[Row], key: str, set_aside: list[SetAside] | None) -> list[Row]:
    """Select the rows of the requested season: without data, the service answers for another season."""

    def own(row: Row) -> Row:
        if row["game_id"][3:5] != key[2:4]:
            raise PayloadError(f"it is a game of another season than {key[:7]}")
        return row

    elements = [(f"game {shown(row['game_id'])}", partial(own, row)) for row in rows]
    return accepted(elements, ROW_FLOOR, "rows", set_aside)


def _listed(events: list[odds.Event], key: str) -> list[odds.Event]:
    """Refuse an empty list: lists are requested only for days with games."""
    if not events:
        raise PayloadError(f"no events are listed, but the schedule has games on {key}")
    return events


def _of_event(snapshot: odds.Snapshot, key: str) -> odds.Snapshot:
    if odds.safe_id(snapshot.event.id) not in key:
        raise PayloadError(f"the quotes are on event {snapshot.event.id}, not on that of {key}")
    return snapshot
