"""Days of a table as one file for other tools: Parquet, CSV or JSON, complete or not there at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import ExportError, MissingHistoryError, first_line
from nba_pipeline.common.files import replacing
from nba_pipeline.common.progress import DONE, STARTED, announce
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import days_between, describe_days
from nba_pipeline.engine.readiness import gaps
from nba_pipeline.warehouse import Days, Warehouse

Format = Literal["parquet", "csv", "json"]
OPTIONS: dict[Format, str] = {
    "parquet": "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false",
    "csv": "FORMAT csv, HEADER, USE_TMP_FILE false",
    "json": "FORMAT json, ARRAY, USE_TMP_FILE false",
}
DAYS_AT_ONCE = 31
FORMULA = r"^[=+\-@\t\r]"


def file_name(table: Table, start: date, end: date, kind: Format) -> str:
    return f"{table.name}_{start}_{end}.{kind}"


def require_published(warehouse: Warehouse, table: Table, start: date, end: date) -> None:
    """Raise MissingHistoryError for days that were never published or are refused: a file would lack them silently."""
    lacking = gaps(table, warehouse.ledger([table.id], start, end), start, end, finished=False)
    if lacking.days:
        why = ", ".join(sorted({*lacking.why.values()}))
        raise MissingHistoryError(
            f"{table.id} lacks {describe_days(lacking.days)} of {start}..{end}: {why}",
            f"run `nba-pipeline backfill {start} {end} --missing`, or export the days that are there",
        )


def write_rows(warehouse: Warehouse, table: Table, start: date, end: date, kind: Format, path: Path) -> int:
    """Write the rows of the days to `path`, ordered by day and key, a month in memory at a time; returns how many.

    The file appears whole, or an earlier one stays unchanged. An unknown value is empty (CSV) or null; in the array columns
    of CSV and JSON, where an unknown element is NaN in the table, it is null too. In CSV a text that a spreadsheet would run as a
    formula begins with an apostrophe. Raises ExportError when the file cannot be
    written.
    """
    require_published(warehouse, table, start, end)
    announce(table.id, STARTED, (end - start).days + 1)
    with _appearing(path) as temporary:
        return _copy(_Months(warehouse, table, start, end), temporary, kind)


def _copy(months: "_Months", path: Path, kind: Format) -> int:
    target = str(path).replace("'", "''")
    with duck.connect() as db:
        db.register("rows", pa.RecordBatchReader.from_batches(months.schema, months))
        try:
            statement = f"COPY (SELECT {_columns(months.table, kind)} FROM rows) TO '{target}' ({OPTIONS[kind]})"
            (written,) = db.execute(statement).fetchone() or (0,)
        except duckdb.Error as e:
            if months.failure is not None:
                raise months.failure from None
            raise ExportError(
                f"{path.name} was not written: {first_line(e)}",
                duck.remedy(e, "check free disk space, then export again"),
            ) from e
    return written


class _Months:
    """The rows of a table in order, read a month at a time. `failure` is what ended them early, if anything did.

    An error that a stream raises inside the engine comes out as the engine's own; this keeps the first one.
    """

    def __init__(self, warehouse: Warehouse, table: Table, start: date, end: date) -> None:
        self.table = table
        self.schema = pa.schema([f.with_nullable(True) for f in table.arrow_schema])
        self.failure: BaseException | None = None
        self._warehouse = warehouse
        self._days = days_between(start, end)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for i in range(0, len(self._days), DAYS_AT_ONCE):
                yield from self._read(self._days[i : i + DAYS_AT_ONCE])
        except BaseException as e:
            self.failure = e
            raise

    def _read(self, days: Sequence[date]) -> Iterator[pa.RecordBatch]:
        order = [(k, "ascending") for k in dict.fromkeys((self.table.partition, *self.table.key))]
        rows = self._warehouse.read({"rows": (self.table, Days(days[0], days[-1]))})["rows"]
        yield from rows.sort_by(order).to_batches()
        announce(self.table.id, DONE, len(days))


def _columns(table: Table, kind: Format) -> str:
    """All columns. Text formats have no NaN, and a spreadsheet runs a cell of CSV that begins like a formula."""
    if kind == "parquet":
        return "*"
    replaced = []
    for c in table.columns.values():
        if c.type.is_array():
            replaced.append(
                f'list_transform("{c.name}", lambda e: CASE WHEN isnan(e) THEN NULL ELSE e END) AS "{c.name}"'
            )
        elif c.type.is_string() and kind == "csv":
            quoted = (
                f"""CASE WHEN regexp_matches("{c.name}", '{FORMULA}') THEN '''' || "{c.name}" ELSE "{c.name}" END"""
            )
            replaced.append(f'{quoted} AS "{c.name}"')
    return f"* REPLACE ({', '.join(replaced)})" if replaced else "*"


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Yield a file that replaces `path` when the block succeeds. Raises ExportError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            yield temporary
    except OSError as e:
        raise ExportError(
            f"{path} was not written: {e.strerror}", "check free disk space and the permissions of the directory"
        ) from e
