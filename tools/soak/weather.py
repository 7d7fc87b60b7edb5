"""A source with bad days: outages of single feeds, and box scores that are corrected after the fact."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from nba_pipeline.common import clock
from nba_pipeline.sources import landing
from nba_pipeline.sources.client import Unreachable
from nba_pipeline.sources.landing import Feed
from nba_pipeline.sources.protocol import Source


@dataclass(frozen=True)
class Outage:
    """From one moment to another, a feed cannot be read."""

    feed: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Correction:
    """From `at` on, the first player of the day's box scores, and his team, have one assist more than was said at first."""

    day: date
    at: datetime


@dataclass(frozen=True)
class Weather:
    """The source, with what goes wrong with it by the clock."""

    source: Source
    outages: tuple[Outage, ...] = ()
    corrections: tuple[Correction, ...] = ()

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        now = clock.now()
        for o in self.outages:
            if o.feed == feed.name and o.start <= now < o.end:
                raise Unreachable(f"{feed.name}: no answer", "wait")
        rows = self.source.read(feed, days)
        if feed in (landing.PLAYER_BOXSCORES, landing.TEAM_BOXSCORES):
            for c in self.corrections:
                rows = self._corrected(feed, rows, c.day) if c.at <= now and c.day in days else rows
        return rows

    def _corrected(self, feed: Feed, rows: pa.Table, day: date) -> pa.Table:
        """The rows with one assist more for the day's first player, or for his team in his game."""
        players = self.source.read(landing.PLAYER_BOXSCORES, [day]).to_pylist()
        if not players:
            return rows
        names = ("game_id", "team") if feed is landing.TEAM_BOXSCORES else ("game_id", "player_id")
        meant = {n: players[0][n] for n in names}
        found = [all(r[n] == v for n, v in meant.items()) for r in rows.select(names).to_pylist()]
        assists = [n + right for n, right in zip(rows["ast"].to_pylist(), found, strict=True)]
        place = rows.column_names.index("ast")
        return rows.set_column(place, "ast", pa.array(assists, rows["ast"].type))

    def describe(self) -> dict[str, str]:
        return self.source.describe()
