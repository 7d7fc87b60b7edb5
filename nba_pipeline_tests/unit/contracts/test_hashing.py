"""The row hash against a second implementation in plain Python, and everything it must not depend on."""

import hashlib
import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from nba_pipeline import asof, definitions
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.hashing import content_hash_expression, hash_expression
from nba_pipeline.contracts.table import FloatArray, Instant, Rows, Table, column
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.catalog import CATALOG

assert definitions.defs  # every shipped table is registered

Row = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NAN = float("nan")


class Everything(Rows):
    """A column of every kind. One row per name and day."""

    game_date: date = column("day")
    name: str = column("name", nullable=True)
    other: str = column("a second text", nullable=True)
    points: int = column("points", nullable=True)
    minutes: float = column("minutes", precision=3, nullable=True)
    share: float = column("share", nullable=True)
    starter: bool = column("starter", nullable=True)
    tip_off: Instant = column("moment", nullable=True)
    features: FloatArray = column("list", precision=2, nullable=True)
    comment: str = column("not hashed", nullable=True, hashed=False)


def declared(name: str) -> Table:
    return Table(model=Everything, name=name, dataset="nba_raw", key=("game_date", "name"), partition="game_date")


def build(rows: ir.Table) -> ir.Table:
    return rows


EVERYTHING = declared("everything")
COLUMNS = EVERYTHING.computed_columns
READ = asof.same_day(declared("elsewhere"), visible=COLUMNS)
PASS_THROUGH = Transform(EVERYTHING, build, reads={"rows": READ})
SCHEMA = pa.schema([EVERYTHING.arrow_schema.field(c).with_nullable(True) for c in COLUMNS])
DAY = date(2024, 1, 5)
AT = datetime(2024, 1, 6, tzinfo=UTC)
FULL: Row = {
    "game_date": DAY,
    "name": "Luka Dončić",
    "other": "",
    "points": 73,
    "minutes": 44.983,
    "share": 0.5,
    "starter": True,
    "tip_off": datetime(2024, 1, 6, 0, 30, tzinfo=UTC),
    "features": [1.25, NAN, -3.0],
    "comment": "x",
}
HASHED = [n for n in EVERYTHING.hash_fields if n != "game_date"]


# --- the oracle: data_hash by the words of the module -----------------------------------------------------------------


def text_of(value: Any, precision: int) -> str:
    if value is None:
        return "~"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(round(value * 10**precision))
    if isinstance(value, datetime):
        return str((value - EPOCH) // MICROSECOND)
    if isinstance(value, list):
        return ",".join("nan" if math.isnan(v) else str(round(v * 10**precision)) for v in value)
    if isinstance(value, str):
        return value.replace("~", "~~").replace("\x1f", "~s")
    return str(value)


def oracle(row: Row) -> str:
    """`name=value` of the hash fields, in contract order, separated by the unit separator."""
    fields = (f"{n}={text_of(row[n], EVERYTHING.columns[n].precision)}" for n in EVERYTHING.hash_fields)
    return hashlib.sha256("\x1f".join(fields).encode()).hexdigest()[:16]


# --- the product ------------------------------------------------------------------------------------------------------


def computed(rows: pa.Table) -> DuckDBExecutor:
    """A workbench on which these rows went through typing, rounding and hashing."""
    executor = DuckDBExecutor({"rows": rows})
    executor.compute(PASS_THROUGH, [DAY], RunContext("r", AT))
    return executor


def hashes(rows: pa.Table | Sequence[Row]) -> list[str]:
    """data_hash of every row, in the order of the rows."""
    executor = computed(rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), SCHEMA))
    try:
        return [r[0] for r in executor.db.execute("SELECT data_hash FROM result ORDER BY rowid").fetchall()]
    finally:
        executor.close()


def hash_of(**changes: Any) -> str:
    return hashes([FULL | changes])[0]


def content(rows: pa.Table) -> str:
    executor = computed(rows)
    try:
        return executor.content_hashes(EVERYTHING)[DAY]
    finally:
        executor.close()


