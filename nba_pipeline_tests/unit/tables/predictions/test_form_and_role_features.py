"""Version 2 of the features: form in every market, role in the team, the game; and that the future does not reach them."""

from datetime import date, timedelta
from functools import cache
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.table import HASH_COLUMN
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.features import BASELINE_25
from nba_pipeline.tables.predictions.form_features import LEAGUE_MINUTES, YEAR_GAMES, YEAR_MINUTES
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.play_chance import CHANCE_OPENING, PRIOR
from nba_pipeline.tables.predictions.role_features import PLAYABLE, with_minutes_expected
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES, V2
from nba_pipeline_tests.support import day, run

TRANSFORM = CATALOG[ML_FEATURE_STORE.id]
DAY = day("2024-01-10")
SEASON = "2023-24"
ADDED = [n for n in V2.names if n not in BASELINE_25.names]
Row = dict[str, Any]


def listed(player: int = 7, **more: Any) -> Row:
    return {
        "game_date": DAY,
        "season": SEASON,
        "player_id": player,
        "player_name": f"Player {player}",
        "player_lookup": f"player{player}",
        "game_id": "0022300500",
        "season_type": "Regular Season",
        "team": "BOS",
        "opponent": "LAL",
        "home_game": True,
        "games_played_season": 30,
        "days_rest": 1,
        "back_to_back": False,
        "injuries_reported": True,
        "early_season_flag": False,
    } | more


def played(player: int, days_ago: int, minutes: float = 30.0, points: int = 20, **more: Any) -> Row:
    """A player's game, so many days before the day."""
    on = DAY - timedelta(days=days_ago)
    counts = {"rebounds": 6, "assists": 4, "three_pt_makes": 2, "ft_makes": 3, "fg_attempts": 15, "ft_attempts": 4}
    return {
        "game_id": f"00223{(on - date(2023, 1, 1)).days:05d}",
        "game_date": on,
        "season": SEASON,
        "player_id": player,
        "team": "BOS",
        "minutes_played": minutes,
        "points": points,
        "usage_rate": 20.0,
        **counts,
    } | more


def team_game(days_ago: int, team: str = "BOS", opponent: str = "NYK", **more: Any) -> Row:
    on = DAY - timedelta(days=days_ago)
    counts = {"points": 110, "rebounds": 44, "assists": 25, "three_pt_makes": 12, "win_flag": True}
    game_id = f"00223{(on - date(2023, 1, 1)).days:05d}"
    return {"game_id": game_id, "game_date": on, "season": SEASON, "team": team, "opponent": opponent, **counts} | more


def features(*players: Row, games: list[Row], offense: list[Row] | None = None, **more: Any) -> Any:
    """Version 2 of the listed players, by player id. The year's games are the season's unless given apart."""
    season = [g for g in games if g["season"] == SEASON]
    offense = [team_game(n) for n in range(1, 31)] if offense is None else offense
    context = list(players) or [listed()]
    found = run(TRANSFORM, [DAY], context=context, games=season, year=games, offense=offense, **more)
    return found[found.feature_version == V2.name].set_index("player_id")


OFFENSE = [team_game(n) for n in range(1, 31)]


def test_version_2_begins_with_the_25_and_is_what_models_read() -> None:
    assert V2.names[:25] == BASELINE_25.names
    assert len(set(V2.names)) == len(V2.names)
    assert MODEL_FEATURES.names[: len(V2.names)] == V2.names


def test_every_market_has_the_same_features_of_form() -> None:
    forms = [{n.removeprefix(f"{m}_") for n in V2.names if n.startswith(f"{m}_")} for m in MARKETS]
    assert all(f == forms[0] for f in forms)
    assert {"avg_last_5", "avg_last_10", "avg_season", "std_last_10", "ewma", "form", "per_minute"} <= forms[0]


def test_what_only_some_versions_have_may_be_unknown() -> None:
    """Rows of the first version have no value there."""
    assert [f.name for f in V2.features if f.name in ADDED and not f.missing] == []


def test_the_form_of_points_is_the_same_in_both_places() -> None:
    """points_avg_last_10 of version 2 is the column of the cache, that of the other markets is computed as it is there."""
    cache = {"cache_date": DAY, "player_id": 7, "games_played_season": 12, "points_avg_last_10": 20.0}
    found = features(games=[played(7, n) for n in range(1, 13)], cache=[cache]).loc[7]
    assert found.points_avg_last_10 == 20
    assert found.rebounds_avg_last_10 == 6
    assert found.threes_avg_last_10 == 2
    assert found.pra_avg_last_10 == 30


