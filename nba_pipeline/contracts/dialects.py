"""The syntax of each engine: the one table of what differs between DuckDB and BigQuery in statements of our own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis.expr.datatypes as dt

Dialect = Literal["duckdb", "bigquery"]


@dataclass(frozen=True)
class Syntax:
    """The syntax of one engine; `{0}` stands for the first operand.

    Attributes:
        quote: Quotes a name.
        types: Names of the types of columns; arrays are arrays of floats.
        safe_cast: Casts, giving NULL where that is impossible.
        micros: Microseconds of an instant since 1970.
        digest: The first 16 hexadecimal digits of SHA-256.
        elements: Text of an array, by a text `{1}` of its element e, with commas between.
        odd_elements: Whether an array contains NULL or an infinite number.
        is_nan: Whether a number is NaN.
        infinite: Whether a number is NaN or infinite.
        contains: Whether the text `{1}` is in a text.
        matches: Whether a text matches the pattern `{1}`.
        texts: Texts, NULL left out, joined by `{1}`.
        fields: Joins pairs of name and value by a separator.
        escapes: How characters are written in a literal.
    """

    quote: str
    types: Mapping[type[dt.DataType], str]
    safe_cast: str
    micros: str
    digest: str
    elements: str
    odd_elements: str
    is_nan: str
    infinite: str
    contains: str
    matches: str
    texts: str
    fields: Callable[[Sequence[tuple[str, str]], str], str]
    escapes: Mapping[str, str]

    @property
    def text(self) -> str:
        """The type of texts."""
        return self.types[dt.String]

    @property
    def integer(self) -> str:
        """The type of whole numbers."""
        return self.types[dt.Int64]

    def type_of(self, t: dt.DataType) -> str:
        """Name the type of a column."""
        return self.types[type(t)]

    def name(self, column: str) -> str:
        """Quote a name."""
        return f"{self.quote}{column}{self.quote}"

    def literal(self, value: Any) -> str:
        """Write a text or number as a literal."""
        if not isinstance(value, str):
            return str(value)
        return "'" + "".join(self.escapes.get(c, c) for c in value) + "'"


SYNTAX: Mapping[Dialect, Syntax] = {
    "duckdb": Syntax(
        quote='"',
        types={
            dt.String: "VARCHAR",
            dt.Int64: "BIGINT",
            dt.Float64: "DOUBLE",
            dt.Boolean: "BOOLEAN",
            dt.Date: "DATE",
            dt.Timestamp: "TIMESTAMPTZ",
            dt.Array: "DOUBLE[]",
        },
        safe_cast="TRY_CAST",
        micros="epoch_us({0})",
        digest="substr(sha256({0}), 1, 16)",
        elements="array_to_string(list_transform({0}, lambda e: {1}), ',')",
        odd_elements="len(list_filter({0}, lambda e: e IS NULL OR isinf(e))) > 0",
        is_nan="isnan({0})",
        infinite="NOT isfinite({0})",
        contains="contains({0}, {1})",
        matches="regexp_matches({0}, {1})",
        texts="concat_ws({1}, {0})",
        fields=lambda named, separator: f"CONCAT({f', {separator}, '.join(f'{n}, {v}' for n, v in named)})",
        escapes={"'": "''"},
    ),
    "bigquery": Syntax(
        quote="`",
        types={
            dt.String: "STRING",
            dt.Int64: "INT64",
            dt.Float64: "FLOAT64",
            dt.Boolean: "BOOL",
            dt.Date: "DATE",
            dt.Timestamp: "TIMESTAMP",
            dt.Array: "ARRAY<FLOAT64>",
        },
        safe_cast="SAFE_CAST",
        micros="UNIX_MICROS({0})",
        digest="SUBSTR(TO_HEX(SHA256({0})), 1, 16)",
        elements="ARRAY_TO_STRING(ARRAY(SELECT {1} FROM UNNEST({0}) AS e WITH OFFSET AS i ORDER BY i), ',')",
        odd_elements="EXISTS(SELECT 1 FROM UNNEST({0}) AS e WHERE e IS NULL OR IS_INF(e))",
        is_nan="IS_NAN({0})",
        infinite="(IS_NAN({0}) OR IS_INF({0}))",
        contains="STRPOS({0}, {1}) > 0",
        matches="REGEXP_CONTAINS({0}, {1})",
        texts="ARRAY_TO_STRING([{0}], {1})",
        fields=lambda named, separator: (
            f"ARRAY_TO_STRING([{', '.join(f'CONCAT({n}, {v})' for n, v in named)}], {separator})"
        ),
        escapes={"'": "\\'", "\\": "\\\\", "\n": "\\n"},
    ),
}
