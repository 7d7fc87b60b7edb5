"""What sensors ask again is read only where the ledger says that it changed, and is never of an earlier state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from nba_pipeline.contracts.table import Table
from nba_pipeline.warehouse import Days, LedgerEntry
from nba_pipeline.warehouse.bigquery import held_days
from nba_pipeline.warehouse.bigquery.watched import TRIES, WatchedWarehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.protocol import entries_table
from nba_pipeline_tests.support.results import (
    FIRST,
    NO_REJECTS,
    OTHERS,
    RESULTS,
    days,
    entry,
    recorded,
    rejects,
    rows,
    write,
)

POINTS, TEAMS = ("game_date", "points"), ("team",)


@dataclass(frozen=True)
class Stated:
    """The description of a ledger after so many changes."""

    num_rows: int | None
    modified: datetime | None = None
    etag: str | None = None


class Told(DuckDBWarehouse):
    """A warehouse whose ledger has a description, and which tells what it was asked.

    `meanwhile` is done once, before the rows of the next question are read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.changes = 0
        self.asked: list[str] = []
        self.meanwhile: Callable[[], None] | None = None

    def stored(self, table_id: str) -> Stated | None:
        del table_id
        return Stated(self.changes) if self.changes else None

    def replace(
        self, table: Table, days: Sequence[date], rows: pa.Table, entries: Sequence[LedgerEntry], rejects: pa.Table
    ) -> None:
        super().replace(table, days, rows, entries, rejects)
        self.changes += 1

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        self.asked.append("ledger")
        return super().ledger(tables, start, end)

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        self.asked += [f"{t.name} {d.start:%d}-{d.end:%d} {' '.join(d.columns or ('*',))}" for t, d in wanted.values()]
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().read(wanted)

    def quarantine(
        self,
        tables: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        *,
        dated: bool = False,
    ) -> pa.Table:
        self.asked.append(f"quarantine of {' '.join(tables or ())}")
        return super().quarantine(tables, start, end, dated=dated)


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "nba.duckdb")


def asked(told: Told) -> list[str]:
    """What was asked since the last time."""
    found, told.asked = told.asked, []
    return found


def points(watched: WatchedWarehouse, *numbers: int, columns: tuple[str, ...] = POINTS) -> list[int]:
    first, last = days(*numbers)
    return watched.read({"r": (RESULTS, Days(first, last, columns))})["r"]["points"].to_pylist()


def test_of_a_window_only_days_of_another_content_are_read_again(told: Told) -> None:
    watched = WatchedWarehouse(told)
    write(told, days(0, 1, 2))
    assert points(watched, 0, 2) == [1] * 6
    assert asked(told) == ["ledger", "results 01-03 game_date points"]
    write(told, days(1), version=2, per_day=1)
    assert points(watched, 0, 2) == [1, 1, 2, 1, 1]
    assert asked(told) == ["ledger", "results 02-02 game_date points"]


def test_a_day_that_is_published_again_with_the_same_rows_is_not_read_again(told: Told) -> None:
    watched = WatchedWarehouse(told)
    write(told, days(0))
    assert points(watched, 0, 0) == [1, 1]
    again = [entry(days(0)[0], run_id="another run")]
    told.replace(RESULTS, days(0), rows(days(0)), again, NO_REJECTS)
    write(told, days(0), table=OTHERS)
    asked(told)
    assert points(watched, 0, 0) == [1, 1]
    assert asked(told) == ["ledger"]


def test_a_column_that_is_not_hashed_is_read_again_after_every_run(told: Told) -> None:
    watched, window = WatchedWarehouse(told), Days(FIRST, FIRST)
    write(told, days(0))
    later = rows(days(0), computed_at=entry(FIRST).recorded_at.replace(year=2025))
    assert watched.read({"r": (RESULTS, window)})["r"]["computed_at"][0].as_py().year == 2024
    told.replace(RESULTS, days(0), later, [entry(FIRST, run_id="another run")], NO_REJECTS)
    assert watched.read({"r": (RESULTS, window)})["r"]["computed_at"][0].as_py().year == 2025


