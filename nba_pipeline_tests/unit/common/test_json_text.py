"""JSON is what every parser reads: no NaN, numbers as numbers, days as text."""

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.common.json_text import json_text


def test_what_is_no_number_is_null_at_every_depth() -> None:
    value = {"a": float("nan"), "b": [1.5, float("inf")], "c": ({"d": float("-inf")},)}
    assert json.loads(json_text(value)) == {"a": None, "b": [1.5, None], "c": [{"d": None}]}


def test_a_decimal_is_a_number_and_a_day_is_text() -> None:
    assert json_text([Decimal(3), Decimal("1.50"), date(2024, 1, 5)]) == '[3, 1.5, "2024-01-05"]'


def test_what_numpy_and_pandas_hold_is_written_as_what_it_is() -> None:
    value = {"count": np.int64(3), "rate": np.float32(0.5), "won": np.bool_(True), "lines": np.array([1.5, 2.0])}
    assert json.loads(json_text(value)) == {"count": 3, "rate": 0.5, "won": True, "lines": [1.5, 2.0]}
    assert (
        json_text([np.datetime64("2024-01-05"), pd.Timestamp("2024-01-05")]) == '["2024-01-05", "2024-01-05 00:00:00"]'
    )
    assert json.loads(json_text(np.array(["2024-01-05", "NaT"], dtype="M8[D]"))) == ["2024-01-05", None]


def test_an_unknown_number_or_time_of_any_library_is_null() -> None:
    unknown = [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), pd.NaT, np.datetime64("NaT"), pd.NA]
    numbers = [np.float32("nan"), np.float64("inf"), np.array([np.nan])]
    assert json.loads(json_text([*unknown, *numbers])) == [*[None] * 8, [None]]


def test_a_column_with_unknown_values_has_nulls() -> None:
    assert json.loads(json_text({"points": pd.array([3, None], dtype="Int64")})) == {"points": [3, None]}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (np.int64(3), "3"),
        (np.float32(0.5), "0.5"),
        (np.bool_(True), "true"),
        (Decimal(3), "3"),
        (date(2024, 1, 5), "2024-01-05"),
        (pd.Timestamp("2024-01-05"), "2024-01-05 00:00:00"),
        (float("nan"), "null"),
        (pd.NA, "null"),
    ],
)
def test_a_key_is_written_as_the_value_would_be(key: object, text: str) -> None:
    assert json.loads(json_text([{key: 1.5}])) == [{text: 1.5}]


def test_a_pair_is_no_key() -> None:
    with pytest.raises(TypeError):
        json_text({("points", 3): 1})
