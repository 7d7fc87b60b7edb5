"""The daily report on a simulated home: as an asset and by command."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.cli.main import main
from nba_pipeline.definitions import DAILY_REPORT
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.reporting.asset import GROUP, KEY
from nba_pipeline.reporting.data import ReportData
from nba_pipeline.reporting.page import Links, page
from nba_pipeline.reporting.queries import READS, READS_BEFORE, read_reports
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Warehouse
from nba_pipeline_tests.support.homes import FIRST, LAST, Home

DAILY = daily_partitions(EPOCH, None)


def units() -> dict[str, str]:
    return {t: CATALOG[t].unit for t in graph_order()}


def read(warehouse: Warehouse, *days: date) -> list[ReportData]:
    return list(read_reports(warehouse, days, units()))


def test_a_range_has_the_pages_of_its_days(finished_home: Home) -> None:
    days = days_between(FIRST, LAST)
    together = read(finished_home.warehouse, *days)
    assert [d.day for d in together] == days
    assert together[-2:] == [d for day in days[-2:] for d in read(finished_home.warehouse, day)]


def test_a_page_tells_the_state_of_every_table(finished_home: Home) -> None:
    (data,) = read(finished_home.warehouse, LAST)
    assert data.games
    assert [t.table for t in data.tables] == graph_order()
    assert {t.cell.state for t in data.tables} == {"published"}


def test_the_asset_stands_below_what_it_reads_and_shares_the_days() -> None:
    (spec,) = DAILY_REPORT.specs
    assert spec.group_name == GROUP
    assert DAILY_REPORT.partitions_def is DAILY
    assert DAILY_REPORT.backfill_policy == dg.BackfillPolicy.single_run()
    read_tables = {t for t, _ in (*READS.values(), *READS_BEFORE.values())}
    assert {d.asset_key for d in spec.deps} == {asset_key(t) for t in read_tables}
    assert all(d.partition_mapping is None for d in spec.deps)


def test_a_range_run_writes_a_page_a_day_and_says_where_it_lies(home: Home) -> None:
    result = home.materialize(FIRST, LAST, [DAILY_REPORT])
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
    assert path.read_text() == page(replace(data, simulated=True), Links("", ""))


def test_a_backfill_writes_the_pages_of_its_range_when_asked(home: Home) -> None:
    environment = {k: v for k, v in home.environment.items() if k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    arguments = ["backfill", str(LAST), str(LAST), "--select", "system_daily_performance", "--report"]
    done = CliRunner().invoke(main, arguments, env=environment)
    assert done.exit_code == 0, done.output
    assert (home.path / "artifacts" / "reports" / f"{LAST}.html").stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["2021-10-18"], "first partition", 2),
        (["2021-11-02", "2021-11-01"], "is after END", 2),
        (["2021-12-24"], "was never published", 1),
    ],
)
def test_the_command_says_what_is_wrong_and_what_to_do(
    finished_home: Home, arguments: list[str], said: str, code: int
) -> None:
    done = CliRunner().invoke(main, ["report", *arguments], env={"NBA_PIPELINE_HOME": str(finished_home.path)})
    assert done.exit_code == code
    assert re.search(rf"error: .*{said}", done.stderr)
    assert "Fix:" in done.stderr