def test_form_is_known_on_opening_night_from_the_season_before() -> None:
    last_season = [played(7, n, points=18, season="2022-23") for n in range(250, 260)]
    found = features(listed(games_played_season=0, days_rest=None), games=last_season, offense=[]).loc[7]
    assert found.points_form == 18
    assert found.minutes_form == 30
    assert found.points_per_minute == found.points_per_minute_year == pytest.approx(18 / 30)
    assert pd.isna(found.points_ewma)
    assert pd.isna(found.minutes_last_game)


def test_few_games_of_the_season_are_balanced_with_the_years() -> None:
    last_season = [played(7, n, points=10, season="2022-23") for n in range(250, 258)]
    found = features(games=[played(7, 2, points=28), *last_season]).loc[7]
    year = (8 * 10 + 28) / 9
    assert found.points_form == pytest.approx((28 + YEAR_GAMES * year) / (1 + YEAR_GAMES), abs=1e-4)


def test_the_rate_of_a_player_seen_for_a_minute_is_nearly_the_leagues() -> None:
    others = [played(n, 3, minutes=36, points=18) for n in range(20, 40)]
    found = features(games=[played(7, 2, minutes=1, points=3), *others]).loc[7]
    league = (20 * 18 + 3) / (20 * 36 + 1)
    year = (3 + LEAGUE_MINUTES * league) / (1 + LEAGUE_MINUTES)
    assert found.points_per_minute_year == pytest.approx(year, abs=1e-4)
    assert found.points_per_minute == pytest.approx((3 + YEAR_MINUTES * year) / (1 + YEAR_MINUTES), abs=1e-4)


def test_games_of_more_than_a_year_ago_do_not_count() -> None:
    found = features(games=[played(7, 366, season="2022-23")], offense=[]).loc[7]
    assert [n for n in ("points_form", "points_per_minute", "minutes_avg_year") if not pd.isna(found[n])] == []


def test_team_games_missed_counts_the_teams_games_since_his_last() -> None:
    games = [played(7, 5), played(7, 6), played(8, 1)]
    found = features(listed(7), listed(8), games=games)
    assert found.team_games_missed.to_dict() == {7: 4, 8: 0}


def test_games_for_another_team_are_no_attendance() -> None:
    found = features(games=[played(7, 1, team="NYK")]).loc[7]
    assert pd.isna(found.team_games_missed)


def test_appearance_share_is_of_the_last_30_days() -> None:
    found = features(games=[played(7, n) for n in (1, 3, 5, 40)]).loc[7]
    assert found.appearance_share == pytest.approx(3 / 30)


def test_who_did_not_play_in_the_latest_game_leaves_his_minutes_to_the_others() -> None:
    games = [played(7, n, minutes=30.0) for n in range(1, 11)] + [played(8, n, minutes=20.0) for n in range(2, 12)]
    found = features(listed(7), listed(8), games=games)
    there = features(listed(7), listed(8), games=[*games, played(8, 1, minutes=20.0)])
    missed_one = PRIOR["silent/1/high"][0]
    assert found.loc[8].play_chance == missed_one
    assert found.loc[7].minutes_vacated == pytest.approx(20 * 10 / 30 * (1 - missed_one), abs=1e-3)
    assert (found.loc[7].rotation_rank, found.loc[8].rotation_rank) == (1, 2)
    assert there.loc[7].minutes_vacated < found.loc[7].minutes_vacated


def test_a_statement_that_somebody_is_out_counts_though_he_played_last_night() -> None:
    games = [played(p, n, minutes=30.0) for n in range(1, 11) for p in (7, 8)]
    out = {"injury_status": "out", "injury_status_source": "transaction"}
    found = features(listed(7), listed(8, **out), games=games)
    assert found.loc[7].minutes_newly_out == 30
    assert found.loc[8].minutes_newly_out == 0
    assert found.loc[8].play_chance == PRIOR["out/0"][0]
    silent = features(listed(7, injuries_reported=False), listed(8, injuries_reported=False), games=games)
    assert pd.isna(silent.loc[7].minutes_newly_out)


def team_of(minutes: dict[int, float], days_ago: int = 1, season: str = SEASON) -> list[Row]:
    """Ten games of a team, of these players with these minutes."""
    return [played(p, days_ago + n, minutes=m, season=season) for n in range(10) for p, m in minutes.items()]


