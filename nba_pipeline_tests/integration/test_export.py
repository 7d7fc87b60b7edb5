"""Exports: every row of the days in every format, complete or not there at all."""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import MissingHistoryError, WarehouseError
from nba_pipeline.engine import export
from nba_pipeline.engine.export import Format, write_rows
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, Warehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.homes import FIRST, LAST, Home
from nba_pipeline_tests.support.results import AT, NO_REJECTS, RESULTS, entry

FEATURES = CATALOG["nba_predictions.ml_feature_store_v2"].table
SCHEDULE = CATALOG["nba_raw.schedule"].table
FORMATS: tuple[Format, ...] = ("parquet", "csv", "json")


def rows(home: Home) -> list[dict[str, Any]]:
    table = home.warehouse.read({"rows": (FEATURES, Days(FIRST, LAST))})["rows"]
    return table.sort_by([(k, "ascending") for k in FEATURES.key]).to_pylist()


def invoke(home: Home, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments], env={"NBA_PIPELINE_HOME": str(home.path)})


def test_parquet_is_the_table(finished_home: Home, tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    assert write_rows(finished_home.warehouse, FEATURES, FIRST, LAST, "parquet", path) == len(rows(finished_home))
    found = pq.read_table(path)
    assert found.column_names == list(FEATURES.columns)
    assert repr(found.to_pylist()) == repr(rows(finished_home))


def test_json_is_valid_and_its_unknown_values_are_null(finished_home: Home, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    write_rows(finished_home.warehouse, FEATURES, FIRST, LAST, "json", path)
    found = json.loads(path.read_text(), parse_constant=lambda c: pytest.fail(f"{c} is no JSON"))
    wanted = rows(finished_home)
    assert [r["player_id"] for r in found] == [r["player_id"] for r in wanted]
    assert [r["points_avg_season"] for r in found] == [r["points_avg_season"] for r in wanted]
    assert None in found[0]["features"]


def test_a_cell_of_csv_that_a_spreadsheet_would_run_begins_with_an_apostrophe(tmp_path: Path) -> None:
    evil = ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx", "Ann"]
    teams = pa.table({"game_date": [FIRST] * 6, "team": evil, "points": [-5] * 6})
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    full = [{**r, "data_hash": "0" * 16, "computed_at": AT} for r in teams.to_pylist()]
    warehouse.replace(
        RESULTS, [FIRST], pa.Table.from_pylist(full, RESULTS.arrow_schema), [entry(FIRST, per_day=6)], NO_REJECTS
    )
    for kind in ("csv", "json"):
        write_rows(warehouse, RESULTS, FIRST, FIRST, kind, tmp_path / kind)
    with (tmp_path / "csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert sorted(r["team"] for r in found) == sorted([f"'{t}" for t in evil[:-1]] + ["Ann"])
    assert {r["points"] for r in found} == {"-5"}
    assert sorted(r["team"] for r in json.loads((tmp_path / "json").read_text())) == sorted(evil)


def test_csv_has_a_header_and_empty_unknowns(finished_home: Home, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    write_rows(finished_home.warehouse, FEATURES, FIRST, LAST, "csv", path)
    found = duckdb.sql(f"SELECT player_id, points_avg_last_5 FROM read_csv('{path}')").fetchall()
    assert found == [(r["player_id"], r["points_avg_last_5"]) for r in rows(finished_home)]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_days_give_the_same_file_however_they_are_read(
    finished_home: Home, tmp_path: Path, kind: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_rows(finished_home.warehouse, FEATURES, FIRST, LAST, kind, one)
    monkeypatch.setattr(export, "DAYS_AT_ONCE", 2)
    write_rows(finished_home.warehouse, FEATURES, FIRST, LAST, kind, other)
    if kind == "parquet":
        assert repr(pq.read_table(one).to_pylist()) == repr(pq.read_table(other).to_pylist())
    else:
        assert one.read_bytes() == other.read_bytes()


def test_days_that_are_not_published_are_refused_by_name_and_leave_no_file(finished_home: Home, tmp_path: Path) -> None:
    with pytest.raises(MissingHistoryError, match=r"lacks 2021-11-03..2021-11-05 \(3 days\)"):
        write_rows(finished_home.warehouse, FEATURES, FIRST, date(2021, 11, 5), "csv", tmp_path / "f.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_half_way_leaves_the_earlier_file_and_nothing_else(
    finished_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.csv"
    path.write_text("earlier")
    monkeypatch.setattr(export, "DAYS_AT_ONCE", 2)
    with pytest.raises(WarehouseError, match="the disk fell out"):
        write_rows(Failing(finished_home.warehouse), FEATURES, FIRST, LAST, "csv", path)  # pyright: ignore[reportArgumentType]
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


class Failing:
    """A warehouse whose third read fails."""

    def __init__(self, inner: Warehouse) -> None:
        self.inner, self.reads = inner, 0
        self.ledger = inner.ledger

    def read(self, wanted: Any) -> dict[str, pa.Table]:
        self.reads += 1
        if self.reads == 3:
            raise WarehouseError("the disk fell out")
        return self.inner.read(wanted)


def test_the_command_writes_to_a_directory_and_prints_where(finished_home: Home, tmp_path: Path) -> None:
    done = invoke(finished_home, str(FIRST), str(LAST), "--table", "schedule", "--format", "csv",
                  "--output", str(tmp_path / "new"))  # fmt: skip
    assert done.exit_code == 0, done.output
    path = tmp_path / "new" / f"schedule_{FIRST}_{LAST}.csv"
    n = len(path.read_text().splitlines()) - 1
    assert done.stdout == f"{path} ({n:,} rows)\n"


def test_without_a_directory_it_lies_among_the_artifacts(home: Home) -> None:
    done = invoke(home, str(FIRST), str(FIRST), "--table", "nba_raw.schedule")
    assert done.exit_code == 0, done.output
    path = home.path / "artifacts" / "exports" / f"schedule_{FIRST}_{FIRST}.parquet"
    assert str(path) in done.stdout
    assert pq.read_table(path).num_rows > 0


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("2021-10-19", "2021-10-20", "--table", "shedule"), "'shedule' is no table", 2),
        (("2021-10-20", "2021-10-19", "--table", "schedule"), "is after END", 2),
        (("2021-10-19", "2021-12-24", "--table", "schedule"), "lacks 2021-11-03", 1),
    ],
)
def test_the_command_says_what_is_wrong_and_what_to_do(
    finished_home: Home, tmp_path: Path, arguments: tuple[str, ...], said: str, code: int
) -> None:
    done = invoke(finished_home, *arguments, "--output", str(tmp_path / "out"))
    assert done.exit_code == code
    assert said in done.stderr
    assert "Fix:" in done.stderr
    assert not (tmp_path / "out").exists()
