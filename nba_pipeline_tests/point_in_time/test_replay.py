"""Replay: a day computed again from what was known by its cut-offs equals what is published. Leaks: test_planted_leaks.py."""

from datetime import UTC, date, datetime

import duckdb
import pytest

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification.replay import KNOWN_AFTER, Replayed, pre_game_tables, replay, sample
from nba_pipeline_tests.support.homes import Home

pytestmark = pytest.mark.integration
DAY = date(2021, 10, 28)
CACHE = "nba_precompute.player_daily_cache"


def a_run(home: Home) -> RunContext:
    settings = home.settings
    plans = stored_plans(settings.cache)
    return RunContext("replay", datetime.now(UTC), artifacts=settings.open_artifacts(), plans=plans)


def replayed(home: Home, day: date = DAY) -> Replayed:
    return replay(day, home.warehouse, home.settings.open_source(), SLATE, a_run(home))


def alter(home: Home, statement: str) -> None:
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(statement)


# --- nothing differs --------------------------------------------------------------------------------------------------


def test_every_pre_game_table_of_a_simulated_home_is_reproduced(finished_home: Home) -> None:
    for day in (date(2021, 10, 19), DAY, date(2021, 11, 1)):
        found = replayed(finished_home, day)
        assert found.differences == ()
        assert found.tables == len(pre_game_tables())
    assert replayed(finished_home).cells > 10_000


def test_which_tables_are_replayed_is_written_down() -> None:
    computed = {t for t in CATALOG if not t.startswith("nba_raw.")}
    assert set(pre_game_tables()) == computed - set(KNOWN_AFTER)


def test_the_same_seed_draws_the_same_days() -> None:
    days = days_between(date(2024, 1, 1), date(2024, 3, 1))
    assert sample(days, 5, 1) == sample(days, 5, 1) != sample(days, 5, 2)
    assert sample(days, 500) == days


# --- altered rows -----------------------------------------------------------------------------------------------------


@pytest.mark.guard
def test_a_cell_that_was_altered_is_named(home: Home) -> None:
    alter(home, f"UPDATE {CACHE} SET points_avg_season = points_avg_season + 1 WHERE cache_date = DATE '{DAY}'")
    alter(home, f"UPDATE nba_ops.ledger SET content_hash = 'x' WHERE table_id = '{CACHE}' AND day = DATE '{DAY}'")
    (found,) = replayed(home).differences
    assert (found.table, found.day, set(found.cells)) == (CACHE, DAY, {"points_avg_season"})
    assert "points_avg_season differs in" in str(found)
