"""The command `names`: resolution rates, and candidate players for unresolved spellings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import click
import pyarrow as pa
from rapidfuzz import fuzz, process

from nba_pipeline.cli.console import print_json
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import ranges
from nba_pipeline.domain.identity.resolver import Player
from nba_pipeline.domain.identity.spelling import WAYS
from nba_pipeline.domain.player_names import player_lookup
from nba_pipeline.engine import coverage
from nba_pipeline.orchestration.backfill_plan import with_all_below
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, Warehouse

LEAST_RESOLVED = 0.995
NAMED = ("nba_raw.player_prop_lines", "nba_raw.injury_reports")
CANDIDATES = 3
LEAST_ALIKE = 60.0
COLUMNS = ("player_id", "player_name", "resolved_by")


@dataclass(frozen=True)
class Unresolved:
    """A spelling without a player: its table, rows and days, and candidates with a likeness of 0 to 100, best first."""

    table: str
    spelled: str
    rows: int
    days: tuple[date, ...]
    candidates: tuple[tuple[Player, float], ...]


@dataclass(frozen=True)
class Resolution:
    """Rows of one table, the number resolved by each rule, and the unresolved spellings."""

    table: str
    rows: int
    by_rule: Mapping[str, int]
    unresolved: tuple[Unresolved, ...]

    @property
    def rate(self) -> float:
        """Share of rows with a player; 1 where there are no rows."""
        return sum(self.by_rule.values()) / self.rows if self.rows else 1.0


def candidates(spelled: str, players: Sequence[Player]) -> tuple[tuple[Player, float], ...]:
    """Find the players whose names are most similar to the spelling, in any order of its words."""
    names = {p.player_id: p.name.lower() for p in players}
    by_id = {p.player_id: p for p in players}
    matches = process.extract(
        spelled.lower(), names, scorer=fuzz.token_sort_ratio, limit=CANDIDATES, score_cutoff=LEAST_ALIKE
    )
    return tuple((by_id[i], round(likeness, 0)) for _, likeness, i in matches)


def resolution(table: Table, rows: pa.Table, players: Sequence[Player]) -> Resolution:
    """Count resolved rows per rule and collect the unresolved spellings.

    Args:
        table: The table of the rows.
        rows: Columns player_id, player_name, resolved_by and the partition column of the table.
        players: The players to choose candidates from.
    """
    known: dict[str, int] = {}
    places: dict[str, list[date]] = {}
    for row in rows.group_by([*COLUMNS, table.partition]).aggregate([([], "count_all")]).to_pylist():
        if row["player_id"] is None:
            places.setdefault(row["player_name"], []).extend([row[table.partition]] * row["count_all"])
        else:
            rule = row["resolved_by"] or WAYS[0]
            known[rule] = known.get(rule, 0) + row["count_all"]
    unresolved = [
        Unresolved(table.id, name, len(days), tuple(sorted(set(days))), candidates(name, players))
        for name, days in places.items()
    ]
    unresolved.sort(key=lambda u: (-u.rows, u.spelled))
    return Resolution(table.id, rows.num_rows, known, tuple(unresolved))


def show_names(start: date | None, end: date | None, limit: int, as_json: bool) -> bool:
    """Print the rates and the unresolved spellings; False where a table has players for less than 99.5 % of its rows."""
    settings = Settings.from_environment()
    resolutions = _resolutions(settings, settings.open_warehouse(), start, end)
    if as_json:
        print_json([_as_json(r) for r in resolutions])
    else:
        _print(resolutions, settings, limit)
    return all(r.rate >= LEAST_RESOLVED for r in resolutions)


def _resolutions(settings: Settings, warehouse: Warehouse, start: date | None, end: date | None) -> list[Resolution]:
    resolutions = []
    for table in (CATALOG[name].table for name in NAMED):
        span = coverage.span(warehouse.ledger([table.id], start, end).to_pylist())
        if span is None:
            continue
        days = Days(start or span[0], end or span[1], (*COLUMNS, table.partition))
        rows = warehouse.read({table.name: (table, days)})[table.name]
        missing = rows["player_id"].null_count
        players = settings.open_source().players(days.end) if missing else []
        resolutions.append(resolution(table, rows, players))
    return resolutions


def _print(resolutions: Iterable[Resolution], settings: Settings, limit: int) -> None:
    for r in resolutions:
        rules = ", ".join(f"{rule} {n:,}" for rule, n in sorted(r.by_rule.items(), key=lambda item: -item[1]))
        click.echo(f"{r.table}: {r.rate:.3%} of {r.rows:,} rows have a player ({rules or 'none'})")
        for u in r.unresolved[:limit]:
            click.echo(f"  {u.spelled}: {u.rows} rows, {u.days[0]}..{u.days[-1]}")
            for player, likeness in u.candidates:
                click.echo(f"    {likeness:>3.0f} % {player.name} ({player.player_id})")
        if len(r.unresolved) > limit:
            click.echo(f"  and {len(r.unresolved) - limit} more spellings: --limit {len(r.unresolved)}")
        if r.unresolved:
            first, last = ranges([d for u in r.unresolved for d in u.days])[0]
            click.echo(
                f"  Fix: for each correct candidate, add a line `spelling,player name` to "
                f"{settings.open_state().declared_at('aliases.csv')} (header: alias,player_name,note), then run "
                f"`nba-pipeline backfill {first} {last} --select '{with_all_below(r.table)}'` for the days of the spelling"
            )


def _as_json(r: Resolution) -> dict:
    return {
        "table": r.table,
        "rows": r.rows,
        "rate": r.rate,
        "by_rule": dict(r.by_rule),
        "unresolved": [
            {
                "spelled": u.spelled,
                "player_lookup": player_lookup(u.spelled),
                "rows": u.rows,
                "days": [d.isoformat() for d in u.days],
                "candidates": [
                    {"player_id": p.player_id, "player_name": p.name, "likeness": score} for p, score in u.candidates
                ],
            }
            for u in r.unresolved
        ],
    }
