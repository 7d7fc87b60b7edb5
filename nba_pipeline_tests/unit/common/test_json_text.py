"""JSON is what every parser reads: no NaN, numbers as numbers, days as text."""

import json
from datetime import date
from decimal import Decimal

from nba_pipeline.common.json_text import json_text


def test_what_is_no_number_is_null_at_every_depth() -> None:
    value = {"a": float("nan"), "b": [1.5, float("inf")], "c": ({"d": float("-inf")},)}
    assert json.loads(json_text(value)) == {"a": None, "b": [1.5, None], "c": [{"d": None}]}


def test_a_decimal_is_a_number_and_a_day_is_text() -> None:
    assert json_text([Decimal(3), Decimal("1.50"), date(2024, 1, 5)]) == '[3, 1.5, "2024-01-05"]'
