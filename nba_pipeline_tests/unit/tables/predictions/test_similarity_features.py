"""Similar games: circumstances as they stood before each game, weights by likeness, and nothing from the day or later."""

from datetime import date, timedelta
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.similarity_features import (
    CLOSENESS,
    SIMILARITY_FEATURES,
    UNKNOWN,
    at_home,
    circumstances,
    defense_facts,
    similarity_features,
)
from nba_pipeline_tests.support import day, rows_of

TRANSFORM = CATALOG[ML_FEATURE_STORE.id]
CONTEXT, GAMES, DEFENSE = (TRANSFORM.unbound[n] for n in ("context", "games", "defense_games"))
FEATURES = similarity_features(
    CONTEXT, GAMES, DEFENSE, TRANSFORM.unbound["team_context"], TRANSFORM.unbound["season_games"]
)
COLUMNS = ("game_date", "season", "player_id", "opponent", "at_home")
DEFENSES = defense_facts(DEFENSE)
STOOD = circumstances(
    GAMES.mutate(at_home=at_home(GAMES.home_game, ibis.null("boolean"))).select(*COLUMNS), GAMES, DEFENSES
)
DAY = day("2024-01-10")
SEASON = {"season": "2023-24"}
Row = dict[str, Any]


def game(ago: int, points: int = 20, *, home: bool = True, opponent: str = "LAL", **more: Any) -> Row:
    counts = {"points": points, "rebounds": 5, "assists": 4, "three_pt_makes": 2}
    when = {"game_date": DAY - timedelta(days=ago), "player_id": 7, "opponent": opponent, "home_game": home}
    return SEASON | counts | when | more


def listed(*, home: bool = True, opponent: str = "LAL", **more: Any) -> Row:
    return SEASON | {"game_date": DAY, "player_id": 7, "opponent": opponent, "home_game": home} | more


def ratings(**of: float) -> list[Row]:
    """Games of every defence with its rating, one on each of the 30 days before the day."""
    return [
        SEASON
        | {"defending_team": t, "game_date": DAY - timedelta(days=n), "points_allowed": 100, "defensive_rating": r}
        for t, r in of.items()
        for n in range(1, 31)
    ]


def similar(
    games: list[Row], context: list[Row] | None = None, defense: list[Row] | None = None, **more: list[Row]
) -> Row | None:
    inputs = {"context": context or [listed()], "games": games, "defense_games": defense or []} | more
    found = rows_of(TRANSFORM, FEATURES, **inputs)
    assert len(found) <= 1
    return found[0] if found else None


def stood(games: list[Row], on: date, defense: list[Row] | None = None) -> Row:
    found = rows_of(TRANSFORM, STOOD, games=games, defense_games=defense or [])
    return next(r for r in found if r["game_date"] == on)


# --- circumstances ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "rest"), [(1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_rest_is_the_free_days_before_the_game_up_to_three(gap: int, rest: int) -> None:
    assert stood([game(0), game(gap)], DAY)["rest"] == rest


def test_rest_of_the_first_game_of_a_season_is_unknown() -> None:
    assert stood([game(0), game(5, season="2022-23")], DAY)["rest"] is None


@pytest.mark.parametrize(("rating", "tier"), [(105.0, -1), (113.0, 0), (121.0, 1)])
def test_a_defence_is_held_against_the_league_of_the_time(rating: float, tier: int) -> None:
    assert stood([game(0)], DAY, ratings(LAL=rating, BOS=113.0, DEN=113.0, MIA=226.0 - rating))["defence_tier"] == tier


def test_a_past_opponent_is_what_it_was_before_that_game_not_what_it_became() -> None:
    then = DAY - timedelta(days=10)
    before = [r for r in ratings(LAL=120.0, BOS=110.0) if r["game_date"] < then]
    since = [r for r in ratings(LAL=95.0, BOS=115.0) if r["game_date"] >= then]
    games = [game(10), game(0)]
    assert stood(games, then, before + since)["defence_tier"] == 1
    assert stood(games, DAY, before + since)["defence_tier"] == -1


@pytest.mark.parametrize(("recent", "form"), [(30, 1), (20, 0), (10, -1)])
def test_form_is_the_last_five_against_the_season(recent: int, form: int) -> None:
    season = [game(n, 20 + (2 if n % 2 else -2)) for n in range(6, 26)]
    assert stood([game(0), *season, *(game(n, recent) for n in range(1, 6))], DAY)["form"] == form


