"""The Odds API, version 4: events, and the quotes of the books on them, current or as of a historical snapshot.

An outcome, a market or a book of an odd form is set aside by name; the others count. A historical answer wraps the same data
and says when its snapshot was taken; a current one is a snapshot of the moment at which it was fetched.
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
# A tip-off that is moved within the evening is still the same game; the next game of the same teams is a day away.
MOVED_AT_MOST = timedelta(hours=12)

Quote = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Event:
    """A game as the service lists it. Teams are tricodes, None for what is no club of the league."""

    id: str
    commence: datetime
    home: str | None
    away: str | None

    @property
    def day(self) -> date:
        """The US-Eastern calendar date."""
        return self.commence.astimezone(EASTERN).date()

    def game(self, games: Iterable[Game]) -> Game | None:
        """The game of the schedule between these teams, whichever is listed as home, on this date or at nearly this time."""
        if self.home is None or self.away is None:
            return None
        same = [g for g in games if {g.home, g.away} == {self.home, self.away}]
        near = [g for g in same if g.day == self.day] or [g for g in same if self._is_near(g)]
        return near[0] if len(near) == 1 else None

    def _is_near(self, game: Game) -> bool:
        return game.tip_off is not None and abs(game.tip_off - self.commence) <= MOVED_AT_MOST


@dataclass(frozen=True)
class Snapshot:
    """What the books quoted on one event at one moment: rows of both feeds, without game and capture time."""

    event: Event
    at: datetime
    props: tuple[Row, ...]
    lines: tuple[Row, ...]


def events(payload: Any, set_aside: list[SetAside] | None = None) -> list[Event]:
    """Read the listed events; none is a legitimate answer.

    Args:
        payload: the answer.
        set_aside: takes the events that cannot be read.

    Raises:
        PayloadError: for an answer of another form, or with too many events that cannot be read.
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
        set_aside: takes the books, markets and outcomes that cannot be used.

    Raises:
        PayloadError: for an answer of another form, or with too few outcomes that can be used.
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
    """Make rows of the feed `prop_lines`: a row per quote and stretch of successive snapshots that show it unchanged.

    Args:
        snapshots: of events of the day.
        day: that of the games.
        games: event id -> game.

    Returns:
        Rows in which players' names stay as the book spells them.
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
    """Make rows of the feed `game_lines`: a row per game, book and snapshot, whenever it was taken.

    Args:
        snapshots: of events of the day.
        day: that of the games.
        games: event id -> game. Where the schedule has the sides the other way round, so have the rows.
    """
    return [
        {
            "game_id": games[s.event.id].game_id if s.event.id in games else None,
            "game_date": day,
            **(_exchanged(line) if _sides_differ(s.event, games.get(s.event.id)) else line),
            "line_kind": "snapshot",
            "snapshot_utc": s.at,
            "source": SOURCE,
        }
        for s in snapshots
        for line in s.lines
    ]


def _sides_differ(event: Event, game: Game | None) -> bool:
    return game is not None and game.home == event.away


def _exchanged(line: Row) -> Row:
    """The line of a book with home and away exchanged."""
    spread = line["spread_home"]
    return line | {
        "spread_home": None if spread is None else -spread + 0.0,
        "ml_home": line["ml_away"],
        "ml_away": line["ml_home"],
    }


def _stretches(shots: list[Snapshot]) -> list[tuple[Quote, list[datetime], datetime | None]]:
    """(quote, times at which it was seen, when it was first seen to be gone) for every stretch of successive snapshots that
    show the quote; the last is None where no later snapshot was taken."""
    shown_in = [{tuple(p.items()) for p in s.props} for s in shots]
    stretches = []
    for quote in sorted(set().union(*shown_in), key=str):
        seen = [i for i, here in enumerate(shown_in) if quote in here]
        breaks = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(seen)) if b != a + 1), len(seen)]
        for a, b in pairwise(breaks):
            after = seen[b - 1] + 1
            end = shots[after].at if after < len(shots) else None
            stretches.append((quote, [shots[i].at for i in seen[a:b]], end))
    return stretches


def _unwrapped(payload: Any) -> tuple[Any, datetime | None]:
    """The data, and when the snapshot was taken, None for a current answer."""
    if isinstance(payload, dict) and "timestamp" in payload:
        return part(payload, "data", (dict, list)), instant(payload["timestamp"])
    if isinstance(payload, dict) and "message" in payload:
        raise PayloadError(f"the service says: {shown(payload['message'])}")
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
    """The usable outcomes of a book by market: of players (side, who, line, odds), of the game as they came."""
    found: dict[str, list[Row]] = defaultdict(list)
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
        found[key] += [o for o in read if o is not None]
    return found


def _player_outcome(outcome: Any) -> Row:
    side = part(outcome, "name", str)
    if side not in (OVER, UNDER):
        raise PayloadError(f"a player's outcome is called {side!r}, neither {OVER} nor {UNDER}")
    line = number(outcome, "point")
    if line is None:
        raise PayloadError("a player's outcome has no line")
    return {"side": side, "who": required(outcome, "description"), "line": line, "odds": _price(outcome)}


def _club_and_price(outcome: Any) -> Row:
    return {"name": required(outcome, "name"), "price": _price(outcome)}


def _name_and_point(outcome: Any) -> Row:
    """Of spreads and totals the points are used, not their prices."""
    return {"name": required(outcome, "name"), "point": number(outcome, "point")}


def _price(outcome: Any) -> float | None:
    """American odds, which are never between -100 and 100."""
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
    """Over and under of a player's line belong together; either may be missing."""
    quotes: list[Row] = []
    for o in outcomes:
        column = "over_odds" if o["side"] == OVER else "under_odds"
        same = (q for q in quotes if (q["player_name_source"], q["line"]) == (o["who"], o["line"]))
        quote = next((q for q in same if q[column] is None), None)
        if quote is None:
            quote = {"player_name_source": o["who"], "line": o["line"], "over_odds": None, "under_odds": None}
            quotes.append(quote)
        quote[column] = o["odds"]
    return quotes


def _game_line(book: str, outcomes: Mapping[str, list[Row]], clubs: tuple[str, str], sieve: Sieve) -> Row:
    """A book's spread, total and moneyline; a market that contradicts itself is set aside."""
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
    """The outcome of each club; none where a club has several."""
    found: dict[str, Row] = {}
    for o in outcomes.get(market, []):
        if o["name"] not in clubs:
            sieve.reject(f"book {book}, {market}", f"{o['name']!r} is neither team of the event")
        elif found.setdefault(o["name"], o) != o:
            sieve.reject(f"book {book}, {market}", f"several outcomes for {o['name']}")
            return {}
    return found
