"""Cell by cell: what a home holds beside what was computed a second time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, Table

EXAMPLES = 3
# In units of the last stored decimal: half of one is rounded away, and inputs were rounded before.
ROUNDING = 1.0


@dataclass(frozen=True)
class Difference:
    """The cells of a column that differ: how many, and the first of them in words."""

    column: str
    cells: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A table's days in a home, held against the second computation.

    Attributes:
        table: Id of the table.
        rows: Rows that both sides have.
        cells: Cells compared.
        differences: Columns with differing cells; `(rows)` stands for rows that only one side has.
        left_out: Columns that were not computed a second time.
    """

    table: str
    rows: int
    cells: int
    differences: tuple[Difference, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    @property
    def differing(self) -> int:
        """Cells that differ, a row that only one side has counted as one."""
        return sum(d.cells for d in self.differences)


def compare(
    table: Table,
    published: pd.DataFrame,
    recomputed: pd.DataFrame,
    left_out: Mapping[str, str] | None = None,
    tolerances: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare every column of the contract but those left out, in the rows that both sides have.

    Args:
        table: The contract; a float is compared to the decimals that it stores.
        published: Rows of the home.
        recomputed: Rows of the second computation.
        left_out: Columns that the second computation does not have, with the reason.
        tolerances: By column, how far a value may lie from the second one where that is more than its rounding.

    Raises:
        ValueError: A column is neither computed a second time nor left out, or a key is not unique.
    """
    skipped = {HASH_COLUMN, COMPUTED_AT, *(left_out or {})}
    columns = [name for name in table.columns if name not in skipped]
    if missing := [name for name in columns if name not in recomputed]:
        raise ValueError(f"{table.id}: no second computation of {', '.join(missing)}; compute it, or name why not")
    one, other = (_keyed(table, rows) for rows in (published, recomputed))
    both = one.index.intersection(other.index)
    differences = _unmatched(one, other)
    for name in columns:
        if name in table.key:
            continue
        precision = table.columns[name].precision if table.columns[name].is_float else None
        near = (tolerances or {}).get(name, 1e-9 if precision is None else ROUNDING * 10**-precision)
        unequal = ~_equal(one.loc[both, name], other.loc[both, name], near)
        if unequal.any():
            where = both[unequal][:EXAMPLES]
            texts = (f"{_text(key)} {name}: {_cells(one.at[key, name], other.at[key, name])}" for key in where)
            differences.append(Difference(name, int(unequal.sum()), tuple(texts)))
    compared = [c for c in columns if c not in table.key]
    return Comparison(table.id, len(both), len(both) * len(compared), tuple(differences), tuple(left_out or ()))


def _keyed(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    keyed = rows.set_index(pd.MultiIndex.from_frame(rows[list(table.key)]))
    if not keyed.index.is_unique:
        raise ValueError(f"{table.id}: {_text(keyed.index[keyed.index.duplicated()][0])} occurs more than once")
    return keyed.sort_index()


def _unmatched(one: pd.DataFrame, other: pd.DataFrame) -> list[Difference]:
    found = []
    for label, keys in (
        ("published only", one.index.difference(other.index)),
        ("recomputed only", other.index.difference(one.index)),
    ):
        if len(keys):
            found.append(Difference("(rows)", len(keys), tuple(f"{_text(k)}: {label}" for k in keys[:EXAMPLES])))
    return found


def _equal(one: pd.Series, other: pd.Series, near: float) -> np.ndarray:
    """Tell which cells agree; both unknown agrees, a number may differ by `near`, and so may each of a list."""
    unknown = one.isna().to_numpy(), other.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(one) and not pd.api.types.is_bool_dtype(one):
        a, b = (s.astype("float64").to_numpy(dtype="float64", na_value=np.nan) for s in (one, other))
        agree = np.abs(a - b) <= near
    elif len(one) and isinstance(one.iloc[0], np.ndarray):
        agree = np.array([_lists_agree(x, y, near) for x, y in zip(one, other, strict=True)], dtype=bool)
    else:
        agree = np.array([_plain(x) == _plain(y) for x, y in zip(one, other, strict=True)], dtype=bool)
    return (unknown[0] & unknown[1]) | (agree & ~unknown[0] & ~unknown[1])


def _lists_agree(one: np.ndarray, other: np.ndarray, near: float) -> bool:
    return len(one) == len(other) and bool(np.allclose(one, other, rtol=0, atol=near, equal_nan=True))


def _plain(value: object) -> object:
    return pd.Timestamp(value).date() if isinstance(value, np.datetime64) else value


def _cells(one: object, other: object) -> str:
    """Write both values; of lists the first place that differs."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and len(one) == len(other):
        gap = np.abs(np.nan_to_num(one - other)) + (np.isnan(one) != np.isnan(other))
        place = int(gap.argmax())
        return f"element {place} {one[place]}, again {other[place]}"
    return f"{one}, again {other}"


def _text(key: object) -> str:
    return " ".join(str(part) for part in (key if isinstance(key, tuple) else (key,)))


def described(comparisons: Sequence[Comparison]) -> str:
    """Write a line per table, and below it a line per differing column with its first examples."""
    lines = []
    for c in comparisons:
        lines.append(f"{c.table}: {c.rows:,} rows, {c.cells:,} cells compared, {c.differing:,} differ")
        for d in c.differences:
            lines.append(f"  {d.column}: {d.cells:,}; " + "; ".join(d.examples))
    return "\n".join(lines)