def decimals(precision: int, limit: int = 10**9) -> st.SearchStrategy[float]:
    return st.integers(-limit, limit).map(lambda n: n / 10**precision)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "game_date": st.just(DAY),
    "name": st.none() | TEXTS | st.sampled_from(["~", "~~", "\x1f", "~s", "nan", "0", "x\x1fother=y"]),
    "other": st.none() | TEXTS,
    "points": st.none() | st.integers(-(2**62), 2**62),
    "minutes": st.none() | decimals(3),
    "share": st.none() | decimals(4),
    "starter": st.none() | st.booleans(),
    "tip_off": st.none() | MOMENTS,
    "features": st.none() | st.lists(st.just(NAN) | decimals(2, 10**6), max_size=4),
    "comment": st.none() | TEXTS,
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_the_hash_is_sha256_over_the_canonical_name_and_value_text(rows: list[Row]) -> None:
    assert hashes(rows) == [oracle(r) for r in rows]


def test_the_hash_of_a_row_is_pinned() -> None:
    """Stored hashes must stay comparable: whoever changes this value changes every hash ever stored."""
    assert hash_of() == oracle(FULL) == "b437680eb4f20de0"


# --- what it must not depend on ---------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_and_chunks_of_rows_change_nothing(rows: list[Row], chance: random.Random, chunk: int) -> None:
    whole = pa.Table.from_pylist(rows, SCHEMA)
    mixed = list(rows)
    chance.shuffle(mixed)
    chunks = [pa.Table.from_pylist(mixed[i : i + chunk], SCHEMA) for i in range(0, len(mixed), chunk)]
    assert content(pa.concat_tables(chunks)) == content(whole)
    assert hashes(pa.concat_tables(chunks)) == [oracle(r) for r in mixed]


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.float32(), pa.float64(), pa.decimal128(25, 2)],
)
def test_the_type_of_a_number_on_the_way_in_changes_nothing(kind: pa.DataType) -> None:
    rows = pa.Table.from_pylist([FULL | {"points": 73, "minutes": 12.0, "share": 1.0}], SCHEMA)
    for name in ("points", "minutes", "share"):
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, rows[name].cast(kind))
    assert hashes(rows) == [oracle(FULL | {"points": 73, "minutes": 12.0, "share": 1.0})]


def test_numpy_and_pandas_frames_give_the_same_hash() -> None:
    known = FULL | {"features": [1.25, -3.0]}
    frame = pd.DataFrame([known]).astype({"points": np.int32, "share": np.float32, "name": "string"})
    assert hashes(pa.Table.from_pandas(frame, preserve_index=False)) == [oracle(known)]


def test_minus_zero_is_zero_in_columns_and_lists() -> None:
    assert hash_of(minutes=-0.0, features=[-0.0]) == hash_of(minutes=0.0, features=[0.0])
    assert hash_of(minutes=-0.0001, features=[-0.001]) == hash_of(minutes=0.0, features=[0.0])


def test_minus_zero_is_stored_as_zero() -> None:
    """Readers of the table see no "-0.0", whatever the order of a sum gave."""
    executor = computed(pa.Table.from_pylist([FULL | {"minutes": -0.0, "share": -0.00001, "features": [-0.0]}], SCHEMA))
    (found,) = executor.sql("SELECT minutes, share, features[1] AS first FROM result")
    executor.close()
    assert [math.copysign(1, v) for v in found.values()] == [1, 1, 1]


@pytest.mark.parametrize(("noisy", "clean"), [(0.1 + 0.2, 0.3), (1 / 3, 0.3333), (1.1 * 1.1, 1.21), (29.99999999, 30)])
def test_noise_below_the_declared_precision_changes_nothing(noisy: float, clean: float) -> None:
    assert hash_of(share=noisy) == hash_of(share=clean)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "UTC"])
def test_the_zone_a_moment_is_written_in_changes_nothing(zone: str) -> None:
    rows = pa.Table.from_pylist([FULL], SCHEMA)
    place = rows.schema.get_field_index("tip_off")
    assert hashes(rows.set_column(place, "tip_off", rows["tip_off"].cast(pa.timestamp("us", zone)))) == [oracle(FULL)]


@pytest.mark.parametrize("text", ["2024-01-05 19:30:00-05:00", "2024-01-06T06:00:00+05:30", "2024-01-06 00:30:00Z"])
def test_a_moment_given_as_text_with_an_offset_is_the_same_moment(text: str) -> None:
    rows = pa.Table.from_pylist([FULL], SCHEMA)
    place = rows.schema.get_field_index("tip_off")
    assert hashes(rows.set_column(place, "tip_off", pa.array([text]))) == [oracle(FULL)]


