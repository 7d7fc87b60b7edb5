"""A replay in the run that published the day computes only what that run has not computed from the same inputs."""

from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import pytest

from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification import replay as module
from nba_pipeline.verification.replay import CONTEXT, replay, replay_early
from nba_pipeline_tests.support.homes import Home
from tools.reliability.leaks import KINDS

pytestmark = pytest.mark.integration
DAY = date(2021, 10, 28)
CACHE = "nba_precompute.player_daily_cache"


def a_run(home: Home, run_id: str) -> RunContext:
    settings = home.settings
    plans = stored_plans(settings.cache)
    return RunContext(run_id, datetime.now(UTC), artifacts=settings.open_artifacts(), plans=plans)


def published(home: Home, run_id: str, table: str = CACHE) -> None:
    """Publish a table of the day in a run."""
    done = publish(CATALOG[table], [DAY], home.warehouse, home.settings.open_source(), SLATE, a_run(home, run_id))
    assert not done.refused, done.refused[0].reason


def replayed(home: Home, run_id: str, patch: pytest.MonkeyPatch, table: str = CACHE) -> tuple[str, list[str]]:
    """The differences of a table in words, and the tables that the replay of a run computed."""
    again, honest = list[str](), module._made_of
    patch.setattr(module, "_made_of", lambda *given: again.append(given[1].table.id) or honest(*given))
    found = replay(DAY, home.warehouse, home.settings.open_source(), SLATE, a_run(home, run_id), only=[table])
    assert (found.tables, found.cells > 0) == (1, True)
    return "; ".join(map(str, found.differences)), again


def test_what_the_run_computed_from_the_same_inputs_is_not_computed_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(home, "one")
    differences, again = replayed(home, "one", monkeypatch)
    assert differences == ""
    assert CACHE not in again


def test_another_run_computes_it_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    published(home, "one")
    differences, again = replayed(home, "other", monkeypatch)
    assert differences == ""
    assert CACHE in again


@pytest.mark.guard
def test_a_leak_of_the_run_itself_is_found_in_that_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    leaking = replace(KINDS["the day's result joined in"][0](monkeypatch, CATALOG[CACHE]), definition_check=None)
    monkeypatch.setitem(CATALOG, CACHE, leaking)  # pyright: ignore[reportArgumentType, reportCallIssue]
    published(home, "one")
    differences, again = replayed(home, "one", monkeypatch)
    assert differences.startswith(f"{CACHE} {DAY}: ")
    assert CACHE in again


@pytest.mark.guard
def test_published_content_that_is_not_of_the_run_is_computed_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(home, "one")
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE nba_ops.ledger SET content_hash = 'x' WHERE table_id = '{CACHE}' AND day = DATE '{DAY}'")
    assert CACHE in replayed(home, "one", monkeypatch)[1]


# --- computed again before its check ----------------------------------------------------------------------------------


@pytest.fixture
def leaking(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose player context was published in the run `one` from the day's results, too."""
    leak = replace(KINDS["the day's result joined in"][0](monkeypatch, CATALOG[CONTEXT]), definition_check=None)
    monkeypatch.setitem(CATALOG, CONTEXT, leak)  # pyright: ignore[reportArgumentType, reportCallIssue]
    published(home, "one", CONTEXT)
    return home


def early(home: Home, run_id: str) -> None:
    replay_early(DAY, home.warehouse, home.settings.open_source(), SLATE, a_run(home, run_id))


@pytest.mark.guard
def test_a_leak_is_found_by_what_was_computed_again_before_the_check(
    leaking: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    early(leaking, "one")
    differences, again = replayed(leaking, "one", monkeypatch, CONTEXT)
    assert differences.startswith(f"{CONTEXT} {DAY}: ")
    assert again == []


def test_what_was_computed_again_from_other_rows_than_are_published_now_does_not_count(
    leaking: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    early(leaking, "one")
    with duckdb.connect(str(leaking.settings.database)) as db:
        db.execute(
            f"UPDATE nba_analytics.player_game_summary SET minutes_played = minutes_played + 1 WHERE game_date < DATE '{DAY}'"
        )
    assert replayed(leaking, "one", monkeypatch, CONTEXT)[1] == [CONTEXT]


def test_what_another_run_computed_again_does_not_count(leaking: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    early(leaking, "one")
    assert replayed(leaking, "other", monkeypatch, CONTEXT)[1] == [CONTEXT]


def test_nothing_is_computed_early_where_the_run_read_no_more_than_was_known(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_made_of", lambda *_: pytest.fail("it stands"))
    early(home, "no run of this process")
