"""Reads kept answers: which parser an answer belongs to, and what it says. An answer that cannot be read is not kept as good."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nba_pipeline.sources.parsing import box_score, game_log, injury_report, odds, players, schedule, shot_chart
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, from_json
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import NBA_STATS, ODDS_API, Call

BOX_SCORE_SOURCE = "NBA box score"
Games = Mapping[str, Game]


def parsed(kind: str, key: str, content: bytes, fetched_at: datetime, games: Games) -> Any:
    """What an answer says. `games`: the season's schedule by game id.

    Raises PayloadError where it is not what the service is known to give.
    """
    if kind == "report":
        return injury_report.report(injury_report.words(content))
    payload = from_json(content)
    match kind:
        case "schedule":
            if schedule.season(payload) != key:
                raise PayloadError(f"the schedule is of {schedule.season(payload)}, not of {key}")
            return schedule.games(payload)
        case "player_log":
            return _of_season(game_log.players(payload, games), key)
        case "team_log":
            return _of_season(game_log.teams(payload, games), key)
        case "box_score":
            return box_score.box_score(payload, games[key], BOX_SCORE_SOURCE)
        case "shots":
            found = shot_chart.shots(payload)
            _of_season([row for _, row in found], key)
            return found
        case "player_index":
            return players.index(payload)
        case "player_bio":
            return players.ages(payload, key)
        case "events" | "events_at":
            return _listed(odds.events(payload), key)
        case "event_odds" | "event_odds_at":
            return _of_event(odds.snapshot(payload, fetched_at), key)
    raise AssertionError(f"no parser for {kind}")


def check(call: Call, content: bytes, fetched_at: datetime, games: Games) -> None:
    """Raise PayloadError if the answer cannot be read."""
    parsed(call.kind, call.key, content, fetched_at, games)


def read_games(store: PayloadStore, season: str) -> list[Game] | None:
    """The season's schedule as last fetched; None where it never was."""
    kept = store.latest(NBA_STATS, "schedule", season)
    return None if kept is None else parsed("schedule", season, kept.read(), kept.fetched_at, {})


def read_events(store: PayloadStore, games: list[Game]) -> dict[str, odds.Event]:
    """Game id -> event, from all kept lists of the days of these games."""
    found = {}
    for day in sorted({g.day for g in games}):
        of_day = [g for g in games if g.day == day]
        for kind in ("events_at", "events"):
            for kept in store.all(ODDS_API, kind, f"{day}"):
                for event in parsed(kind, f"{day}", kept.read(), kept.fetched_at, {}):
                    game = event.game(of_day)
                    if game:
                        found[game.game_id] = event
    return found


def _of_season(rows: list[Row], key: str) -> list[Row]:
    """The service answers for another season rather than say that it has none of this one."""
    others = {r["game_id"] for r in rows if r["game_id"][3:5] != key[2:4]}
    if others:
        raise PayloadError(f"the answer has games of another season than {key[:7]}: {', '.join(sorted(others)[:3])}")
    return rows


def _listed(events: list[odds.Event], key: str) -> list[odds.Event]:
    """The list is only asked for on days with games, so an empty one says that something is wrong."""
    if not events:
        raise PayloadError(f"no events are listed, but the schedule has games on {key}")
    return events


def _of_event(snapshot: odds.Snapshot, key: str) -> odds.Snapshot:
    if snapshot.event.id not in key:
        raise PayloadError(f"the quotes are on event {snapshot.event.id}, not on that of {key}")
    return snapshot
