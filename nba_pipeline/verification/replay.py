"""Replay: every table that claims to know a day only as of before tip-off is computed again from nothing else, and compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from nba_pipeline.asof.reads import Read
from nba_pipeline.contracts.table import COMPUTED_AT, Table
from nba_pipeline.engine import computed
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.prepare import read_inputs
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_defense_game_summary import TEAM_DEFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.verification.known_by import KnownBy
from nba_pipeline.warehouse import Days, Reader, Warehouse

KNOWN_AFTER = (
    PLAYER_GAME_SUMMARY.id,
    TEAM_OFFENSE_GAME_SUMMARY.id,
    TEAM_DEFENSE_GAME_SUMMARY.id,
    "nba_predictions.prediction_accuracy",
    "nba_predictions.system_daily_performance",
    "nba_predictions.call_grades",
)
FEATURES = "nba_predictions.ml_feature_store_v2"
# The table below the features that a run computes from more than was known: reports and lines came after the cut-off.
CONTEXT = "nba_analytics.upcoming_player_game_context"
EXAMPLES = 3


@dataclass(frozen=True)
class Difference:
    """A table's day that a replay does not reproduce, and the columns in which rows differ, with how many rows do."""

    table: str
    day: date
    only_published: int
    only_replayed: int
    cells: Mapping[str, int]
    examples: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"{n} rows are only published" for n in (self.only_published,) if n]
        said += [f"{n} rows only replayed" for n in (self.only_replayed,) if n]
        said += [f"{c} differs in {n} rows" for c, n in sorted(self.cells.items(), key=lambda item: -item[1])]
        shown = f" ({'; '.join(self.examples)})" if self.examples else ""
        return f"{self.table} {self.day}: {', '.join(said)}{shown}"


@dataclass(frozen=True)
class Replayed:
    """The result for one day: tables and cells compared, and the differences."""

    day: date
    tables: int
    cells: int
    differences: tuple[Difference, ...]


def pre_game_tables() -> tuple[str, ...]:
    """Tables of pre-game information on a day: all but raw tables, facts and grades.

    A table is one of them by what it says it is, not by what it reads: one that reads more than it may has to show here.
    """
    return tuple(t for t in graph_order() if CATALOG[t].table.dataset != "nba_raw" and t not in KNOWN_AFTER)


def sample(days: Sequence[date], n: int, seed: int = 0) -> list[date]:
    """n of the days (all, if there are fewer), the same ones for the same seed, in order."""
    chosen = np.random.default_rng(seed).choice(len(days), min(n, len(days)), replace=False)
    return [days[i] for i in sorted(chosen)]


def replay(
    day: date, warehouse: Warehouse, source: Source, schedule: Read, run: RunContext, only: Sequence[str] | None = None
) -> Replayed:
    """Compute the pre-game tables of a day again from what was known by its cut-offs, and compare every cell.

    Each table reads the replayed ones before it. A table that this process published in the same run from exactly these inputs,
    by statements alone, stands without being computed a second time: one that read more had other inputs. What `replay_early`
    computed again counts where it was from exactly these inputs. Tables that were not published for the day are left out, and so
    is what was trained, where the day is no training day. `only` limits what is compared; what these tables read is computed too.
    """
    published = {
        e["table_id"]: e
        for e in warehouse.ledger(list(pre_game_tables()), day, day).to_pylist()
        if e["state"] == "published"
    }
    wanted = [t for t in _with_their_inputs(only or pre_game_tables()) if t in published]
    known = KnownBy(warehouse, day)
    differences, cells, compared = [], 0, 0
    for name in wanted:
        table, entry = CATALOG[name].table, published[name]
        inputs = read_inputs(CATALOG[name], known, known.feeds(source), schedule, [day], run)
        made = computed.recall(run.id, name, day)
        stands = made is not None and made.is_of(inputs, entry["content_hash"])
        again = None if stands else _early.taken(run.id, name, day, inputs) or _made_of(inputs, CATALOG[name], day, run)
        if again and again.content_hash != entry["content_hash"]:
            known.recomputed[name] = again.rows
        else:
            known.reproduced.add(name)
        if only and name not in only:
            continue
        compared += 1
        cells += entry["rows"] * len(table.hash_fields)
        if again and name in known.recomputed:
            stored = warehouse.read({"rows": (table, Days(day, day))})["rows"]
            differences.append(compare(table, day, stored, again.rows))
    return Replayed(day, compared, cells, tuple(differences))


@dataclass(frozen=True)
class Recomputed:
    """A table's rows of one day, made from nothing but what was known by its cut-offs."""

    table: Table
    rows: pa.Table
    content_hash: str


