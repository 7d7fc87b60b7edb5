"""Runs the audit on a computed result and gathers, per day, what it found."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

import ibis
from nba_pipeline import ibis_types as ir

from nba_pipeline import audit
from nba_pipeline.asof import Read
from nba_pipeline.audit import BUSINESS, CONTRACT, COVERAGE, HASHES, RowRule
from nba_pipeline.hashing import hash_expression
from nba_pipeline.seasons import is_countable
from nba_pipeline.transform import RESULT, Transform
from nba_pipeline.workbench import Workbench

SAMPLES = 20
SLATE = "slate_of_days"


@dataclass
class Inspection:
    """Findings per day. `problems` maps (day, check) to sentences; a day without problems is fit to be published."""

    rows: dict[date, int] = field(default_factory=dict)
    expected: dict[date, int] = field(default_factory=dict)
    games: dict[date, int] = field(default_factory=dict)
    rejected: dict[date, int] = field(default_factory=dict)
    absent: dict[date, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    unexplained: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    null_shares: dict[date, dict[str, float]] = field(default_factory=dict)
    content: dict[date, str] = field(default_factory=dict)
    problems: dict[tuple[date, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    @staticmethod
    def nothing() -> "Inspection":
        return Inspection()


def inspect(transform: Transform, bench: Workbench, days: list[date], schedule: Read | None) -> Inspection:
    """Audit `result` on the bench. In tables that quarantine rows, bad rows are set aside first."""
    found = Inspection()
    table, result = transform.table, transform.unbound[RESULT]
    rules = audit.row_rules(table)
    if table.on_bad_row == "quarantine":
        _set_aside(transform, bench, rules)
    counted = _count(transform, bench, found, rules)
    if any(counted.values()) and table.on_bad_row == "refuse":
        _keep_samples(transform, bench, rules)
    for row in bench.run(audit.repeated_keys(table, result)):
        key = ", ".join(table.key)
        found.problems[row["day"], CONTRACT].append(f"{row['repeated']} rows repeat a key ({key})")
    for row in bench.sql(audit.wrong_hashes(table)):
        found.problems[row["day"], HASHES].append(f"{row['wrong']} rows have a data_hash that does not recompute")
    for name, expression in audit.broken_groups(table, result).items() | transform.cross_expressions.items():
        _violations(bench, found, name, expression)
    _coverage(transform, bench, found)
    found.rejected = {
        r["day"]: r["n"] for r in bench.sql("SELECT day, count(*) AS n FROM rejects WHERE day IS NOT NULL GROUP BY 1")
    }
    found.content = bench.content_hashes(table)
    found.games = _games(transform, bench, schedule)
    return found


def _set_aside(transform: Transform, bench: Workbench, rules: list[RowRule]) -> None:
    """Rows that break a rule, repeat a row or contradict one: out of the result, into quarantine, with the reason."""
    table, result = transform.table, transform.unbound[RESULT]
    broken: ir.BooleanValue = ibis.literal(False)
    for rule in rules:
        broken = broken | rule.broken(result).fill_null(False)
    if bench.run(result.aggregate(bad=broken.cast("int64").sum()))[0]["bad"]:
        _move(transform, bench, rules)
    keys = ", ".join(f'"{k}"' for k in table.key)
    digest = hash_expression(table)
    bench.db.execute(
        f"""CREATE TEMP TABLE repeats AS SELECT {keys}, count(DISTINCT {digest}) AS versions
            FROM result GROUP BY {keys} HAVING count(*) > 1"""
    )
    if not bench.sql("SELECT count(*) AS n FROM repeats")[0]["n"]:
        return
    same = " AND ".join(f'r."{k}" IS NOT DISTINCT FROM d."{k}"' for k in table.key)
    bench.set_aside(
        table,
        f"EXISTS (SELECT 1 FROM repeats d WHERE {same} AND d.versions > 1)",
        f"'other rows have the same key ({', '.join(table.key)}) and other values'",
    )
    first = f"SELECT min(rowid) FROM result GROUP BY {keys}"
    bench.set_aside(table, f"r.rowid NOT IN ({first})", "'the same row is there more than once; one was kept'")


def _reasons(result: ir.Table, rules: list[RowRule]) -> ir.StringValue:
    """The texts of the rules that a row breaks, joined; empty where it breaks none."""
    said = [rule.broken(result).fill_null(False).ifelse(rule.text + "; ", "") for rule in rules]
    text: ir.StringValue = ibis.literal("")
    for part in said:
        text = text + part
    return text


def _move(transform: Transform, bench: Workbench, rules: list[RowRule]) -> None:
    table, result = transform.table, transform.unbound[RESULT]
    flagged = result.mutate(__why=_reasons(result, rules)).filter(lambda t: t["__why"] != "")
    bench.db.execute(f"CREATE TEMP TABLE flagged AS {ibis.to_sql(flagged, dialect='duckdb')}")
    bench.db.execute(
        f"""INSERT INTO rejects SELECT {table.partition}, rtrim(__why, '; '), to_json(f) FROM
            (SELECT * FROM flagged) AS f"""
    )
    why = ibis.to_sql(result.mutate(__why=_reasons(result, rules)).filter(lambda t: t["__why"] == ""), dialect="duckdb")
    bench.db.execute(f"CREATE TEMP TABLE kept AS SELECT * EXCLUDE (__why) FROM ({why})")
    bench.db.execute("DROP TABLE result")
    bench.db.execute("ALTER TABLE kept RENAME TO result")


def _keep_samples(transform: Transform, bench: Workbench, rules: list[RowRule]) -> None:
    """Of a refused day, the first rows that broke a rule, so that the reader can look at them."""
    result, partition = transform.unbound[RESULT], transform.table.partition
    flagged = result.mutate(__why=_reasons(result, rules)).filter(lambda t: t["__why"] != "")
    bench.db.execute(
        f"""INSERT INTO rejects SELECT {partition}, rtrim(__why, '; '), to_json(f) FROM
            (SELECT * FROM ({ibis.to_sql(flagged, dialect="duckdb")})
             QUALIFY row_number() OVER (PARTITION BY {partition} ORDER BY data_hash) <= {SAMPLES}) AS f"""
    )


def _count(transform: Transform, bench: Workbench, found: Inspection, rules: list[RowRule]) -> dict[date, int]:
    table, result = transform.table, transform.unbound[RESULT]
    nullable = sum(c.nullable for c in table.columns.values())
    broken = {}
    for row in bench.run(audit.tally(table, result, rules, transform.watched)):
        day, rows = row["day"], row["rows"]
        found.rows[day] = rows
        broken[day] = 0
        for i, rule in enumerate(rules):
            if row[f"v{i}"]:
                broken[day] += 1
                found.problems[day, rule.check].append(f"{rule.text} in {row[f'v{i}']} of {rows} rows")
        found.null_shares[day] = {"null_share": audit.share(row["empty"] or 0, rows * nullable)} | {
            f"null_share_{c}": audit.share(row[f"null_{c}"], rows) for c in transform.watched
        }
    return broken


def _violations(bench: Workbench, found: Inspection, name: str, expression: ir.Table) -> None:
    by_day: dict[date, list[str]] = defaultdict(list)
    for row in bench.run(expression):
        by_day[row["day"]].append(row["entity"])
    for day, entities in by_day.items():
        shown = ", ".join(sorted(entities)[:5])
        found.problems[day, BUSINESS].append(f"{name}: {len(entities)} times ({shown})")


def _coverage(transform: Transform, bench: Workbench, found: Inspection) -> None:
    if transform.expected_expression is None:
        found.expected = dict(found.rows)
        return
    totals, absent = audit.absent_rows(transform.table, transform.unbound[RESULT], transform.expected_expression)
    found.expected = {r["day"]: r["expected"] for r in bench.run(totals)}
    faults: dict[date, list[str]] = defaultdict(list)
    for row in bench.run(absent):
        reason = row["reason"] or "unexplained"
        reasons = found.absent[row["day"]]
        reasons[reason] = reasons.get(reason, 0) + 1
        if row["reason"] is None:
            faults[row["day"]].append(row["entity"])
    for day, entities in faults.items():
        found.unexplained[day] = len(entities)
        shown = ", ".join(sorted(entities)[:5])
        found.problems[day, COVERAGE].append(
            f"{len(entities)} of {found.expected[day]} expected rows are absent without a reason ({shown})"
        )


def _games(transform: Transform, bench: Workbench, schedule: Read | None) -> dict[date, int]:
    """Countable games per day."""
    games = transform.unbound[RESULT] if schedule is None else ibis.table(schedule.table.ibis_schema, name=SLATE)
    counted = games.filter(is_countable(games.game_id)).group_by(day=games.game_date).aggregate(n=lambda t: t.count())
    return {r["day"]: r["n"] for r in bench.run(counted)}
