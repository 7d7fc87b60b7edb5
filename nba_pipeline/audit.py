"""The audit: what a contract demands of rows, compiled into queries that count violations per partition.

Four checks, as the UI shows them. `contract`: columns, types, key. `hash_fields_complete`: every required field is
there and every row's hash recomputes. `coverage`: the rows that must exist do, or their absence is explained.
`business_rules`: ranges, identities and rules across tables.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis
from nba_pipeline import ibis_types as ir

from nba_pipeline.contracts import COMPUTED_AT, HASH_COLUMN, Column, Table
from nba_pipeline.hashing import hash_expression

CONTRACT = "contract"
HASHES = "hash_fields_complete"
COVERAGE = "coverage"
BUSINESS = "business_rules"
CHECKS: Mapping[str, str] = {
    CONTRACT: "Columns and types are the contract's and the key is unique.",
    HASHES: "Every required field is filled and every row's data_hash recomputes from its hash fields.",
    COVERAGE: "Every row that the schedule or the upstream table demands is there, or its absence is explained.",
    BUSINESS: "Values are in range, identities hold, and sums agree with other tables.",
}


@dataclass(frozen=True)
class RowRule:
    """A rule that each row keeps or breaks; `broken` is true for rows that break it."""

    check: str
    text: str
    broken: Callable[[ir.Table], ir.BooleanValue]


def row_rules(table: Table) -> list[RowRule]:
    """All rules of single rows, from the contract: required fields, finite numbers, ranges, business rules."""
    rules = []
    for c in table.columns.values():
        if c.name in (HASH_COLUMN, COMPUTED_AT):
            continue
        if not c.nullable:
            rules.append(RowRule(HASHES, f"{c.name} is missing", _is_null(c.name)))
        if c.is_float:
            rules.append(RowRule(BUSINESS, f"{c.name} is not a finite number", _not_finite(c.name)))
        rules += [RowRule(BUSINESS, f"{c.name} is not {_words(c, k)}", _outside(c.name, k, s)) for k, s in c.checks]
    rules += [RowRule(BUSINESS, name, _breaks(rule)) for name, rule in table.rules.items()]
    return rules


def _is_null(name: str) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda t: t[name].isnull()


def _not_finite(name: str) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda t: t[name].isnan() | t[name].isinf()


def _breaks(rule: Callable[[ir.Table], ir.BooleanValue]) -> Callable[[ir.Table], ir.BooleanValue]:
    return lambda t: ~rule(t)


def _outside(name: str, kind: str, s: Mapping[str, Any]) -> Callable[[ir.Table], ir.BooleanValue]:
    """The negation of a pandera check, as an ibis expression."""
    outside: dict[str, Callable[[ir.Value], ir.BooleanValue]] = {
        "greater_than_or_equal_to": lambda v: v < s["min_value"],
        "greater_than": lambda v: v <= s["min_value"],
        "less_than_or_equal_to": lambda v: v > s["max_value"],
        "less_than": lambda v: v >= s["max_value"],
        "isin": lambda v: v.notin(list(s["allowed_values"])),
        "str_matches": lambda v: ~v.re_search(getattr(s["pattern"], "pattern", s["pattern"])),
    }
    return lambda t: outside[kind](t[name])


def _words(c: Column, kind: str) -> str:
    """The part of a column's range text that one check contributes."""
    at = [k for k, _ in c.checks].index(kind)
    return c.range_text.split("; ")[at]


def tally(table: Table, result: ir.Table, rules: list[RowRule], watched: tuple[str, ...]) -> ir.Table:
    """Per partition: number of rows, rows that break rule i (`v{i}`), empty cells, and empty cells of watched columns."""
    counts: dict[str, ir.Value] = {"rows": result.count()}
    for i, rule in enumerate(rules):
        counts[f"v{i}"] = rule.broken(result).cast("int64").sum().fill_null(0)
    nullable = [c.name for c in table.columns.values() if c.nullable]
    empty: ir.Value = ibis.literal(0, "int64")
    for name in nullable:
        empty = empty + result[name].isnull().cast("int64")
    counts["empty"] = empty.sum() if nullable else ibis.literal(0, "int64")
    for name in watched:
        counts[f"null_{name}"] = result[name].isnull().cast("int64").sum()
    return result.group_by(day=result[table.partition]).aggregate(**counts)


def repeated_keys(table: Table, result: ir.Table) -> ir.Table:
    """Per partition: rows beyond the first of their key."""
    per_key = result.group_by(day=result[table.partition], **{k: result[k] for k in table.key if k != table.partition})
    counted = per_key.aggregate(copies=lambda t: t.count())
    return counted.filter(counted.copies > 1).group_by("day").aggregate(repeated=lambda t: (t.copies - 1).sum())


def wrong_hashes(table: Table) -> str:
    """SQL: per partition, rows whose stored hash is not the hash of their fields."""
    return f"""SELECT {table.partition} AS day, count(*) AS wrong FROM result
        WHERE {HASH_COLUMN} IS DISTINCT FROM {hash_expression(table)} GROUP BY 1"""


def broken_groups(table: Table, result: ir.Table) -> dict[str, ir.Table]:
    """For every group rule: the groups that break it, as (day, entity)."""
    found = {}
    for name, (by, rule) in table.group_rules.items():
        groups = result.group_by(day=result[table.partition], **{b: result[b] for b in by if b != table.partition})
        kept = groups.aggregate(kept=rule(result)).filter(lambda t: ~t.kept)
        entity = _entity(kept, [b for b in by if b != table.partition])
        found[name] = kept.select("day", entity=entity)
    return found


def _entity(rows: ir.Table, columns: list[str]) -> ir.StringValue:
    """The columns as one text, to name a row in a message."""
    text: ir.StringValue = ibis.literal("")
    for i, name in enumerate(columns):
        text = text + (" " if i else "") + rows[name].cast("string").fill_null("unknown")
    return text


def absent_rows(table: Table, result: ir.Table, expected: ir.Table) -> tuple[ir.Table, ir.Table]:
    """(expected rows per day, absent rows as day, entity, reason). `reason` is NULL where the absence is a fault."""
    on = [c for c in expected.columns if c != "reason"]
    wanted = expected.rename(day=table.partition) if table.partition in on else expected
    keys = ["day" if c == table.partition else c for c in on]
    present = result.select(**{k: result[c] for k, c in zip(keys, on, strict=True)}).distinct()
    absent = wanted.anti_join(present, keys)
    entity = _entity(absent, [k for k in keys if k != "day"])
    totals = wanted.group_by("day").aggregate(expected=lambda t: t.count())
    return totals, absent.select("day", entity=entity, reason=absent["reason"])


def share(part: int, whole: int) -> float:
    """part / whole, rounded for display; 0 of 0 is 0."""
    return math.nan if whole < part else round(part / whole, 4) if whole else 0.0
