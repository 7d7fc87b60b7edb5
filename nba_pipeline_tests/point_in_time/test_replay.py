"""Replay: a day computed again from what was known by its cut-offs equals what is published, and a leak does not."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from inspect import Parameter, signature
from typing import Any

import duckdb
import ibis
import pytest

from nba_pipeline import asof
from nba_pipeline.analytics import upcoming_player_game_context as player_context
from nba_pipeline.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.publish import publish
from nba_pipeline.raw.schedule import SLATE
from nba_pipeline.seasons import days_between
from nba_pipeline.table_asset import REGISTRY, schedule_read
from nba_pipeline.transform import Run
from nba_pipeline.verification.replay import KNOWN_AFTER, Replayed, pre_game_tables, replay, sample
from nba_pipeline_tests.graph.homes import Home

DAY = date(2021, 10, 28)
CONTEXT = "nba_analytics.upcoming_player_game_context"
SHOT_ZONES = "nba_precompute.player_shot_zone_analysis"
DEFENSE_ZONES = "nba_precompute.team_defense_zone_analysis"
CACHE = "nba_precompute.player_daily_cache"
FEATURES = "nba_predictions.ml_feature_store_v2"


def a_run(home: Home) -> Run:
    return Run("replay", datetime.now(UTC), artifacts=home.settings.open_artifacts())


def replayed(home: Home, day: date = DAY) -> Replayed:
    return replay(day, home.warehouse, home.settings.open_source(), SLATE, a_run(home))


def differing(home: Home) -> set[str]:
    return {d.table for d in replayed(home).differences}


def publish_again(home: Home, *tables: str) -> dict[str, str]:
    """These tables over the days around the day, with the transforms as they are registered now; what was refused, and why."""
    refused = {}
    for name in tables:
        transform = REGISTRY[name]
        days = days_between(DAY - timedelta(days=1), DAY + timedelta(days=1))
        done = publish(
            transform, days, home.warehouse, home.settings.open_source(), schedule_read(transform), a_run(home)
        )
        refused.update((name, v.reason) for v in done.refused if v.day == DAY)
    return refused


def caught(home: Home, *tables: str) -> set[str]:
    """The tables whose leak does not pass: refused before publication, or not reproduced."""
    return set(publish_again(home, *tables)) | (differing(home) & set(tables))


def alter(home: Home, statement: str) -> None:
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.execute(statement)


@pytest.fixture
def rebuilt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Registers fresh copies of the pre-game transforms, so that what was patched before shows in their expressions."""

    def again(**changed: Any) -> None:
        for name in pre_game_tables():
            monkeypatch.setitem(REGISTRY, name, replace(REGISTRY[name], **changed.get(name, {})))

    return again


# --- nothing differs --------------------------------------------------------------------------------------------------


def test_every_pre_game_table_of_a_simulated_home_is_reproduced(finished_home: Home) -> None:
    for day in (date(2021, 10, 19), DAY, date(2021, 11, 1)):
        found = replayed(finished_home, day)
        assert found.differences == ()
        assert found.tables == len(pre_game_tables())
    assert replayed(finished_home).cells > 10_000


def test_which_tables_are_replayed_is_written_down() -> None:
    computed = {t for t in REGISTRY if not t.startswith("nba_raw.")}
    assert set(pre_game_tables()) == computed - set(KNOWN_AFTER)


def test_the_same_seed_draws_the_same_days() -> None:
    days = days_between(date(2024, 1, 1), date(2024, 3, 1))
    assert sample(days, 5, 1) == sample(days, 5, 1) != sample(days, 5, 2)
    assert sample(days, 500) == days


# --- altered rows and planted leaks -----------------------------------------------------------------------------------


def test_a_cell_that_was_altered_is_named(home: Home) -> None:
    alter(home, f"UPDATE {CACHE} SET points_avg_season = points_avg_season + 1 WHERE cache_date = DATE '{DAY}'")
    alter(home, f"UPDATE nba_ops.ledger SET content_hash = 'x' WHERE table_id = '{CACHE}' AND day = DATE '{DAY}'")
    (found,) = replayed(home).differences
    assert (found.table, found.day, set(found.cells)) == (CACHE, DAY, {"points_avg_season"})
    assert "points_avg_season differs in" in str(found)


