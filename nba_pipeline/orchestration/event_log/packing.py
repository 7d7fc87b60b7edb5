"""Stores events small in SQLite: compressed, and the result of a check once.

An event is 0.9 to 8 kB of JSON that differs from others of its kind in a few values. It is deflated with a dictionary of such
events, to about a tenth. Where Dagster's tables hold a second copy, in the executions of checks, a reference to the event stands
in its place. Texts of earlier releases are neither, and are read as they stand.

A dictionary is named by the first byte of what was packed with it, and its file must never change: another one gets another
number.
"""

import zlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as db
from sqlalchemy.engine import Dialect

EVENT_START = '{"__class__": "EventLogEntry"'
REFERENCE = "event "
CURRENT = 1
LEVEL, WINDOW_BITS, MEMORY_LEVEL = 6, 14, 6
LARGEST_WINDOW_BITS = 15  # of events of any release


@cache
def _dictionary(number: int) -> bytes:
    return files(__package__ or "").joinpath(f"dictionary_{number}.txt").read_bytes()


@cache
def _compressor() -> Any:
    """A compressor with the dictionary, to be copied: reading the dictionary takes longer than an event."""
    return zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL, zdict=_dictionary(CURRENT))


def pack(text: str) -> bytes:
    """Return an event in its stored form."""
    compressor = _compressor().copy()
    return bytes([CURRENT]) + compressor.compress(text.encode()) + compressor.flush()


def unpack(stored: bytes) -> str:
    """Return the event of a stored form."""
    decompressor = zlib.decompressobj(LARGEST_WINDOW_BITS, zdict=_dictionary(stored[0]))
    return (decompressor.decompress(stored[1:]) + decompressor.flush()).decode()


def reference(number: int) -> str:
    """Return what stands for the event of this number."""
    return f"{REFERENCE}{number}"


def packed_text(event_of: Callable[[int], str | bytes | None]) -> type[db.Text]:
    """Return the type of columns of text, which packs events that are written and unpacks those that are read.

    Args:
        event_of: Reads an event as it is stored, by its number; None for one that was deleted.
    """

    def read(value: Any) -> str | None:
        if isinstance(value, bytes):
            return unpack(value)
        if value is not None and value.startswith(REFERENCE) and value[len(REFERENCE) :].isdigit():
            return read(event_of(int(value[len(REFERENCE) :])))
        return value

    def write(value: Any) -> Any:
        return pack(value) if isinstance(value, str) and value.startswith(EVENT_START) else value

    class PackedText(db.Text):
        def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ARG002
            return write

        def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
            return read

    return PackedText
