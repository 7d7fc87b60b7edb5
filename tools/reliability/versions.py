"""Writes whose outcome can be told: the same days of the same tables in versions, in an embedded warehouse of their own.

Every version has the same rows, and its own instant in `computed_at`, run in the ledger and rows in the quarantine. So a
range that is torn, doubled or lost, and a ledger or a quarantine that does not belong to it, show at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from nba_pipeline.contracts.table import COMPUTED_AT, Table
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Days, LedgerEntry
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA
from tools.reliability.ground import Contents, ground, real_data, stretch
from tools.reliability.proof import NotAvailableError, Scale

TABLES = ("nba_raw.schedule", "nba_raw.player_boxscores", "nba_raw.shots", "nba_analytics.player_game_summary")
ZERO = datetime(2030, 1, 1, tzinfo=UTC)
REJECTS = 2


@dataclass(frozen=True)
class Versions:
    """Rows of some tables over some days, to be written into `warehouse` in any version."""

    warehouse: DuckDBWarehouse
    days: Sequence[date]
    rows: Mapping[str, pa.Table]
    content: Contents
    on: str

    def write(self, table: str, version: int, days: Sequence[date] | None = None) -> None:
        """Replace the days (default: all) of a table by this version."""
        contract, days = CATALOG[table].table, self.days if days is None else days
        within = pa.array([d in set(days) for d in self.rows[table][contract.partition].to_pylist()])
        rows = _stamped(self.rows[table].filter(within), ZERO + timedelta(seconds=version))
        entries = [self._entry(table, d, version) for d in days]
        self.warehouse.replace(contract, days, rows, entries, _rejects(table, days[0], version))

    def _entry(self, table: str, day: date, version: int) -> LedgerEntry:
        rows, content_hash = self.content.get((table, day), (0, ""))
        at = ZERO + timedelta(seconds=version)
        return LedgerEntry(table, day, "published", rows, rows, {}, 0, 1, 0, content_hash, (), _run(version), at)

    def found(self, table: str) -> tuple[dict[date, int], list[str]]:
        """The version of every day that is there, and what is wrong with it: rows, ledger and quarantine must agree."""
        contract, faults = CATALOG[table].table, []
        span = Days(self.days[0], self.days[-1])
        rows = self.warehouse.read({"rows": (contract, span)})["rows"]
        stamps = rows.group_by([contract.partition, COMPUTED_AT]).aggregate([([], "count_all")]).to_pylist()
        stored: dict[date, int] = {}
        for s in stamps:
            if s[contract.partition] in stored:
                faults.append(f"{table} {s[contract.partition]}: rows of two versions")
            stored[s[contract.partition]] = _version(s[COMPUTED_AT])
        held = self.warehouse.contents([contract], span.start, span.end, hashes=True).to_pylist()
        for r in held:
            if (r["rows"], r["content_hash"]) != self.content.get((table, r["day"])):
                faults.append(f"{table} {r['day']}: {r['rows']} rows that are not those that were written")
        recorded = {
            e["day"]: int(e["run_id"].removeprefix("version ")) for e in self.warehouse.ledger([table]).to_pylist()
        }
        wanted = {d: v for d, v in recorded.items() if (table, d) in self.content}
        if wanted != stored:
            faults.append(f"{table}: the ledger says {wanted}, the rows {stored}")
        faults += self._quarantine_faults(table, recorded)
        return recorded, faults

    def _quarantine_faults(self, table: str, recorded: Mapping[date, int]) -> list[str]:
        counts: dict[tuple[date, str], int] = {}
        for r in self.warehouse.quarantine(table).to_pylist():
            counts[r["day"], r["run_id"]] = counts.get((r["day"], r["run_id"]), 0) + 1
        named = {d: _run(v) for d, v in recorded.items()}
        wrong = {k: n for k, n in counts.items() if n != REJECTS or named.get(k[0]) != k[1]}
        return [f"{table}: rejects {wrong} beside the ledger's {dict(recorded)}"] if wrong else []

    def outcome(self, table: str, before: int, after: int) -> tuple[int, list[str]]:
        """Which of two versions of all days is there, and all that is wrong."""
        recorded, faults = self.found(table)
        versions = set(recorded.values())
        if len(versions) != 1 or versions - {before, after} or len(recorded) != len(self.days):
            faults.append(
                f"{table}: versions {sorted(versions)} over {len(recorded)} days; {before} or {after} is whole"
            )
        return max(versions, default=before), faults

    def leftovers(self) -> list[str]:
        """Files beside the warehouse, and tables in it, that nobody asked for."""
        name = self.warehouse.path.name
        files = {p.name for p in self.warehouse.path.parent.iterdir()} - {name, f"{name}.lock", f"{name}.lock.queue"}
        listed = self.warehouse.query("SELECT schema_name || '.' || table_name AS t FROM duckdb_tables()")
        tables = set(listed["t"].to_pylist()) - {*self.rows, "nba_ops.ledger", "nba_ops.quarantine"}
        return sorted(files | tables)

    def at(self, path: Path) -> "Versions":
        """The same rows, for a warehouse elsewhere."""
        return replace(self, warehouse=DuckDBWarehouse(path, self.warehouse.timeout))


@contextmanager
def versions(scale: Scale, timeout: float = 60.0) -> Iterator[Versions]:
    """Four tables over a week, in version 0: of the real data where they are and the scale is full, else invented."""
    data, on = None, "invented league, a week of four tables"
    if scale == "full":
        with suppress(NotAvailableError):
            data, on = real_data(), "real data 2023-11-01..2023-11-07, four tables"
    days = stretch("2023-11-01", "2023-11-07") if data else stretch("2021-10-19", "2021-10-25")
    with ground(data) as home:
        home.publish(days, with_upstream(*TABLES))
        contracts = {t: CATALOG[t].table for t in TABLES}
        held = home.warehouse.read({t: (c, Days(days[0], days[-1])) for t, c in contracts.items()})
        rows = {t: _shaped(contracts[t], r) for t, r in held.items()}
        content = home.contents(days[0], days[-1], TABLES)
        path = home.settings.home / "writes" / "nba.duckdb"
        ready = Versions(DuckDBWarehouse(path, timeout), days, rows, content, on)
        for table in TABLES:
            ready.write(table, 0)
        yield ready


def with_upstream(*tables: str) -> tuple[str, ...]:
    """These tables and all that they are made of, directly or not, in the order of the graph."""
    wanted = set(tables)
    while more := {t.id for w in wanted for t in CATALOG[w].upstream()} - wanted:
        wanted |= more
    return tuple(t for t in graph_order() if t in wanted)


def _shaped(table: Table, rows: pa.Table) -> pa.Table:
    return rows.cast(table.arrow_schema)


def _stamped(rows: pa.Table, at: datetime) -> pa.Table:
    place = rows.schema.get_field_index(COMPUTED_AT)
    kind = rows.schema.field(COMPUTED_AT)
    return rows.set_column(place, kind, pa.array([at] * rows.num_rows, kind.type))


def _version(at: datetime) -> int:
    return round((at - ZERO).total_seconds())


def _run(version: int) -> str:
    return f"version {version}"


def _rejects(table: str, day: date, version: int) -> pa.Table:
    at = ZERO + timedelta(seconds=version)
    row = {"table_id": table, "day": day, "reason": "bad", "row": "{}", "run_id": _run(version), "recorded_at": at}
    return pa.Table.from_pylist([row] * REJECTS, REJECT_SCHEMA)
