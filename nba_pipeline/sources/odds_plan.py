"""Plan the calls for events and quotes, and what they cost: pure functions of schedule, known calls and time.

Game lines (spread, total, moneyline) are requested for a slate at once, markets of players per game: a call costs a credit per
market and region, of the past ten, whether it answers for one game or for all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from nba_pipeline.sources import service_dates
from nba_pipeline.sources.parsing.odds import GAME_MARKETS, Event, covered_markets, safe_id
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import EASTERN
from nba_pipeline.sources.plan import ODDS_API, Call, Have, Stored, by_day, is_on, is_to_come

EVENTS, EVENTS_AT = "events", "events_at"
SLATE, SLATE_AT = "slate_odds", "slate_odds_at"
PROPS, PROPS_AT = "event_odds", "event_odds_at"
NOW = "now"
SNAPSHOT_MINUTES = 5
PAST = 10  # a snapshot of the past costs so many times what a current answer costs
PAST_EVENTS = 1
# A snapshot may serve a game this share of the requested minutes earlier than requested: 600 minutes before tip-off as well as
# 750, 10 minutes before as well as 12.
SHARED = 0.25


@dataclass(frozen=True)
class Wanted:
    """What is to be bought.

    Attributes:
        minutes: minutes before tip-off of snapshots of the past.
        markets: markets of players.
        closing: buy the last of these snapshots also where lines were captured live, unless that was as late.
    """

    minutes: tuple[int, ...]
    markets: tuple[str, ...]
    closing: bool = False


def event_calls(games: Iterable[Game], minutes: Sequence[int], now: datetime, have: Have) -> list[Call]:
    """Plan the lists of events of the days of these games.

    Args:
        games: games of the days.
        minutes: minutes before tip-off at which quotes of earlier days are requested.
        now: the time of planning.
        have: when a call was last answered.

    Returns:
        The current list for a day with upcoming games; the list at the first snapshot for an earlier day.
    """
    calls = []
    today = now.astimezone(EASTERN).date()
    for day, group in sorted(by_day(g for g in games if is_on(g)).items()):
        tips = [g.tip_off for g in group if g.tip_off and service_dates.has_odds(g.tip_off)]
        if day >= today:
            if any(is_to_come(g, now) for g in group):
                calls.append(Call(ODDS_API, EVENTS, f"{day}"))
        elif tips:
            call = _events_at(f"{day}", min(tips), max(minutes))
            if have(call.source, call.kind, call.key) is None:
                calls.append(call)
    return calls


def later_event_calls(
    games: Iterable[Game], events: Mapping[str, Event], minutes: Sequence[int], now: datetime, have: Have
) -> list[Call]:
    """Plan a second list of events, shortly before tip-off, for games of earlier days that the first list lacks.

    Args:
        games: games of the days.
        events: listed events by game id.
        minutes: minutes before tip-off at which quotes are requested.
        now: the time of planning.
        have: when a call was last answered.
    """
    today = now.astimezone(EASTERN).date()
    missing = {
        (g.day, g.tip_off)
        for g in games
        if is_on(g) and g.day < today and g.game_id not in events and g.tip_off and service_dates.has_odds(g.tip_off)
    }
    calls = [
        _events_at(f"{day}_{_stamp(snapshot_at(tip_off, min(minutes)))}", tip_off, min(minutes))
        for day, tip_off in sorted(missing)
        if have(ODDS_API, EVENTS_AT, f"{day}") is not None
    ]
    return [c for c in dict.fromkeys(calls) if have(c.source, c.kind, c.key) is None]


def slate_calls(
    games: Iterable[Game], events: Mapping[str, Event], wanted: Wanted, now: datetime, stored: Stored
) -> list[Call]:
    """Plan the calls for game lines: all games of a day at once.

    Args:
        games: games of the days.
        events: events by game id.
        wanted: what is to be bought.
        now: the time of planning.
        stored: the known calls.

    Returns:
        Current lines of a day with upcoming games; of an earlier day its snapshots, each for all games that it can serve.
    """
    calls = []
    today = now.astimezone(EASTERN).date()
    for day, group in sorted(by_day(g for g in games if is_on(g)).items()):
        if day >= today:
            calls += [_slate(day)] if any(is_to_come(g, now) for g in group) else []
            continue
        for minutes in sorted(wanted.minutes, reverse=True):
            lacking = [
                g.tip_off
                for g in group
                if g.tip_off and _is_lacking(g, g.tip_off, events.get(g.game_id), minutes, GAME_MARKETS, wanted, stored)
            ]
            calls += [_slate(day, at) for at in shared_snapshots(lacking, minutes)]
    return [c for c in calls if c.kind == SLATE or stored.fetched(c.source, c.kind, c.key) is None]


def prop_calls(
    games: Iterable[Game], events: Mapping[str, Event], wanted: Wanted, now: datetime, stored: Stored
) -> list[Call]:
    """Plan the calls for markets of players, per game; as `slate_calls`, but only the markets that are not stored yet."""
    calls = []
    today = now.astimezone(EASTERN).date()
    for g in games:
        event = events.get(g.game_id)
        if event is None or not is_on(g) or not wanted.markets:
            continue
        if g.day >= today:
            calls += [_props(g.day, event, wanted.markets)] if is_to_come(g, now) else []
            continue
        for minutes in sorted(wanted.minutes, reverse=True) if g.tip_off else ():
            assert g.tip_off is not None
            markets = tuple(
                m for m in wanted.markets if _is_lacking(g, g.tip_off, event, minutes, (m,), wanted, stored)
            )
            if markets:
                calls.append(_props(g.day, event, markets, snapshot_at(g.tip_off, minutes)))
    return calls


def with_quotes(games: Iterable[Game], now: datetime) -> list[Game]:
    """Select the games whose quotes can be requested: upcoming countable games, and earlier ones that the service has."""
    today = now.astimezone(EASTERN).date()
    return [
        g
        for g in games
        if is_on(g)
        and (is_to_come(g, now) if g.day >= today else g.tip_off is not None and service_dates.has_odds(g.tip_off))
    ]


def shared_snapshots(tip_offs: Iterable[datetime], minutes: int) -> list[datetime]:
    """Choose snapshots so that each tip-off has one at these minutes before it, or up to a quarter of them earlier.

    Args:
        tip_offs: the tip-offs.
        minutes: minutes before tip-off.
    """
    chosen: list[datetime] = []
    for tip_off in sorted(set(tip_offs)):
        if not chosen or snapshot_at(tip_off, minutes) - chosen[-1] > _slack(minutes):
            chosen.append(snapshot_at(tip_off, minutes))
    return chosen


def credits_of(call: Call, regions: int) -> int:
    """Return what a call costs, as the service publishes it.

    Args:
        call: a call to the odds service.
        regions: number of regions of books.
    """
    if call.kind in (EVENTS, EVENTS_AT):
        return PAST_EVENTS if call.kind == EVENTS_AT else 0
    markets = call["markets"].split(",")
    return len(markets) * regions * (PAST if call.kind in (SLATE_AT, PROPS_AT) else 1)


def is_of_the_past(call: Call) -> bool:
    """Return whether a call buys history."""
    return call.kind in (EVENTS_AT, SLATE_AT, PROPS_AT)


def with_assumed_events(games: Iterable[Game], events: Mapping[str, Event]) -> dict[str, Event]:
    """Complete the events by an assumed one for each game whose event is not known yet, to count calls before they are made."""
    assumed = {g.game_id: Event(f"game{g.game_id}", g.tip_off, g.home, g.away) for g in games if g.tip_off}
    return assumed | {g.game_id: events[g.game_id] for g in games if g.game_id in events}


def snapshot_at(tip_off: datetime, minutes: int) -> datetime:
    """Round a time before tip-off down to five minutes, the interval of the service's snapshots."""
    at = tip_off - timedelta(minutes=minutes)
    return at.replace(minute=at.minute - at.minute % SNAPSHOT_MINUTES, second=0, microsecond=0)


