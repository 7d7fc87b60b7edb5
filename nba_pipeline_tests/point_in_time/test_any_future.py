"""Whatever is said of later days, and of the day's own games, a day stays as it was known before them: a property of the
build of every pre-game table. Absurd days that pass every contract, through the whole graph: reliability/poison.py."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.prepare import read_inputs
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification.replay import KNOWN_AFTER, pre_game_tables
from nba_pipeline_tests.support.homes import Home
from tools.reliability import leaks

pytestmark = pytest.mark.integration

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute
DAY = date(2021, 10, 28)
FEATURES = "nba_predictions.ml_feature_store_v2"
# Two weeks of a season have no forecasts to price or to call, and training reads nothing later: reliability/leaks.py tries them.
TRIED = [t for t in pre_game_tables() if t not in (leaks.PRICES, leaks.CALLS, leaks.MODELS)]
OUTCOMES = (*KNOWN_AFTER, "nba_raw.player_boxscores", "nba_raw.team_boxscores", "nba_raw.shots")
CHANGES = ("set", "forget", "shuffle")
# Without zero: a rating of zero, which no contract allows, would be divided by.
VALUES = st.integers(-3_000, 30_000).filter(bool)


@dataclass(frozen=True)
class Future:
    """What becomes of the rows that a day cannot know: of columns by their number, of rows by a share, and then at random.

    Keys are shuffled only: an entity with all rows of the others would have more games than a season.
    """

    columns: tuple[tuple[int, str, int], ...]
    dropped: float
    repeated: float
    seed: int

    def of(self, rows: pa.Table, key: Collection[str]) -> pa.Table:
        chance = np.random.default_rng(self.seed)
        kept = rows.filter(pa.array(chance.random(rows.num_rows) >= self.dropped))
        rows = pa.concat_tables([kept, kept.filter(pa.array(chance.random(kept.num_rows) < self.repeated))])
        for number, change, value in self.columns:
            at = number % rows.num_columns
            field = rows.schema.field(at)
            if change == "forget" and field.name not in key:
                column = pa.nulls(rows.num_rows, field.type)
            elif change == "set" and field.name not in key and _is_number(field):
                column = pa.repeat(value, rows.num_rows).cast(field.type)
            else:
                column = rows.column(at).take(pa.array(chance.permutation(rows.num_rows)))
            rows = rows.set_column(at, field.with_nullable(True), column)
        return rows


def _is_number(field: pa.Field) -> bool:
    return pa.types.is_integer(field.type) or pa.types.is_floating(field.type)


futures = st.builds(
    Future,
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from(CHANGES), VALUES), min_size=1, max_size=30).map(tuple),
    st.sampled_from((0.0, 0.3, 1.0)),
    st.sampled_from((0.0, 0.3, 1.0)),
    st.integers(0, 2**32 - 1),
)


class Trial:
    """A table's build over a day and those that follow, on the inputs of a published home."""

    def __init__(self, home: Home, transform: Transform) -> None:
        self.transform = transform
        self.days = days_between(DAY, DAY + timedelta(days=3))
        artifacts, plans = home.settings.open_artifacts(), stored_plans(home.settings.cache)
        self.run = RunContext("any future", datetime(2026, 1, 1, tzinfo=UTC), artifacts=artifacts, plans=plans)
        self.inputs = read_inputs(transform, home.warehouse, home.settings.open_source(), SLATE, self.days, self.run)

    def content(self, future: Future | None = None) -> str:
        """The content hash of the day; empty if it has no rows."""
        inputs = {n: self._changed(n, rows, future) for n, rows in self.inputs.items()} if future else self.inputs
        executor = DuckDBExecutor(inputs)
        try:
            executor.compute(self.transform, self.days, self.run)
            return executor.content_hashes(self.transform.table).get(DAY, "")
        finally:
            executor.close()

    def unknown(self, name: str, rows: pa.Table) -> pa.ChunkedArray:
        """Which rows of an input the day cannot know."""
        table = self.transform.reads[name].table
        later = pc.greater_equal if table.id in OUTCOMES else pc.greater
        return later(rows[table.partition], pa.scalar(DAY))

    def _changed(self, name: str, rows: pa.Table, future: Future) -> pa.Table:
        if name not in self.transform.reads:
            return rows
        unknown = self.unknown(name, rows)
        changed = future.of(rows.filter(unknown), self.transform.reads[name].table.key)
        return pa.concat_tables([rows.filter(pc.invert(unknown)).cast(changed.schema), changed]).combine_chunks()


@pytest.mark.parametrize("table", TRIED)
def test_no_future_changes_a_day(finished_home: Home, table: str) -> None:
    tried = Trial(finished_home, CATALOG[table])
    wanted = tried.content()
    assert wanted

    @settings(max_examples=3 if table == FEATURES else 10, deadline=None)
    @given(futures)
    def same(future: Future) -> None:
        # Its steps join each copy of a row with each of other inputs, time and again: 21 GB of rows that no contract allows.
        assert tried.content(replace(future, repeated=0.0) if table == FEATURES else future) == wanted

    same()


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("<= for <", "nba_precompute.player_daily_cache"),
        ("window ends on the day", "nba_precompute.team_defense_zone_analysis"),
        ("average over the whole season", "nba_precompute.player_shot_zone_analysis"),
        ("listed from the box score", "nba_precompute.player_composite_factors"),
        ("the day's result joined in", leaks.TEAM_CONTEXT),
    ],
)
def test_a_leak_lets_the_future_in(finished_home: Home, monkeypatch: pytest.MonkeyPatch, kind: str, table: str) -> None:
    tried = Trial(finished_home, leaks.KINDS[kind][0](monkeypatch, replace(CATALOG[table])))
    assert tried.content(Future(((5, "shuffle", 0),), dropped=0.3, repeated=0.0, seed=1)) != tried.content()
