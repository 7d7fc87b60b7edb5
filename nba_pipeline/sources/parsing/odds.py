"""Parse answers of The Odds API, version 4: events and quotes, current or historical.

An outcome, market or book of another form is set aside by name; the others are used. A historical answer wraps the same data
with the time of its snapshot; a current answer is a snapshot of the time of its fetch.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
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
GAME_MARKETS = (SPREAD, TOTAL, MONEYLINE)
MARKETS = (*PROP_MARKETS, *GAME_MARKETS)
ALL = frozenset((*PROP_MARKETS.values(), *GAME_MARKETS))
OVER, UNDER = "Over", "Under"
SOURCE = "The Odds API"
EVENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:|~=@-]{0,99}")
LONGEST_ID = 48
FLOOR = 0.5
LEAST_AMERICAN = 100
# A tip-off that moves within the evening belongs to the same game; the next game of the same teams is a day away.
MOVED_AT_MOST = timedelta(hours=12)


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
    """The quotes of all books on one event at one time: rows of both feeds, without game and capture time.

    `covers`: the markets that were asked for; the absence of a quote in another market says nothing.
    """

    event: Event
    at: datetime
    props: tuple[Row, ...]
    lines: tuple[Row, ...]
    covers: frozenset[str] = ALL


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


def snapshot(
    payload: Any, fetched_at: datetime, set_aside: list[SetAside] | None = None, covers: frozenset[str] = ALL
) -> Snapshot:
    """Read the quotes on one event.

    Args:
        payload: the answer.
        fetched_at: the capture time of a current answer.
        set_aside: receives the books, markets and outcomes that cannot be used.
        covers: the markets that were asked for.

    Raises:
        PayloadError: the answer has another form, or too few outcomes that can be used.
    """
    data, taken = _unwrapped(payload)
    return _snapshot(data, taken or fetched_at.replace(microsecond=0), set_aside, covers)


def slate(payload: Any, fetched_at: datetime, set_aside: list[SetAside] | None = None) -> list[Snapshot]:
    """Read the game lines on all listed events that had not begun at the time of the snapshot; an empty list is valid.

    Args:
        payload: the answer.
        fetched_at: the capture time of a current answer.
        set_aside: receives the events, books, markets and outcomes that cannot be used.

    Raises:
        PayloadError: the answer has another form, or too few events that can be used.
    """
    data, taken = _unwrapped(payload)
    if not isinstance(data, list):
        raise PayloadError(f"a list of events is expected, not {shown(data)}")
    at = taken or fetched_at.replace(microsecond=0)
    inner: list[SetAside] = []
    elements = [
        (f"event {i}", partial(_snapshot, e, at, inner, frozenset(GAME_MARKETS))) for i, e in enumerate(data, 1)
    ]
    read = accepted(elements, FLOOR, "events", set_aside)
    if set_aside is not None:
        set_aside += inner
    return [s for s in read if s.event.commence > at]


def covered_markets(kind: str, key: str) -> frozenset[str]:
    """Return the markets that the call of a stored answer asked for.

    Args:
        kind: kind of the call; one for a slate asked for game lines.
        key: key of the call: `day_event_time_markets`; calls of earlier releases name no markets and asked for all.
    """
    if kind.startswith("slate"):
        return frozenset(GAME_MARKETS)
    last = key.rsplit("_", 1)[-1].split("-")
    return frozenset(last) if set(last) <= ALL else ALL


def safe_id(event_id: str) -> str:
    """Return the id of an event as it stands in the name of a stored answer."""
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", event_id)
    return plain if len(plain) <= LONGEST_ID else f"{plain[:31]}-{hashlib.sha256(event_id.encode()).hexdigest()[:16]}"


def _snapshot(data: Any, at: datetime, set_aside: list[SetAside] | None, covers: frozenset[str]) -> Snapshot:
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
    return Snapshot(event, at, tuple(props), tuple(lines), covers)


def _unwrapped(payload: Any) -> tuple[Any, datetime | None]:
    """Return the data and the time of the snapshot; None for a current answer."""
    if isinstance(payload, dict) and "timestamp" in payload:
        return part(payload, "data", (dict, list)), instant(payload["timestamp"])
    if isinstance(payload, dict) and "message" in payload:
        raise PayloadError(f"the service reports: {shown(payload['message'])}")
    return payload, None


def _event(e: Any) -> Event:
    event_id = str(part(e, "id", (str, int)))
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
    """Read an outcome of spreads or totals; the points are used, the prices only tell a main line from alternates."""
    return {
        "name": required(outcome, "name"),
        "point": number(outcome, "point"),
        "chance": _chance(number(outcome, "price")),
    }


def _chance(price: float | None) -> float | None:
    """Return the chance that a price implies, American or decimal; None where it is neither."""
    if price is None or -LEAST_AMERICAN < price <= 1:
        return None
    if price >= LEAST_AMERICAN:
        return LEAST_AMERICAN / (LEAST_AMERICAN + price)
    return -price / (LEAST_AMERICAN - price) if price < 0 else 1 / price


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
    spreads = _of_clubs(book, SPREAD, outcomes, clubs, sieve)
    prices = {
        club: {o["price"] for o in own} for club, own in _of_clubs(book, MONEYLINE, outcomes, clubs, sieve).items()
    }
    for club in (c for c, own in prices.items() if len(own) > 1):
        sieve.reject(f"book {book}, {MONEYLINE}", f"several outcomes for {club}")
    money = {c: next(iter(own)) for c, own in prices.items() if own} if all(len(p) < 2 for p in prices.values()) else {}
    totals = {side: [o for o in outcomes.get(TOTAL, []) if o["name"] == side] for side in (OVER, UNDER)}
    return {
        "spread_home": _main_line(book, SPREAD, spreads[home], spreads[away], -1, sieve),
        "total": _main_line(book, TOTAL, totals[OVER], totals[UNDER], 1, sieve),
        "ml_home": money.get(home),
        "ml_away": money.get(away),
    }


def _of_clubs(
    book: str, market: str, outcomes: Mapping[str, list[Row]], clubs: tuple[str, str], sieve: Sieve
) -> dict[str, list[Row]]:
    """Group the outcomes by club; set those of others aside."""
    by_club: dict[str, list[Row]] = {club: [] for club in clubs}
    for o in outcomes.get(market, []):
        if o["name"] in by_club:
            by_club[o["name"]].append(o)
        else:
            sieve.reject(f"book {book}, {market}", f"{o['name']!r} is neither team of the event")
    return by_club


def _main_line(book: str, market: str, one: list[Row], other: list[Row], sign: int, sieve: Sieve) -> float | None:
    """Return the points of one side; of several lines those of the line with the most even prices on both sides.

    Args:
        book: the book, for the record.
        market: the market, for the record.
        one: outcomes of the side whose points are returned.
        other: outcomes of the other side.
        sign: 1 where both sides have the same points, -1 where they have opposite points.
        sieve: receives a market whose main line is not known.
    """
    points = {o["point"] for o in one if o["point"] is not None}
    opposite = {sign * o["point"] for o in other if o["point"] is not None}
    if len(points) <= 1 and len(opposite) <= 1 and (sign < 0 or points == opposite or not (points and opposite)):
        return next(iter(points or (opposite if sign > 0 else ())), None)
    gaps = sorted(
        (abs(a["chance"] - b["chance"]), a["point"])
        for a in one
        for b in other
        if None not in (a["point"], b["point"], a["chance"], b["chance"]) and a["point"] == sign * b["point"]
    )
    if gaps and (len(gaps) == 1 or gaps[0][0] < gaps[1][0]):
        return gaps[0][1]
    both = ", ".join(map(str, sorted(points | opposite)))
    sieve.reject(f"book {book}, {market}", f"several {market} for one game: {both}")
    return None
