"""Parse answers of The Odds API, version 4: events and quotes, current or historical.

An outcome, market or book of another form is set aside by name; the others are used. A historical answer wraps the same data
with the time of its snapshot; a current answer is a snapshot of the time of its fetch.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve, accepted
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.team_names import tricode_of
from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, Row, instant, number, part, required, shown

PROP_MARKETS = {
    "player_points": "points",
    "player_rebounds": "rebounds",
    "player_assists": "assists",
    "player_threes": "threes",
    "player_points_rebounds_assists": "pra",
}
SPREAD, TOTAL, MONEYLINE = "spreads", "totals", "h2h"
MARKETS = (*PROP_MARKETS, SPREAD, TOTAL, MONEYLINE)
OVER, UNDER = "Over", "Under"
SOURCE = "The Odds API"
EVENT_ID = re.compile(r"[A-Za-z0-9]{1,64}")
FLOOR = 0.5
LEAST_AMERICAN = 100
# A tip-off that moves within the evening belongs to the same game; the next game of the same teams is a day away.
MOVED_AT_MOST = timedelta(hours=12)

Quote = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Event:
    """A game as the service lists it. Teams are tricodes, None for other teams than the thirty clubs."""

    id: str
    commence: datetime
    home: str | None
    away: str | None

    @property
    def day(self) -> date:
        """The US-Eastern calendar date."""
        return self.commence.astimezone(EASTERN).date()

    def game(self, games: Iterable[Game]) -> Game | None:
        """Return the game between these teams, in either order, on this date or at nearly this time; None without one."""
        if self.home is None or self.away is None:
            return None
        same = [g for g in games if {g.home, g.away} == {self.home, self.away}]
        near = [g for g in same if g.day == self.day] or [g for g in same if self._is_near(g)]
        return near[0] if len(near) == 1 else None

    def _is_near(self, game: Game) -> bool:
        return game.tip_off is not None and abs(game.tip_off - self.commence) <= MOVED_AT_MOST


@dataclass(frozen=True)
class Snapshot:
    """The quotes of all books on one event at one time: rows of both feeds, without game and capture time."""

    event: Event
    at: datetime
    props: tuple[Row, ...]
    lines: tuple[Row, ...]


def events(payload: Any, set_aside: list[SetAside] | None = None) -> list[Event]:
    """Read the listed events; an empty list is valid.

    Args:
        payload: the answer.
        set_aside: receives the events that cannot be read.

    Raises:
        PayloadError: the answer has another form, or too many events that cannot be read.
    """
    data, _ = _unwrapped(payload)
    if not isinstance(data, list):
        raise PayloadError(f"a list of events is expected, not {shown(data)}")
    return accepted([(f"event {i}", partial(_event, e)) for i, e in enumerate(data, 1)], FLOOR, "events", set_aside)


def snapshot(payload: Any, fetched_at: datetime, set_aside: list[SetAside] | None = None) -> Snapshot:
    """Read the quotes on one event.

    Args:
        payload: the answer.
        fetched_at: the capture time of a current answer.
        set_aside: receives the books, markets and outcomes that cannot be used.

    Raises:
        PayloadError: the answer has another form, or too few outcomes that can be used.
    """
    data, taken = _unwrapped(payload)
    event = _event(data)
    clubs = (required(data, "home_team"), required(data, "away_team"))
    sieve = Sieve()
    props: list[Row] = []
    lines: list[Row] = []
    for number_of_book, book in enumerate(part(data, "bookmakers", list), 1):
        try:
            name, markets = required(book, "key"), part(book, "markets", list)
        except PayloadError as error:
            sieve.reject(f"book {number_of_book}", error.what)
            continue
        outcomes = _outcomes(name, markets, sieve)
        for key, market in PROP_MARKETS.items():
            props += [{"bookmaker": name, "market": market, **q} for q in _props(outcomes.get(key, []))]
        line = _game_line(name, outcomes, clubs, sieve)
        if any(v is not None for v in line.values()):
            lines.append({"bookmaker": name, **line})
    sieve.require(FLOOR, "outcomes")
    sieve.into(set_aside)
    return Snapshot(event, taken or fetched_at.replace(microsecond=0), tuple(props), tuple(lines))


def prop_rows(snapshots: Iterable[Snapshot], day: date, games: Mapping[str, Game]) -> list[Row]:
    """Build rows of the feed `prop_lines`: a row per quote and stretch of successive snapshots with it.

    Args:
        snapshots: snapshots of events of the day.
        day: day of the games.
        games: games by event id.

    Returns:
        Rows with players' names as the book spells them.
    """
    by_event: dict[str, list[Snapshot]] = defaultdict(list)
    for s in snapshots:
        by_event[s.event.id].append(s)
    rows = []
    for event_id, shots in by_event.items():
        shots.sort(key=lambda s: s.at)
        for quote, times, end in _stretches(shots):
            rows.append(
                {
                    "game_date": day,
                    "game_id": games[event_id].game_id if event_id in games else None,
                    "player_id": None,
                    "player_name": None,
                    **dict(quote),
                    "line_kind": "main",
                    "is_closing_main": None,
                    "first_seen_utc": times[0],
                    "last_seen_utc": times[-1],
                    "ended_utc": end,
                    "source": SOURCE,
                }
            )
    return rows


def line_rows(snapshots: Iterable[Snapshot], day: date, games: Mapping[str, Game]) -> list[Row]:
    """Build rows of the feed `game_lines`: a row per game, book and snapshot.

    A line ends with the next snapshot of its event, unless the book still shows it there.

    Args:
        snapshots: snapshots of events of the day.
        day: day of the games.
        games: games by event id. Home and away follow the schedule where the event differs.
    """
    by_event: dict[str, list[Snapshot]] = defaultdict(list)
    for s in snapshots:
        by_event[s.event.id].append(s)
    successive: list[tuple[Snapshot, Snapshot | None]] = []
    for shots in by_event.values():
        in_time = sorted(shots, key=lambda s: s.at)
        successive += zip(in_time, [*in_time[1:], None], strict=True)
    return [
        {
            "game_id": games[s.event.id].game_id if s.event.id in games else None,
            "game_date": day,
            **(_exchanged(line) if _sides_differ(s.event, games.get(s.event.id)) else line),
            "line_kind": "snapshot",
            "snapshot_utc": s.at,
            "ended_utc": None if after is None or line in after.lines else after.at,
            "source": SOURCE,
        }
        for s, after in successive
        for line in s.lines
    ]


def _sides_differ(event: Event, game: Game | None) -> bool:
    return game is not None and game.home == event.away


def _exchanged(line: Row) -> Row:
    """Exchange home and away in a book's line."""
    spread = line["spread_home"]
    return line | {
        "spread_home": None if spread is None else -spread + 0.0,
        "ml_home": line["ml_away"],
        "ml_away": line["ml_home"],
    }


