"""The statements that the BigQuery warehouse sends. Pure text from contracts, days and names; nothing is sent here.

Tables are partitioned by day and demand a filter on the day, so every statement has one, always constant: then whole
partitions are dropped or skipped, which costs nothing.
"""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime

from nba_pipeline.contracts.hashing import content_hash_expression, hash_expression
from nba_pipeline.contracts.sql_types import predicate
from nba_pipeline.contracts.table import HASH_COLUMN, Table
from nba_pipeline.warehouse.bigquery.schema import BATCH, COMMITTED_AT, sql_type
from nba_pipeline.warehouse.protocol import ENTRY_SCHEMA, REJECT_SCHEMA, Days

# How many partitions one statement may modify.
PARTITIONS_A_STATEMENT = 4_000
FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)

_END = ";\n"
_MADE = re.compile(r"CREATE TEMP TABLE `([^`]+)`")


def names(columns: Collection[str]) -> str:
    return ", ".join(f"`{c}`" for c in columns)


def script(statements: Sequence[str]) -> str:
    """One text of several statements: they run one after the other as one job, and an error ends it."""
    return _END.join(statements) + ";"


def temporary(name: str, statement: str) -> str:
    """Rows under a name that the later statements of the same script know, and no other job."""
    return f"CREATE TEMP TABLE `{name}` AS\n{statement}"


def temporary_table_at(text: str, line: int) -> str | None:
    """The temporary table that the statement at a line of a script makes; None where it makes none."""
    last = 0
    for statement in text.split(_END):
        last += statement.count("\n") + 1
        if line <= last:
            made = _MADE.match(statement)
            return made[1] if made else None
    return None


def columns(table: Table, stored: Collection[str], wanted: Sequence[str] = ()) -> str:
    """The contract's columns; one that the stored table does not have yet is NULL."""
    listed = [
        f"`{c}`" if c in stored else f"CAST(NULL AS {sql_type(table.columns[c].type)}) AS `{c}`"
        for c in wanted or table.columns
    ]
    return ", ".join(listed)


def add_columns(table: Table, at: str, new: Sequence[str]) -> str:
    """Columns that the contract gained; rows that are there do not know them, so none can be required."""
    added = [f"ALTER TABLE `{at}` ADD COLUMN IF NOT EXISTS `{c}` {sql_type(table.columns[c].type)};" for c in new]
    return "\n".join(added)


def between(column: str, start: date | None, end: date | None) -> str:
    return f"`{column}` BETWEEN DATE '{start or FIRST_DAY}' AND DATE '{end or LAST_DAY}'"


def select(table: Table, at: str, stored: Collection[str], days: Days, as_of: datetime | None) -> str:
    """Select the rows of a range of days as of a past time."""
    moment = f" FOR SYSTEM_TIME AS OF TIMESTAMP '{as_of.isoformat()}'" if as_of else ""
    wanted = columns(table, stored, days.columns or ())
    return f"SELECT {wanted} FROM `{at}`{moment} WHERE {between(table.partition, days.start, days.end)}"


def publish(
    table: Table,
    at: str,
    days: Sequence[date],
    rows: str | None,
    records: str | None,
    journals: tuple[str, str | None],
    batch: str,
) -> str:
    """The script that replaces days and records what became of them, all or nothing.

    `rows` and `records` are staging tables, or None where there is nothing to add; `journals` are the ledger and the
    quarantine, None where nothing is rejected: each statement bills a minimum for the table that it reads. An error ends the
    script, and with it the transaction: nothing of it remains.
    """
    ordered = sorted(set(days))
    listed = names(table.columns)
    statements = []
    for i in range(0, len(ordered), PARTITIONS_A_STATEMENT):
        part = predicate(f"`{table.partition}`", ordered[i : i + PARTITIONS_A_STATEMENT])
        statements.append(f"DELETE FROM `{at}` WHERE {part}")
        if rows is not None:
            statements.append(f"INSERT INTO `{at}` ({listed}) SELECT {listed} FROM `{rows}` WHERE {part}")
    if records is not None:
        entries, rejects = journals
        statements.append(_record(entries, ENTRY_SCHEMA.names, records, "state", batch))
        if rejects is not None:
            statements.append(_record(rejects, REJECT_SCHEMA.names, records, "reason", batch))
    return script(["BEGIN TRANSACTION", *statements, "COMMIT TRANSACTION"])


