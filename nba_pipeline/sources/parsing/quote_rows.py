"""Build rows of the feeds of quotes from snapshots of events.

Only snapshots that asked for a market say that a quote in it has ended.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from nba_pipeline.sources.parsing.odds import GAME_MARKETS, SOURCE, Event, Snapshot
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import Row

Quote = tuple[tuple[str, Any], ...]


def prop_rows(snapshots: Iterable[Snapshot], day: date, games: Mapping[str, Game]) -> list[Row]:
    """Build rows of the feed `prop_lines`: a row per quote and stretch of successive snapshots with it.

    Args:
        snapshots: snapshots of events of the day.
        day: day of the games.
        games: games by event id.

    Returns:
        Rows with players' names as the book spells them.
    """
    by_event: dict[tuple[str, str], list[Snapshot]] = defaultdict(list)
    for s in snapshots:
        for market in s.covers - set(GAME_MARKETS):
            by_event[s.event.id, market].append(s)
    rows = []
    for (event_id, market), shots in by_event.items():
        shots.sort(key=lambda s: s.at)
        for quote, times, end in _stretches(shots, market):
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
        if set(GAME_MARKETS) <= s.covers:
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


def _stretches(shots: list[Snapshot], market: str) -> list[tuple[Quote, list[datetime], datetime | None]]:
    """List (quote, capture times, time of the first snapshot without it) for every stretch of successive snapshots.

    The last is None without a later snapshot.
    """
    quotes_by_snapshot = [{tuple(p.items()) for p in s.props if p["market"] == market} for s in shots]
    stretches = []
    for quote in sorted(set().union(*quotes_by_snapshot), key=str):
        positions = [i for i, quotes in enumerate(quotes_by_snapshot) if quote in quotes]
        breaks = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(positions)) if b != a + 1), len(positions)]
        for a, b in pairwise(breaks):
            after = positions[b - 1] + 1
            end = shots[after].at if after < len(shots) else None
            stretches.append((quote, [shots[i].at for i in positions[a:b]], end))
    return stretches
