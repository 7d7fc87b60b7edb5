"""Where harnesses stand: real data, a published home of it, and small homes of their own that need no orchestrator."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from nba_pipeline import definitions
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.engine.publish import Publication, publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.sources.landing import Feed
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read
from nba_pipeline.warehouse import Warehouse
from tools.reliability.proof import NotAvailableError, stage

assert definitions.ASSETS
ROOT = Path(__file__).parents[2]
DATA_VARIABLE = "NBA_PIPELINE_RELIABILITY_DATA"
HOME_VARIABLE = "NBA_PIPELINE_RELIABILITY_HOME"
REAL_FIRST, REAL_LAST = EPOCH, date(2025, 6, 22)

RAW = tuple(t for t in graph_order() if CATALOG[t].table.dataset == "nba_raw")
MODELS = "nba_predictions.prediction_models"
BEFORE_MODELS = tuple(t for t in graph_order() if graph_order().index(t) < graph_order().index(MODELS))

Contents = dict[tuple[str, date], tuple[int, str]]


def real_data() -> Path:
    """The directory of real landing files. Raises NotAvailableError where there is none."""
    path = Path(os.environ.get(DATA_VARIABLE) or ROOT.parent / "shared" / "nba_data")
    if not (path / "schedule.parquet").is_file():
        raise NotAvailableError(f"no real data: set {DATA_VARIABLE} to a directory in the layout of docs/landing.md")
    return path


def real_home() -> Settings:
    """The home with all days of the real data published; it is built (in minutes) where it is absent."""
    path = Path(os.environ.get(HOME_VARIABLE) or ROOT / ".nba_pipeline" / "reliability")
    settings = Settings.from_environment(files_environment(path, real_data()))
    if not settings.database.exists():
        command = [sys.executable, "-m", "nba_pipeline.cli", "backfill", str(REAL_FIRST), str(REAL_LAST)]
        own = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
        with stage(f"publishing {REAL_FIRST}..{REAL_LAST}"):
            subprocess.run(command, env=own | files_environment(path, real_data()), check=True, stdout=sys.stderr)
    return settings


def files_environment(home: Path, data: Path) -> dict[str, str]:
    """The variables of a home that is fed from landing files."""
    return {"NBA_PIPELINE_HOME": str(home), "NBA_PIPELINE_SOURCE": "files", "NBA_PIPELINE_DATA": str(data)}


@dataclass(frozen=True)
class Ground:
    """A home below one directory, with the source that feeds it. It publishes by the one path that there is, in process."""

    settings: Settings

    @property
    def warehouse(self) -> Warehouse:
        return self.settings.open_warehouse()

    @property
    def source(self) -> Source:
        return self.settings.open_source()

    def publish(
        self,
        days: Sequence[date],
        tables: Sequence[str] = BEFORE_MODELS,
        *,
        source: Source | None = None,
        warehouse: Warehouse | None = None,
        run: str = "reliability",
        at: datetime | None = None,
    ) -> dict[str, Publication]:
        """Publish these days of these tables, in the order of the graph."""
        who = RunContext(run, at or datetime.now(UTC), self.settings.markets, self.settings.open_artifacts())
        source, warehouse = source or self.source, warehouse or self.warehouse
        return {
            t: publish(CATALOG[t], days, warehouse, source, schedule_read(CATALOG[t]), who)
            for t in graph_order()
            if t in tables
        }

    def contents(self, first: date, last: date, tables: Sequence[str] = BEFORE_MODELS) -> Contents:
        """Rows and content hash (recomputed from every cell) of every table and day that has rows."""
        held = self.warehouse.contents([CATALOG[t].table for t in tables], first, last, hashes=True)
        return {(r["table_id"], r["day"]): (r["rows"], r["content_hash"]) for r in held.to_pylist()}


@contextmanager
def ground(data: Path | None = None, **variables: str) -> Iterator[Ground]:
    """An empty home, fed from landing files, or by the invented league where no directory is given."""
    with TemporaryDirectory(prefix="reliability-") as scratch:
        home = Path(scratch) / "home"
        environment = files_environment(home, data) if data else {"NBA_PIPELINE_HOME": str(home)}
        yield Ground(Settings.from_environment(environment | variables))


def refused(publications: Mapping[str, Publication]) -> dict[str, dict[date, str]]:
    """Why days were refused, by table; tables without a refused day are left out."""
    found = {t: {v.day: v.reason for v in p.refused} for t, p in publications.items()}
    return {t: days for t, days in found.items() if days}


def differing(one: Contents, other: Contents) -> list[str]:
    """Tables and days whose rows or content hashes are not the same in both, as `table day`."""
    return [f"{t} {d}" for t, d in sorted({k for k in one.keys() | other.keys() if one.get(k) != other.get(k)})]


def stretch(first: str, last: str) -> list[date]:
    """All days from the first to the last, both included, given as text."""
    return days_between(date.fromisoformat(first), date.fromisoformat(last))


@dataclass(frozen=True)
class AlteredSource:
    """A source of which some feeds come out changed: `changes` maps a feed's name to what is done to the rows read."""

    source: Source
    changes: Mapping[str, Callable[[pa.Table], pa.Table]]

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = self.source.read(feed, days)
        return self.changes[feed.name](rows).cast(rows.schema) if feed.name in self.changes else rows

    def describe(self) -> dict[str, str]:
        return self.source.describe()


def set_cell(rows: pa.Table, where: Mapping[str, object], column: str, change: Callable[[Any], Any]) -> pa.Table:
    """The rows with one column changed where others have given values."""
    records = rows.to_pylist()
    for r in records:
        if all(r[c] == v for c, v in where.items()):
            r[column] = change(r[column])
    return pa.Table.from_pylist(records, schema=rows.schema)