def _is_lacking(
    game: Game,
    tip_off: datetime,
    event: Event | None,
    minutes: int,
    markets: Sequence[str],
    wanted: Wanted,
    stored: Stored,
) -> bool:
    """Whether the snapshot of a game of the past is neither stored nor made needless by lines captured live."""
    at = snapshot_at(tip_off, minutes)
    if not service_dates.has_markets(at, markets):
        return False
    captured = _captured(game.day, tip_off, event, markets, stored)
    if captured is not None and not (
        wanted.closing and minutes == min(wanted.minutes) and captured < at - _slack(minutes)
    ):
        return False
    answers = stored.keys(ODDS_API, PROPS_AT, f"{game.day}_{safe_id(event.id)}_{_stamp(at)}") if event else []
    if any(set(markets) <= covered_markets(PROPS_AT, key) for key in answers):
        return False
    return not (set(markets) <= set(GAME_MARKETS)) or not any(
        timedelta(0) <= at - _time(key) <= _slack(minutes) for key in stored.keys(ODDS_API, SLATE_AT, f"{game.day}_")
    )


def _captured(
    day: date, tip_off: datetime, event: Event | None, markets: Sequence[str], stored: Stored
) -> datetime | None:
    """Return when these markets of an event were last captured live before its tip-off; None if they never were."""
    keys = stored.keys(ODDS_API, PROPS, f"{day}_{safe_id(event.id)}_") if event else []
    times = [t for k in keys if set(markets) <= covered_markets(PROPS, k) for t in stored.captures(ODDS_API, PROPS, k)]
    if set(markets) <= set(GAME_MARKETS):
        times += stored.captures(ODDS_API, SLATE, f"{day}_{NOW}")
    return max((t for t in times if t < tip_off), default=None)


def _slate(day: date, at: datetime | None = None) -> Call:
    arguments = (("markets", ",".join(GAME_MARKETS)), *((("date", _iso(at)),) if at else ()))
    return Call(ODDS_API, SLATE_AT if at else SLATE, f"{day}_{_stamp(at) if at else NOW}", arguments)


def _props(day: date, event: Event, markets: Sequence[str], at: datetime | None = None) -> Call:
    key = f"{day}_{safe_id(event.id)}_{_stamp(at) if at else NOW}_{'-'.join(markets)}"
    arguments = (("event", event.id), ("markets", ",".join(markets)), *((("date", _iso(at)),) if at else ()))
    return Call(ODDS_API, PROPS_AT if at else PROPS, key, arguments)


def _events_at(key: str, tip_off: datetime, minutes: int) -> Call:
    return Call(ODDS_API, EVENTS_AT, key, (("date", _iso(snapshot_at(tip_off, minutes))),))


def _slack(minutes: int) -> timedelta:
    return timedelta(minutes=minutes * SHARED)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%MZ}"


def _time(key: str) -> datetime:
    return datetime.strptime(key.rsplit("_", 1)[-1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
