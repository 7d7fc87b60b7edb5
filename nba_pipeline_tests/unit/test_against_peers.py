"""The comparison with other tools gives all of them the same work."""

from datetime import date

import pytest

from benchmarks.against_peers import OURS, Cost, extrapolated, lines
from benchmarks.peer_projects import model
from benchmarks.peer_tables import FORM, TRANSFORMS, specification
from nba_pipeline.tables.predictions.form_features import FORM_FEATURES

FACTS, CACHE = "nba_analytics.player_game_summary", "nba_precompute.player_daily_cache"


@pytest.fixture(scope="module")
def cache() -> dict:
    return specification(TRANSFORMS[1], date(2023, 10, 24), date(2024, 6, 17))


def test_days_that_were_not_measured_cost_the_mean_of_those_that_were() -> None:
    assert extrapolated([Cost(2.0, 1.0, 100.0), Cost(4.0, 2.0, 300.0)], 10) == Cost(30.0, 15.0, 300.0)


def test_every_tool_stands_beside_our_first_run() -> None:
    head, ours, other = lines({OURS: Cost(10.0, 5.0, 200.0), "other": Cost(25.0, 20.0, 100.0)}, 714)
    assert head.split()[-2:] == ["wall/ours", "CPU/ours"]
    assert ours.split()[-2:] == ["1.00", "1.00"]
    assert other.split() == ["other", "25.0", "20.0", "100", "714", "2.50", "4.00"]


def test_the_window_of_a_season_reaches_from_the_last_day_to_its_august(cache: dict) -> None:
    back = {name: read["days_back"] for name, read in cache["inputs"].items()}
    assert back == {"context": 0, "games": 321, "offense": 321, "zones": 0}


def test_a_model_reads_the_days_themselves_or_only_those_before(cache: dict) -> None:
    text = model(cache, [FACTS, CACHE])
    assert "FROM nba_analytics.upcoming_player_game_context WHERE game_date >= CAST(@start_date AS DATE) - 0" in text
    assert "game_date <= @end_date" in text
    assert "CAST(@start_date AS DATE) - 321 AND game_date < @end_date" in text


def test_a_model_reads_computed_facts_of_the_range_beside_those_stored_before_it(cache: dict) -> None:
    text = model(cache, [FACTS, CACHE])
    assert f"FROM {FACTS} WHERE" in text and "UNION ALL SELECT" in text
    assert "FROM peer.player_game_summary WHERE" in text
    assert "FROM peer.team_offense_game_summary" not in text


def test_a_model_audits_required_columns_grain_and_ranges(cache: dict) -> None:
    text = model(cache, [FACTS, CACHE])
    assert "not_null(columns := (cache_date, player_id, player_name" in text
    assert "unique_combination_of_columns(columns := (cache_date, player_id))" in text
    assert "points_avg_last_5 >= 0, points_avg_last_5 <= 100" in text


def test_the_table_of_form_has_every_feature_of_form() -> None:
    assert set(FORM.computed_columns) == {"game_date", "season", "player_id", *(f.name for f in FORM_FEATURES)}