def shared_out(minutes: list[float], chances: list[float], total: float) -> list[float]:
    """Scale all players' time on the bench together until the others' minutes are the team's: by bisection."""
    low, high = 0.0, 1000.0

    def expected(factor: float) -> list[float]:
        return [PLAYABLE - min(PLAYABLE, factor * (PLAYABLE - min(m, PLAYABLE))) for m in minutes]

    for _ in range(200):
        middle = (low + high) / 2
        used = sum(c * e for c, e in zip(chances, expected(middle), strict=True))
        low, high = (middle, high) if used > total else (low, middle)
    return expected(low)


LISTED = relation(
    {
        "game_date": "date",
        "team": "string",
        "player_id": "int64",
        "play_chance": "float64",
        "minutes_form": "float64",
        "h_team_games": "int64",
    },
    name="listed",
)


@cache
def statement() -> str:
    return ibis.to_sql(with_minutes_expected(LISTED), dialect="duckdb")


def shared_by_query(players: list[tuple[float, float]], team_games: int) -> list[float]:
    """Minutes expected of players with (chance, minutes)."""
    rows = [
        {
            "game_date": DAY,
            "team": "BOS",
            "player_id": n,
            "play_chance": c,
            "minutes_form": m,
            "h_team_games": team_games,
        }
        for n, (c, m) in enumerate(players)
    ]
    with duck.connect() as db:
        db.register("listed", pd.DataFrame(rows))
        found = db.execute(statement()).df().set_index("player_id").sort_index()
    return list(found.minutes_expected)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 99), st.integers(0, 47)), min_size=1, max_size=12),
    st.integers(0, 2),
)
def test_a_teams_minutes_add_up_to_a_game_and_nobody_plays_longer_than_one(
    players: list[tuple[int, int]], team_games: int
) -> None:
    chances, minutes = [c / 100 for c, _ in players], [float(m) for _, m in players]
    found = shared_by_query(list(zip(chances, minutes, strict=True)), team_games)
    usual = sum(c * min(m, PLAYABLE) for c, m in zip(chances, minutes, strict=True))
    total = min(240.0, sum(chances) * PLAYABLE, *([usual] if team_games == 0 else []))
    assert min(found) >= 0
    assert max(found) <= PLAYABLE
    assert found == pytest.approx(shared_out(minutes, chances, total), abs=0.05)
    assert sum(c * e for c, e in zip(chances, found, strict=True)) == pytest.approx(total, abs=0.05)


def test_who_is_reported_out_leaves_his_minutes_to_the_others() -> None:
    games = team_of({p: 24.0 for p in range(10)})
    out = {"injury_status": "out", "injury_status_source": "transaction"}
    found = features(listed(0, **out), *(listed(p) for p in range(1, 10)), games=games)
    chance, absent = PRIOR["silent/0/high"][0], PRIOR["out/0"][0]
    assert found.loc[5].minutes_expected == pytest.approx(240 / (9 * chance + absent), abs=0.01)


def test_on_opening_night_players_keep_the_minutes_of_the_year_before() -> None:
    """The rest of the game is played by players who are not listed yet."""
    last_season = team_of({p: 30.0 for p in range(8)}, days_ago=200, season="2022-23")
    found = features(*(listed(p, games_played_season=0) for p in range(8)), games=last_season, offense=[])
    assert set(found.minutes_expected) == {30.0}
    assert set(found.play_chance) == {CHANCE_OPENING[3]}


def test_many_players_of_the_year_before_share_an_opening_night() -> None:
    last_season = team_of({p: 30.0 for p in range(14)}, days_ago=200, season="2022-23")
    found = features(*(listed(p, games_played_season=0) for p in range(14)), games=last_season, offense=[])
    assert list(found.minutes_expected) == pytest.approx([240 / (14 * CHANCE_OPENING[3])] * 14, abs=0.01)


@pytest.mark.parametrize(("minutes", "place"), [(9.0, 0), (19.0, 1), (27.0, 2), (28.0, 3)])
def test_the_chance_on_opening_night_grows_with_the_minutes_of_the_year_before(minutes: float, place: int) -> None:
    last_season = team_of({7: minutes}, days_ago=200, season="2022-23")
    assert features(listed(), games=last_season, offense=[]).loc[7].play_chance == CHANCE_OPENING[place]


