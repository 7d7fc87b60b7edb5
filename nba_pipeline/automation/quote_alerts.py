"""Notes and alerts about players who are quoted on points and listed by no team, so that they have no forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.domain.books import QUOTING
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.warehouse import Days, Warehouse

NAMED = 5
FIX = (
    "their team is not known: put a roster captured before the games into the feed rosters (docs/landing.md), or declare the"
    " names with `nba-pipeline names`"
)


@dataclass(frozen=True)
class QuotedPlayer:
    """A player with a points quote on a day without a team that lists the player."""

    day: date
    player_id: int
    name: str


def quoted_without_forecast(warehouse: Warehouse, first: date, last: date) -> list[QuotedPlayer]:
    """List the players quoted on points in time for a forecast, by books that count, who are listed by no team.

    Args:
        warehouse: The warehouse.
        first: The first day.
        last: The last day, inclusive.

    Returns:
        The players by day and name; nothing of days without listed players.
    """
    quoted = ("game_date", "player_id", "player_name", "market", "book_kind", "evaluation_only")
    rows = warehouse.read(
        {
            "quotes": (PLAYER_PROP_LINES, Days(first, last, quoted)),
            "listed": (UPCOMING_PLAYER_GAME_CONTEXT, Days(first, last, ("game_date", "player_id"))),
        }
    )
    listed = set(zip(*(rows["listed"][c].to_pylist() for c in ("game_date", "player_id")), strict=True))
    days = {day for day, _ in listed}
    return sorted(
        {p for p in _quoted(rows["quotes"]) if p.day in days and (p.day, p.player_id) not in listed},
        key=lambda p: (p.day, p.name, p.player_id),
    )


def _quoted(quotes: pa.Table) -> list[QuotedPlayer]:
    for_evaluation = pc.fill_null(quotes["evaluation_only"], False)
    in_time = quotes.filter(pc.invert(for_evaluation))  # pyright: ignore[reportAttributeAccessIssue]
    counted = in_time.group_by(["game_date", "player_id", "market", "book_kind"]).aggregate([("player_name", "min")])
    return [
        QuotedPlayer(r["game_date"], r["player_id"], r["player_name_min"])
        for r in counted.to_pylist()
        if r["market"] == "points" and r["book_kind"] in QUOTING and r["player_id"] is not None
    ]


def quote_notes(players: Sequence[QuotedPlayer]) -> list[str]:
    """Describe the players in one sentence; nothing without any."""
    if not players:
        return []
    shown = ", ".join(f"{p.name} ({p.day})" for p in players[:NAMED])
    more = f" and {len(players) - NAMED} more" if len(players) > NAMED else ""
    days = describe_days(sorted({p.day for p in players}))
    return [f"quoted on points without a forecast on {days}: {len(players)} player-days, {shown}{more}; {FIX}"]


def quote_alerts(players: Sequence[QuotedPlayer]) -> list[Alert]:
    """Return an alert per day with such players."""
    days = sorted({p.day for p in players})
    by_day = {day: [p for p in players if p.day == day] for day in days}
    return [
        Alert(
            AlertKind.QUOTED,
            f"quoted {day}",
            f"{len(found)} players are quoted on points on {day} and have no forecast: "
            f"{', '.join(p.name for p in found[:NAMED])}. Fix: {FIX}",
        )
        for day, found in by_day.items()
    ]
