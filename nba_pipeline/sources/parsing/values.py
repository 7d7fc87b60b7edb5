"""Read JSON and typed values of an answer, with errors that name the value."""

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
    """The form, columns or values of an answer are not those that the service documents."""


def from_json(content: bytes) -> Any:
    """Parse JSON. Raises PayloadError for a web page, a truncated answer, or other content."""
    text = content.decode("utf-8", errors="replace")
    start = text.lstrip()[:EXCERPT]
    if not start:
        raise PayloadError("the answer is empty")
    if start.startswith("<"):
        raise PayloadError(f"the answer is a web page, not JSON: {start!r}")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as e:
        raise PayloadError(f"the answer is not JSON, or is truncated ({len(text):,} characters): {e}") from None


def part(value: Any, name: str, kind: type | tuple[type, ...]) -> Any:
    """Read a named part of an object.

    Args:
        value: the object.
        name: the part.
        kind: its required type or types.

    Raises:
        PayloadError: the part is missing or has another type.
    """
    if not isinstance(value, dict):
        raise PayloadError(f"an object with the part {name!r} is expected, not {shown(value)}")
    if name not in value:
        raise PayloadError(f"the part {name!r} is missing (parts: {', '.join(map(str, value)) or 'none'})")
    if not isinstance(value[name], kind):
        raise PayloadError(f"the part {name!r} is {shown(value[name])}")
    return value[name]


def _value(row: Any, name: str) -> Any:
    if not isinstance(row, dict):
        raise PayloadError(f"an object with {name} is expected, not {shown(row)}")
    return row.get(name)


def integer(row: Row, name: str) -> int | None:
    """Read a whole number; None if it is null."""
    value = _value(row, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST or value != int(value):
        raise PayloadError(f"{name} is {shown(value)}, not a whole number")
    return int(value)


def number(row: Row, name: str) -> float | None:
    """Read a number; None if it is null."""
    value = _value(row, name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        raise PayloadError(f"{name} is {shown(value)}, not a number")
    return float(value)


def text(row: Row, name: str) -> str | None:
    """Read a text without surrounding blanks; None if it is empty."""
    value = _value(row, name)
    if value is None:
        return None
    if not isinstance(value, str) or not _writable(value):
        raise PayloadError(f"{name} is {shown(value)}, not a text")
    return value.strip() or None


def _writable(value: str) -> bool:
    """Return whether a text can be encoded: JSON may contain lone surrogates."""
    return not any("\ud800" <= c <= "\udfff" for c in value)


def required(row: Row, name: str) -> str:
    """Read a text that must not be empty."""
    value = text(row, name)
    if value is None:
        raise PayloadError(f"{name} is empty")
    return value


def day(value: str | None) -> date:
    """Parse a calendar date: 2025-03-15, 20250315, or a time that begins with one."""
    match = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", value or "")
    try:
        if match:
            return date(*map(int, match.groups()))
    except ValueError:
        pass
    raise PayloadError(f"{value!r} is not a date")


def instant(value: Any) -> datetime:
    """Parse a time with an offset, to UTC."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise PayloadError(f"{shown(value)} is not a time with a time zone")


def shown(value: Any) -> str:
    """Format a value for an error, shortened."""
    text = json.dumps(value, default=str)
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "..."
