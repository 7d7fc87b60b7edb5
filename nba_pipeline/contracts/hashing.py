"""The one implementation of `data_hash`: SHA-256 over canonical `name=value` text, rendered as SQL for each engine.

Values never pass through float formatting: floats are hashed as integers of their declared precision, instants as
microseconds, dates as ISO text, booleans as 0/1. An unknown value has a token of its own, so that NULL, the empty
string and zero stay apart. Fields stand in contract order and are separated by the unit separator, which the text of
a field cannot contain unnoticed: it is escaped.
"""

from nba_pipeline.contracts.dialects import SYNTAX, Dialect, Syntax
from nba_pipeline.contracts.table import HASH_COLUMN, Column, Table

UNKNOWN = "~"
NOT_A_NUMBER = "nan"
SEPARATOR = "\x1f"
_SEPARATOR_TEXT = f"CHR({ord(SEPARATOR)})"


def _scaled(expression: str, precision: int, e: Syntax) -> str:
    """A float as an integer of its precision; as text where that does not fit, which no range of a contract allows.

    Values are rounded to their precision before, so the casts of all engines agree.
    """
    scaled = f"CAST({e.safe_cast}({expression} * 1e{precision} AS {e.integer}) AS {e.text})"
    return f"COALESCE({scaled}, CAST({expression} AS {e.text}))"


def _element(precision: int, e: Syntax) -> str:
    known = f"CASE WHEN {e.is_nan.format('e')} THEN '{NOT_A_NUMBER}' ELSE {_scaled('e', precision, e)} END"
    return f"COALESCE({known}, '{UNKNOWN}')"


def _escaped(text: str, e: Syntax) -> str:
    """A text without separators; hardly any has one or a tilde, and to look for them is a fifth of the work of replacing them."""
    odd = " OR ".join(e.contains.format(text, c) for c in ("'~'", _SEPARATOR_TEXT))
    return f"CASE WHEN {odd} THEN REPLACE(REPLACE({text}, '~', '~~'), {_SEPARATOR_TEXT}, '~s') ELSE {text} END"


def _canonical(column: Column, e: Syntax) -> str:
    quoted = e.name(column.name)
    if column.is_float:
        return _scaled(quoted, column.precision, e)
    if column.type.is_timestamp():
        return f"CAST({e.micros.format(quoted)} AS {e.text})"
    if column.type.is_boolean():
        return f"CASE WHEN {quoted} THEN '1' WHEN NOT {quoted} THEN '0' END"
    if column.type.is_array():
        return e.elements.format(quoted, _element(column.precision, e))
    if column.type.is_string():
        return _escaped(quoted, e)
    return f"CAST({quoted} AS {e.text})"


def hash_expression(table: Table, dialect: Dialect = "duckdb") -> str:
    """SQL expression for the `data_hash` of a row of `table`: 16 hex digits, never NULL."""
    e = SYNTAX[dialect]
    named = [(f"'{n}='", f"COALESCE({_canonical(table.columns[n], e)}, '{UNKNOWN}')") for n in table.hash_fields]
    return e.digest.format(e.fields(named, _SEPARATOR_TEXT))


def content_hash_expression(dialect: Dialect = "duckdb") -> str:
    """SQL aggregate for the hash of a partition: the hash of its rows' hashes, independent of their order."""
    e = SYNTAX[dialect]
    return e.digest.format(f"string_agg({HASH_COLUMN}, '' ORDER BY {HASH_COLUMN})")
