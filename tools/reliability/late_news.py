"""What came after the cut-offs of a day, beside the rows of a home: what a leaking table would see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.report_types import AFTER_GAME, SNAPSHOT
from nba_pipeline.sources.parsing.lineups import INACTIVE
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.raw.game_lines import GAME_LINES
from nba_pipeline.tables.raw.injury_reports import INJURY_REPORTS
from nba_pipeline.tables.raw.lineups import LINEUPS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.rosters import ROSTERS
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days, Reader


@dataclass(frozen=True)
class WithLateNews:
    """Reads a warehouse that also holds what came after the cut-offs of a day: the rows of `late_news`."""

    warehouse: Reader
    late: Mapping[str, pa.Table]

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        found = self.warehouse.read(wanted)
        for name, (table, days) in wanted.items():
            if table.id not in self.late:
                continue
            rows = self.late[table.id]
            (day,) = set(rows[table.partition].to_pylist())
            if days.start <= day <= days.end:
                more = rows.select(found[name].column_names).cast(found[name].schema)
                found[name] = pa.concat_tables([found[name], more]).combine_chunks()
        return found


def late_news(warehouse: Reader, day: date) -> dict[str, pa.Table]:
    """Late rows by table, made from those of the day: a line nine points higher, a status for everybody without one, line-ups in
    which these are inactive, and rosters that lack every second player."""
    here = Days(day, day)
    tables = {t.name: (t, here) for t in (SCHEDULE, PLAYER_PROP_LINES, GAME_LINES, UPCOMING_PLAYER_GAME_CONTEXT)}
    stored = {n: rows.to_pylist() for n, rows in warehouse.read(tables).items()}
    cutoff = {g["game_id"]: g["cutoff_at"] for g in stored["schedule"]}
    soon = timedelta(seconds=30)
    quotes = {
        q["player_lookup"]: q | {"line": q["line"] + 9, "captured_at": cutoff[q["game_id"]] + soon}
        for q in stored["player_prop_lines"]
        if q["market"] == "points" and q["line_kind"] == "main" and q["game_id"] in cutoff
    }
    prices = {g["game_id"]: g | {"captured_at": cutoff[g["game_id"]] + soon} for g in stored["game_lines"]}
    shifted = [p | {"total": p["total"] + 9} for p in prices.values() if p["total"] is not None]
    said = [_statement(c, day) for c in stored["upcoming_player_game_context"] if c["injury_status"] is None]
    listed = stored["upcoming_player_game_context"]
    soon_known = [c | {"roster_date": day, "captured_at": c["cutoff_at"] + soon, "source": "x"} for c in listed]
    late = {"bookmaker": "pinnacle", "documented_pre_game": False}
    return {
        PLAYER_PROP_LINES.id: _rows(PLAYER_PROP_LINES, [q | late | {"last_seen_at": None} for q in quotes.values()]),
        GAME_LINES.id: _rows(GAME_LINES, [p | late for p in shifted]),
        LINEUPS.id: _rows(LINEUPS, [c | {"status": INACTIVE} for c in soon_known if c["injury_status"] is None]),
        ROSTERS.id: _rows(ROSTERS, soon_known[::2]),
        INJURY_REPORTS.id: _rows(
            INJURY_REPORTS,
            [s | {"reported_at": c + timedelta(hours=12), "record_type": SNAPSHOT} for s, c in said]
            + [s | {"reported_at": None, "record_type": AFTER_GAME} for s, _ in said],
        ),
    }


def _statement(context: Mapping[str, Any], day: date) -> tuple[dict[str, Any], datetime]:
    said = {c: context[c] for c in ("player_id", "player_name", "player_lookup", "team", "game_id")}
    return said | {"report_date": day, "status": "Out", "reason": "late", "source": "x"}, context["cutoff_at"]


def _rows(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([f.with_nullable(True) for f in table.arrow_schema])
    return pa.Table.from_pylist([{f.name: r.get(f.name) for f in schema} for r in rows], schema=schema)
