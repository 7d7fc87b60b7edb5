"""The audit: what a contract demands of rows, compiled into SQL that counts violations per partition.

Four checks, as the UI shows them. `contract`: columns, types, key. `hash_fields_complete`: every required field is
there and every row's hash recomputes. `coverage`: the rows that must exist do, or their absence is explained.
`business_rules`: ranges, identities and rules across tables.

All statements read the tables of a bench: `result`, and `expected` where a table has expected rows. They are rendered for
the engine that holds these tables (`dialects`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import sqlglot

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.checks import BUSINESS, HASHES
from nba_pipeline.contracts.dialects import SYNTAX, Dialect, Syntax
from nba_pipeline.contracts.hashing import hash_expression
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, Table

ALIAS = "t0"


def _cell(column: str, e: Syntax) -> str:
    return f"{e.name(ALIAS)}.{e.name(column)}"


@dataclass(frozen=True)
class RowRule:
    """A rule that each row keeps or breaks; `broken` is the SQL condition, over `result AS t0`, of rows that break it."""

    check: str
    text: str
    broken: str


def row_rules(table: Table, result: ir.Table, dialect: Dialect = "duckdb") -> list[RowRule]:
    """All rules of single rows, from the contract: required fields, finite numbers, ranges, business rules."""
    rules, e = [], SYNTAX[dialect]
    for c in table.columns.values():
        if c.name in (HASH_COLUMN, COMPUTED_AT):
            continue
        cell = _cell(c.name, e)
        if not c.nullable:
            rules.append(RowRule(HASHES, f"{c.name} is missing", f"{cell} IS NULL"))
        if c.is_float:
            rules.append(RowRule(BUSINESS, f"{c.name} is not a finite number", e.infinite.format(cell)))
        if c.type.is_array():
            odd = e.odd_elements.format(cell)
            rules.append(RowRule(BUSINESS, f"{c.name} holds something that is no number and not NaN", odd))
        for name, text in c.check_texts.items():
            rules.append(RowRule(BUSINESS, f"{c.name} is not {text}", _OUTSIDE[name](cell, c.checks[name], e)))
    return rules + [RowRule(BUSINESS, name, sql) for name, sql in _business(table, result, dialect).items()]


_OUTSIDE: Mapping[str, Callable[[str, Any, Syntax], str]] = {
    "gt": lambda cell, limit, _: f"{cell} <= {limit}",
    "ge": lambda cell, limit, _: f"{cell} < {limit}",
    "lt": lambda cell, limit, _: f"{cell} >= {limit}",
    "le": lambda cell, limit, _: f"{cell} > {limit}",
    "isin": lambda cell, values, e: f"{cell} NOT IN ({', '.join(e.literal(v) for v in values)})",
    "str_matches": lambda cell, pattern, e: f"NOT {e.matches.format(cell, e.literal(pattern))}",
}


def _business(table: Table, result: ir.Table, dialect: Dialect) -> dict[str, str]:
    """The SQL conditions of rows that break the table's own rules, compiled from ibis in one go."""
    if not table.rules:
        return {}
    numbered = {f"r{i}": ~rule(result) for i, rule in enumerate(table.rules.values())}
    compiled = sqlglot.parse_one(ibis.to_sql(result.select(**numbered), dialect=dialect), read=dialect)
    return dict(zip(table.rules, [e.this.sql(dialect=dialect) for e in compiled.expressions], strict=True))


