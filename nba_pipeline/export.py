"""Days of a table as one file for other tools: Parquet, CSV or JSON, complete or not there at all."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Literal

import pyarrow as pa

from nba_pipeline import duck
from nba_pipeline.contracts import Table
from nba_pipeline.errors import ConfigurationError, ExportError, MissingHistoryError
from nba_pipeline.needs import gaps
from nba_pipeline.progress import DONE, STARTED, announce
from nba_pipeline.seasons import days_between, describe_days
from nba_pipeline.warehouse import Days, Warehouse

Format = Literal["parquet", "csv", "json"]
OPTIONS: dict[Format, str] = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER",
    "json": "FORMAT json, ARRAY",
}
DAYS_AT_ONCE = 31


def find_table(name: str, tables: Sequence[Table]) -> Table:
    """The table of that id (`nba_raw.schedule`) or name (`schedule`). Raises ConfigurationError for any other."""
    for table in tables:
        if name in (table.id, table.name):
            return table
    raise ConfigurationError(f"--table {name!r} is no table", f"use one of: {', '.join(t.id for t in tables)}")


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

    The file appears whole, or an earlier one stays as it was. An unknown value is empty (CSV) or null; in the array columns
    of CSV and JSON, where an unknown element is NaN in the table, it is null too. Raises ExportError when the file cannot be
    written.
    """
    require_published(warehouse, table, start, end)
    announce(table.id, STARTED, (end - start).days + 1)
    schema = pa.schema([f.with_nullable(True) for f in table.arrow_schema])
    reader = pa.RecordBatchReader.from_batches(schema, _batches(warehouse, table, start, end))
    with _appearing(path) as temporary, duck.connect() as db:
        db.register("rows", reader)
        target = str(temporary).replace("'", "''")
        (written,) = db.execute(
            f"COPY (SELECT {_columns(table, kind)} FROM rows) TO '{target}' ({OPTIONS[kind]})"
        ).fetchone() or (0,)
    return written


def _batches(warehouse: Warehouse, table: Table, start: date, end: date) -> Iterator[pa.RecordBatch]:
    days = days_between(start, end)
    order = [(k, "ascending") for k in dict.fromkeys((table.partition, *table.key))]
    for i in range(0, len(days), DAYS_AT_ONCE):
        chunk = days[i : i + DAYS_AT_ONCE]
        rows = warehouse.read({"rows": (table, Days(chunk[0], chunk[-1]))})["rows"]
        yield from rows.sort_by(order).to_batches()
        announce(table.id, DONE, len(chunk))


def _columns(table: Table, kind: Format) -> str:
    """All columns; text formats have no NaN."""
    if kind == "parquet":
        return "*"
    arrays = [c.name for c in table.columns.values() if c.type.is_array()]
    replaced = [f'list_transform("{c}", lambda e: CASE WHEN isnan(e) THEN NULL ELSE e END) AS "{c}"' for c in arrays]
    return f"* REPLACE ({', '.join(replaced)})" if replaced else "*"


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when the block ends well and vanishes when it does not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as e:
        raise ExportError(
            f"{path} was not written: {e.strerror}", "check free disk space and the permissions of the directory"
        ) from e
