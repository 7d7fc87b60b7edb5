"""Edges of the matchup: 0 against the league's mean, positive against a weaker defence, unknown where a side is."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.matchup_features import MATCHUP_FEATURES, POINTS_PER_MAKE, matchup_features
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline_tests.support import day, rows_of

TRANSFORM = CATALOG[ML_FEATURE_STORE.id]
INPUTS = ("context", "games", "cache", "zones", "defense", "defense_games")
EXPRESSION = matchup_features(*(TRANSFORM.unbound[n] for n in INPUTS))
DAY = day("2024-01-10")
Row = dict[str, Any]
SEASON = {"season": "2023-24"}

LISTED: Row = SEASON | {"game_date": DAY, "player_id": 7, "opponent": "LAL"}
ZONES: Row = {
    "analysis_date": DAY,
    "player_id": 7,
    "games_in_sample_10": 10,
    "paint_attempts_per_game": 6.0,
    "mid_range_attempts_per_game": 2.0,
    "three_pt_attempts_per_game": 5.0,
    "paint_pct_last_10": 0.70,
    "mid_range_pct_last_10": 0.45,
    "three_pt_pct_last_10": 0.30,
}
LEAGUE: Row = SEASON | {
    "analysis_date": DAY,
    "paint_attempts_allowed_per_game": 40.0,
    "mid_range_attempts_allowed_per_game": 15.0,
    "three_pt_attempts_allowed_per_game": 35.0,
    "paint_league_pct": 0.60,
    "mid_range_league_pct": 0.42,
    "three_pt_league_pct": 0.36,
    "paint_defense_vs_league_avg": 0.0,
    "mid_range_defense_vs_league_avg": 0.0,
    "three_pt_defense_vs_league_avg": 0.0,
    "opponent_pace": 100.0,
}
TEAMS = ("LAL", "BOS", "DEN", "MIA")


def own_games(ft_makes: int = 4) -> list[Row]:
    return [SEASON | {"player_id": 7, "game_date": DAY - timedelta(days=n), "ft_makes": ft_makes} for n in range(1, 11)]


def allowed_free_throws(lakers: int = 18, others: int = 18) -> list[Row]:
    return [
        SEASON
        | {"defending_team": t, "game_date": DAY - timedelta(days=n), "opp_ft_makes": lakers if t == "LAL" else others}
        for t in TEAMS
        for n in range(1, 8)
    ]


def edges(opponent: Row | None = None, /, **more: Any) -> Row:
    """The features of one player against the Lakers, whose defence differs from an even league by `opponent`."""
    rows = {
        "context": [LISTED],
        "games": own_games(),
        "cache": [{"cache_date": DAY, "player_id": 7, "team_pace_last_10": 100.0}],
        "zones": [ZONES],
        "defense": [LEAGUE | {"team": t} | (opponent or {} if t == "LAL" else {}) for t in TEAMS],
        "defense_games": allowed_free_throws(),
    }
    (found,) = rows_of(TRANSFORM, EXPRESSION, **rows | more)
    return found


def test_against_the_leagues_mean_every_edge_is_zero() -> None:
    found = edges()
    assert {f.name: found[f.name] for f in MATCHUP_FEATURES} == pytest.approx(
        {f.name: 0.0 for f in MATCHUP_FEATURES}, abs=1e-9
    )


def test_the_accuracy_edge_is_attempts_times_points_times_what_is_allowed_beyond_the_league() -> None:
    assert edges({"paint_defense_vs_league_avg": 5.0})["paint_accuracy_edge"] == pytest.approx(6 * 2 * 0.05)
    assert edges({"three_pt_defense_vs_league_avg": -2.0})["three_pt_accuracy_edge"] == pytest.approx(-5 * 3 * 0.02)


def test_the_volume_edge_is_what_his_shots_are_worth_times_the_share_allowed_beyond_the_mean() -> None:
    found = edges({"paint_attempts_allowed_per_game": 48.0})
    balanced = (60 * 0.70 + 100 * 0.60) / 160
    assert found["paint_volume_edge"] == pytest.approx(2 * 6 * balanced * (48 / 42 - 1))


def test_a_zone_where_he_never_shoots_has_an_edge_of_zero() -> None:
    none = ZONES | {"mid_range_attempts_per_game": 0.0, "mid_range_pct_last_10": None}
    found = edges({"mid_range_attempts_allowed_per_game": 30.0, "mid_range_defense_vs_league_avg": 9.0}, zones=[none])
    assert (found["mid_range_volume_edge"], found["mid_range_accuracy_edge"]) == (0, 0)


def test_free_throws_are_held_against_the_mean_of_all_teams() -> None:
    found = edges(defense_games=allowed_free_throws(lakers=24, others=16))
    assert found["free_throw_edge"] == pytest.approx(4 * (24 / 18 - 1))


def test_pace_is_the_opponents_beyond_the_leagues_against_his_own_teams() -> None:
    cache = [{"cache_date": DAY, "player_id": 7, "team_pace_last_10": 98.0}]
    assert edges({"opponent_pace": 104.0}, cache=cache)["pace_edge"] == pytest.approx((104 - 101) / 98)


@settings(max_examples=12, deadline=None)
@given(
    zone=st.sampled_from(list(POINTS_PER_MAKE)),
    attempts=st.tuples(st.integers(5, 60), st.integers(5, 60)),
    versus=st.tuples(st.integers(-15, 15), st.integers(-15, 15)),
)
def test_a_weaker_defence_never_has_a_lower_edge(zone: str, attempts: tuple[int, int], versus: tuple[int, int]) -> None:
    def both(tries: int, beyond: int) -> tuple[float, float]:
        found = edges(
            {f"{zone}_attempts_allowed_per_game": float(tries), f"{zone}_defense_vs_league_avg": float(beyond)}
        )
        return found[f"{zone}_volume_edge"], found[f"{zone}_accuracy_edge"]

    strong, weak = (both(a, v) for a, v in zip(sorted(attempts), sorted(versus), strict=True))
    assert strong[0] <= weak[0]
    assert strong[1] <= weak[1]


@pytest.mark.parametrize("missing", ["zones", "defense"])
def test_an_edge_is_unknown_where_a_side_is(missing: str) -> None:
    found = edges(**{missing: []})
    assert {found[f"{z}_{e}_edge"] for z in POINTS_PER_MAKE for e in ("volume", "accuracy")} == {None}


def test_a_player_with_few_games_or_a_team_with_few_has_no_free_throw_edge() -> None:
    assert edges(games=own_games()[:4])["free_throw_edge"] is None
    assert (
        edges(defense_games=[r for r in allowed_free_throws() if r["game_date"] > DAY - timedelta(days=5)])[
            "free_throw_edge"
        ]
        is None
    )


def test_absurd_facts_from_the_day_on_change_nothing() -> None:
    later = [g | {"game_date": DAY + timedelta(days=n), "ft_makes": 99} for n, g in enumerate(own_games())]
    lost = [g | {"game_date": DAY, "opp_ft_makes": 99} for g in allowed_free_throws()[::7]]
    absurd = edges(games=own_games() + later, defense_games=allowed_free_throws() + lost)
    assert absurd == edges()