def test_windows_that_end_on_the_day_are_caught(
    home: Home, monkeypatch: pytest.MonkeyPatch, rebuilt: Callable[..., None]
) -> None:
    """`<=` for `<` in the one place that relates history to a day."""
    honest = ibis.range_window

    def inclusive(*, preceding: Any = None, **more: Any) -> Any:
        ends_before = isinstance(preceding, tuple) and preceding[1] == 1
        return honest(preceding=(preceding[0], 0) if ends_before else preceding, **more)

    monkeypatch.setattr(asof.ibis, "range_window", inclusive)
    rebuilt()
    for table in (CONTEXT, CACHE, SHOT_ZONES, DEFENSE_ZONES, FEATURES):
        assert caught(home, table) == {table}


def test_players_listed_from_the_box_score_are_caught(home: Home, rebuilt: Callable[..., None]) -> None:
    def build(**inputs: Any) -> Any:
        played = inputs.pop("played")
        return player_context.build(**inputs).semi_join(played, ["game_date", "player_id"])

    build.__signature__ = _with(player_context.build, "played")  # pyright: ignore[reportFunctionMemberAccess]
    reads = dict(REGISTRY[CONTEXT].reads) | {"played": asof.same_day(PLAYER_GAME_SUMMARY)}
    rebuilt(**{CONTEXT: {"build": build, "reads": reads}})
    assert publish_again(home, CONTEXT) == {}
    found = {d.table: d for d in replayed(home).differences}
    assert found[CONTEXT].only_published > 0


LATE_QUOTE = f"""INSERT INTO nba_raw.player_prop_lines BY NAME
    SELECT q.* REPLACE (q.line + 9 AS line, 'late' AS bookmaker, s.cutoff_at + INTERVAL 30 SECOND AS captured_at,
        NULL AS last_seen_at) FROM nba_raw.player_prop_lines AS q JOIN nba_raw.schedule AS s USING (game_id)
    WHERE q.game_date = DATE '{DAY}' AND q.market = 'points' AND q.line_kind = 'main'
    QUALIFY row_number() OVER (PARTITION BY q.player_lookup ORDER BY q.bookmaker) = 1"""
LATE_REPORT = f"""INSERT INTO nba_raw.injury_reports BY NAME
    SELECT DATE '{DAY}' AS report_date, player_id, player_name, player_lookup, TIMESTAMPTZ '{DAY} 23:59:00+00' + INTERVAL 12 HOUR
        AS reported_at, 'status_snapshot' AS record_type, 'Out' AS status, team, game_id, 'late' AS reason, 'x' AS source,
        '0000000000000000' AS data_hash, now() AS computed_at
    FROM {CONTEXT} WHERE game_date = DATE '{DAY}' AND injury_status IS NULL"""


def any_time(captured_at: Any, cutoff_at: Any) -> Any:
    return captured_at.notnull() & cutoff_at.notnull()


def by_the_day(reported_at: Any, report_date: Any, game_date: Any, cutoff_at: Any) -> Any:
    """The day of the statement is not after the day of the game."""
    del reported_at, cutoff_at
    return report_date <= game_date


@pytest.mark.parametrize(
    ("late", "gate", "leak"),
    [(LATE_QUOTE, "captured_in_time", any_time), (LATE_REPORT, "reported_in_time", by_the_day)],
)
def test_what_was_known_only_after_the_cut_off_is_caught_where_it_is_let_in(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    rebuilt: Callable[..., None],
    late: str,
    gate: str,
    leak: Callable[..., Any],
) -> None:
    alter(home, late)
    assert caught(home, CONTEXT) == set(), "while the gate is closed, what came late changes nothing"
    for module in _users_of(gate):
        monkeypatch.setattr(module, gate, leak)
    rebuilt()
    assert caught(home, CONTEXT) == {CONTEXT}


def _users_of(gate: str) -> list[Any]:
    return [m for n, m in sys.modules.items() if n.startswith("nba_pipeline.") and hasattr(m, gate)]


def _with(function: Any, parameter: str) -> Any:
    own = signature(function)
    return own.replace(parameters=[*own.parameters.values(), Parameter(parameter, Parameter.POSITIONAL_OR_KEYWORD)])
