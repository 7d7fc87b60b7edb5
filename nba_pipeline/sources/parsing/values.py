"""What the parsers share: reading JSON, tables of named columns, and values of a known type, with errors that say what."""

import json
import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from nba_pipeline.common.errors import SourceError
from nba_pipeline.common.timezone import ZONE

EASTERN = ZoneInfo(ZONE)
EXCERPT = 60
LARGEST = 2**53
Row = dict[str, Any]


class PayloadError(SourceError):
    """An answer is not what the service is known to give: its form, its columns or its values."""


def from_json(content: bytes) -> Any:
    """The JSON value. Raises PayloadError for a web page, a truncated answer, and anything else that is not JSON."""
    text = content.decode("utf-8", errors="replace")
    start = text.lstrip()[:EXCERPT]
    if not start:
        raise PayloadError("the answer is empty")
    if start.startswith("<"):
        raise PayloadError(f"the answer is a web page, not JSON: {start!r}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise PayloadError(f"the answer is not JSON, or is cut off ({len(text):,} characters): {e}") from None


def part(value: Any, name: str, kind: type | tuple[type, ...]) -> Any:
    """A named part of an object. Raises PayloadError where it is missing or of another kind."""
    if not isinstance(value, dict):
        raise PayloadError(f"an object with the part {name!r} is expected, not {shown(value)}")
    if name not in value:
        raise PayloadError(f"the part {name!r} is missing (there are: {', '.join(map(str, value)) or 'none'})")
    if not isinstance(value[name], kind):
        raise PayloadError(f"the part {name!r} is {shown(value[name])}")
    return value[name]


def _value(row: Any, name: str) -> Any:
    if not isinstance(row, dict):
        raise PayloadError(f"an object with {name} is expected, not {shown(row)}")
    return row.get(name)


def integer(row: Row, name: str) -> int | None:
    """A whole number, or None where it is not known."""
    value = _value(row, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST or value != int(value):
        raise PayloadError(f"{name} is {shown(value)}, not a whole number")
    return int(value)


def number(row: Row, name: str) -> float | None:
    """A number, or None where it is not known."""
    value = _value(row, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        raise PayloadError(f"{name} is {shown(value)}, not a number")
    return float(value)


def text(row: Row, name: str) -> str | None:
    """A text without blanks around it, or None where it is empty."""
    value = _value(row, name)
    if value is None:
        return None
    if not isinstance(value, str) or not _writable(value):
        raise PayloadError(f"{name} is {shown(value)}, not a text")
    return value.strip() or None


def _writable(value: str) -> bool:
    """JSON can name halves of characters, which no file can hold."""
    return not any("\ud800" <= c <= "\udfff" for c in value)


def required(row: Row, name: str) -> str:
    """A text that must be there."""
    value = text(row, name)
    if value is None:
        raise PayloadError(f"{name} is empty")
    return value


def day(value: str | None) -> date:
    """A calendar date: 2025-03-15, 20250315, or a moment that begins so."""
    found = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", value or "")
    try:
        if found:
            return date(*map(int, found.groups()))
    except ValueError:
        pass
    raise PayloadError(f"{value!r} is not a date")


def instant(value: Any) -> datetime:
    """A moment with its offset, in UTC."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise PayloadError(f"{shown(value)} is not a moment with a time zone")


def shown(value: Any) -> str:
    said = json.dumps(value, default=str)
    return said if len(said) <= EXCERPT else said[:EXCERPT] + "..."
