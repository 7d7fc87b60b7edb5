"""Contracts: one declaration per table, from which everything else about the table is derived.

A contract is a class of declared columns (types, ranges, descriptions) plus what a warehouse table needs: dataset, key,
partition column, clustering and row rules. Column types, DDL, the audit, the hash, the Dagster column schema, the
pandera schema and the data dictionary are all derived from it; there is no second list of columns anywhere.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Any, Literal, get_type_hints

import ibis.expr.datatypes as dt
import pyarrow

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import ContractError

HASH_COLUMN = "data_hash"
COMPUTED_AT = "computed_at"
FLOAT_PRECISION = 4

Dataset = Literal["nba_raw", "nba_analytics", "nba_precompute", "nba_predictions"]


class Instant:
    """The type of a column that holds a moment in time, in microseconds UTC."""


class FloatArray:
    """The type of a column that holds a list of floats; unknown elements are NaN: a REPEATED column cannot hold NULL."""


_TYPES: Mapping[type, dt.DataType] = {
    str: dt.string,
    int: dt.int64,
    float: dt.float64,
    bool: dt.boolean,
    date: dt.date,
    Instant: dt.Timestamp(timezone="UTC"),
    FloatArray: dt.Array(value_type=dt.float64),
}
# The checks of a column, in the order in which they are shown, by pandera's names, and how they read.
_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "gt": "> {}".format,
    "ge": ">= {}".format,
    "lt": "< {}".format,
    "le": "<= {}".format,
    "isin": lambda values: "one of " + ", ".join(str(v) for v in values),
    "str_matches": "matches {}".format,
}


@dataclass(frozen=True)
class Declaration:
    """What a contract declares of a column besides its name and type."""

    description: str
    unit: str
    formula: str
    nullable: bool
    hashed: bool
    precision: int
    checks: Mapping[str, Any]


def column(
    description: str,
    *,
    unit: str = "",
    formula: str = "",
    nullable: bool = False,
    hashed: bool = True,
    precision: int = FLOAT_PRECISION,
    **checks: Any,
) -> Any:
    """Declare a column of a contract.

    Args:
        description: Meaning of a value, for the data dictionary.
        unit: Unit of a value, for the data dictionary.
        formula: Formula and its source, for the data dictionary.
        nullable: True where a value may be unknown.
        hashed: True where a value is part of `data_hash`.
        precision: Number of decimals that are stored and hashed (floats only).
        **checks: Limits of a value: `ge`, `le`, `gt`, `lt`, `isin` or `str_matches` (a pattern that matches from the start).

    Raises:
        ContractError: a check is none of these.
    """
    unknown = [name for name in checks if name not in _CHECKS]
    if unknown:
        raise ContractError(f"a contract column has unknown checks: {', '.join(unknown)}", f"use {', '.join(_CHECKS)}")
    patterns = {n: getattr(v, "pattern", v) for n, v in checks.items()}
    ordered = {n: patterns[n] for n in _CHECKS if patterns.get(n) is not None}
    return Declaration(description, unit, formula, nullable, hashed, precision, ordered)


_UNDECLARED: Declaration = column("")


class Rows:
    """Base of all contracts: the two columns that every table carries."""

    data_hash: str = column(
        "SHA-256 over the hash fields, first 16 hex digits", hashed=False, str_matches=r"^[0-9a-f]{16}$"
    )
    computed_at: Instant = column("when this version of the row was computed (UTC)", hashed=False)


@dataclass(frozen=True)
class Column:
    """One column of a contract, as the rest of the product reads it."""

    name: str
    type: dt.DataType
    description: str
    unit: str
    formula: str
    nullable: bool
    hashed: bool
    precision: int
    checks: Mapping[str, Any]

    @property
    def is_float(self) -> bool:
        return self.type.is_floating()

    @property
    def range_text(self) -> str:
        """The checks as a reader would write them: `0 to 100`, `one of OVER, UNDER`."""
        return "; ".join(self.check_texts.values())

    @property
    def check_texts(self) -> dict[str, str]:
        """For each check by its name, how it reads."""
        return {name: _CHECKS[name](value) for name, value in self.checks.items()}


Rule = Callable[[ir.Table], ir.BooleanValue]


@dataclass(frozen=True, eq=False)
class Table:
    """The contract of one table.

    `rules` are business rules: a row breaks a rule where the expression is false (NULL passes: an unknown value breaks
    nothing). `group_rules` compare sums over a group of rows (`by`, expression of aggregates). `on_bad_row` says
    what becomes of a row that breaks a rule: raw tables put the row into quarantine and publish the rest, computed tables
    refuse the whole partition, because a wrong computed row means that the computation is wrong.
    """

    model: type[Rows]
    name: str
    dataset: Dataset
    key: tuple[str, ...]
    partition: str
    cluster: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    group_rules: Mapping[str, tuple[tuple[str, ...], Rule]] = field(default_factory=dict)
    on_bad_row: Literal["refuse", "quarantine"] = "refuse"

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ContractError(f"{self.id}: {'; '.join(problems)}", f"correct the contract {self.model.__name__}")

    def _problems(self):
        if not re.search(r"One row per [^.]+\.$", self.description):
            yield "the description does not end with the grain ('One row per ... .')"
        for what, names in (("key", self.key), ("cluster", self.cluster), ("partition", (self.partition,))):
            unknown = [n for n in names if n not in self.columns]
            if unknown:
                yield f"{what} names columns that the model does not declare: {', '.join(unknown)}"
        if self.partition in self.columns and not self.columns[self.partition].type.is_date():
            yield f"the partition column {self.partition} is not a DATE"
        if self.partition in self.columns and self.columns[self.partition].nullable:
            yield f"the partition column {self.partition} may be empty"
        unhashed = [n for n in self.key if n in self.columns and not self.columns[n].hashed]
        if unhashed:
            yield f"key columns must be hash fields: {', '.join(unhashed)}"
        for c in self.columns.values():
            if not c.description:
                yield f"column {c.name} has no description"

    @cached_property
    def columns(self) -> dict[str, Column]:
        """All columns in order: partition and key first, the common two last."""
        declared = {name: self._column(name, kind) for name, kind in get_type_hints(self.model).items()}
        common = (HASH_COLUMN, COMPUTED_AT)
        lead = [n for n in dict.fromkeys((self.partition, *self.key)) if n in declared]
        rest = [n for n in declared if n not in lead and n not in common]
        return {n: declared[n] for n in (*lead, *rest, *common)}

    def _column(self, name: str, kind: Any) -> Column:
        declared: Declaration = getattr(self.model, name, _UNDECLARED)
        if kind not in _TYPES:
            raise ContractError(
                f"{self.id}: the column {name} has the type {kind}",
                "use one of str, int, float, bool, date, Instant, FloatArray",
            )
        return Column(name, _TYPES[kind], **{f.name: getattr(declared, f.name) for f in fields(declared)})

    @property
    def id(self) -> str:
        return f"{self.dataset}.{self.name}"

    @property
    def description(self) -> str:
        """The model's docstring on one line; it ends with the grain."""
        return " ".join((self.model.__doc__ or "").split())

    @cached_property
    def hash_fields(self) -> tuple[str, ...]:
        return tuple(n for n, c in self.columns.items() if c.hashed)

    @cached_property
    def computed_columns(self) -> tuple[str, ...]:
        """What a build must produce: every column but the two that the writer adds."""
        return tuple(n for n in self.columns if n not in (HASH_COLUMN, COMPUTED_AT))

    @cached_property
    def ibis_schema(self) -> dict[str, dt.DataType]:
        return {n: c.type for n, c in self.columns.items()}

    @cached_property
    def arrow_schema(self) -> pyarrow.Schema:
        return pyarrow.schema(
            [pyarrow.field(n, arrow_type(c.type), nullable=c.nullable) for n, c in self.columns.items()]
        )

    @cached_property
    def computed_schema(self) -> pyarrow.Schema:
        """The Arrow schema of what a build produces, before any row was checked: everything may be NULL."""
        return pyarrow.schema([self.arrow_schema.field(n).with_nullable(True) for n in self.computed_columns])

    def require_columns(self, produced: Sequence[str], where: str) -> None:
        """Raise when a build's columns are not exactly the contract's, naming table, fields and place."""
        missing = [n for n in self.computed_columns if n not in produced]
        surplus = [n for n in produced if n not in self.computed_columns]
        if not missing and not surplus:
            return
        hashed = [n for n in missing if n in self.hash_fields]
        parts = []
        if hashed:
            parts.append(f"hash fields missing: {', '.join(hashed)}")
        if len(missing) > len(hashed):
            parts.append(f"columns missing: {', '.join(n for n in missing if n not in hashed)}")
        if surplus:
            parts.append(f"columns that the contract does not know: {', '.join(surplus)}")
        raise ContractError(
            f"{self.id}, {where}: {'; '.join(parts)}",
            f"make the build produce exactly the columns of {self.model.__name__}, or change the contract",
        )


def arrow_type(t: dt.DataType) -> pyarrow.DataType:
    """Arrow type of a contract type; timestamps are microseconds UTC, strings are plain UTF-8."""
    if t.is_timestamp():
        return pyarrow.timestamp("us", "UTC")
    if t.is_array():
        return pyarrow.list_(pyarrow.float64())
    plain: dict[type[dt.DataType], pyarrow.DataType] = {
        dt.String: pyarrow.string(),
        dt.Int64: pyarrow.int64(),
        dt.Float64: pyarrow.float64(),
        dt.Boolean: pyarrow.bool_(),
        dt.Date: pyarrow.date32(),
    }
    try:
        return plain[type(t)]
    except KeyError:
        raise ContractError(
            f"a contract column has the type {t}", "use one of str, int, float, bool, date, Instant, FloatArray"
        ) from None
