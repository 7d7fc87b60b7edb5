"""What every warehouse does: the rules of the protocol, kept alike by DuckDB and by BigQuery over its real interface."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.warehouse import Days, Warehouse
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.results import (
    AT,
    FIRST,
    NO_REJECTS,
    OTHERS,
    RESULTS,
    MayBeUnknown,
    Results,
    WiderResults,
    days,
    declared,
    entry,
    recorded,
    rejects,
    rows,
    state,
    write,
)


@pytest.fixture(params=["duckdb", "bigquery"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    if request.param == "duckdb":
        return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=10)
    return request.getfixturevalue(
        {"bigquery": "bigquery_warehouse", "unanalysed": "unanalysed_warehouse"}[request.param]
    )


def alter(warehouse: Warehouse, statement: str) -> None:
    """Change the table `{0}` behind the warehouse's back."""
    if isinstance(warehouse, DuckDBWarehouse):
        with duckdb.connect(str(warehouse.path)) as db:
            db.execute(statement.format(RESULTS.id))
    else:
        assert isinstance(warehouse, BigQueryWarehouse)
        at = warehouse.connection.location.table(RESULTS.id)
        warehouse.connection.client.query(statement.format(f"`{at}`")).result()


# --- replace ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "warehouse",
    [pytest.param("duckdb", marks=pytest.mark.guard), pytest.param("unanalysed", marks=pytest.mark.guard), "bigquery"],
    indirect=True,
)
def test_only_the_given_days_are_replaced_scattered_ones_too(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1, 2, 3, 4))
    write(warehouse, days(1, 3), version=2, per_day=3)
    assert state(warehouse) == {0: (2, 1), 1: (3, 2), 2: (2, 1), 3: (3, 2), 4: (2, 1)}
    assert recorded(warehouse) == state(warehouse)


def test_a_day_without_rows_becomes_empty_and_stays_published(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1))
    write(warehouse, days(1), version=2, per_day=0)
    assert state(warehouse) == {0: (2, 1)}
    assert recorded(warehouse) == {0: (2, 1), 1: (0, 2)}


def test_a_rerun_leaves_one_copy(warehouse: Warehouse) -> None:
    for _ in range(3):
        write(warehouse, days(0, 1))
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}
    assert warehouse.ledger().num_rows == 2


def test_a_row_outside_the_days_is_refused(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1))
    with pytest.raises(WarehouseError):
        warehouse.replace(RESULTS, days(0), rows(days(0, 1), 2), [entry(days(0)[0], 2)], NO_REJECTS)
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}


def test_nothing_to_read_is_an_empty_table_of_the_right_shape(warehouse: Warehouse) -> None:
    found = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST, ("team", "points")))})["r"]
    assert (found.num_rows, found.column_names) == (0, ["team", "points"])
    assert warehouse.ledger().num_rows == 0
    assert warehouse.quarantine().num_rows == 0


def test_contents_counts_rows_and_hashes_them_without_regard_to_order(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1))
    before = warehouse.contents([RESULTS], *days(0, 5), hashes=True).to_pylist()
    shuffled = rows(days(0, 1)).take([3, 1, 2, 0])
    warehouse.replace(RESULTS, days(0, 1), shuffled, [entry(d) for d in days(0, 1)], NO_REJECTS)
    assert warehouse.contents([RESULTS], *days(0, 5), hashes=True).to_pylist() == before
    assert [(r["day"], r["rows"]) for r in before] == [(days(0)[0], 2), (days(1)[0], 2)]


def test_contents_sees_a_cell_that_was_changed_behind_the_ledger(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1))
    before = warehouse.contents([RESULTS], *days(0, 5), hashes=True)["content_hash"].to_pylist()
    alter(warehouse, "UPDATE {0} SET points = 77 WHERE game_date = DATE '2024-01-02' AND team = 'T1'")
    after = warehouse.contents([RESULTS], *days(0, 5), hashes=True)["content_hash"].to_pylist()
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    assert warehouse.contents([RESULTS], *days(0, 5), hashes=False)["content_hash"].to_pylist() == ["", ""]


