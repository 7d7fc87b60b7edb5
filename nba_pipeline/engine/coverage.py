"""What is published, beside what the schedule demands: the figures behind `nba-pipeline status` and `check`."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.engine.readiness import PENDING, is_unfinished
from nba_pipeline.engine.waivers import Waiver

Entry = Mapping[str, Any]

NOTHING_WAIVED: Mapping[date, Waiver] = MappingProxyType({})
NEVER_RUN = "never run"
NO_GAMES = "never run; the schedule has no games"


@dataclass(frozen=True)
class TableStatus:
    """One table over a range of days.

    `rows` counts what the table holds now. `expected` counts what the schedule or the upstream table demands, in `unit`s:
    rows where their number follows, else the games or teams that must have rows; nothing where no demand exists.
    `explained` are the expected units that are absent for a stated reason, `unexplained` those without one; `unfinished`
    are published days that lack units without a reason, or because their games were not over. `waived` are days
    that are refused, missing or waiting, and that were waived, each with what is wrong and the waiver.
    """

    table: str
    first_day: date
    last_day: date
    days_expected: int
    days_published: int
    days_without_games: int
    rows: int
    expected: int
    unit: str
    explained: Mapping[str, int]
    unexplained: int
    rejected: int
    refused: Mapping[date, str]
    missing: Mapping[date, str]
    unfinished: tuple[date, ...] = ()
    altered: tuple[date, ...] = ()
    waived: Mapping[date, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Every day is published, every absence explained, and the rows are those that were published."""
        return not (self.refused or self.missing or self.unfinished or self.altered)

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "complete": self.complete,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "days_expected": self.days_expected,
            "days_published": self.days_published,
            "days_without_games": self.days_without_games,
            "rows": self.rows,
            "rows_expected": self.expected if self.unit == "rows" else None,
            "expected": self.expected if self.unit else None,
            "expected_unit": self.unit or None,
            "rows_absent_explained": dict(self.explained),
            "rows_absent_unexplained": self.unexplained,
            "rows_rejected": self.rejected,
            "days_refused": {d.isoformat(): why for d, why in self.refused.items()},
            "days_missing": {d.isoformat(): why for d, why in self.missing.items()},
            "days_waived": {d.isoformat(): why for d, why in self.waived.items()},
            "days_unfinished": [d.isoformat() for d in self.unfinished],
            "days_altered": [d.isoformat() for d in self.altered],
        }


def table_status(
    table: Table,
    unit: str,
    days: Sequence[date],
    entries: Sequence[Entry],
    counts: Mapping[date, int],
    games: Mapping[date, int],
    waivers: Mapping[date, Waiver] = NOTHING_WAIVED,
) -> TableStatus:
    """Summarize a table over `days`.

    `entries` are the table's own entries in the ledger, `counts` the rows it holds by day, `games` the countable games by
    day, `waivers` its waived days.
    """
    requested = set(days)
    entries = [e for e in entries if e["day"] in requested]
    published = {e["day"]: e for e in entries if e["state"] == "published"}
    refused = {e["day"]: "; ".join(json.loads(e["reasons"])) for e in entries if e["state"] == "refused"}
    explained: Counter[str] = Counter()
    waiting: dict[date, str] = {}
    for e in published.values():
        absent = json.loads(e["absent"])
        if PENDING in absent and e["day"] in waivers:
            waiting[e["day"]] = f"{absent.pop(PENDING)} expected rows wait"
        explained.update({r: n for r, n in absent.items() if r != "unexplained"})
    missing = {d: NO_GAMES if games.get(d) == 0 else NEVER_RUN for d in days if d not in published and d not in refused}
    wrong = {**missing, **waiting, **{d: f"refused: {why}" for d, why in refused.items()}}
    return TableStatus(
        table=table.id,
        first_day=min(requested),
        last_day=max(requested),
        days_expected=len(requested),
        days_published=len(published),
        days_without_games=sum(e["games"] == 0 for e in published.values()),
        rows=sum(counts.get(d, 0) for d in requested),
        expected=sum(e["expected"] for e in published.values()),
        unit=unit,
        explained=dict(explained),
        unexplained=sum(e["unexplained"] for e in published.values()),
        rejected=sum(e["rejected"] for e in ({e["day"]: e for e in entries} | published).values()),
        refused={d: why for d, why in refused.items() if d not in waivers},
        missing={d: why for d, why in missing.items() if d not in waivers},
        unfinished=tuple(sorted(d for d, e in published.items() if d not in waiting and is_unfinished(e))),
        altered=tuple(sorted(d for d, e in published.items() if counts.get(d, 0) != e["rows"])),
        waived={d: f"{wrong[d][:200]} ({waivers[d]})" for d in sorted(wrong) if d in waivers},
    )


def by_table(ledger: pa.Table) -> dict[str, list[Entry]]:
    """Group ledger entries by table."""
    entries: dict[str, list[Entry]] = {}
    for entry in ledger.to_pylist():
        entries.setdefault(entry["table_id"], []).append(entry)
    return entries


def span(entries: Iterable[Entry]) -> tuple[date, date] | None:
    """Return the first and last day of the entries; None without entries."""
    days = [e["day"] for e in entries]
    return (min(days), max(days)) if days else None


def problems(status: TableStatus) -> list[str]:
    """Describe why a table is incomplete, one sentence per cause."""
    sentences = []
    if status.refused:
        first = min(status.refused)
        sentences.append(f"refused {describe_days(list(status.refused))}, first {first}: {status.refused[first][:300]}")
    if status.missing:
        sentences.append(
            f"missing {describe_days(list(status.missing))}: {', '.join(sorted(set(status.missing.values())))}"
        )
    if status.unexplained:
        sentences.append(f"{status.unexplained} expected rows are absent without a reason")
    if PENDING in status.explained:
        sentences.append(
            f"{status.explained[PENDING]} expected rows wait for games that were not final when the day ran"
        )
    if status.altered:
        sentences.append(f"rows differ from what was published on {describe_days(list(status.altered))}")
    return sentences


def affected_days(status: TableStatus) -> list[date]:
    return sorted({*status.refused, *status.missing, *status.unfinished, *status.altered})
