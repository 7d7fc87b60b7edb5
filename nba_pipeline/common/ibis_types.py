"""Names for the types of ibis expressions.

ibis cannot know the type of a column before it sees a schema: to a type checker `t.points` is a bare `Column`, without
the methods of its kind. So expressions are opaque to the checker; what checks them is the contract, with which the
schema of every build is compared when the definitions load.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    Table: TypeAlias = Any
    Value: TypeAlias = Any
    BooleanValue: TypeAlias = Any
    StringValue: TypeAlias = Any
    NumericValue: TypeAlias = Any
    IntegerValue: TypeAlias = Any
    FloatingValue: TypeAlias = Any
    DateValue: TypeAlias = Any
    TimestampValue: TypeAlias = Any
    NumericScalar: TypeAlias = Any
    IntegerScalar: TypeAlias = Any
    FloatingScalar: TypeAlias = Any
    Column: TypeAlias = Any
    FloatingColumn: TypeAlias = Any
else:
    from ibis.expr.types import (
        BooleanValue,
        Column,
        DateValue,
        FloatingColumn,
        FloatingScalar,
        FloatingValue,
        IntegerScalar,
        IntegerValue,
        NumericScalar,
        NumericValue,
        StringValue,
        Table,
        TimestampValue,
        Value,
    )

__all__ = [
    "BooleanValue",
    "Column",
    "DateValue",
    "FloatingColumn",
    "FloatingScalar",
    "FloatingValue",
    "IntegerScalar",
    "IntegerValue",
    "NumericScalar",
    "NumericValue",
    "StringValue",
    "Table",
    "TimestampValue",
    "Value",
]
