"""A small table that warehouses are tested with, and what is true of it afterwards."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from nba_pipeline.contracts.table import FloatArray, Instant, Rows, Table, column
from nba_pipeline.warehouse import Days, LedgerEntry, Warehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA

FIRST = date(2024, 1, 1)
AT = datetime(2024, 2, 1, tzinfo=UTC)


class Results(Rows):
    """Results of teams. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team")
    points: int = column("points", nullable=True)


class WiderResults(Results):
    """Results of teams, with more columns. One row per team and day."""

    share: float = column("share", nullable=True)
    seen: Instant = column("moment", nullable=True)
    features: FloatArray = column("list", nullable=True)


class OtherType(Rows):
    """Points as text. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team")
    points: str = column("points", nullable=True)


class OtherName(Rows):
    """Without points. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team")


class MayBeUnknown(Rows):
    """The team may be unknown now. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team", nullable=True)
    points: int = column("points", nullable=True)


def declared(model: type[Rows], name: str = "results") -> Table:
    return Table(model=model, name=name, dataset="nba_raw", key=("game_date", "team"), partition="game_date")


RESULTS = declared(Results)
OTHERS = declared(Results, "others")


def days(*numbers: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in numbers]


def rows(of: Sequence[date], version: int = 1, per_day: int = 2, table: Table = RESULTS, **more: Any) -> pa.Table:
    """`per_day` rows a day; `points` is the version that wrote them."""
    records = [
        {"game_date": d, "team": f"T{i}", "points": version, "data_hash": f"{version:016x}", "computed_at": AT} | more
        for d in of
        for i in range(per_day)
    ]
    return pa.Table.from_pylist(records, table.arrow_schema)


def entry(on: date, version: int = 1, state: Any = "published", per_day: int = 2, **more: Any) -> LedgerEntry:
    facts: dict[str, Any] = {
        "table": RESULTS.id,
        "day": on,
        "state": state,
        "rows": per_day,
        "expected": per_day,
        "absent": {},
        "unexplained": 0,
        "games": 1,
        "rejected": 0,
        "content_hash": str(version),
        "reasons": (),
        "run_id": f"run{version}",
        "recorded_at": AT,
    }
    return LedgerEntry(**(facts | more))


NO_REJECTS = REJECT_SCHEMA.empty_table()


def write(warehouse: Warehouse, of: Sequence[date], version: int = 1, per_day: int = 2, table: Table = RESULTS) -> None:
    entries = [entry(d, version, per_day=per_day, table=table.id) for d in of]
    warehouse.replace(table, of, rows(of, version, per_day), entries, NO_REJECTS)


def state(warehouse: Warehouse) -> dict[int, tuple[int, int]]:
    """Day number -> (rows, version); a day of mixed versions fails."""
    found: dict[int, list[int]] = {}
    everything = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST + timedelta(days=400)))})["r"]
    for r in everything.to_pylist():
        found.setdefault((r["game_date"] - FIRST).days, []).append(r["points"])
    assert all(len(set(v)) == 1 for v in found.values()), found
    return {n: (len(v), v[0]) for n, v in sorted(found.items())}


def recorded(warehouse: Warehouse) -> dict[int, tuple[int, int]]:
    """The same, as the ledger of published days says."""
    entries = [e for e in warehouse.ledger().to_pylist() if e["state"] == "published"]
    return {(e["day"] - FIRST).days: (e["rows"], int(e["content_hash"])) for e in entries}


def rejects(on: date | None, reason: str = "bad", row: str = "{}", **more: Any) -> pa.Table:
    record = {"table_id": RESULTS.id, "day": on, "reason": reason, "row": row, "run_id": "r", "recorded_at": AT}
    return pa.Table.from_pylist([record | more], REJECT_SCHEMA)
