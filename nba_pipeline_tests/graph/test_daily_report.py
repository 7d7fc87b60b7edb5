"""The daily report on a simulated home: as an asset, by command, and blind to what came after the day."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from click.testing import CliRunner

from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.cli import main
from nba_pipeline.contracts import Table
from nba_pipeline.errors import MissingHistoryError
from nba_pipeline.reporting.daily_report import GROUP, KEY, daily_report
from nba_pipeline.reporting.data import ReportData
from nba_pipeline.reporting.page import page
from nba_pipeline.reporting.reading import READS, READS_BEFORE, read_reports
from nba_pipeline.seasons import DAILY, days_between
from nba_pipeline.table_asset import REGISTRY, asset_key, graph_order
from nba_pipeline.warehouse import Days, Warehouse
from nba_pipeline_tests.graph.homes import FIRST, LAST, Home

BEFORE_LAST = LAST - timedelta(days=1)


def units() -> dict[str, str]:
    return {t: REGISTRY[t].unit for t in graph_order()}


def read(warehouse: Warehouse, *days: date) -> list[ReportData]:
    return list(read_reports(warehouse, days, units()))


@dataclass(frozen=True)
class Tampered:
    """A warehouse in which the rows of a table that lie on or after a day are absurd."""

    inner: Warehouse
    table: Table
    day: date

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        found = self.inner.read(wanted)
        return {n: self._absurd(rows) if wanted[n][0] is self.table else rows for n, rows in found.items()}

    def _absurd(self, rows: pa.Table) -> pa.Table:
        frame = rows.to_pandas(date_as_object=True)
        late = frame[self.table.partition] >= self.day
        for c in frame.select_dtypes("number").columns.difference(["player_id"]):
            frame.loc[late, c] = 7
        return pa.Table.from_pandas(frame, rows.schema, preserve_index=False)

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        return self.inner.ledger(tables, start, end)

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the report asked the warehouse for {name}")


def test_a_range_has_the_pages_of_its_days(finished_home: Home) -> None:
    days = days_between(FIRST, LAST)
    together = read(finished_home.warehouse, *days)
    assert [d.day for d in together] == days
    assert together[-2:] == [d for day in days[-2:] for d in read(finished_home.warehouse, day)]


def test_a_page_has_games_forecasts_and_the_state_of_every_table(finished_home: Home) -> None:
    (data,) = read(finished_home.warehouse, LAST)
    assert data.lead == "zone_matchup_v1"
    assert data.games
    assert data.forecasts
    assert [t.table for t in data.tables] == graph_order()
    assert {t.state for t in data.tables} == {"published"}
    assert data.graded is not None
    assert data.graded.day < LAST
    for f in data.forecasts:
        assert f.q10 <= f.q25 <= f.q75 <= f.q90
        assert (f.line is None) == (f.p_over is None)
    for f in data.calls:
        assert f.line is not None
        over = sum(p for k, p in enumerate(f.outcomes) if k > f.line)
        assert over == pytest.approx(f.p_over, abs=0.01)
        assert f.reasons


@pytest.mark.parametrize("name", list(READS_BEFORE))
def test_grades_of_the_day_and_later_change_nothing_on_its_page(finished_home: Home, name: str) -> None:
    table, _ = READS_BEFORE[name]
    if table in {t for t, _ in READS.values()}:
        return
    (as_it_is,) = read(finished_home.warehouse, BEFORE_LAST)
    (tampered,) = read(Tampered(finished_home.warehouse, table, BEFORE_LAST), BEFORE_LAST)  # pyright: ignore[reportArgumentType]
    assert page(tampered) == page(as_it_is)
    (earlier,) = read(Tampered(finished_home.warehouse, table, FIRST), BEFORE_LAST)  # pyright: ignore[reportArgumentType]
    assert page(earlier) != page(as_it_is)


def test_a_day_whose_schedule_was_never_published_is_an_error_not_a_day_without_games(finished_home: Home) -> None:
    with pytest.raises(MissingHistoryError, match=r"backfill 2021-11-03 2021-11-03"):
        read(finished_home.warehouse, LAST, LAST + timedelta(days=1))


def test_the_asset_stands_below_what_it_reads_and_shares_the_days() -> None:
    (spec,) = daily_report.specs
    assert spec.group_name == GROUP
    assert daily_report.partitions_def is DAILY
    assert daily_report.backfill_policy == dg.BackfillPolicy.single_run()
    read_tables = {t for t, _ in (*READS.values(), *READS_BEFORE.values())}
    assert {d.asset_key for d in spec.deps} == {asset_key(t) for t in read_tables}
    assert all(d.partition_mapping is None for d in spec.deps)


def test_a_range_run_writes_a_page_a_day_and_says_where_it_lies(home: Home) -> None:
    result = home.materialize(FIRST, LAST, [daily_report])
    assert result.success
    with home.instance() as instance:
        events = instance.fetch_materializations(KEY, limit=100).records
    found = {e.partition_key: e.asset_materialization for e in events}
    assert set(found) == {d.isoformat() for d in days_between(FIRST, LAST)}
    for day, event in found.items():
        assert event is not None
        path, size = Path(str(event.metadata["path"].value)), event.metadata["bytes"].value
        assert path.name == f"{day}.html"
        assert path.stat().st_size == size


def test_the_command_writes_the_page_and_prints_where_it_lies(home: Home) -> None:
    done = CliRunner().invoke(main, ["report", str(LAST)], env={"NBA_PIPELINE_HOME": str(home.path)})
    assert done.exit_code == 0, done.output
    (data,) = read(home.warehouse, LAST)
    path = Path(done.stdout.strip())
    assert path == Path(LocalArtifacts(home.path / "artifacts").address(f"reports/{LAST}.html"))
    assert path.read_text() == page(data)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2021-10-18"], "first partition"),
        (["2021-11-02", "2021-11-01"], "is after END"),
        (["2021-12-24"], "was never published"),
    ],
)
def test_the_command_says_what_is_wrong_and_what_to_do(finished_home: Home, arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(main, ["report", *arguments], env={"NBA_PIPELINE_HOME": str(finished_home.path)})
    assert done.exit_code == 1
    assert re.search(rf"error: .*{said}", done.stderr)
    assert "What to do" in done.stderr
