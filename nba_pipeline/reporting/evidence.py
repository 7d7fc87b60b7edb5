"""Index what stands beside a forecast: prices of every book, movements of lines, earlier games, recorded calls, results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.domain.report_types import LINEUP
from nba_pipeline.reporting.data import MadeCall, Move, PastGame, Quote, Result, Statement
from nba_pipeline.reporting.rows import records
from nba_pipeline.tables.predictions.calls import SNAPSHOTS

if TYPE_CHECKING:  # takes most of a second to load, and definitions read no rows
    import pandas as pd

RECENT_GAMES = 20
PRICED = ("system_id", "player_id", "market")
PLAYER_MARKET = ("player_id", "market")
Key = tuple[Any, ...]
ReportTimes = Mapping[tuple[int, date], datetime]


@dataclass(frozen=True)
class Evidence:
    """What a day knows about each player and market; quotes and results also by system, statements by player."""

    quotes: Mapping[Key, tuple[Quote, ...]]
    moves: Mapping[Key, tuple[Move, ...]]
    recent: Mapping[Key, tuple[PastGame, ...]]
    made: Mapping[Key, tuple[MadeCall, ...]]
    results: Mapping[Key, Result]
    statements: Mapping[int, Statement]

    def of(self, system: str, player: int, market: str) -> dict[str, Any]:
        """Return the fields of a forecast."""
        return {
            "quotes": self.quotes.get((system, player, market), ()),
            "moves": self.moves.get((player, market), ()),
            "recent": self.recent.get((player, market), ()),
            "made": self.made.get((player, market), ()),
            "result": self.results.get((system, player, market)),
            "statement": self.statements.get(player),
        }


def _grouped(rows: Iterable[Mapping[str, Any]], key: tuple[str, ...]) -> dict[Key, list[Mapping[str, Any]]]:
    groups: dict[Key, list[Mapping[str, Any]]] = {}
    for r in rows:
        groups.setdefault(tuple(r[c] for c in key), []).append(r)
    return groups


def quotes(prices: pd.DataFrame) -> dict[Key, tuple[Quote, ...]]:
    """Index the quotes by system, player and market: sportsbooks before pick'em operators, by line and book."""
    ordered = prices.sort_values(["book_kind", "line", "bookmaker"], ascending=[False, True, True], kind="stable")
    return {
        key: tuple(
            Quote(
                book=r["bookmaker"],
                kind=r["book_kind"],
                line=r["line"],
                over_odds=r["over_odds"],
                under_odds=r["under_odds"],
                p_over=r["p_over"],
                p_push=r["p_push"],
                ev_over=r["ev_over"],
                ev_under=r["ev_under"],
                best_over=bool(r["best_over"]),
                best_under=bool(r["best_under"]),
                exclusion=r["exclusion"],
                quoted_at=r["quoted_at"],
            )
            for r in rows
        )
        for key, rows in _grouped(records(ordered), PRICED).items()
    }


def moves(lines: pd.DataFrame, cutoffs: Mapping[int, datetime]) -> dict[Key, tuple[Move, ...]]:
    """Index how each book's main line moved between its first and its last sighting before the cut-off, by player and market.

    Books that were seen once, and quotes without a time of capture, say nothing about movement. Of a quote that was last seen
    after the cut-off only its capture was known then.

    Args:
        lines: Quotes of main lines, with `captured_at` and `last_seen_at`.
        cutoffs: The cut-off of each player's game; other players have no movement.
    """
    import pandas as pd  # deferred, as above

    cutoff = lines["player_id"].map(dict(cutoffs))
    cutoff = pd.to_datetime(cutoff, utc=True, cache=False)
    timed = lines[pd.to_datetime(lines["captured_at"], utc=True, cache=False) <= cutoff]
    last_seen = pd.to_datetime(timed["last_seen_at"], utc=True, cache=False)
    seen = last_seen.where(last_seen <= cutoff[timed.index]).fillna(timed["captured_at"])
    of_book = [*PLAYER_MARKET, "bookmaker"]
    sightings = timed.assign(seen_at=seen)[[*of_book, "line", "captured_at", "seen_at"]]
    first = sightings.sort_values(["bookmaker", "captured_at", "line"], kind="stable").drop_duplicates(of_book)
    by_time = sightings.sort_values(["seen_at", "captured_at", "line"], ascending=[True, True, False])
    ends = first.merge(by_time.drop_duplicates(of_book, keep="last"), on=of_book, suffixes=("", "_last"))
    moved = records(ends[ends["captured_at"] != ends["seen_at_last"]])
    return {
        key: tuple(Move(r["bookmaker"], r["line"], r["captured_at"], r["line_last"], r["seen_at_last"]) for r in rows)
        for key, rows in _grouped(moved, PLAYER_MARKET).items()
    }