def test_windows_over_a_changed_day_are_one_query_with_the_columns_of_both(told: Told) -> None:
    watched, (first, last) = WatchedWarehouse(told), days(0, 1)
    write(told, [first, last])

    def both() -> list[str]:
        asked(told)
        points(watched, 0, 1)
        watched.read({"r": (RESULTS, Days(last, last, TEAMS))})
        return asked(told)

    both()
    write(told, [last], version=2)
    assert both() == ["ledger", "results 02-02 game_date team points"]


def test_what_is_published_before_rows_are_read_is_in_the_answer(told: Told) -> None:
    watched = WatchedWarehouse(told)
    write(told, days(0))
    told.meanwhile = lambda: write(told, days(0), version=2)
    assert points(watched, 0, 0) == [2, 2]
    assert recorded(watched) == {0: (2, 2)}


def test_rows_of_a_later_publication_are_not_kept_for_the_earlier_content(told: Told) -> None:
    watched = WatchedWarehouse(told)

    def always() -> None:
        write(told, days(0), version=told.changes + 1)
        told.meanwhile = always

    always()
    assert points(watched, 0, 0) == [told.changes, told.changes]
    told.meanwhile = None
    write(told, days(0), version=TRIES)
    assert points(watched, 0, 0) == [TRIES, TRIES]


def test_tables_that_are_read_together_are_of_one_state(told: Told) -> None:
    watched = WatchedWarehouse(told)
    window = Days(FIRST, FIRST, POINTS)
    for table in (RESULTS, OTHERS):
        write(told, days(0), table=table)
    watched.read({"r": (RESULTS, window)})

    def both() -> None:
        for table in (RESULTS, OTHERS):
            write(told, days(0), version=2, table=table)

    told.meanwhile = both
    found = watched.read({"r": (RESULTS, window), "o": (OTHERS, window)})
    assert found["r"]["points"].to_pylist() == found["o"]["points"].to_pylist() == [2, 2]


def test_days_that_were_not_asked_for_longest_are_forgotten(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_days, "DAYS_KEPT", 2)
    watched = WatchedWarehouse(told)
    write(told, days(0, 1, 2))
    assert points(watched, 0, 2) == [1] * 6
    assert len(watched._held._days) == 2
    asked(told)
    assert points(watched, 0, 2) == [1] * 6
    assert asked(told) == ["results 01-01 game_date points"]


def test_the_quarantine_is_asked_for_only_where_an_entry_with_rejected_rows_is_new(told: Told) -> None:
    watched, first, second = WatchedWarehouse(told), *days(0, 1)

    def reasons() -> list[str]:
        asked(told)
        return watched.quarantine([RESULTS.id, OTHERS.id], first, second, dated=True)["reason"].to_pylist()

    query = f"quarantine of {RESULTS.id} {OTHERS.id}"
    write(told, [second])
    assert (reasons(), asked(told)) == ([], ["ledger"])
    for version in (1, 2):
        bad = pa.concat_tables([rejects(first, f"bad {version}"), rejects(None, "no day")])
        told.replace(RESULTS, [first], rows([first]), [entry(first, version, rejected=1)], bad)
        assert (reasons(), asked(told)) == ([f"bad {version}"], ["ledger", query])
        write(told, [second], version)
        assert (reasons(), asked(told)) == ([f"bad {version}"], ["ledger"])
    write(told, [first], version=3)
    assert (reasons(), asked(told)) == ([], ["ledger"])


def test_every_filter_of_the_ledger_is_that_of_the_warehouse(told: Told) -> None:
    write(told, days(0, 1))
    write(told, days(1), table=OTHERS)
    watched = WatchedWarehouse(told)
    for tables, bounds in ((None, ()), ([RESULTS.id], ()), ([], ()), (None, days(0, 0)), ([OTHERS.id], days(1, 2))):
        assert watched.ledger(tables, *bounds).equals(told.ledger(tables, *bounds))
    assert watched.ledger().num_rows == entries_table([entry(d) for d in days(0, 1, 1)]).num_rows
