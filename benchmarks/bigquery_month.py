"""Counts what a month of automation asks of BigQuery, and writes the table of section 6 of docs/deploy.md from the counts.

    python benchmarks/bigquery_month.py DATA DAY [--write docs/deploy.md]

An emulator behind the proxy that keeps the time of a table's last change, as the service does, holds three days up to DAY (of
DATA, a directory with landing files), where the data begin, so that no table lacks its history. In the midst of a run alerts are
evaluated, at its end, too, and then every sensor is: a run of five to ten minutes. So it is for the first run, which publishes
every table, and stands for the daily ones; and for a refresh, whose source says something else of a tenth of the quotes,
injuries and line-ups. Every sensor is also evaluated without a change. A month is thirty days with every tick of every
schedule becoming a run: more than there ever are.
"""

import argparse
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import pyarrow as pa
from google.cloud.bigquery import SchemaField

from nba_pipeline.automation import observations, selections, sensors
from nba_pipeline.automation.alert_store import AlertStore
from nba_pipeline.common.environment import hand_down
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.sources.landing import Feed
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read
from nba_pipeline.warehouse import Warehouse
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse, open_bigquery
from nba_pipeline.warehouse.bigquery.watched import WatchedWarehouse
from nba_pipeline_tests.support.bigquery_emulator import PROJECT, running_emulator
from nba_pipeline_tests.support.bigquery_service import strict_service
from nba_pipeline_tests.support.googlesql import GoogleSQL
from nba_pipeline_tests.support.wire import Wire, tapped

DAYS_A_MONTH, MINIMUM = 30, 10 * 1024 * 1024
NAMED = re.compile(r"`([^`]+\.[^`]+\.[^`]+)`")
MARKS = "<!-- counted: begin -->", "<!-- counted: end -->"
# Evaluations a day by the sensors' intervals; ticks a day by the schedules' times (automation/schedules.py).
EVALUATIONS = {
    "landing": 720,
    "corrections": 144,
    "failed_partitions": 1440,
    "alerts": 288,
    "reconciliation_of_history": 24,
}
TICKS = {"overnight": 5, "morning_slate": 1, "line_refresh": 26}


class Unanalysed(GoogleSQL):
    """Stands where the tests have Google's analyser: here statements are counted, not judged."""

    def __init__(self) -> None:
        """Load no analyser."""

    def know(self, name: str, columns: Iterable[SchemaField]) -> None:
        """Keep nothing."""

    def errors(self, script: str) -> list[str]:  # noqa: ARG002
        return []


@dataclass(frozen=True)
class Counted:
    """Query jobs, load jobs, and the bytes that the queries bill at least: 10 MB for every table that each names."""

    queries: int = 0
    loads: int = 0
    bytes: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.queries + other.queries, self.loads + other.loads, self.bytes + other.bytes)

    def __mul__(self, times: float) -> "Counted":
        return Counted(round(self.queries * times), round(self.loads * times), round(self.bytes * times))


@dataclass(frozen=True)
class Ground:
    """The warehouse of the count, what it sends, and the settings of the pipeline on it."""

    warehouse: BigQueryWarehouse
    wire: Wire
    settings: Settings
    instance: dg.DagsterInstance

    def count(self, work: Callable[[], object]) -> Counted:
        """Do something and count what it sent."""
        before = len(self.wire.sent)
        work()
        jobs = [r for r in self.wire.sent[before:] if r.job]
        billed = sum(len(set(NAMED.findall(r.statement))) * MINIMUM for r in jobs)
        kinds = Counter(r.job for r in jobs)
        return Counted(kinds["query"], kinds["load"], billed)

    def publish(self, table: str, days: Sequence[date], run: str, source: Source) -> Counted:
        transform = CATALOG[table]
        context = RunContext(run, datetime.now(UTC), artifacts=self.settings.open_artifacts())

        def require_published() -> None:
            done = publish(transform, days, self.warehouse, source, schedule_read(transform), context)
            if done.refused:
                raise SystemExit(f"{table} was refused: {done.refused[0].reasons}")

        return self.count(require_published)


@dataclass(frozen=True)
class Changed:
    """A source that has lost every tenth row of what changes before tip-off."""

    inner: Source

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = self.inner.read(feed, days)
        if feed.name not in selections.QUOTE_FEEDS:
            return rows
        return rows.filter(pa.array([n % 10 != 0 for n in range(rows.num_rows)], pa.bool_()))

    def describe(self) -> dict[str, str]:
        return self.inner.describe()


class WatchedSettings(Settings):
    """Settings whose warehouse for sensors is the one that the service would get."""

    def watch_warehouse(self) -> Warehouse:
        return _WATCHED[0]


_WATCHED: list[Warehouse] = []