def _when(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def tally(table: Table, rules: Sequence[RowRule], watched: Sequence[str], dialect: Dialect = "duckdb") -> str:
    """Per partition: number of rows, rows that break any rule (`broken`), empty cells, and empty cells of watched columns."""
    e = SYNTAX[dialect]
    empty = " + ".join(_when(f"{_cell(c.name, e)} IS NULL") for c in table.columns.values() if c.nullable) or "0"
    counts = [f"SUM({_when(_any(rules))}) AS broken", f"SUM({empty}) AS empty"]
    counts += [f"SUM({_when(f'{_cell(c, e)} IS NULL')}) AS {e.name(f'null_{c}')}" for c in watched]
    return _per_partition(table, counts, e)


def broken_rules(table: Table, rules: Sequence[RowRule], dialect: Dialect = "duckdb") -> str:
    """Per partition: number of rows, and rows that break rule i (`v{i}`); takes longer than to ask for those that break any."""
    counts = [f"SUM({_when(rule.broken)}) AS v{i}" for i, rule in enumerate(rules)]
    return _per_partition(table, counts, SYNTAX[dialect])


def _per_partition(table: Table, counts: Sequence[str], e: Syntax) -> str:
    day = _cell(table.partition, e)
    return f"SELECT {day} AS day, COUNT(*) AS n, {', '.join(counts)} FROM result AS {ALIAS} GROUP BY {day}"


def _any(rules: Sequence[RowRule]) -> str:
    return " OR ".join(f"({r.broken})" for r in rules)


def flagged(rules: Sequence[RowRule], *, place: bool = False, dialect: Dialect = "duckdb") -> str:
    """The rows that break a rule, with `broken_rules`, the texts of the rules they break; with their `place` if wanted."""
    e = SYNTAX[dialect]
    said = ", ".join(f"CASE WHEN {r.broken} THEN {e.literal(r.text)} END" for r in rules)
    row = f"{ALIAS}.rowid AS place, {ALIAS}.*" if place else f"{ALIAS}.*"
    texts = e.texts.format(said, "'; '")
    return f"SELECT {row}, {texts} AS broken_rules FROM result AS {ALIAS} WHERE {_any(rules)}"


def repeated_keys(table: Table, dialect: Dialect = "duckdb") -> str:
    """Per partition: rows beyond the first of their key."""
    keys = ", ".join(SYNTAX[dialect].name(k) for k in dict.fromkeys((table.partition, *table.key)))
    counted = f"SELECT {table.partition} AS day, COUNT(*) AS copies FROM result GROUP BY {keys} HAVING COUNT(*) > 1"
    return f"SELECT day, SUM(copies - 1) AS repeated FROM ({counted}) GROUP BY day"


def wrong_hashes(table: Table, dialect: Dialect = "duckdb") -> str:
    """Per partition: rows whose stored hash is not the hash of their fields."""
    wrong = f"{HASH_COLUMN} IS DISTINCT FROM {hash_expression(table, dialect)}"
    day = table.partition
    return f"SELECT {day} AS day, COUNT(*) AS wrong FROM result WHERE {wrong} GROUP BY {day}"


def broken_groups(table: Table, result: ir.Table) -> dict[str, ir.Table]:
    """For every group rule: the groups that break it, as (day, entity)."""
    found = {}
    for name, (by, rule) in table.group_rules.items():
        others = [b for b in by if b != table.partition]
        groups = result.group_by(day=result[table.partition], **{b: result[b] for b in others})
        broken = groups.aggregate(kept=rule(result)).filter(lambda t: ~t.kept)
        entity: ir.StringValue = ibis.literal("")
        for b in others:
            entity = entity + broken[b].cast("string") + " "
        found[name] = broken.select("day", entity=entity)
    return found


def expected_per_day(table: Table) -> str:
    """Expected rows per partition."""
    return f"SELECT {table.partition} AS day, COUNT(*) AS n FROM expected GROUP BY {table.partition}"


def absent_rows(table: Table, columns: Sequence[str], dialect: Dialect = "duckdb") -> str:
    """Expected rows that are not in `result`, as day, entity and reason; NULL where the absence is a fault."""
    e = SYNTAX[dialect]
    on = [c for c in columns if c != "reason"]
    others = ", ".join(f"CAST(e.{e.name(c)} AS {e.text})" for c in on if c != table.partition) or "''"
    return f"""SELECT e.{table.partition} AS day, {e.texts.format(others, "' '")} AS entity, e.reason FROM expected AS e
        WHERE NOT EXISTS (SELECT 1 FROM result AS r WHERE {_same(on, e)})"""


def unexpected_rows(table: Table, columns: Sequence[str], dialect: Dialect = "duckdb") -> str:
    """Per partition: rows of `result` that are not expected."""
    same = _same([c for c in columns if c != "reason"], SYNTAX[dialect])
    return f"""SELECT r.{table.partition} AS day, COUNT(*) AS n FROM result AS r
        WHERE NOT EXISTS (SELECT 1 FROM expected AS e WHERE {same}) GROUP BY r.{table.partition}"""


def _same(columns: Sequence[str], e: Syntax) -> str:
    return " AND ".join(f"e.{e.name(c)} = r.{e.name(c)}" for c in columns)


def share(part: int, whole: int) -> float:
    """part / whole, rounded for display; 0 of 0 is 0."""
    return round(float(part) / float(whole), 4) if whole else 0.0