@pytest.mark.parametrize(
    ("status", "source", "age", "last_played", "key"),
    [
        ("out", "transaction", 5, 1, "out/0"),
        ("out", "transaction", 9, 2, "out/1"),
        ("out", "official_report", 0, 2, "reported out/missed"),
        ("out", "official_report", 2, 2, "out/1"),
        ("doubtful", "official_report", 1, 1, "reported doubtful/played"),
        ("questionable", "status_snapshot", 0, 4, "reported questionable/missed"),
        ("questionable", "status_snapshot", 4, 4, "silent/3/high"),
        ("probable", "official_report", 0, 6, "reported probable/missed"),
        ("available", "transaction", 1, 3, "activated/2"),
        ("available", "transaction", 2, 3, "silent/2/high"),
        ("out", "lineups", 0, 1, "lineups out"),
        ("available", "lineups", 0, 6, "lineups available"),
        (None, "official_report", 0, 1, "silent/0/high"),
        (None, None, None, 1, "silent/0/high"),
        (None, None, None, 2, "silent/1/high"),
        (None, None, None, 5, "silent/4-5/high"),
        (None, None, None, 20, "silent/6+"),
    ],
)
def test_the_chance_to_play_follows_from_statement_its_age_and_games_missed(
    status: str | None, source: str | None, age: int | None, last_played: int, key: str
) -> None:
    said = {
        "injury_status": status,
        "injury_status_source": source,
        "injury_reported_on": None if age is None else DAY - timedelta(days=age),
    }
    found = features(listed(**said), games=[played(7, last_played)])
    assert found.loc[7].play_chance == PRIOR[key][0]


@pytest.mark.parametrize(("minutes", "band"), [(9.9, "low"), (10.0, "middle"), (19.9, "middle"), (20.0, "high")])
def test_the_chance_of_who_played_last_time_grows_with_his_minutes(minutes: float, band: str) -> None:
    found = features(games=[played(7, n, minutes=minutes) for n in range(1, 4)])
    assert found.loc[7].play_chance == PRIOR[f"silent/0/{band}"][0]


@pytest.mark.parametrize(("team_games", "place"), [(1, "1-2"), (2, "1-2"), (3, "3+")])
def test_who_has_not_played_for_the_team_yet_has_a_small_chance(team_games: int, place: str) -> None:
    offense = [team_game(n) for n in range(1, team_games + 1)]
    found = features(games=[played(7, 1, team="NYK")], offense=offense)
    assert found.loc[7].play_chance == PRIOR[f"silent/new, {place}"][0]
    assert pd.isna(features(games=[]).loc[7].play_chance)


def past(player: int, days_ago: int, **more: Any) -> Row:
    """A listed player of an earlier day, reported questionable on it."""
    on = DAY - timedelta(days=days_ago)
    said = {"injury_status": "questionable", "injury_status_source": "official_report", "injury_reported_on": on}
    game_id = f"00223{(on - date(2023, 1, 1)).days:05d}"
    row = {"game_date": on, "season": SEASON, "game_id": game_id, "player_id": player, "team": "BOS"}
    return row | said | more


QUESTIONABLE = {"injury_status": "questionable", "injury_status_source": "official_report", "injury_reported_on": DAY}


def test_the_chance_is_learned_from_what_became_of_earlier_players_of_the_class() -> None:
    games = [played(7, 1)] + [played(p, n) for p in range(10, 40) for n in (3, 2)] + [played(7, 3)]
    absent = [past(p, 1) for p in range(10, 40)]  # played on day 2, reported on day 1, and did not play
    found = features(listed(**QUESTIONABLE), games=games, past_listed=absent).loc[7]
    share, weight = PRIOR["reported questionable/played"]
    assert found.play_chance == pytest.approx(share * weight / (weight + 30), abs=1e-4)
    there = [*games, *(played(p, 1) for p in range(10, 40))]
    came = features(listed(**QUESTIONABLE), games=there, past_listed=absent).loc[7]
    assert came.play_chance == pytest.approx((share * weight + 30) / (weight + 30), abs=1e-4)


def test_the_chance_of_line_ups_is_learned_from_their_own_past_apart_from_reports() -> None:
    line_up: Row = {"injury_status": "available", "injury_status_source": "lineups", "injury_reported_on": DAY}
    games = [played(7, 1), *(played(p, n) for p in range(10, 40) for n in (3, 2)), played(7, 3)]
    absent = [past(p, 1, injury_status="available", injury_status_source="lineups") for p in range(10, 40)]
    share, weight = PRIOR["lineups available"]
    found = features(listed(**line_up), games=games, past_listed=absent).loc[7]
    assert found.play_chance == pytest.approx(share * weight / (weight + 30), abs=1e-4)
    said: Row = line_up | {"injury_status_source": "official_report"}
    reported = features(listed(**said), games=games, past_listed=absent).loc[7]
    assert reported.play_chance == PRIOR["reported available/played"][0]


