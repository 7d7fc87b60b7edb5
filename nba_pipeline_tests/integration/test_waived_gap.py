"""A refused day that somebody waives: days that look back on it run, and check and UI show the waiver."""

from datetime import date

import dagster as dg
import pytest

from nba_pipeline.cli.check import run_check
from nba_pipeline.engine.waivers import COLUMNS, FILE
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.faults import TABLE, empty_flag
from nba_pipeline_tests.support.homes import Home, asset_of

START, BAD, END = date(2021, 10, 26), date(2021, 10, 28), date(2021, 10, 30)
PREDICTIONS = CATALOG["nba_predictions.player_prop_predictions"].table


def test_a_waiver_lets_the_tables_below_run_and_is_shown(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CATALOG, TABLE, CATALOG[TABLE])
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(home.path))
    assert not home.materialize(START, END, [asset_of(empty_flag(BAD))]).success
    assert not home.materialize(START, END, [asset_of(CATALOG[PREDICTIONS.id])]).success
    assert not run_check(START, END)
    assert f"{TABLE}: refused {BAD}" in capsys.readouterr().out

    line = f"2021-10-29,{TABLE},{BAD},{BAD},,ann,the early season is not priced"
    (home.path / FILE).write_text(f"{','.join(COLUMNS)}\n{line}\n", encoding="utf-8")
    assert home.materialize(START, END, [asset_of(CATALOG[PREDICTIONS.id])]).success
    assert run_check(START, END)
    assert f"waived   {TABLE}: {BAD}: refused" in capsys.readouterr().out
    with home.instance() as instance:
        days = {BAD.isoformat(): True, END.isoformat(): False}
        for day, shown in days.items():
            event = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key(PREDICTIONS), asset_partitions=[day]), limit=1
            ).records[0]
            assert event.asset_materialization is not None
            assert ("waived" in event.asset_materialization.metadata) is shown