def _stretches(shots: list[Snapshot]) -> list[tuple[Quote, list[datetime], datetime | None]]:
    """List (quote, capture times, time of the first snapshot without it) for every stretch of successive snapshots.

    The last is None without a later snapshot.
    """
    quotes_by_snapshot = [{tuple(p.items()) for p in s.props} for s in shots]
    stretches = []
    for quote in sorted(set().union(*quotes_by_snapshot), key=str):
        positions = [i for i, quotes in enumerate(quotes_by_snapshot) if quote in quotes]
        breaks = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(positions)) if b != a + 1), len(positions)]
        for a, b in pairwise(breaks):
            after = positions[b - 1] + 1
            end = shots[after].at if after < len(shots) else None
            stretches.append((quote, [shots[i].at for i in positions[a:b]], end))
    return stretches


def _unwrapped(payload: Any) -> tuple[Any, datetime | None]:
    """Return the data and the time of the snapshot; None for a current answer."""
    if isinstance(payload, dict) and "timestamp" in payload:
        return part(payload, "data", (dict, list)), instant(payload["timestamp"])
    if isinstance(payload, dict) and "message" in payload:
        raise PayloadError(f"the service reports: {shown(payload['message'])}")
    return payload, None


def _event(e: Any) -> Event:
    event_id = part(e, "id", str)
    if not EVENT_ID.fullmatch(event_id):
        raise PayloadError(f"the id of an event is {shown(event_id)}")
    return Event(
        id=event_id,
        commence=instant(part(e, "commence_time", str)),
        home=tricode_of(part(e, "home_team", str)),
        away=tricode_of(part(e, "away_team", str)),
    )


