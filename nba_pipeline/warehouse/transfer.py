"""Copies tables, ledger and quarantine from one warehouse to another, and proves that the copy is one.

A day is copied when anything of it differs: its ledger entries, its rejected rows, the number of its rows, or the content
hash that the destination recomputes from their fields. So a copy that was interrupted goes on where it was, one that is
complete is left alone, and a day that was damaged on the way is copied again.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.contracts.table import Table
from nba_pipeline.warehouse import Days, LedgerEntry, Warehouse

MAX_ROWS, MAX_DAYS = 250_000, 2000

Content = tuple[int, str]
EMPTY: Content = (0, "")


@dataclass(frozen=True)
class Holding:
    """What a warehouse holds of one table, by day: ledger entries, rows with their content hash, rejected rows.

    Rejected rows that do not say to which day they belong stand under None.
    """

    entries: Mapping[date, frozenset[tuple]]
    content: Mapping[date, Content]
    rejects: Mapping[date | None, Counter[tuple]]

    def of(self, day: date) -> tuple:
        return self.entries.get(day), self.content.get(day, EMPTY), self.rejects.get(day)

    def published(self, day: date) -> Content | None:
        """Return rows and content hash recorded at publication, from the ledger; None for a day never published."""
        for entry in map(dict, self.entries.get(day, ())):
            if entry["state"] == "published":
                return entry["rows"], entry["content_hash"]
        return None


@dataclass(frozen=True)
class Copied:
    """What became of the days of one table.

    `altered` days do not hold at the origin what was published there, and were not copied. `wrong` days were copied, but the
    destination does not hold the same afterwards. `surplus` days are known to the destination alone.
    """

    table: str
    copied: tuple[date, ...] = ()
    present: tuple[date, ...] = ()
    altered: tuple[date, ...] = ()
    wrong: tuple[date, ...] = ()
    surplus: tuple[date, ...] = ()
    rows: int = field(default=0)

    @property
    def complete(self) -> bool:
        return not (self.altered or self.wrong)


def holdings(warehouse: Warehouse, tables: Sequence[Table], start: date, end: date) -> dict[str, Holding]:
    """What the warehouse holds of each table on these days; content hashes are recomputed from the rows."""
    ids = [t.id for t in tables]
    entries: dict[str, dict[date, set[tuple]]] = {t: defaultdict(set) for t in ids}
    for entry in warehouse.ledger(ids, start, end).to_pylist():
        entries[entry["table_id"]][entry["day"]].add(tuple(entry.items()))
    rejects: dict[str, dict[date | None, Counter[tuple]]] = {t: defaultdict(Counter) for t in ids}
    for row in warehouse.quarantine(None, start, end).to_pylist():
        if row["table_id"] in rejects:
            rejects[row["table_id"]][row["day"]][tuple(row.items())] += 1
    content: dict[str, dict[date, Content]] = {t: {} for t in ids}
    for row in warehouse.contents(tables, start, end, hashes=True).to_pylist():
        content[row["table_id"]][row["day"]] = row["rows"], row["content_hash"]
    return {t: Holding({d: frozenset(e) for d, e in entries[t].items()}, content[t], dict(rejects[t])) for t in ids}


def days_to_copy(origin: Holding, destination: Holding) -> list[date]:
    """Days that the origin's ledger knows and that differ, in order.

    Rejected rows without a day travel with any day, so one is chosen when only they differ.
    """
    known = sorted(origin.entries)
    differing = [d for d in known if origin.of(d) != destination.of(d)]
    if known and not differing and origin.rejects.get(None) != destination.rejects.get(None):
        return known[:1]
    return differing


def altered_days(origin: Holding) -> list[date]:
    """Published days whose rows are not those that were published."""
    wanted = {d: origin.published(d) for d in origin.entries}
    return sorted(d for d, content in wanted.items() if content is not None and content != origin.content.get(d, EMPTY))


def chunks(days: Sequence[date], rows: Mapping[date, int]) -> Iterator[list[date]]:
    """The days in order, in groups that span at most MAX_ROWS rows of the table (or one day), MAX_DAYS days each."""
    wanted, group, held = set(days), [], 0
    for day in sorted({*days, *rows}):
        if group and (held + rows.get(day, 0) > MAX_ROWS or len(group) == MAX_DAYS):
            yield group
            group, held = [], 0
        if day in wanted:
            group.append(day)
        if group:
            held += rows.get(day, 0)
    if group:
        yield group


def copy_tables(
    tables: Sequence[Table],
    origin: Warehouse,
    destination: Warehouse,
    start: date,
    end: date,
    done: Callable[[Table, int], None] = lambda _table, _days: None,
) -> list[Copied]:
    """Copy what differs on START..END, then compare. `done` is told of days of a table as they are finished.

    Raises WarehouseError when either side fails; what was copied until then stays, whole days at a time.
    """
    sources, targets = holdings(origin, tables, start, end), holdings(destination, tables, start, end)
    wanted = {t.id: _wanted(sources[t.id], targets[t.id]) for t in tables}
    for table in tables:
        source = sources[table.id]
        done(table, len(source.entries) - len(wanted[table.id]))
        for group in chunks(wanted[table.id], {d: n for d, (n, _) in source.content.items()}):
            _copy_days(table, origin, destination, group, source)
            done(table, len(group))
    written = [t for t in tables if wanted[t.id]]
    after = targets | (holdings(destination, written, start, end) if written else {})
    return [_outcome(t.id, sources[t.id], after[t.id], wanted[t.id]) for t in tables]


def _wanted(source: Holding, target: Holding) -> list[date]:
    altered = set(altered_days(source))
    return [d for d in days_to_copy(source, target) if d not in altered]


def _outcome(table: str, source: Holding, after: Holding, wanted: Sequence[date]) -> Copied:
    altered = altered_days(source)
    return Copied(
        table=table,
        copied=tuple(wanted),
        present=tuple(sorted(source.entries.keys() - set(wanted) - set(altered))),
        altered=tuple(altered),
        wrong=tuple(_wanted(source, after)),
        surplus=tuple(sorted(after.entries.keys() - source.entries.keys())),
        rows=sum(source.content.get(d, EMPTY)[0] for d in wanted),
    )


def _copy_days(table: Table, origin: Warehouse, destination: Warehouse, days: list[date], source: Holding) -> None:
    """Let the destination live through what happened to these days: they were published, and some refused afterwards.

    A warehouse tells by the order of writes whether a refusal is still the last word on a day.
    """
    entries = [_entry(dict(e)) for d in days for e in sorted(source.entries[d])]
    published = [e for e in entries if e.state == "published"]
    refused = [e for e in entries if e.state == "refused"]
    read = origin.read({"rows": (table, Days(days[0], days[-1], tuple(table.columns)))})["rows"]
    kept = [e.day for e in published]
    rows = _of(read, table.partition, kept).cast(table.arrow_schema)
    rejects = _of(origin.quarantine([table.id], days[0], days[-1]), "day", [None, *days])
    later = {(e.day, e.run_id) for e in refused}
    of_refusals = [(r["day"], r["run_id"]) in later for r in rejects.select(["day", "run_id"]).to_pylist()]
    if published:
        of_published = pa.array([not refusal for refusal in of_refusals], pa.bool_())
        destination.replace(table, kept, rows, published, rejects.filter(of_published))
    if refused:
        undated = [d is None for d in rejects["day"].to_pylist()]
        of_these = pa.array([a or b for a, b in zip(of_refusals, undated, strict=True)], pa.bool_())
        destination.replace(table, [], rows.slice(0, 0), refused, rejects.filter(of_these))


def _of(rows: pa.Table, column: str, days: Sequence[date | None]) -> pa.Table:
    return rows.filter(pc.is_in(rows[column], value_set=pa.array(days, pa.date32())))  # pyright: ignore[reportAttributeAccessIssue]


def _entry(row: Mapping[str, Any]) -> LedgerEntry:
    facts = {k: v for k, v in row.items() if k not in ("table_id", "absent", "reasons")}
    return LedgerEntry(
        table=row["table_id"], absent=json.loads(row["absent"]), reasons=tuple(json.loads(row["reasons"])), **facts
    )