def _record(journal: str, held: Sequence[str], records: str, mark: str, batch: str) -> str:
    """Add the rows that have the `mark` to a journal. The clock is read after the rows of the days were replaced."""
    return (
        f"INSERT INTO `{journal}` ({names([*held, BATCH, COMMITTED_AT])}) "
        f"SELECT {names(held)}, '{batch}', CURRENT_TIMESTAMP() FROM `{records}` WHERE `{mark}` IS NOT NULL"
    )


def ledger(journal: str, *, by_table: bool, start: date | None, end: date | None) -> str:
    """The latest published entry of each table and day, and the latest refusal after it."""
    return f"""SELECT {names(ENTRY_SCHEMA.names)} FROM ({_current(journal, by_table, start, end)})
ORDER BY `table_id`, `day`, `state`"""


def _current(journal: str, by_table: bool, start: date | None, end: date | None) -> str:
    chosen = " AND `table_id` IN UNNEST(@tables)" if by_table else ""
    return f"""SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `table_id`, `day`, `state` ORDER BY `{COMMITTED_AT}` DESC) AS place,
    MAX(IF(`state` = 'published', `{COMMITTED_AT}`, NULL)) OVER (PARTITION BY `table_id`, `day`) AS published_at
  FROM `{journal}` WHERE {between("day", start, end)}{chosen})
WHERE place = 1 AND (`state` = 'published' OR published_at IS NULL OR `{COMMITTED_AT}` > published_at)"""


def quarantine(journals: tuple[str, str], *, by_table: bool, start: date | None, end: date | None, dated: bool) -> str:
    """The rejects of the writes that the ledger still speaks of; those without a day, of each table's latest write.

    Args:
        journals: The ledger and the quarantine.
        by_table: Whether the tables are a parameter of the query, else all are meant.
        start: The first day.
        end: The last day.
        dated: Whether rejects without a day are left out.
    """
    entries, rejects = journals
    chosen = " AND q.`table_id` IN UNNEST(@tables)" if by_table else ""
    own = ", ".join(f"q.`{c}`" for c in REJECT_SCHEMA.names)
    with_day = f"""SELECT {own} FROM `{rejects}` AS q JOIN current_entries AS e
ON q.`table_id` = e.`table_id` AND q.`day` = e.`day` AND q.`{BATCH}` = e.`{BATCH}`
WHERE q.{between("day", start, end)}{chosen}"""
    current = f"current_entries AS ({_current(entries, by_table, start, end)})"
    order = "ORDER BY `recorded_at` DESC, `table_id`, `day`"
    if dated:
        return f"WITH {current}\n{with_day}\n{order}"
    return f"""WITH {current},
latest AS (SELECT `table_id`, ARRAY_AGG(`{BATCH}` ORDER BY `{COMMITTED_AT}` DESC LIMIT 1)[OFFSET(0)] AS `{BATCH}`
  FROM `{entries}` WHERE {between("day", None, None)} GROUP BY `table_id`)
{with_day}
UNION ALL
SELECT {own} FROM `{rejects}` AS q JOIN latest AS e ON q.`table_id` = e.`table_id` AND q.`{BATCH}` = e.`{BATCH}`
WHERE q.`day` IS NULL{chosen}
{order}"""


def row_counts(tables: Sequence[tuple[Table, str]], start: date, end: date) -> str:
    """`table_id`, `day`, `rows`, and an empty content hash, for several tables at once."""
    counted = [
        f"SELECT '{t.id}' AS `table_id`, `{t.partition}` AS `day`, COUNT(*) AS `rows`, '' AS `content_hash` "
        f"FROM `{at}` WHERE {between(t.partition, start, end)} GROUP BY `{t.partition}`"
        for t, at in tables
    ]
    return "\nUNION ALL ".join(counted) + "\nORDER BY `table_id`, `day`"


def content_hashes(table: Table, at: str, stored: Collection[str], start: date, end: date) -> str:
    """The same for one table, with every row's hash recomputed from its fields."""
    held = f"SELECT {columns(table, stored)} FROM `{at}` WHERE {between(table.partition, start, end)}"
    hashed = f"SELECT `{table.partition}` AS `day`, {hash_expression(table, 'bigquery')} AS {HASH_COLUMN} FROM ({held})"
    return (
        f"SELECT '{table.id}' AS `table_id`, `day`, COUNT(*) AS `rows`, "
        f"{content_hash_expression('bigquery')} AS `content_hash` FROM ({hashed}) GROUP BY `day` ORDER BY `day`"
    )