def _outcomes(book: str, markets: list[Any], sieve: Sieve) -> dict[str, list[Row]]:
    """Read the usable outcomes of a book by market; those of players as (side, player, line, odds)."""
    by_market: dict[str, list[Row]] = defaultdict(list)
    for number_of_market, market in enumerate(markets, 1):
        try:
            key, outcomes = part(market, "key", str), part(market, "outcomes", list)
        except PayloadError as error:
            sieve.reject(f"book {book}, market {number_of_market}", error.what)
            continue
        if key not in MARKETS:
            continue
        parse = _player_outcome if key in PROP_MARKETS else GAME_OUTCOMES[key]
        read = [sieve.read(f"book {book}, {key} {i}", partial(parse, o)) for i, o in enumerate(outcomes, 1)]
        by_market[key] += [o for o in read if o is not None]
    return by_market


def _player_outcome(outcome: Any) -> Row:
    side = part(outcome, "name", str)
    if side not in (OVER, UNDER):
        raise PayloadError(f"a player's outcome is called {side!r}, neither {OVER} nor {UNDER}")
    line = number(outcome, "point")
    if line is None:
        raise PayloadError("a player's outcome has no line")
    return {"side": side, "player": required(outcome, "description"), "line": line, "odds": _price(outcome)}


def _club_and_price(outcome: Any) -> Row:
    return {"name": required(outcome, "name"), "price": _price(outcome)}


def _name_and_point(outcome: Any) -> Row:
    """Read an outcome of spreads or totals; the points are used, the prices are not."""
    return {"name": required(outcome, "name"), "point": number(outcome, "point")}


def _price(outcome: Any) -> float | None:
    """Read American odds, which are never between -100 and 100."""
    price = number(outcome, "price")
    if price is not None and abs(price) < LEAST_AMERICAN:
        raise PayloadError(f"the price {price:g} is not American odds")
    return price


GAME_OUTCOMES: Mapping[str, Callable[[Any], Row]] = {
    SPREAD: _name_and_point,
    TOTAL: _name_and_point,
    MONEYLINE: _club_and_price,
}


def _props(outcomes: list[Row]) -> list[Row]:
    """Pair over and under of each player's line; either may be missing."""
    quotes: list[Row] = []
    for o in outcomes:
        column = "over_odds" if o["side"] == OVER else "under_odds"
        same = (q for q in quotes if (q["player_name_source"], q["line"]) == (o["player"], o["line"]))
        quote = next((q for q in same if q[column] is None), None)
        if quote is None:
            quote = {"player_name_source": o["player"], "line": o["line"], "over_odds": None, "under_odds": None}
            quotes.append(quote)
        quote[column] = o["odds"]
    return quotes


def _game_line(book: str, outcomes: Mapping[str, list[Row]], clubs: tuple[str, str], sieve: Sieve) -> Row:
    """Build a book's spread, total and moneyline; set contradictory markets aside."""
    home, away = clubs
    spread = _by_club(book, SPREAD, outcomes, clubs, sieve)
    money = _by_club(book, MONEYLINE, outcomes, clubs, sieve)
    totals = {o["point"] for o in outcomes.get(TOTAL, []) if o["point"] is not None}
    if len(totals) > 1:
        sieve.reject(f"book {book}, {TOTAL}", f"several totals for one game: {', '.join(map(str, sorted(totals)))}")
    return {
        "spread_home": spread[home]["point"] if home in spread else None,
        "total": next(iter(totals)) if len(totals) == 1 else None,
        "ml_home": money[home]["price"] if home in money else None,
        "ml_away": money[away]["price"] if away in money else None,
    }


def _by_club(
    book: str, market: str, outcomes: Mapping[str, list[Row]], clubs: tuple[str, str], sieve: Sieve
) -> dict[str, Row]:
    """Index the outcomes by club; empty if a club has several."""
    by_club: dict[str, Row] = {}
    for o in outcomes.get(market, []):
        if o["name"] not in clubs:
            sieve.reject(f"book {book}, {market}", f"{o['name']!r} is neither team of the event")
        elif by_club.setdefault(o["name"], o) != o:
            sieve.reject(f"book {book}, {market}", f"several outcomes for {o['name']}")
            return {}
    return by_club