class _Early:
    """What was computed again before the replay of its run: of one table's day, the last."""

    def __init__(self) -> None:
        self._last: tuple[tuple[str, str, date], Mapping[str, pa.Table], Recomputed] | None = None

    def keep(self, run_id: str, name: str, day: date, inputs: Mapping[str, pa.Table], made: Recomputed) -> None:
        self._last = (run_id, name, day), inputs, made

    def taken(self, run_id: str, name: str, day: date, inputs: Mapping[str, pa.Table]) -> Recomputed | None:
        """Return, once, what the run computed again of a table's day from exactly these inputs; None where it has nothing."""
        if self._last is None or self._last[0] != (run_id, name, day):
            return None
        (_, used, made), self._last = self._last, None
        same = used.keys() == inputs.keys() and all(rows.equals(used[n]) for n, rows in inputs.items())
        return made if same else None


_early = _Early()


def replay_early(day: date, warehouse: Warehouse, source: Source, schedule: Read, run: RunContext) -> None:
    """Compute the player context again as `replay` would, and keep it for that: a run can do so while its features compute.

    Nothing is computed where the run did not publish the day from more than was known, and `replay` has nothing to compute.

    Args:
        day: The day.
        warehouse: The warehouse that the run publishes in.
        source: The source of the run.
        schedule: The read of the day's games.
        run: The run.
    """
    transform, made = CATALOG[CONTEXT], computed.recall(run.id, CONTEXT, day)
    if made is None or transform.apply is not None:
        return
    known = KnownBy(warehouse, day)
    inputs = read_inputs(transform, known, known.feeds(source), schedule, [day], run)
    if not made.is_of(inputs, made.content_hash):
        _early.keep(run.id, CONTEXT, day, inputs, _made_of(inputs, transform, day, run))


def recompute(
    day: date, warehouse: Reader, source: Source, schedule: Read, run: RunContext, tables: Sequence[str]
) -> Iterator[Recomputed]:
    """The day's rows of these tables, in this order; each reads the recomputed ones before it."""
    known = KnownBy(warehouse, day)
    for name in tables:
        again = from_known(CATALOG[name], known, source, schedule, run)
        known.recomputed[name] = again.rows
        yield again


def from_known(transform: Transform, known: KnownBy, source: Source, schedule: Read, run: RunContext) -> Recomputed:
    """One table's rows of the day, from what was known."""
    inputs = read_inputs(transform, known, known.feeds(source), schedule, [known.day], run)
    return _made_of(inputs, transform, known.day, run)


def _made_of(inputs: Mapping[str, pa.Table], transform: Transform, day: date, run: RunContext) -> Recomputed:
    table, executor = transform.table, DuckDBExecutor(inputs)
    try:
        executor.compute(transform, [day], run)
        rows = executor.rows(table, [day])
        content = executor.content_hashes(table).get(day, "")
    finally:
        executor.close()
    return Recomputed(table, rows.cast(pa.schema([f.with_nullable(True) for f in table.arrow_schema])), content)


def _with_their_inputs(tables: Sequence[str]) -> list[str]:
    """These tables and all pre-game tables that they read, directly or not, in graph order."""
    wanted, order = set(tables), pre_game_tables()
    for name in reversed(order):
        if name in wanted:
            wanted |= {t.id for t in CATALOG[name].upstream()}
    return [t for t in order if t in wanted]


def compare(table: Table, day: date, stored: pa.Table, again: pa.Table) -> Difference:
    """How the rows of a day differ, cell by cell; only where their content hashes do."""
    columns = [c for c in table.columns if c != COMPUTED_AT]
    before, after = ({tuple(r[k] for k in table.key): r for r in rows.to_pylist()} for rows in (stored, again))
    cells: dict[str, int] = {}
    examples: list[str] = []
    for key in sorted(before.keys() & after.keys(), key=str):
        for c in columns:
            one, other = before[key][c], after[key][c]
            if str(one) != str(other):
                cells[c] = cells.get(c, 0) + 1
                if len(examples) < EXAMPLES and c != "data_hash":
                    examples.append(f"{' '.join(map(str, key))} {c}: published {one}, replayed {other}")
    return Difference(
        table.id, day, len(before.keys() - after.keys()), len(after.keys() - before.keys()), cells, tuple(examples)
    )


def game_days(warehouse: Warehouse, start: date, end: date) -> list[date]:
    """Days of the range that have countable games, a published feature store and no refusal in a pre-game table.

    A refused day keeps earlier rows, computed from inputs that may have been replaced since.
    """
    entries = warehouse.ledger(list(pre_game_tables()), start, end).to_pylist()
    refused = {e["day"] for e in entries if e["state"] == "refused"}
    published = {e["day"] for e in entries if e["table_id"] == FEATURES and e["state"] == "published" and e["games"]}
    return sorted(published - refused)