def test_a_planted_outcome_of_the_day_or_of_another_class_season_or_unplayed_game_teaches_nothing() -> None:
    games = [played(7, 1), *(played(p, n) for p in range(10, 40) for n in (3, 2))]
    calm = features(listed(**QUESTIONABLE), games=games).loc[7]
    others = [
        *(past(p, 0) for p in range(10, 40)),
        *(past(p, 1, injury_status="probable") for p in range(10, 40)),
        *(past(p, 1, season="2022-23") for p in range(10, 40)),
        *(past(p, 1, game_id="0022399999") for p in range(10, 40)),
    ]
    played_today = [played(p, 0) for p in range(10, 20)]
    found = features(
        listed(**QUESTIONABLE), games=games + played_today, past_listed=others, offense=[*OFFENSE, team_game(0)]
    )
    assert found.loc[7].play_chance == calm.play_chance == PRIOR["reported questionable/played"][0]


def test_rank_of_minutes_is_within_his_team() -> None:
    games = [played(p, n, minutes=m) for n in (1, 2, 3) for p, m in ((7, 20.0), (8, 35.0), (9, 38.0))]
    games += [played(50, n, minutes=40.0, team="NYK") for n in (1, 2, 3)]
    offense = [team_game(n, team) for n in (1, 2, 3) for team in ("BOS", "NYK")]
    found = features(listed(7), listed(9), games=games, offense=offense)
    assert found.minutes_rank_last_5.to_dict() == {7: 3, 9: 1}


def test_starts_are_unknown_where_the_source_does_not_say_who_started() -> None:
    known = [played(7, n, starter_flag=n > 2) for n in range(1, 6)]
    found = features(games=known).loc[7]
    assert (found.starter_last_game, found.starter_share_last_5) == (0, 0.6)
    unknown = features(games=[played(7, n) for n in range(1, 6)]).loc[7]
    assert pd.isna(unknown.starter_last_game)
    assert pd.isna(unknown.starter_share_last_5)


def test_what_the_opponent_allows_is_positive_for_a_weak_defence() -> None:
    weak = [team_game(n, "NYK", "LAL", points=130) for n in range(1, 6)]
    others = [team_game(n, "BOS", "MIA", points=100) for n in range(1, 6)]
    found = features(games=[], offense=weak + others).loc[7]
    assert found.opponent_points_allowed == 130 - 115
    assert found.opponent_rebounds_allowed == 0
    assert pd.isna(features(games=[], offense=weak[:4] + others).loc[7].opponent_points_allowed)


def test_the_spread_is_the_teams_and_its_size_has_no_sign() -> None:
    lines = {"game_date": DAY, "team": "BOS", "game_spread": -7.5, "implied_team_total": 118.5}
    found = features(games=[], team_context=[lines, lines | {"team": "LAL", "game_spread": 7.5}]).loc[7]
    assert (found.game_spread, found.spread_size, found.implied_team_total) == (-7.5, 7.5, 118.5)
    assert pd.isna(features(games=[]).loc[7].game_spread)


def test_absurd_facts_from_the_day_on_change_no_feature_of_version_2() -> None:
    calm = [played(p, n) for n in range(1, 15) for p in (7, 8)]
    absurd = [played(p, -n, minutes=60.0, points=99, starter_flag=True) for n in range(5) for p in (7, 9)]
    team = [team_game(n) for n in range(1, 15)] + [team_game(n, "NYK", "LAL") for n in range(1, 15)]
    later = [team_game(-n, "NYK", "LAL", points=250) for n in range(5)] + [team_game(-n) for n in range(5)]
    before = features(listed(7), listed(8), games=calm, offense=team)
    after = features(listed(7), listed(8), games=calm + absurd, offense=team + later)
    pd.testing.assert_frame_equal(before[ADDED], after[ADDED])
    assert before[ADDED].notna().sum().sum() > len(ADDED)


def test_features_of_version_2_are_hashed() -> None:
    assert set(ADDED) <= set(ML_FEATURE_STORE.hash_fields) - {HASH_COLUMN}
