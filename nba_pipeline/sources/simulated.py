"""Read the source `simulator`: an invented league, simulated when a season is first read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute

from nba_pipeline.common import clock
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.calendar import season_of
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import (
    FEEDS,
    GAME_LINES,
    INJURIES,
    PLAYER_BOXSCORES,
    PROP_LINES,
    SCHEDULE,
    SHOTS,
    TEAM_BOXSCORES,
    Feed,
)
from nba_pipeline.sources.simulated_files import SimulatedFiles

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute

GAME_LENGTH = timedelta(hours=3)


@dataclass(frozen=True)
class SimulatorSource:
    """Seasons of the invented league of `seed`, stored below `directory`; rows after `now` are hidden."""

    directory: Path
    seed: int
    now: datetime | None = None

    @property
    def files(self) -> SimulatedFiles:
        """The files of its seasons."""
        return SimulatedFiles(self.directory, self.seed)

    def describe(self) -> dict[str, str]:
        return {name: f"simulated league, seed {self.seed}" for name in FEEDS}

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        by_season: dict[str, list[date]] = {}
        for day in days:
            by_season.setdefault(season_of(day), []).append(day)
        now, feed = self.now or clock.now(), FEEDS[feed.name]
        tables = []
        for season, season_days in by_season.items():
            rows = FilesSource(self.files.of(season)).read(feed, season_days)
            is_recent = max(season_days) >= now.date() - timedelta(days=1)
            tables.append(self._hide_future(feed, rows, season, season_days, now) if is_recent else rows)
        return pa.concat_tables(tables)

    def _hide_future(self, feed: Feed, rows: pa.Table, season: str, days: Sequence[date], now: datetime) -> pa.Table:
        """Remove results of games that are not over, and quotes and reports after `now`."""
        moment = pa.scalar(now, pa.timestamp("us", "UTC"))
        if feed in (PROP_LINES, GAME_LINES, INJURIES):
            captured = {
                PROP_LINES.name: "first_seen_utc",
                GAME_LINES.name: "snapshot_utc",
                INJURIES.name: "report_utc",
            }[feed.name]
            is_past = pc.fill_null(
                pc.less_equal(rows[captured], moment),
                pc.less(rows[feed.day], pa.scalar(now.astimezone(ZoneInfo(ZONE)).date())),
            )
            past = rows.filter(is_past)
            return _clear_future(past, "last_seen_utc", moment) if feed is PROP_LINES else past
        if feed not in (SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES, SHOTS):
            return rows
        games = FilesSource(self.files.of(season)).read(SCHEDULE, days)
        ended = pc.less_equal(games["game_datetime_utc"], pa.scalar(now - GAME_LENGTH, pa.timestamp("us", "UTC")))
        over = pc.is_in(rows["game_id"], games["game_id"].filter(ended).combine_chunks())
        if feed is not SCHEDULE:
            return rows.filter(over)
        for name in ("home_pts", "away_pts"):
            hidden = pc.if_else(over, rows[name], pa.scalar(None, rows[name].type))
            rows = rows.set_column(rows.column_names.index(name), name, hidden)
        return rows


def _clear_future(rows: pa.Table, column: str, moment: pa.Scalar) -> pa.Table:
    """Replace times after `moment` by NULL."""
    past = pc.if_else(pc.less_equal(rows[column], moment), rows[column], pa.scalar(None, rows[column].type))
    return rows.set_column(rows.column_names.index(column), column, past)
