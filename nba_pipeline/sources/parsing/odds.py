"""The Odds API, version 4: events, and the quotes of the books on them, current or as of a historical snapshot.

A historical answer wraps the same data and says when its snapshot was taken; a current one is a snapshot of the moment at
which it was fetched.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.team_names import tricode_of
from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, Row, instant, number, part, required, shown, text

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
        """The game of the schedule between these teams on this date."""
        same = [g for g in games if (g.day, g.home, g.away) == (self.day, self.home, self.away) and self.home]
        return same[0] if len(same) == 1 else None


@dataclass(frozen=True)
class Snapshot:
    """What the books quoted on one event at one moment: rows of both feeds, without game and capture time."""

    event: Event
    at: datetime
    props: tuple[Row, ...]
    lines: tuple[Row, ...]


def events(payload: Any) -> list[Event]:
    """The listed events; none is a legitimate answer."""
    data, _ = _unwrapped(payload)
    if not isinstance(data, list):
        raise PayloadError(f"a list of events is expected, not {shown(data)}")
    return [_event(e) for e in data]


def snapshot(payload: Any, fetched_at: datetime) -> Snapshot:
    """The quotes on one event. `fetched_at` is the capture time of a current answer."""
    data, taken = _unwrapped(payload)
    event = _event(data)
    props: list[Row] = []
    lines: list[Row] = []
    for book in part(data, "bookmakers", list):
        markets = {part(m, "key", str): part(m, "outcomes", list) for m in part(book, "markets", list)}
        name = required(book, "key")
        for key, market in PROP_MARKETS.items():
            props += [{"bookmaker": name, "market": market, **q} for q in _props(markets.get(key, []))]
        line = _game_line(markets, required(data, "home_team"), required(data, "away_team"))
        if any(v is not None for v in line.values()):
            lines.append({"bookmaker": name, **line})
    _refuse_decimal([*(p[k] for p in props for k in ("over_odds", "under_odds")), *(x["ml_home"] for x in lines)])
    return Snapshot(event, taken or fetched_at.replace(microsecond=0), tuple(props), tuple(lines))


def prop_rows(snapshots: Iterable[Snapshot], day: date, game_ids: Mapping[str, str]) -> list[Row]:
    """Rows of the feed `prop_lines`: a row per quote and stretch of successive snapshots that show it unchanged.

    `day`: that of the games; `game_ids`: event id -> game id. Players' names stay as the book spells them.
    """
    by_event: dict[str, list[Snapshot]] = defaultdict(list)
    for s in snapshots:
        by_event[s.event.id].append(s)
    rows = []
    for event_id, shots in by_event.items():
        shots.sort(key=lambda s: s.at)
        for quote, times in _stretches(shots):
            rows.append(
                {
                    "game_date": day,
                    "game_id": game_ids.get(event_id),
                    "player_id": None,
                    "player_name": None,
                    **dict(quote),
                    "line_kind": "main",
                    "is_closing_main": None,
                    "first_seen_utc": times[0],
                    "last_seen_utc": times[-1],
                    "source": SOURCE,
                }
            )
    return rows


def line_rows(snapshots: Iterable[Snapshot], day: date, game_ids: Mapping[str, str]) -> list[Row]:
    """Rows of the feed `game_lines`: a row per game, book and snapshot, whenever it was taken."""
    return [
        {
            "game_id": game_ids.get(s.event.id),
            "game_date": day,
            **line,
            "line_kind": "snapshot",
            "snapshot_utc": s.at,
            "source": SOURCE,
        }
        for s in snapshots
        for line in s.lines
    ]


def _stretches(shots: list[Snapshot]) -> list[tuple[tuple[tuple[str, Any], ...], list[datetime]]]:
    """(quote, times at which it was seen) for every stretch of successive snapshots that show the quote."""
    shown_in = [{tuple(p.items()) for p in s.props} for s in shots]
    found = []
    for quote in sorted(set().union(*shown_in), key=str):
        seen = [i for i, here in enumerate(shown_in) if quote in here]
        breaks = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(seen)) if b != a + 1), len(seen)]
        found += [(quote, [shots[i].at for i in seen[a:b]]) for a, b in pairwise(breaks)]
    return found


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


def _props(outcomes: list[Any]) -> list[Row]:
    """Over and under of a player's line belong together; either may be missing."""
    quotes: list[Row] = []
    for o in outcomes:
        side = part(o, "name", str)
        if side not in (OVER, UNDER):
            raise PayloadError(f"a player's outcome is called {side!r}, neither {OVER} nor {UNDER}")
        who, line, odds = required(o, "description"), number(o, "point"), number(o, "price")
        column = "over_odds" if side == OVER else "under_odds"
        open_quotes = (q for q in quotes if (q["player_name_source"], q["line"]) == (who, line) and q[column] is None)
        quote = next(open_quotes, None)
        if quote is None:
            quote = {"player_name_source": who, "line": line, "over_odds": None, "under_odds": None}
            quotes.append(quote)
        quote[column] = odds
    return quotes


def _game_line(markets: Mapping[str, list[Any]], home: str, away: str) -> Row:
    spread, money = ({text(o, "name"): o for o in markets.get(key, [])} for key in (SPREAD, MONEYLINE))
    totals = {number(o, "point") for o in markets.get(TOTAL, [])}
    if len(totals) > 1:
        raise PayloadError(f"a book quotes several totals for one game: {sorted(map(str, totals))}")
    return {
        "spread_home": number(spread.get(home, {}), "point"),
        "total": next(iter(totals), None),
        "ml_home": number(money.get(home, {}), "price"),
        "ml_away": number(money.get(away, {}), "price"),
    }


def _refuse_decimal(prices: Iterable[float | None]) -> None:
    """American odds are never between -100 and 100; if every price is, the service answered in another format."""
    known = [p for p in prices if p is not None]
    if known and all(abs(p) < 100 for p in known):
        raise PayloadError(f"prices are not American odds: {known[:3]}")
