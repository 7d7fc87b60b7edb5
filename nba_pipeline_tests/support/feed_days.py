"""Small feeds of an invented league, made by hand, and a warehouse that they are published into."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.publish import Publication, publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.waivers import NO_WAIVERS, Waivers
from nba_pipeline.tables.catalog import CATALOG, schedule_read
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.support import HandMadeSource
from nba_pipeline_tests.support.open_warehouse import OpenWarehouse

Row = dict[str, Any]
MONDAY = date(2024, 1, 8)
TUESDAY, WEDNESDAY, FRIDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 4))
COUNTS = ("fg3m", "fg3a", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov", "pf")


def morning_after(day: date) -> datetime:
    """Seven in the morning, Eastern standard time, of the next day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=1)


def tip_off(day: date) -> datetime:
    """Half past seven in the evening, Eastern standard time."""
    return datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC) + timedelta(days=1)


def game(number: int, day: date, *, home: str = "BOS", away: str = "NYK", played: bool = True, **more: Any) -> Row:
    """A row of the schedule feed; 100:90 where it is played."""
    return {
        "game_id": f"00223{number:05d}",
        "game_date": day,
        "game_datetime_utc": tip_off(day),
        "home_team": home,
        "away_team": away,
        "home_pts": 100 if played else None,
        "away_pts": 90 if played else None,
    } | more


def box_score(of: Row, **more: Any) -> list[Row]:
    """Five players a team who share its points evenly."""
    lines = []
    for team, other, points, base in (
        (of["home_team"], of["away_team"], 100, 10),
        (of["away_team"], of["home_team"], 90, 20),
    ):
        for n in range(5):
            shots = points // 10
            line = dict.fromkeys(COUNTS, 0) | {"pts": 2 * shots, "fgm": shots, "fga": shots, "ftm": 0, "fta": 0}
            who = {"player_id": base + n + 1, "player_name": f"Player {base + n}", "starter": True}
            where = {"team": team, "opponent": other, "is_home": team == of["home_team"]}
            lines.append(
                {"game_id": of["game_id"], "game_date": of["game_date"], "min": 48, "min_exact": 48.0}
                | line
                | who
                | where
                | more
            )
    return lines


class FeedDays:
    """Feeds that a test changes, and the warehouse that they are published into."""

    def __init__(self, path: Path, schedule: Sequence[Row] = (), boxes: Iterable[Row] = ()) -> None:
        self.warehouse = OpenWarehouse(path / "nba.duckdb")
        self.feeds: dict[str, list[Row]] = {"schedule": list(schedule), "player_boxscores": list(boxes)}

    def publish(self, table: Table, *days: date, at: datetime, waivers: Waivers = NO_WAIVERS) -> Publication:
        transform = CATALOG[table.id]
        run = RunContext("run", at, waivers=waivers)
        source = HandMadeSource(self.feeds)
        return publish(transform, days, self.warehouse, source, schedule_read(transform), run)

    def rows(self, table: Table, *columns: str) -> list[tuple]:
        """These columns of all rows, in order."""
        read = self.warehouse.read({"r": (table, Days(date(1900, 1, 1), date(2100, 1, 1)))})["r"]
        return sorted(tuple(r[c] for c in columns) for r in read.to_pylist())

    def absent(self, table: Table, day: date) -> str:
        """The explanations of absent rows in the ledger, as JSON."""
        (entry,) = (e for e in self.warehouse.ledger([table.id], day, day).to_pylist() if e["state"] == "published")
        return entry["absent"]


def refusal(done: Publication) -> str:
    """Why the one refused day was refused."""
    (verdict,) = done.refused
    return verdict.reason
