"""Words that must not be found, and a search for them in everything that a home keeps: what is packed is unpacked first."""

import gzip
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from nba_pipeline.orchestration.event_log import packing

SQLITE, DUCKDB, PARQUET, GZIP = b"SQLite format 3\x00", b"DUCK", b"PAR1", b"\x1f\x8b"


def sightings(canaries: Mapping[str, str], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """`name in place` for each canary that is in one of the places."""
    marks = {name: word.encode() for name, word in canaries.items()}
    return [f"{name} in {place}" for place, content in places for name, mark in marks.items() if mark in content]


def contents(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below the directory as it is, and what can be read out of databases, Parquet and compressed content."""
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        yield f"the name of {path}", str(path.relative_to(directory)).encode()
        yield str(path), raw
        for place, cell in _unpacked(path, raw):
            yield f"{path}, {place}", cell


def _unpacked(path: Path, raw: bytes) -> Iterator[tuple[str, bytes]]:
    if raw.startswith(SQLITE):
        yield from _sqlite(path)
    elif raw[8:12] == DUCKDB:
        yield from _duckdb(path)
    elif raw.startswith(PARQUET):
        yield "rows", _texts(pq.read_table(path)).encode()
        yield "metadata", str(pq.read_metadata(path).metadata).encode()
    elif raw.startswith(GZIP):
        yield "unzipped", gzip.decompress(raw)


def _texts(rows: pa.Table) -> str:
    """What is not a number, a flag or a time, each value once where that is cheap."""
    kept: list[str] = []
    for column in rows.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            kept += [str(v) for v in column.unique().to_pylist()]
        elif not (pa.types.is_primitive(column.type) or pa.types.is_boolean(column.type)):
            kept.append(str(column.to_pylist()))
    return "\n".join(kept)


def _sqlite(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        db.text_factory = bytes
        names = [n.decode() for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
        for name in names:
            for row in db.execute(f'SELECT * FROM "{name}"'):
                yield f"table {name}", b" ".join(c for value in row for c in _cell(value))


def _cell(value: Any) -> Iterator[bytes]:
    """A cell, and what is compressed in it."""
    if not isinstance(value, bytes):
        yield str(value).encode()
        return
    yield value
    with suppress(zlib.error):
        yield zlib.decompress(value)
    if value.startswith(bytes([packing.CURRENT])):
        with suppress(zlib.error):
            yield packing.unpack(value).encode()


def _duckdb(path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(path), read_only=True) as db:
        for schema, name in db.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            (rows,) = db.execute(f'SELECT string_agg(CAST(t AS VARCHAR)) FROM "{schema}"."{name}" AS t').fetchall()
            yield f"table {schema}.{name}", str(rows[0]).encode()
        for kind, text in db.execute("SELECT 'comment', comment FROM duckdb_columns() WHERE comment <> ''").fetchall():
            yield kind, str(text).encode()