def test_contents_can_be_checked_before_a_new_column_was_ever_written(warehouse: Warehouse) -> None:
    write(warehouse, days(0))
    first, last = days(0, 5)
    assert warehouse.contents([declared(WiderResults)], first, last, hashes=True).num_rows == 1


def test_contents_are_of_the_tables_and_days_that_are_asked_for_and_there(warehouse: Warehouse) -> None:
    first, last = days(0, 1)
    assert warehouse.contents([RESULTS], first, last, hashes=True).num_rows == 0
    write(warehouse, days(0, 1, 2))
    assert warehouse.contents([OTHERS], first, last, hashes=True).num_rows == 0
    write(warehouse, days(1, 2), per_day=3, table=OTHERS)
    found = warehouse.contents([RESULTS, OTHERS, declared(Results, "never_written")], first, last, hashes=False)
    assert [(r["table_id"], r["day"], r["rows"]) for r in found.to_pylist()] == [
        (OTHERS.id, last, 3),
        (RESULTS.id, first, 2),
        (RESULTS.id, last, 2),
    ]


def test_a_table_that_was_never_written_is_empty_beside_others_that_were(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1, 2))
    first, last = days(1, 5)
    found = warehouse.read({"r": (RESULTS, Days(first, last)), "o": (OTHERS, Days(first, last))})
    assert sorted(set(found["r"]["game_date"].to_pylist())) == days(1, 2)
    assert (found["o"].num_rows, found["o"].column_names) == (0, list(OTHERS.columns))


def test_the_columns_that_are_asked_for_are_read_in_that_order_and_all_where_none_are_named(
    warehouse: Warehouse,
) -> None:
    write(warehouse, days(0))
    some = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST, ("points", "team")))})["r"]
    assert some.column_names == ["points", "team"]
    assert warehouse.read({"r": (RESULTS, Days(FIRST, FIRST))})["r"].column_names == list(RESULTS.columns)


def test_several_windows_of_a_table_are_what_each_is_alone(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1, 2, 3, 4))
    first, third, fourth, last = days(0, 2, 3, 4)
    wanted = {
        "history": Days(first, fourth, ("game_date", "points")),
        "recent": Days(third, fourth, ("team",)),
        "today": Days(last, last, ("points", "team")),
        "slate": Days(last, last, ("team",)),
        "all": Days(first, last),
    }
    together = warehouse.read({name: (RESULTS, window) for name, window in wanted.items()})
    assert list(together) == list(wanted)
    for name, window in wanted.items():
        alone = warehouse.read({name: (RESULTS, window)})[name]
        order = [(c, "ascending") for c in alone.column_names]
        assert together[name].sort_by(order) == alone.sort_by(order)


# --- ledger and quarantine --------------------------------------------------------------------------------------------


def test_a_refused_day_keeps_its_rows_and_both_entries(warehouse: Warehouse) -> None:
    write(warehouse, days(0))
    refused = entry(days(0)[0], 2, "refused", reasons=("contract: bad",))
    warehouse.replace(RESULTS, [], rows([]), [refused], rejects(days(0)[0]))
    assert state(warehouse) == {0: (2, 1)}
    assert sorted(e["state"] for e in warehouse.ledger().to_pylist()) == ["published", "refused"]
    assert warehouse.quarantine([RESULTS.id]).num_rows == 1


def test_a_day_refused_again_has_one_refusal_the_latest(warehouse: Warehouse) -> None:
    for version in (1, 2):
        refused = entry(days(0)[0], version, "refused")
        warehouse.replace(RESULTS, [], rows([]), [refused], rejects(days(0)[0], f"bad {version}"))
    assert [e["run_id"] for e in warehouse.ledger().to_pylist()] == ["run2"]
    assert warehouse.quarantine([RESULTS.id])["reason"].to_pylist() == ["bad 2"]


