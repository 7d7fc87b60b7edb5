"""The warehouse as it stood at the cut-offs of a day: nothing of what came later can be read from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import pyarrow as pa

from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.game_states import SCHEDULED
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.raw.game_lines import GAME_LINES
from nba_pipeline.tables.raw.injury_reports import INJURY_REPORTS
from nba_pipeline.tables.raw.lineups import LINEUPS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.rosters import ROSTERS
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.verification.known_feeds import KnownFeeds, declared
from nba_pipeline.warehouse import Days, Reader

# Tables whose rows of a day are known from a moment on: the column that has it.
KNOWN_AT = {INJURY_REPORTS.id: "reported_at", LINEUPS.id: "captured_at", ROSTERS.id: "captured_at"}
KNOWN_LATER = {"home_points": None, "away_points": None, "status": SCHEDULED}


@dataclass(frozen=True)
class KnownBy:
    """Reads a warehouse as of the cut-offs of `day`.

    Days before are as they are. Of the day itself there are the slate without results, lines captured and statements
    published by the cut-off, and what was recomputed from these (`recomputed`, by table id), or would be and is published
    (`reproduced`, table ids); nothing else, and nothing of later days.
    """

    warehouse: Reader
    day: date
    recomputed: dict[str, pa.Table] = field(default_factory=dict)
    reproduced: set[str] = field(default_factory=set)

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        """As `Warehouse.read`."""
        yesterday = self.day - timedelta(days=1)
        past = {n: (t, Days(d.start, min(d.end, yesterday), d.columns)) for n, (t, d) in wanted.items()}
        of_the_day = {
            t.id: t for t, d in wanted.values() if d.start <= self.day <= d.end and t.id not in self.recomputed
        }
        found = self.warehouse.read(past | {i: (t, Days(self.day, self.day)) for i, t in of_the_day.items()})
        for name, (table, days) in wanted.items():
            if days.start <= self.day <= days.end:
                known = (
                    self.recomputed[table.id] if table.id in self.recomputed else self._known(table, found[table.id])
                )
                columns = list(days.columns or table.columns)
                found[name] = pa.concat_tables([found[name], known.select(columns)]).combine_chunks()
        return {name: found[name] for name in wanted}

    def feeds(self, source: Source) -> KnownFeeds:
        """Restrict the source to rows published by the last cut-off of the day."""
        return KnownFeeds(source, self.day, self._last_cutoff)

    def _known(self, table: Table, rows: pa.Table) -> pa.Table:
        """What was known of a table's rows of the day."""
        if table.id in self.reproduced:
            return rows
        for feed in CATALOG[table.id].feeds.values():
            declared(feed)
        if table.id == SCHEDULE.id:
            return self._slate
        if table.id == PLAYER_PROP_PREDICTIONS.id:  # read by nothing before it, and by itself for what was made live
            return rows
        if table.id in (PLAYER_PROP_LINES.id, GAME_LINES.id):
            return self._lines(rows)
        if table.id in KNOWN_AT:
            moments = rows[KNOWN_AT[table.id]].to_pylist()
            return rows.filter(pa.array([at is not None and at <= self._last_cutoff for at in moments], pa.bool_()))
        return rows.slice(0, 0)

    @cached_property
    def _slate(self) -> pa.Table:
        rows = self.warehouse.read({"rows": (SCHEDULE, Days(self.day, self.day))})["rows"]
        for name, value in KNOWN_LATER.items():
            place, kind = rows.schema.get_field_index(name), rows.schema.field(name)
            rows = rows.set_column(place, kind, pa.array([value] * rows.num_rows, kind.type))
        return rows

    @cached_property
    def _cutoffs(self) -> dict[str, datetime]:
        return dict(zip(self._slate["game_id"].to_pylist(), self._slate["cutoff_at"].to_pylist(), strict=True))

    @cached_property
    def _last_cutoff(self) -> datetime:
        return max(self._cutoffs.values(), default=datetime.max.replace(tzinfo=UTC))

    def _lines(self, rows: pa.Table) -> pa.Table:
        """Quotes first seen by the cut-off of their game; when they were last seen, or ended, is unknown where it was later."""
        bounds = [self._cutoffs.get(g, self._last_cutoff) for g in rows["game_id"].to_pylist()]
        first = rows["captured_at"].to_pylist()
        known = [at is None or at <= bound for at, bound in zip(first, bounds, strict=True)]
        for column in ("last_seen_at", "ended_at"):
            if column in rows.column_names:
                seen = [
                    at if at is not None and at <= bound else None
                    for at, bound in zip(rows[column].to_pylist(), bounds, strict=True)
                ]
                place, kind = rows.schema.get_field_index(column), rows.schema.field(column)
                rows = rows.set_column(place, kind, pa.array(seen, kind.type))
        return rows.filter(pa.array(known, pa.bool_()))
