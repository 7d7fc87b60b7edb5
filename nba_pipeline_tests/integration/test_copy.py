"""Copying between warehouses: everything of a day or nothing of it, proven by what the destination then holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.artifacts import Stored
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.cli.copy import _bring, copy_models
from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, LedgerEntry, Warehouse
from nba_pipeline.warehouse import transfer as copying
from nba_pipeline.warehouse.bigquery.client import JobLabels
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA
from nba_pipeline.warehouse.transfer import Copied, chunks, copy_tables
from nba_pipeline_tests.support.homes import FIRST, LAST, Home
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

LINES = CATALOG["nba_raw.player_prop_lines"].table
FACTS = CATALOG["nba_analytics.player_game_summary"].table
TABLES = (LINES, FACTS)
ALL = tuple(days_between(FIRST, LAST))
DAMAGED = FIRST + timedelta(days=3)


@pytest.fixture
def there(tmp_path: Path) -> DuckDBWarehouse:
    """An empty warehouse in another home."""
    return DuckDBWarehouse(tmp_path / "there" / "nba.duckdb")


def copy_all(origin: Warehouse, destination: Warehouse) -> list[Copied]:
    return copy_tables(TABLES, origin, destination, FIRST, LAST)


def copy_table(
    table: Table, origin: Warehouse, destination: Warehouse, told: Callable[[Table, int], None] = lambda *_: None
) -> Copied:
    (result,) = copy_tables([table], origin, destination, FIRST, LAST + timedelta(days=1), told)
    return result


def everything(warehouse: Warehouse) -> list[list[tuple]]:
    """All rows of the two tables, of the ledger and of the quarantine, in no particular order."""
    found = warehouse.read({t.id: (t, Days(FIRST, LAST, tuple(t.columns))) for t in TABLES})
    ids = [t.id for t in TABLES]
    parts = [*found.values(), warehouse.ledger(ids), *(warehouse.quarantine([i]) for i in ids)]
    return [sorted(tuple(map(repr, row.values())) for row in part.to_pylist()) for part in parts]


def of_lines(warehouse: Warehouse) -> list[list[tuple]]:
    """The same of the first table alone."""
    rows, _, ledger, rejects, _ = everything(warehouse)
    return [rows, [e for e in ledger if repr(LINES.id) in e], rejects]


def refuse(warehouse: Warehouse, table: Table, day: date) -> None:
    """Record that a day was refused by a later run, with a rejected row of that day and one of no day."""
    at = datetime(2024, 1, 1, tzinfo=UTC)
    entry = LedgerEntry(
        table.id, day, "refused", 0, 9, {"unexplained": 9}, 9, 3, 2, "", ("coverage: 9 rows are absent",), "later", at
    )
    rejects = [
        {"table_id": table.id, "day": d, "reason": "bad", "row": "{}", "run_id": "later", "recorded_at": at}
        for d in (day, None)
    ]
    warehouse.replace(
        table, [], table.arrow_schema.empty_table(), [entry], pa.Table.from_pylist(rejects, REJECT_SCHEMA)
    )


def harm(warehouse: DuckDBWarehouse, statement: str) -> None:
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute(statement)


@pytest.mark.guard
def test_a_copy_holds_the_same_rows_ledger_and_quarantine(home: Home, there: DuckDBWarehouse) -> None:
    refuse(home.warehouse, LINES, DAMAGED)
    results = copy_all(home.warehouse, there)
    assert everything(there) == everything(home.warehouse)
    assert [(r.complete, r.copied, r.present) for r in results] == [(True, ALL, ())] * len(TABLES)
    assert {d for d in there.quarantine([LINES.id])["day"].to_pylist() if d in (DAMAGED, None)} == {DAMAGED, None}
    assert sum(r.rows for r in results) == sum(len(part) for part in everything(there)[: len(TABLES)])


def test_a_copy_to_bigquery_and_back_is_the_same_and_mends_a_lost_day(
    home: Home, there: DuckDBWarehouse, bigquery_warehouse: BigQueryWarehouse
) -> None:
    refuse(home.warehouse, FACTS, DAMAGED)
    first = copy_table(FACTS, home.warehouse, bigquery_warehouse)
    assert (first.complete, first.copied) == (True, ALL)
    table_name = bigquery_warehouse.connection.location.table(FACTS.id)
    lost = f"DELETE FROM `{table_name}` WHERE game_date = DATE '{DAMAGED}' AND points > 10"
    bigquery_warehouse.connection.query("losing rows", lost, JobLabels("test"))
    again = copy_table(FACTS, home.warehouse, bigquery_warehouse)
    assert (again.complete, again.copied, len(again.present)) == (True, (DAMAGED,), len(ALL) - 1)
    assert copy_table(FACTS, bigquery_warehouse, there).complete
    _, rows, _, _, rejects = everything(home.warehouse)
    assert everything(there)[1] == rows
    assert everything(there)[4] == rejects
    assert there.ledger([FACTS.id]).equals(home.warehouse.ledger([FACTS.id]))


def test_a_complete_copy_is_left_alone(
    finished_home: Home, there: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_all(finished_home.warehouse, there)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(DuckDBWarehouse, "replace", never)
    again = copy_all(finished_home.warehouse, there)
    assert [(r.complete, r.copied, r.present) for r in again] == [(True, (), ALL)] * len(TABLES)


@pytest.mark.parametrize(
    "damage",
    [
        f"DELETE FROM {LINES.id} WHERE game_date = DATE '{DAMAGED}' AND line > 20",
        f"DELETE FROM {LINES.id} WHERE game_date = DATE '{DAMAGED}'",
        f"UPDATE {LINES.id} SET line = line + 1 WHERE game_date = DATE '{DAMAGED}'",
        f"INSERT INTO {LINES.id} FROM {LINES.id} WHERE game_date = DATE '{DAMAGED}' LIMIT 1",
        f"DELETE FROM nba_ops.ledger WHERE table_id = '{LINES.id}' AND day = DATE '{DAMAGED}'",
        f"UPDATE nba_ops.ledger SET expected = 1 WHERE table_id = '{LINES.id}' AND day = DATE '{DAMAGED}'",
        f"DELETE FROM nba_ops.quarantine WHERE day = DATE '{DAMAGED}'",
    ],
    ids=["rows lost", "day lost", "rows altered", "row doubled", "entry lost", "entry altered", "rejects lost"],
)
def test_a_day_that_was_damaged_is_copied_again_and_no_other(home: Home, there: DuckDBWarehouse, damage: str) -> None:
    refuse(home.warehouse, LINES, DAMAGED)
    copy_table(LINES, home.warehouse, there)
    harm(there, damage)
    again = copy_table(LINES, home.warehouse, there)
    assert (again.complete, again.copied) == (True, (DAMAGED,))
    assert of_lines(there) == of_lines(home.warehouse)


def test_rejected_rows_without_a_day_are_copied_although_every_day_is_there(home: Home, there: DuckDBWarehouse) -> None:
    refuse(home.warehouse, LINES, DAMAGED)
    copy_table(LINES, home.warehouse, there)
    harm(there, "DELETE FROM nba_ops.quarantine WHERE day IS NULL")
    assert copy_table(LINES, home.warehouse, there).complete
    assert of_lines(there) == of_lines(home.warehouse)


def test_a_day_that_was_altered_at_the_origin_is_not_copied_but_named(home: Home, there: DuckDBWarehouse) -> None:
    copy_table(FACTS, home.warehouse, there)
    before = everything(there)
    harm(
        DuckDBWarehouse(home.settings.database),
        f"UPDATE {FACTS.id} SET points = points + 1 WHERE game_date = DATE '{DAMAGED}'",
    )
    result = copy_table(FACTS, home.warehouse, there)
    assert (result.complete, result.altered, result.copied) == (False, (DAMAGED,), ())
    assert everything(there) == before


@dataclass(frozen=True)
class Failing(DuckDBWarehouse):
    """Loses the connection at the n-th write, or the rows of a day on the way."""

    writes: int = 99
    loses: date | None = None
    made: list[int] = field(default_factory=list)

    def replace(
        self, table: Table, days: Sequence[date], rows: pa.Table, entries: Sequence[LedgerEntry], rejects: pa.Table
    ) -> None:
        self.made.append(len(days))
        if len(self.made) > self.writes:
            raise WarehouseError("the connection was lost")
        kept = [d != self.loses for d in rows[table.partition].to_pylist()]
        super().replace(table, days, rows.filter(pa.array(kept, pa.bool_())), entries, rejects)


def test_an_interrupted_copy_goes_on_where_it_was(
    finished_home: Home, there: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "MAX_DAYS", 4)
    with pytest.raises(WarehouseError):
        copy_table(LINES, finished_home.warehouse, Failing(there.path, writes=2))
    told: list[int] = []
    rest = copy_table(LINES, finished_home.warehouse, there, lambda _, days: told.append(days))
    assert (rest.complete, rest.present, rest.copied) == (True, ALL[:8], ALL[8:])
    assert told == [8, 4, len(ALL) - 12]
    assert everything(there)[0] == everything(finished_home.warehouse)[0]


def test_rows_lost_on_the_way_are_reported(finished_home: Home, there: DuckDBWarehouse) -> None:
    result = copy_table(LINES, finished_home.warehouse, Failing(there.path, loses=DAMAGED))
    assert (result.complete, result.wrong) == (False, (DAMAGED,))


def test_a_day_that_only_the_destination_has_is_named_and_left(finished_home: Home, there: DuckDBWarehouse) -> None:
    copy_table(LINES, finished_home.warehouse, there)
    harm(there, f"UPDATE nba_ops.ledger SET day = DATE '{LAST + timedelta(days=1)}' WHERE day = DATE '{LAST}'")
    result = copy_table(LINES, finished_home.warehouse, there)
    assert (result.complete, result.copied, result.surplus) == (True, (LAST,), (LAST + timedelta(days=1),))


day_counts = st.dictionaries(
    st.integers(0, 60).map(lambda n: FIRST + timedelta(days=n)), st.integers(0, copying.MAX_ROWS), max_size=40
)


@given(rows=day_counts, data=st.data())
def test_groups_hold_every_day_once_in_order_and_span_a_bounded_number_of_rows(
    rows: Mapping[date, int], data: st.DataObject
) -> None:
    days = sorted(data.draw(st.sets(st.sampled_from(sorted(rows) or [FIRST]))))
    groups = list(chunks(days, rows))
    assert [d for group in groups for d in group] == days
    for group in groups:
        assert sum(n for d, n in rows.items() if group[0] <= d <= group[-1]) <= copying.MAX_ROWS


def copy_by_command(home: Home, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["copy", *arguments], env={"NBA_PIPELINE_HOME": str(home.path)})


def test_the_command_copies_every_table_and_says_that_all_agrees(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    done = copy_by_command(home, "--to", f"duckdb:{other.path}")
    assert done.exit_code == 0, done.output
    assert f"{len(CATALOG)} tables, {len(CATALOG) * len(ALL)} table-days copied" in " ".join(done.output.split())
    assert "every content hash, ledger entry and rejected row agrees" in " ".join(done.output.split())
    assert other.content() == home.content()
    back = copy_by_command(other, "--from", f"duckdb:{home.path}", "--to", "duckdb", str(FIRST), str(DAMAGED))
    assert back.exit_code == 0
    assert f"{len(CATALOG)} tables, 0 table-days copied" in back.output


def test_the_command_fails_when_the_copy_is_not_complete(home: Home, tmp_path: Path) -> None:
    harm(DuckDBWarehouse(home.settings.database), f"DELETE FROM {FACTS.id} WHERE game_date = DATE '{DAMAGED}'")
    done = copy_by_command(home, "--to", f"duckdb:{tmp_path / 'other'}")
    assert done.exit_code == 1
    assert f"PROBLEM  {FACTS.id}" in done.output
    assert "backfill them at the origin" in " ".join(done.output.split())


@dataclass(frozen=True)
class Registry(DuckDBWarehouse):
    """A warehouse whose registry names these models, and a system that could not be trained."""

    models: tuple[Stored, ...] = ()

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        ((name, (_, days)),) = wanted.items()
        rows = [(m.location, m.sha256) for m in self.models] + [(None, None)]
        return {name: pa.table(dict(zip(days.columns or (), map(list, zip(*rows, strict=True)), strict=True)))}


def test_trained_models_of_a_home_go_to_the_bucket_that_it_was_given_later(
    tmp_path: Path, service: StorageService, capsys: pytest.CaptureFixture[str]
) -> None:
    home = LocalArtifacts(tmp_path / "artifacts")
    models = tuple(home.put("models", f"points/{name}.json", name.encode()) for name in ("one", "two"))
    environment = {"NBA_PIPELINE_HOME": str(tmp_path), "NBA_PIPELINE_BUCKET": f"gs://{BUCKET}/props"}
    settings = Settings.from_environment(environment)
    registry = Registry(tmp_path / "nba.duckdb", models=models)
    assert copy_models(registry, settings, settings, FIRST, LAST)
    assert [service.content(f"props/{m.location}") for m in models] == [b"one", b"two"]
    Path(home.address(models[0].location)).unlink()
    assert copy_models(registry, settings, settings, FIRST, LAST)
    service.delete(f"props/{models[0].location}")
    assert not copy_models(registry, settings, settings, FIRST, LAST)
    said = "".join(capsys.readouterr().out.splitlines())
    assert f"{models[0].location} is missing" in said
    assert "1 of 2 models verified" in said


@pytest.mark.parametrize(("to", "said"), [("duckdb", "is the origin of the copy"), ("snowflake", "is not a warehouse")])
def test_a_destination_that_makes_no_sense_is_refused(home: Home, to: str, said: str) -> None:
    done = copy_by_command(home, "--to", to)
    assert done.exit_code == 2
    assert said in done.output
    assert "Fix:" in done.output


def test_models_come_from_the_first_store_that_has_them_unaltered(tmp_path: Path) -> None:
    empty, home, to = (LocalArtifacts(tmp_path / name) for name in ("empty", "home", "to"))
    stored = home.put("models", "m.json", b"1")
    assert _bring(stored.location, stored.sha256, (to, empty, home), to) is None
    assert to.get(stored.location, stored.sha256) == b"1"
    assert "is missing" in str(_bring(stored.location, stored.sha256, (empty,), LocalArtifacts(tmp_path / "new")))
