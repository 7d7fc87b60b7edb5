"""Whoever entered the court has a fact and a decided bet, however his source rounds minutes; whoever did not is void."""

from typing import Any

import pandas as pd

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.grading.prediction_accuracy import grade
from nba_pipeline.tables.raw.columns import LANDING_COUNTS
from nba_pipeline_tests import support

Row = dict[str, Any]
SUMMARY, ACCURACY = CATALOG["nba_analytics.player_game_summary"], CATALOG["nba_predictions.prediction_accuracy"]
DAY, GAME_ID = "2024-10-22", "0022400001"
NOTHING = dict.fromkeys(LANDING_COUNTS, 0)
PLACE: Row = {"game_id": GAME_ID, "game_date": DAY, "team": "BOS", "opponent": "NYK", "is_home": True}
GAME: Row = {
    "game_id": GAME_ID,
    "game_date": DAY,
    "season": "2024-25",
    "season_type": "Regular Season",
    "countable": True,
    "home_team": "BOS",
    "away_team": "NYK",
    "tip_off": "2024-10-22 23:30",
    "cutoff_at": "2024-10-22 23:29",
    "status": "final",
    "home_points": 100,
    "away_points": 90,
    "neutral_site": False,
}
TEAM = PLACE | {"overtime_periods": 0, "minutes": 240, "summed_from_players": False} | NOTHING
FOULED, REGULAR, EXACT, FREE_THROWS, STOOD, NEVER_IN, ABSENT = range(1, 8)


def line(who: int, minutes: float, *, exact: bool = False, **more: Any) -> Row:
    person = {"player_id": who, "player_name": f"P{who} X", "starter": False, "plus_minus": 0}
    return PLACE | person | {"minutes": minutes, "minutes_are_exact": exact} | NOTHING | more


PLAYERS = [
    line(FOULED, 0.0, personal_fouls=1),
    line(REGULAR, 30.0, points=10, fg_makes=5, fg_attempts=9),
    line(EXACT, 0.2, exact=True),
    line(FREE_THROWS, 0.0, points=2, ft_makes=2, ft_attempts=2),
    line(STOOD, 0.0, plus_minus=-3),
    line(NEVER_IN, 0.0),
]


def facts() -> pd.DataFrame:
    team = TEAM | {"points": 100, "fg_attempts": 80, "fg_makes": 40}
    return support.run(SUMMARY, [DAY], players=PLAYERS, teams=[team], schedule=[GAME])


def forecast(who: int) -> Row:
    known = {k: GAME[k] for k in ("game_date", "game_id", "season", "season_type")}
    quantiles = {"q10": 1.0, "q25": 3.0, "q50": 5.0, "q75": 7.0, "q90": 9.0}
    call = {"line": 8.5, "line_source": "actual", "p_over": 0.2, "p_push": 0.0, "recommendation": "UNDER"}
    return (
        known
        | quantiles
        | call
        | {"player_id": who, "market": "points", "system_id": "last_5", "model_version": "1", "team": "BOS"}
        | {"opponent": "NYK", "prior_games": 5, "season_average": 10.0, "predicted_mean": 5.0, "predicted_sd": 3.0}
        | {"confidence": 0.8, "as_of": "2024-10-22 20:00", "best_over_odds": -110.0, "best_under_odds": -110.0}
    )


def test_everybody_who_entered_the_court_has_a_fact_and_his_minutes_stay_what_the_source_says() -> None:
    found = facts().set_index("player_id")
    assert found.minutes_played.to_dict() == {FOULED: 0.0, REGULAR: 30.0, EXACT: 0.2, FREE_THROWS: 0.0, STOOD: 0.0}
    assert found.points.to_dict() == {FOULED: 0, REGULAR: 10, EXACT: 0, FREE_THROWS: 2, STOOD: 0}
    assert found.usage_rate.notna().to_dict() == {i: i == REGULAR for i in found.index}


def test_a_fact_is_expected_of_everybody_who_entered_the_court() -> None:
    asked = support.expected_rows(SUMMARY, players=PLAYERS, schedule=[GAME])
    assert {r["player_id"] for r in asked} == {FOULED, REGULAR, EXACT, FREE_THROWS, STOOD}


def test_a_bet_is_decided_for_who_entered_the_court_and_void_for_who_did_not() -> None:
    forecasts = [forecast(i) for i in (FOULED, REGULAR, EXACT, FREE_THROWS, STOOD, NEVER_IN, ABSENT)]
    inputs = {"predictions": forecasts, "facts": facts().to_dict("records"), "schedule": [GAME]}
    joined = support._execute(ACCURACY, inputs, support._statement(ACCURACY))
    graded = grade(joined).to_pandas().set_index("player_id")
    assert graded.outcome.to_dict() == {
        FOULED: "win",
        REGULAR: "loss",
        EXACT: "win",
        FREE_THROWS: "win",
        STOOD: "win",
        NEVER_IN: "void",
        ABSENT: "void",
    }
    assert graded.profit.loc[FREE_THROWS] > 0
    assert graded.profit.loc[[NEVER_IN, ABSENT]].isna().all()