def test_publishing_a_day_clears_its_refusal_and_its_quarantine(warehouse: Warehouse) -> None:
    first, second = days(0, 1)
    both = pa.concat_tables([rejects(first), rejects(second)])
    warehouse.replace(RESULTS, [], rows([]), [entry(d, 1, "refused") for d in (first, second)], both)
    write(warehouse, [first], version=2)
    assert [(e["day"], e["state"]) for e in warehouse.ledger().to_pylist()] == [
        (first, "published"),
        (second, "refused"),
    ]
    assert [r["day"] for r in warehouse.quarantine([RESULTS.id]).to_pylist()] == [second]


def test_the_ledger_is_filtered_by_table_and_days(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1, 2))
    assert warehouse.ledger(["nba_raw.other"]).num_rows == 0
    assert warehouse.ledger([]).num_rows == 0
    found = warehouse.ledger([RESULTS.id], *days(1, 2))
    assert found["day"].to_pylist() == days(1, 2)


def test_a_write_leaves_other_tables_and_other_days_as_the_ledger_has_them(warehouse: Warehouse) -> None:
    write(warehouse, days(0, 1))
    write(warehouse, days(0, 1), table=OTHERS)
    write(warehouse, days(1), version=2)
    found = {(e["table_id"], e["day"]): e["run_id"] for e in warehouse.ledger().to_pylist()}
    first, second = days(0, 1)
    assert found == {
        (OTHERS.id, first): "run1",
        (OTHERS.id, second): "run1",
        (RESULTS.id, first): "run1",
        (RESULTS.id, second): "run2",
    }


def reasons(warehouse: Warehouse, *of: Any) -> list[str]:
    return warehouse.quarantine(*of)["reason"].to_pylist()


def test_the_quarantine_is_by_table_and_day_newest_first_with_all_rows_that_know_no_day(warehouse: Warehouse) -> None:
    first, second = days(0, 1)
    for table, words, at in ((RESULTS, "ours", AT), (OTHERS, "theirs", AT + timedelta(hours=1))):
        refused = [entry(d, 1, "refused", table=table.id) for d in (first, second)]
        of = {"table_id": table.id, "run_id": "run1", "recorded_at": at}
        bad = [rejects(d, f"{words} of {d or 'no day'}", **of) for d in (first, second, None)]
        warehouse.replace(table, [], rows([]), refused, pa.concat_tables(bad))
    assert len(reasons(warehouse)) == 6
    assert {w.split()[0] for w in reasons(warehouse)[:3]} == {"theirs"}
    assert sorted(reasons(warehouse, [RESULTS.id])) == [f"ours of {first}", f"ours of {second}", "ours of no day"]
    assert sorted(reasons(warehouse, [RESULTS.id], second, second)) == [f"ours of {second}", "ours of no day"]
    dated = warehouse.quarantine([RESULTS.id, OTHERS.id], second, second, dated=True)
    assert dated["reason"].to_pylist() == [f"theirs of {second}", f"ours of {second}"]
    assert sorted(reasons(warehouse, None, second)) == [
        *(f"ours of {second}", "ours of no day"),
        *(f"theirs of {second}", "theirs of no day"),
    ]


def test_what_was_rejected_stands_as_long_as_the_entry_of_its_run(warehouse: Warehouse) -> None:
    """Rows set aside beside a published day are still set aside when a later run of the day is refused."""
    first, second = days(0, 1)
    both = [rejects(d, f"published {d}", run_id="run1") for d in (first, second)]
    warehouse.replace(RESULTS, days(0, 1), rows(days(0, 1)), [entry(d) for d in days(0, 1)], pa.concat_tables(both))
    for version in (2, 3, 3):
        bad = rejects(first, f"refused {version}", run_id=f"run{version}")
        warehouse.replace(RESULTS, [], rows([]), [entry(first, version, "refused")], bad)
        assert sorted(reasons(warehouse, [RESULTS.id], first, first)) == [f"published {first}", f"refused {version}"]
    write(warehouse, days(0), version=4)
    assert reasons(warehouse, [RESULTS.id]) == [f"published {second}"]