def test_columns_that_are_not_hash_fields_change_nothing() -> None:
    assert hash_of(comment="another") == hash_of()


# --- what it must tell apart ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HASHED)
def test_a_change_in_any_hash_field_changes_the_hash(name: str) -> None:
    changed: Row = {
        "name": "Luka Doncic",
        "other": " ",
        "points": 74,
        "minutes": 44.984,
        "share": 0.5001,
        "starter": False,
        "tip_off": FULL["tip_off"] + MICROSECOND,
        "features": [1.26, NAN, -3.0],
    }
    assert len({hash_of(), hash_of(**{name: changed[name]}), hash_of(**{name: None})}) == 3


def test_unknown_empty_tilde_nan_and_zero_are_five_different_texts() -> None:
    assert len({hash_of(name=v) for v in (None, "", "~", "~~", "nan", "0", "NULL", "None", "~s", "\x1f")}) == 10


def test_a_separator_inside_a_text_cannot_shift_fields() -> None:
    assert hash_of(name="a\x1fother=b", other="c") != hash_of(name="a", other="b\x1fother=c")
    assert hash_of(name="a", other="b") != hash_of(name="ab", other="")
    assert hash_of(name="~s") != hash_of(name="\x1f")


def test_composed_and_decomposed_accents_are_different_texts() -> None:
    assert hash_of(name="Dončić") != hash_of(name="Doncic\u030c\u0301")


def test_lists_of_other_length_order_or_unknowns_differ() -> None:
    lists = ([], [NAN], [1.0], [1.0, NAN], [NAN, 1.0], [1.0, 1.0], [0.0], None)
    assert len({hash_of(features=v) for v in lists}) == len(lists)


def test_a_null_inside_a_list_does_not_vanish() -> None:
    assert hash_of(features=[1.0, None]) != hash_of(features=[1.0])


def test_numbers_too_big_to_scale_do_not_hash_as_unknown() -> None:
    assert len({hash_of(share=v) for v in (None, 1e18, 2e18)}) == 3


def test_the_partition_hash_sees_every_row_once() -> None:
    one = pa.Table.from_pylist([FULL], SCHEMA)
    assert content(one) != content(pa.concat_tables([one, one]))
    assert content(one) != content(pa.Table.from_pylist([FULL, FULL | {"points": 1}], SCHEMA))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE result SET comment = 'y'",
        "UPDATE result SET features = [1.25, 0, -3.0]",
        "UPDATE result SET data_hash = reverse(data_hash)",
        "DELETE FROM result",
        "INSERT INTO result FROM result",
    ],
)
def test_a_result_is_as_hashed_until_a_cell_or_row_of_it_changes(change: str) -> None:
    executor = computed(pa.Table.from_pylist([FULL], SCHEMA))
    before = executor.is_as_hashed()
    executor.db.execute(change)
    after = executor.is_as_hashed()
    executor.close()
    assert (before, after) == (True, False)


# --- BigQuery ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [EVERYTHING, *(t.table for t in CATALOG.values())], ids=lambda t: t.id)
def test_the_bigquery_rendering_is_valid_sql_over_every_hash_field(table: Table) -> None:
    sql = f"SELECT {hash_expression(table, 'bigquery')} AS data_hash FROM `{table.id}`"
    (parsed,) = sqlglot.parse(sql, read="bigquery")
    assert parsed is not None
    named = {c.name for c in parsed.find_all(exp.Column)}
    assert set(table.hash_fields) <= named


def test_a_number_too_large_for_an_integer_does_not_stop_a_query_in_bigquery() -> None:
    parsed = sqlglot.parse_one(f"SELECT {hash_expression(EVERYTHING, 'bigquery')}", read="bigquery")
    scaled = [c for c in parsed.find_all(exp.Cast) if c.this.find(exp.Mul) and not c.this.find(exp.Cast)]
    assert scaled and all(isinstance(c, exp.TryCast) for c in scaled)


def test_the_bigquery_partition_hash_is_valid_sql() -> None:
    assert sqlglot.parse_one(f"SELECT {content_hash_expression('bigquery')} FROM t", read="bigquery")
