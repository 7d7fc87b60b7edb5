"""Runs the audit on a computed result and gathers, per day, what it found."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from nba_pipeline.asof.reads import Read
from nba_pipeline.contracts import rules as contract_rules
from nba_pipeline.contracts.checks import BUSINESS, CONTRACT, COVERAGE, HASHES
from nba_pipeline.contracts.rules import RowRule
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.executor import Executor
from nba_pipeline.engine.plan import Plan
from nba_pipeline.engine.transform import RESULT, SLATE, Transform
from nba_pipeline.engine.witnesses import REPEATED, rejected_share

SAMPLES = 20
UNEXPLAINED = "unexplained"
CALLED_OFF = "called_off"


@dataclass
class AuditFindings:
    """Findings per day. `problems` maps (day, check) to sentences; a day without problems is fit to be published, where no
    witness disagrees (`disagreements`) or the day is waived."""

    rows: dict[date, int] = field(default_factory=dict)
    expected: dict[date, int] = field(default_factory=dict)
    games: dict[date, int] = field(default_factory=dict)
    rejected: dict[date, int] = field(default_factory=dict)
    absent: dict[date, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    unexplained: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    null_shares: dict[date, dict[str, float]] = field(default_factory=dict)
    content: dict[date, str] = field(default_factory=dict)
    problems: dict[tuple[date, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    disagreements: dict[date, list[str]] = field(default_factory=lambda: defaultdict(list))


def audit(transform: Transform, plan: Plan, executor: Executor, schedule: Read | None) -> AuditFindings:
    """Audit `result` on the executor. In tables that quarantine rows, bad rows are set aside first.

    Args:
        transform: The transform of the table.
        plan: Its plan in the dialect of the executor.
        executor: Holds the result.
        schedule: The read of the day's games; None where the table is the schedule itself.
    """
    findings = AuditFindings()
    table, rules = transform.table, plan.rules
    as_hashed = executor.is_as_hashed()
    if table.on_bad_row == "quarantine":
        assert isinstance(executor, DuckDBExecutor), (
            "a table that sets rows aside is made from a source, by DuckDBExecutor"
        )
        _set_aside(transform, executor, rules)
    if _count(transform, executor, findings, rules):
        _keep_samples(transform, executor, rules)
    for row in executor.sql(contract_rules.repeated_keys(table, executor.dialect)):
        key = ", ".join(table.key)
        findings.problems[row["day"], CONTRACT].append(f"{row['repeated']} rows repeat a key ({key})")
    for row in [] if as_hashed else executor.sql(contract_rules.wrong_hashes(table, executor.dialect)):
        findings.problems[row["day"], HASHES].append(f"{row['wrong']} rows have a data_hash that does not recompute")
    for name, statement in plan.violations.items():
        _violations(executor, findings, name, statement)
    _coverage(transform, plan, executor, findings)
    _compare_witnesses(transform, plan, executor, findings)
    findings.rejected = executor.rejected_by_day()
    relation, columns = (RESULT, tuple(table.columns)) if schedule is None else (SLATE, slate_columns(schedule))
    findings.games = _by_day(executor, _games(relation, columns))
    findings.content = executor.content_hashes(table)
    return findings


def _by_day(executor: Executor, statement: str) -> dict[date, int]:
    return {row["day"]: int(row["n"]) for row in executor.sql(statement)}


def slate_columns(schedule: Read | None) -> tuple[str, ...]:
    """The columns of the schedule from which games are counted."""
    return tuple(c for c in ("game_id", "game_date", CALLED_OFF) if schedule is not None and c in schedule.columns)


def _games(relation: str, columns: Sequence[str]) -> str:
    """Countable games per day, without those that the schedule knows to be called off."""
    prefixes = ", ".join(f"'{p}'" for p in COUNTABLE_PREFIXES)
    played = f"AND NOT COALESCE({CALLED_OFF}, FALSE) " if CALLED_OFF in columns else ""
    return (
        f"SELECT game_date AS day, COUNT(*) AS n FROM {relation} WHERE substr(game_id, 1, 3) IN ({prefixes}) "
        f"{played}GROUP BY day"
    )


def _set_aside(transform: Transform, executor: DuckDBExecutor, rules: Sequence[RowRule]) -> None:
    """Rows that break a rule, repeat a row or contradict one: out of the result, into quarantine, with the reason."""
    table = transform.table
    executor.set_aside(table, contract_rules.flagged(rules, place=True))
    key = tuple(dict.fromkeys((table.partition, *table.key)))
    keys = ", ".join(f'"{k}"' for k in key)
    repeats = f"""SELECT {keys}, MIN(data_hash) < MAX(data_hash) AS differ, MIN(rowid) AS first
        FROM result GROUP BY {keys} HAVING COUNT(*) > 1"""
    same = " AND ".join(f'r."{k}" IS NOT DISTINCT FROM d."{k}"' for k in key)
    contradicts = f"other rows have the same key ({', '.join(table.key)}) and other values"
    executor.set_aside(
        table,
        f"""SELECT r.rowid AS place, r.*, CASE WHEN d.differ THEN '{contradicts}'
            ELSE '{REPEATED}' END AS broken_rules
            FROM result AS r JOIN ({repeats}) AS d ON {same} WHERE d.differ OR r.rowid > d.first""",
    )


def _keep_samples(transform: Transform, executor: Executor, rules: Sequence[RowRule]) -> None:
    """Of a refused day, the first rows that broke a rule, so that the reader can look at them."""
    flagged = contract_rules.flagged(rules, dialect=executor.dialect)
    executor.keep(
        f"""SELECT * FROM ({flagged}) AS f
        WHERE TRUE QUALIFY row_number() OVER (PARTITION BY {transform.table.partition} ORDER BY data_hash) <= {SAMPLES}""",
        transform.table,
    )


def _count(transform: Transform, executor: Executor, findings: AuditFindings, rules: Sequence[RowRule]) -> bool:
    """Gather rows, violations and empty cells per day; true if any row broke a rule."""
    table, watched = transform.table, transform.watched
    nullable = sum(c.nullable for c in table.columns.values())
    broken = False
    for row in executor.sql(contract_rules.tally(table, rules, watched, executor.dialect)):
        day, rows = row["day"], int(row["n"])
        findings.rows[day] = rows
        findings.null_shares[day] = {"null_share": contract_rules.share(row["empty"], rows * nullable)} | {
            f"null_share_{c}": contract_rules.share(row[f"null_{c}"], rows) for c in watched
        }
        broken = broken or row["broken"] > 0
    for row in executor.sql(contract_rules.broken_rules(table, rules, executor.dialect)) if broken else ():
        for i, rule in enumerate(rules):
            if row[f"v{i}"]:
                findings.problems[row["day"], rule.check].append(
                    f"{rule.text} in {row[f'v{i}']} of {int(row['n'])} rows"
                )
    return broken


def _violations(executor: Executor, findings: AuditFindings, name: str, statement: str) -> None:
    by_day: dict[date, list[str]] = defaultdict(list)
    for row in executor.sql(statement):
        by_day[row["day"]].append(row["entity"].strip())
    for day, entities in by_day.items():
        shown = ", ".join(sorted(entities)[:5])
        findings.problems[day, BUSINESS].append(f"{name}: {len(entities)} times ({shown})")


def _coverage(transform: Transform, plan: Plan, executor: Executor, findings: AuditFindings) -> None:
    if plan.expected is None:
        findings.expected = dict(findings.rows)
        return
    table, expected_rows = transform.table, plan.expected
    executor.expect(expected_rows)
    findings.expected = _by_day(executor, contract_rules.expected_per_day(table))
    if transform.unit == "rows" and table.on_bad_row == "refuse":
        for day, rows in _by_day(
            executor, contract_rules.unexpected_rows(table, expected_rows.columns, executor.dialect)
        ).items():
            findings.problems[day, COVERAGE].append(
                f"{rows} rows that neither the schedule nor the upstream table expects"
            )
    faults: dict[date, list[str]] = defaultdict(list)
    for row in executor.sql(contract_rules.absent_rows(table, expected_rows.columns, executor.dialect)):
        reasons = findings.absent[row["day"]]
        reasons[row["reason"] or UNEXPLAINED] = reasons.get(row["reason"] or UNEXPLAINED, 0) + 1
        if row["reason"] is None:
            faults[row["day"]].append(row["entity"])
    for day, entities in faults.items():
        findings.unexplained[day] = len(entities)
        shown = ", ".join(sorted(entities)[:5])
        findings.problems[day, COVERAGE].append(
            f"{len(entities)} of {findings.expected[day]} expected rows are absent without a reason ({shown})"
        )


def _compare_witnesses(transform: Transform, plan: Plan, executor: Executor, findings: AuditFindings) -> None:
    """Record the disagreements of witnesses with the result, and days with too many rejected rows."""
    if transform.table.on_bad_row != "quarantine":
        return
    reasons: dict[date, dict[str, int]] = defaultdict(dict)
    for row in executor.sql(
        "SELECT day, reason, COUNT(*) AS n FROM rejects WHERE day IS NOT NULL GROUP BY day, reason"
    ):
        reasons[row["day"]][row["reason"]] = int(row["n"])
    for day, counted in reasons.items():
        problem = rejected_share(counted, findings.rows.get(day, 0), transform.ordinary_rejects)
        findings.disagreements[day] += [problem] if problem else []
    for name, statement in plan.disagreements.items():
        by_day: dict[date, list[str]] = defaultdict(list)
        for row in executor.sql(statement):
            by_day[row["day"]].append(row["entity"].strip())
        for day, entities in by_day.items():
            findings.disagreements[day].append(f"{name}: {len(entities)} ({'; '.join(sorted(entities)[:5])})")
    findings.disagreements = defaultdict(list, {d: texts for d, texts in findings.disagreements.items() if texts})
