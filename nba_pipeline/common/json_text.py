"""JSON text of rows and figures, as every parser of JSON reads it."""

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol, cast, runtime_checkable


@runtime_checkable
class _OfNumpy(Protocol):
    """A value of numpy, told by what it has: numpy takes long to import, and most JSON has none of it."""

    @property
    def dtype(self) -> Any: ...
    def tolist(self) -> object: ...


def json_text(value: object, *, indent: int | None = None) -> str:
    """Write a value as JSON.

    Days and times are ISO text; decimals and numbers of numpy are numbers, its arrays lists. What is no number, no time or no
    value is null: NaN, infinities, NaT, NA. Keys are what they are as values, written as text.

    Args:
        value: Rows or figures, nested in lists and dictionaries.
        indent: Spaces by which each level is indented; None writes one line.
    """
    try:
        return json.dumps(value, default=_plain, indent=indent, allow_nan=False)
    except (ValueError, TypeError):
        return json.dumps(_finite(value), default=_plain, indent=indent, allow_nan=False)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, _OfNumpy) and value.dtype.kind not in "mM":
        return _finite(value.tolist())
    if isinstance(value, _OfNumpy) and isinstance(value, Iterable):
        return list(cast(Iterable[object], value))
    itself: object = value == value  # of NA neither true nor false, but NA
    return None if itself is value or not itself else str(value)


def _key(key: object) -> object:
    return _finite(key) if key is None or isinstance(key, str | int | float | tuple) else _plain(key)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_key(k): _finite(v) for k, v in cast(dict[Any, object], value).items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in cast(list[object], value)]
    return value