@contextmanager
def ground(data: Path, first: date) -> Iterator[Ground]:
    with (
        TemporaryDirectory() as home,
        running_emulator() as emulator,
        strict_service(emulator, Unanalysed()) as (at, _),
    ):
        hand_down("DAGSTER_HOME", home)
        variables = {
            "NBA_PIPELINE_HOME": home,
            "NBA_PIPELINE_SOURCE": "files",
            "NBA_PIPELINE_DATA": str(data),
            "NBA_PIPELINE_FIRST_DAY": first.isoformat(),
            "NBA_PIPELINE_WAREHOUSE": "bigquery",
            "NBA_PIPELINE_BIGQUERY_PROJECT": PROJECT,
            "NBA_PIPELINE_BIGQUERY_ENDPOINT": at,
        }
        settings = WatchedSettings(**vars(Settings.from_environment(variables)))
        assert settings.bigquery is not None
        warehouse = open_bigquery(settings.bigquery)
        _WATCHED[:] = [WatchedWarehouse(warehouse)]
        with dg.DagsterInstance.ephemeral() as instance:
            yield Ground(warehouse, tapped(warehouse), settings, instance)


def evaluations(ground: Ground, now: datetime) -> dict[str, Callable[[], object]]:
    """What each sensor reads, as its evaluation does."""
    settings = ground.settings

    def alerts() -> None:
        observed = observations.observe_alerts(settings, ground.instance, now)
        for name, value in observed.notes.items():
            AlertStore(settings.open_state()).put_note(name, value)

    return {
        "landing": lambda: sensors.plan_changes(settings, "landing"),
        "corrections": lambda: sensors.plan_changes(settings, "corrections"),
        "failed_partitions": lambda: sensors.plan_repairs(settings),
        "alerts": alerts,
        "reconciliation_of_history": lambda: settings.watch_warehouse().ledger(),
    }


def published(
    ground: Ground,
    tables: Sequence[str],
    days: Sequence[date],
    source: Source,
    asked: Mapping[str, Callable[[], object]],
) -> tuple[dict[str, Counted], Counted]:
    """Publish tables, and evaluate sensors meanwhile and afterwards.

    Returns:
        What the run sends for each table, and what the sensors do.
    """
    run = f"run {len(ground.wire.sent)}"
    sent, by_sensors = {}, Counted()
    for number, table in enumerate(tables, 1):
        sent[table] = ground.publish(table, days, run, source)
        if number in (len(tables) // 2, len(tables)):
            by_sensors += ground.count(asked["alerts"])
    return sent, sum((ground.count(ask) for ask in asked.values()), by_sensors)


def contents(ground: Ground, day: date) -> dict[str, str]:
    """The content hashes of a day by table."""
    return {e["table_id"]: e["content_hash"] for e in ground.warehouse.ledger(start=day, end=day).to_pylist()}


def count_month(data: Path, day: date) -> dict[str, Counted]:
    """Count what the runs of each schedule, and what the sensors, send in a month."""
    now = datetime.combine(day, time(18), UTC)
    hand_down("NBA_PIPELINE_NOW", now.isoformat())
    days = days_between(day - timedelta(days=2), day)
    with ground(data, days[0]) as on:
        source, asked = on.settings.open_source(), evaluations(on, now)
        tables, whole = published(on, graph_order(), days, source, asked)
        idle = {name: on.count(ask) for name, ask in asked.items()}
        before = contents(on, day)
        refreshed, refresh = published(on, selections.refreshed(), [day], Changed(source), asked)
        tables |= refreshed
        changed = sorted(t for t, content in contents(on, day).items() if content != before.get(t))
        print(
            f"sensors during a run of every table: {whole}; during a refresh: {refresh}; without a change: "
            f"{ {n: c.queries for n, c in idle.items()} }; the refresh changed {', '.join(changed)}",
            flush=True,
        )
    chosen = {
        "overnight": selections.daily(),
        "morning_slate": selections.daily(),
        "line_refresh": selections.refreshed(),
    }
    parts = {
        f"runs of `{name}`": sum((tables[t] for t in chosen[name]), Counted()) * (ticks * DAYS_A_MONTH)
        for name, ticks in TICKS.items()
    }
    still = sum((idle[name] * (n * DAYS_A_MONTH) for name, n in EVALUATIONS.items()), Counted())
    parts["sensors, between publications"] = still
    during = {"line_refresh": refresh}
    meanwhile = (during.get(name, whole) * (ticks * DAYS_A_MONTH) for name, ticks in TICKS.items())
    parts["sensors, while runs publish"] = sum(meanwhile, Counted())
    return parts


def page(parts: dict[str, Counted]) -> str:
    """The table of the documentation."""
    lines = ["| in a month | query jobs | load jobs | billed at least |", "|---|---|---|---|"]
    total = sum(parts.values(), Counted())
    for name, c in {**parts, "**sum**": total}.items():
        lines.append(f"| {name} | {c.queries:,} | {c.loads:,} | {c.bytes / 2**30:,.1f} GiB |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("day", type=date.fromisoformat)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    parts = count_month(given.data, given.day)
    table = page(parts)
    print(table)
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        begin, end = (text.index(mark) for mark in MARKS)
        given.write.write_text(f"{text[: begin + len(MARKS[0])]}\n{table}\n{text[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