def test_what_happened_in_a_game_is_no_circumstance_of_it() -> None:
    past = [game(n, 20 + n % 3) for n in range(1, 12)]
    assert stood([game(0, 0), *past], DAY) == stood([game(0, 99), *past], DAY)


# --- likeness ---------------------------------------------------------------------------------------------------------


def test_a_game_of_the_same_venue_counts_more() -> None:
    found = similar([game(5, 30, home=True), game(3, 10, home=False)], [listed(home=True)])
    assert found is not None
    assert found["similar_points"] > 20


@pytest.mark.parametrize(
    ("tonight", "then", "likeness"),
    [(False, False, CLOSENESS["venue"][0]), (True, True, CLOSENESS["venue"][0]), (True, False, CLOSENESS["venue"][1])],
)
def test_a_neutral_site_is_one_step_from_home_and_from_away(tonight: bool, then: bool, likeness: float) -> None:
    site = {"game_date": DAY, "team": "BOS", "neutral_site": tonight}
    past = {"game_date": DAY - timedelta(days=2), "game_id": "0022300001", "neutral_site": then}
    for home in (True, False):
        played = game(2, game_id="0022300001", home=home)
        found = similar([played], [listed(team="BOS", home=home)], team_context=[site], season_games=[past])
        assert found is not None
        assert found["similar_games_weight"] == pytest.approx(UNKNOWN**3 * likeness, abs=1e-6)


def test_a_game_against_a_defence_of_the_same_tier_counts_more() -> None:
    defense = ratings(LAL=120.0, BOS=104.0, DEN=112.0, MIA=112.0)
    games = [game(4, 30, opponent="LAL"), game(2, 10, opponent="BOS")]
    weak, strong = (similar(games, [listed(opponent=o)], defense) for o in ("LAL", "BOS"))
    assert weak is not None
    assert strong is not None
    assert weak["similar_points"] > 20 > strong["similar_points"]


def test_the_weight_of_one_game_is_the_product_of_its_likenesses() -> None:
    found = similar([game(2)], [listed(home=False)])
    assert found is not None
    unknown_tier_rest_and_form = UNKNOWN**3
    assert found["similar_games_weight"] == pytest.approx(unknown_tier_rest_and_form * CLOSENESS["venue"][1], abs=1e-6)
    assert found["similar_pra"] == 29


def test_likeness_never_rises_with_distance_and_the_unknown_lies_between() -> None:
    for same, near, far in CLOSENESS.values():
        assert 1 == same >= near >= far > 0
        assert far <= UNKNOWN + 0.11 <= same


@pytest.mark.parametrize("market", MARKETS)
def test_the_mean_lies_between_the_lowest_and_the_highest_game(market: str) -> None:
    games = [game(n, 10 + n, rebounds=n, assists=2 * n, three_pt_makes=n % 4) for n in range(1, 9)]
    found = similar(games)
    assert found is not None
    counted = [sum(g[c] for c in MARKETS[market].counts) for g in games]
    assert min(counted) < found[f"similar_{market}"] < max(counted)


def test_only_the_latest_forty_games_count_and_only_of_the_season() -> None:
    season = [game(n, 20) for n in range(1, 41)]
    older = [game(n, 99) for n in range(41, 60)]
    found = similar(season + older)
    assert found is not None
    assert found["similar_points"] == 20
    assert similar([*season, game(61, 99, season="2022-23")]) == similar(season)


def test_a_player_without_an_earlier_game_has_no_row() -> None:
    assert similar([]) is None


# --- strictly before --------------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 60), st.booleans()), unique_by=lambda g: g[0], max_size=12)
)
def test_games_on_or_after_the_day_change_nothing(past: list[tuple[int, int, bool]]) -> None:
    games = [game(ago, points, home=home) for ago, points, home in past]
    defense = ratings(LAL=120.0, BOS=110.0)
    later = [game(-n, 99) for n in range(4)]
    lost = [SEASON | {"defending_team": "LAL", "game_date": DAY, "points_allowed": 100, "defensive_rating": 199.0}]
    assert similar(games + later, defense=defense + lost) == similar(games, defense=defense)


def test_the_features_are_those_of_the_registry() -> None:
    assert FEATURES.columns == ("game_date", "player_id", *(f.name for f in SIMILARITY_FEATURES))
