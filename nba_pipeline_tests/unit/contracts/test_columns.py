"""What a declared column is to the warehouse, to Arrow and to the data dictionary."""

import re
from datetime import date

import ibis.expr.datatypes as dt
import pyarrow as pa
import pytest

from nba_pipeline.common.errors import ContractError
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, FloatArray, Instant, Rows, Table, column


class Shots(Rows):
    """Shots of players. One row per day and player."""

    game_date: date = column("day")
    player: str = column("name", str_matches=re.compile(r"^[a-z]{1,5}$"))
    points: int = column("points", unit="points", formula="2 * made + threes")
    share: float = column("share of made shots", nullable=True)
    minutes: float = column("minutes", precision=3, nullable=True)
    tip_off: Instant = column("moment", nullable=True)
    features: FloatArray = column("list", nullable=True)
    comment: str = column("not hashed", hashed=False, nullable=True)
    remark: str = column("not hashed either", hashed=False, nullable=True)


SHOTS = Table(model=Shots, name="shots", dataset="nba_raw", key=("game_date", "player"), partition="game_date")


def test_the_data_dictionary_has_the_unit_and_the_formula_and_nothing_where_there_is_none() -> None:
    columns = SHOTS.columns
    assert (columns["points"].unit, columns["points"].formula) == ("points", "2 * made + threes")
    assert (columns["player"].unit, columns["player"].formula) == ("", "")


def test_floats_keep_four_decimals_unless_the_contract_says_otherwise() -> None:
    assert {n: SHOTS.columns[n].precision for n in ("share", "features", "minutes")} == {
        "share": 4,
        "features": 4,
        "minutes": 3,
    }


def test_a_pattern_reads_alike_whether_it_was_given_as_text_or_compiled() -> None:
    assert SHOTS.columns["player"].range_text == "matches ^[a-z]{1,5}$"
    assert SHOTS.columns[HASH_COLUMN].range_text == "matches ^[0-9a-f]{16}$"


def test_moments_are_utc_in_the_engine_and_in_arrow() -> None:
    for name in ("tip_off", COMPUTED_AT):
        assert SHOTS.ibis_schema[name] == dt.Timestamp(timezone="UTC")
        assert SHOTS.arrow_schema.field(name).type == pa.timestamp("us", "UTC")


def test_what_is_stored_may_be_unknown_where_the_contract_lets_it_and_what_was_built_anywhere() -> None:
    """Rows are checked after they were built: until then a required value may be missing."""
    stored = {f.name for f in SHOTS.arrow_schema if f.nullable}
    assert stored == {"share", "minutes", "tip_off", "features", "comment", "remark"}
    assert all(f.nullable for f in SHOTS.computed_schema)
    assert SHOTS.computed_schema.names == list(SHOTS.computed_columns)


def test_a_bad_row_refuses_its_day_unless_the_table_sets_such_rows_aside() -> None:
    assert SHOTS.on_bad_row == "refuse"


def test_every_missing_and_every_surplus_column_is_named() -> None:
    produced = [n for n in SHOTS.computed_columns if n not in ("points", "player", "comment", "remark")]
    with pytest.raises(ContractError) as caught:
        SHOTS.require_columns([*produced, "pionts", "plaier"], "days x")
    assert caught.value.what == (
        "nba_raw.shots, days x: hash fields missing: player, points; columns missing: comment, remark; "
        "columns that the contract does not know: pionts, plaier"
    )
