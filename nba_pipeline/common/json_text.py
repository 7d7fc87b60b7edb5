"""JSON text of rows and figures, as every parser of JSON reads it."""

import json
import math
from decimal import Decimal
from typing import Any, cast


def json_text(value: object, *, indent: int | None = None) -> str:
    """Write a value as JSON: days and times as ISO text, decimals as numbers, and NaN and infinities as null."""
    try:
        return json.dumps(value, default=_plain, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), default=_plain, indent=indent, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in cast(dict[Any, object], value).items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in cast(list[object], value)]
    return value
