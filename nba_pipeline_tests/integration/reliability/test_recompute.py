"""Tables follow from the landing files by the definitions of their columns, and a changed constant in one is reported."""

from pathlib import Path

import duckdb
import pytest

from nba_pipeline_tests.support.homes import FIRST, LAST, Home
from tools.recompute import RECOMPUTED
from tools.recompute.comparison import Comparison
from tools.recompute.run import recomputed

# Two weeks of a season are too short for forecasts, and so for prices and grades: `unit/tools/test_recompute_prices.py` has them
# on rows made by hand, the harness those of a season.
NO_ROWS = {f"nba_predictions.{name}" for name in ("prop_prices", "calls", "call_grades")} | {
    "nba_predictions.prediction_accuracy",
    "nba_predictions.system_daily_performance",
}
# What a wrong constant in the code of a table would publish.
FAULTS = {
    "player_game_summary": ("efg_pct", "(fg_makes + 0.4 * three_pt_makes) / nullif(fg_attempts, 0)"),
    "team_offense_game_summary": ("pace", "possessions * 40 / (minutes / 5)"),
    "player_daily_cache": ("points_avg_last_5", "points_avg_season"),
    "team_defense_zone_analysis": ("opponent_pace", "opponent_pace * 1.0001"),
    "upcoming_player_game_context": ("current_points_line", "current_points_line + 0.5"),
    "upcoming_team_game_context": ("travel_miles", "travel_miles * 1.01"),
    "ml_feature_store_v2": ("points_ewma", "points_avg_season"),
    "player_prop_predictions": ("prior_games", "prior_games + 1"),
}


def again(home: Home, *tables: str) -> list[Comparison]:
    landing = next((home.path / "simulator").rglob("schedule.parquet")).parent
    return recomputed(home.path, landing, FIRST, LAST, tables or RECOMPUTED)


def test_every_cell_follows_from_the_landing_files(finished_home: Home) -> None:
    found = again(finished_home)
    assert {c.table: c.differences for c in found} == {c.table: () for c in found}
    assert {c.table for c in found if not c.cells} <= NO_ROWS


@pytest.mark.parametrize("table", FAULTS)
def test_a_changed_constant_is_reported_with_its_column_and_an_example(home: Home, table: str) -> None:
    column, wrong = FAULTS[table]
    (before,) = again(home, table)
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE {before.table} SET {column} = {wrong}")
    (after,) = again(home, table)
    assert [d.column for d in after.differences] == [column]
    assert column in after.differences[0].examples[0]


def test_a_row_of_the_home_that_has_no_ground_is_reported(home: Home) -> None:
    (before,) = again(home, "team_defense_game_summary")
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE {before.table} SET defending_team = 'ABC' WHERE defending_team = 'BOS'")
    (after,) = again(home, "team_defense_game_summary")
    assert {(d.column, d.examples[0].split(": ")[1]) for d in after.differences} == {
        ("(rows)", "published only"),
        ("(rows)", "recomputed only"),
    }


def test_a_home_is_not_needed_to_say_which_file_is_absent(finished_home: Home, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no feed"):
        recomputed(finished_home.path, tmp_path, FIRST, LAST, ["team_offense_game_summary"])