def recent_games(
    facts: pd.DataFrame, first: date, last: date, players: Iterable[int]
) -> dict[Key, tuple[PastGame, ...]]:
    """Index the latest games of the players by player and market, latest first.

    Args:
        facts: rows of player_game_summary.
        first: first day that may be read.
        last: last day that may be read.
        players: players whose games are shown.
    """
    window = facts[
        (facts["game_date"] >= first) & (facts["game_date"] <= last) & facts["player_id"].isin(list(players))
    ]
    latest = window.sort_values("game_date", ascending=False, kind="stable").groupby("player_id").head(RECENT_GAMES)
    ids, days = latest["player_id"].tolist(), latest["game_date"].tolist()
    indexed: dict[Key, list[PastGame]] = {}
    for market in MARKETS.values():
        actual = latest[list(market.counts)].astype(float).sum(axis=1, skipna=False)
        for player, day, value in zip(ids, days, actual.tolist(), strict=True):
            if not math.isnan(value):
                indexed.setdefault((player, market.name), []).append(PastGame(day, int(value)))
    return {key: tuple(games) for key, games in indexed.items()}


def made_calls(calls: pd.DataFrame, grades: pd.DataFrame) -> dict[Key, tuple[MadeCall, ...]]:
    """Index the recorded calls of a day by player and market, in order of their snapshots, with their grades once they are in."""
    graded = {tuple(r[c] for c in (*PLAYER_MARKET, "snapshot")): r for r in records(grades)}
    indexed = {}
    for key, rows in _grouped(records(calls), PLAYER_MARKET).items():
        own = []
        for r in sorted(rows, key=lambda r: SNAPSHOTS.index(r["snapshot"])):
            grade = graded.get((*key, r["snapshot"]), {"outcome": None, "profit": None})
            own.append(
                MadeCall(
                    snapshot=r["snapshot"],
                    side=r["side"].lower(),
                    book=r["bookmaker"],
                    line=r["line"],
                    odds=r["odds"],
                    p_side=r["p_side"],
                    expected_value=r["expected_value"],
                    as_of=r["as_of"],
                    outcome=grade["outcome"],
                    profit=grade["profit"],
                )
            )
        indexed[key] = tuple(own)
    return indexed


def results(graded: pd.DataFrame) -> dict[Key, Result]:
    """Index what happened by system, player and market."""
    return {
        tuple(r[c] for c in PRICED): Result(None if r["actual_value"] is None else int(r["actual_value"]), r["outcome"])
        for r in records(graded)
    }


def statements(players: pd.DataFrame, times: ReportTimes) -> dict[int, Statement]:
    """Index the line-up or statement in force of each player who has a status.

    Args:
        players: rows of upcoming_player_game_context of the day.
        times: publication times by player and day of the report, where the source states them.
    """
    return {
        r["player_id"]: Statement(
            status=r["injury_status"],
            source=r["injury_status_source"],
            day=r["injury_reported_on"],
            age=(r["game_date"] - r["injury_reported_on"]).days,
            reported_at=report_time(r, times),
        )
        for r in records(players[players["injury_status"].notna()])
    }


def report_time(row: Mapping[str, Any], times: ReportTimes) -> datetime | None:
    """Return when the statement of a row of upcoming_player_game_context was published; a line-up is no report."""
    if row["injury_status_source"] == LINEUP:
        return None
    return times.get((row["player_id"], row["injury_reported_on"]))