def test_rejects_that_know_no_day_are_those_of_the_latest_run_of_their_table(warehouse: Warehouse) -> None:
    for table in (RESULTS, OTHERS):
        bad = rejects(None, f"{table.name} 1", table_id=table.id, run_id="run1")
        warehouse.replace(table, [], rows([]), [entry(days(0)[0], 1, "refused", table=table.id)], bad)
    warehouse.replace(RESULTS, [], rows([]), [], NO_REJECTS)
    assert sorted(reasons(warehouse)) == ["others 1", "results 1"]
    bad = rejects(None, "results 2", run_id="run2")
    warehouse.replace(RESULTS, [], rows([]), [entry(days(3)[0], 2, "refused")], bad)
    assert sorted(reasons(warehouse)) == ["others 1", "results 2"]


NASTY = "x'); DROP TABLE nba_raw.results; --\" \\ \x00é%_"


def test_sql_in_values_is_data(warehouse: Warehouse) -> None:
    nasty = NASTY.replace("\x00", "")
    found = rows(days(0), per_day=1, team=nasty)
    refusal = entry(days(1)[0], state="refused", reasons=(nasty,), absent={nasty: 1}, run_id=nasty)
    reject = rejects(days(1)[0], nasty, nasty)
    warehouse.replace(RESULTS, days(0), found, [entry(days(0)[0]), refusal], reject)
    read = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST))})["r"]
    assert read["team"].to_pylist() == [nasty]
    assert warehouse.quarantine([RESULTS.id])["reason"].to_pylist() == [nasty]
    assert warehouse.ledger([nasty]).num_rows == 0


def test_sql_in_the_name_of_a_table_is_data(warehouse: Warehouse) -> None:
    write(warehouse, days(0))
    assert warehouse.quarantine(["it's"]).num_rows == 0


# --- schema -----------------------------------------------------------------------------------------------------------


def test_columns_that_the_contract_gained_are_added_and_unknown_in_old_rows(warehouse: DuckDBWarehouse) -> None:
    wider = declared(WiderResults)
    write(warehouse, days(0, 1))
    early = warehouse.read({"r": (wider, Days(FIRST, FIRST))})["r"]
    assert early["share"].to_pylist() == [None, None]
    written = rows(days(1), 2, table=wider, share=0.5, features=[1.0, float("nan")], seen=AT)
    warehouse.replace(wider, days(1), written, [entry(days(1)[0], 2)], NO_REJECTS)
    first, last = days(0, 1)
    found = warehouse.read({"r": (wider, Days(first, last, ("game_date", "share", "seen", "features")))})["r"]
    assert sorted(found["share"].to_pylist(), key=str) == [0.5, 0.5, None, None]
    assert state(warehouse) == {0: (2, 1), 1: (2, 2)}


def test_a_column_that_may_be_unknown_now_accepts_unknowns(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    relaxed = declared(MayBeUnknown)
    found = rows(days(1), 2, 1, table=relaxed, team=None)
    warehouse.replace(relaxed, days(1), found, [entry(days(1)[0], 2)], NO_REJECTS)


def test_days_of_every_pattern_are_replaced_exactly(warehouse: DuckDBWarehouse) -> None:
    chance = random.Random(3)
    wanted: dict[int, tuple[int, int]] = {}
    for version in range(1, 15):
        chosen = chance.sample(range(12), chance.randint(1, 8))
        write(warehouse, days(*chosen), version, per_day=version % 4)
        wanted |= {n: (version % 4, version) for n in chosen}
    assert recorded(warehouse) == dict(sorted(wanted.items()))
    assert state(warehouse) == {n: w for n, w in sorted(wanted.items()) if w[0]}
