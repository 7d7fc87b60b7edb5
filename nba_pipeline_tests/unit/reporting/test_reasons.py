"""Reasons: every one is true of the row, and points the way it says."""

from typing import Any

import pytest

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.reporting.data import Absence, Reason
from nba_pipeline.reporting.reasons import EDGES, NOTED_ALLOWED, ROLE, TERMS, allowed, reasons
from nba_pipeline.tables.precompute.player_composite_factors import PLAYER_COMPOSITE_FACTORS
from nba_pipeline.tables.predictions.features import BASELINE_25

ROW: dict[str, Any] = {
    "market": "points",
    "unit": "points",
    "opponent": "LAL",
    "components": '{"form": 20.0, "paint": 0.00, "pace": 0.00}',
    "predicted_mean": 20.0,
    "predicted_sd": 7.0,
    "line": 20.5,
    "opening_line": None,
    "days_rest": 1,
    "back_to_back": False,
    "status": None,
    "injury_status_source": None,
    "pace_edge": None,
    **dict.fromkeys(ROLE),
    **{allowed(m): None for m in MARKETS},
    **{f: None for features in EDGES.values() for f in features},
}
AVERAGES = {"last_5": 20.0, "last_10": 20.0, "season_average": 20.0}


def why(averages: dict[str, float] | None = None, absent: tuple[Absence, ...] = (), **more: Any) -> list[Reason]:
    return list(reasons(ROW | more, AVERAGES if averages is None else averages, absent))


def beyond_form(**more: Any) -> list[Reason]:
    return why(**more)[1:]


def test_form_comes_first_and_names_the_available_windows() -> None:
    assert why()[0] == Reason("averages 20.0 over 5 games, 20.0 over 10, 20.0 this season", 0)
    assert why({"season_average": 9.0})[0].text == "averages 9.0 this season"
    assert why({}) == []


@pytest.mark.parametrize(("recent", "lifts"), [(23.1, 1), (22.9, 0), (17.1, 0), (16.9, -1)])
def test_form_lifts_from_fifteen_percent_above_the_season(recent: float, lifts: int) -> None:
    assert why(AVERAGES | {"last_5": recent})[0].lifts == lifts


@pytest.mark.parametrize(("source", "texts"), [("lineups", ["confirmed to start"]), ("official_report", [])])
def test_only_a_line_up_confirms_that_the_player_starts(source: str, texts: list[str]) -> None:
    assert [r.text for r in beyond_form(status="available", injury_status_source=source)] == texts


def test_an_ordinary_game_has_no_reasons_beyond_form() -> None:
    assert beyond_form() == []


@pytest.mark.parametrize("term", TERMS)
def test_a_term_of_the_system_is_shown_with_amount_and_sign(term: str) -> None:
    (up,) = beyond_form(components=f'{{"form": 20.0, "pace": 0.0, "paint": 0.0, "{term}": 0.60}}')
    assert up.lifts == 1
    assert up.text.endswith("+0.6 points")
    (down,) = beyond_form(components=f'{{"form": 20.0, "pace": 0.0, "paint": 0.0, "{term}": -0.60}}')
    assert down.lifts == -1
    assert down.text.endswith("−0.6 points")


def test_small_and_unknown_terms_and_form_itself_are_omitted() -> None:
    assert beyond_form(components='{"form": 20.0, "paint": 0.14, "pace": null, "venue": 0.4}') == []


def test_larger_terms_come_first() -> None:
    shown = beyond_form(components='{"form": 20.0, "paint": 0.2, "pace": -0.9}')
    assert [r.lifts for r in shown] == [-1, 1]


def test_a_system_without_terms_of_the_matchup_is_explained_by_the_features() -> None:
    (reason,) = beyond_form(components=None, paint_volume_edge=0.4, paint_accuracy_edge=0.3)
    assert reason == Reason("LAL allows more than the league in the paint", 1)
    (reason,) = beyond_form(components="{}", pace_edge=-0.03)
    assert reason == Reason("a slower game than usual for the team (-3 % possessions)", -1)


def test_edges_of_scoring_say_nothing_on_rebounds() -> None:
    assert beyond_form(components=None, market="rebounds", paint_volume_edge=2.0) == []


@pytest.mark.parametrize("market", MARKETS)
def test_what_an_opponent_allows_is_shown_in_the_unit_of_the_market(market: str) -> None:
    much = NOTED_ALLOWED[market] + 0.1
    (reason,) = beyond_form(components=None, market=market, unit="things", **{allowed(market): much})
    assert reason == Reason(f"LAL allows {much:.1f} things a game more than the league", 1)
    (reason,) = beyond_form(components=None, market=market, unit="things", **{allowed(market): -much})
    assert reason == Reason(f"LAL allows {much:.1f} things a game fewer than the league", -1)
    assert beyond_form(components=None, market=market, **{allowed(market): much - 0.2}) == []


def test_expected_minutes_are_mentioned_where_they_differ_from_the_season() -> None:
    (reason,) = beyond_form(minutes_expected=32.0, minutes_avg_season=27.0)
    assert reason == Reason("more minutes expected than usual", 1)
    assert beyond_form(minutes_expected=29.0, minutes_avg_season=27.0) == []
    assert beyond_form(minutes_expected=20.0, minutes_avg_season=27.0) == [
        Reason("fewer minutes expected than usual", -1)
    ]
    assert beyond_form(minutes_expected=20.0, minutes_avg_season=None) == []


@pytest.mark.parametrize(("missed", "games"), [(1.0, "game"), (4.0, "4 games")])
def test_missed_games_of_a_returning_player_are_mentioned(missed: float, games: str) -> None:
    assert beyond_form(team_games_missed=missed) == [Reason(f"missed the team's last {games}", -1)]
    assert beyond_form(team_games_missed=0.0) == []


def test_a_one_sided_game_speaks_against_minutes() -> None:
    assert beyond_form(spread_size=13.5)[0].lifts == -1
    assert beyond_form(spread_size=4.5) == []


@pytest.mark.parametrize(("opening", "lifts"), [(18.5, 1), (22.5, -1)])
def test_a_line_that_moved_says_which_way(opening: float, lifts: int) -> None:
    (reason,) = beyond_form(opening_line=opening)
    assert reason == Reason(f"line moved from {opening:g} to 20.5", lifts)


@pytest.mark.parametrize(("line", "lifts"), [(14.5, -1), (25.5, 1)])
def test_a_line_far_from_the_forecast_is_a_warning(line: float, lifts: int) -> None:
    (reason,) = beyond_form(line=line)
    assert "books may have information" in reason.text
    assert reason.lifts == lifts
    assert beyond_form(line=16.5) == []


def test_absent_team_mates_who_score_are_named_best_first() -> None:
    out = tuple(Absence(name, "BOS", "out", None, points) for name, points in
                (("A", 11.0), ("B", 27.0), ("C", 9.9), ("D", None), ("E", 12.0), ("F", 10.0)))  # fmt: skip
    (reason,) = beyond_form(absent=out)
    assert reason == Reason(
        "without B (27.0 points a game), E (12.0 points a game), A (11.0 points a game) and 1 more", 1
    )


def test_rest_and_availability() -> None:
    assert beyond_form(back_to_back=True, days_rest=0) == [Reason("played the day before", -1)]
    assert beyond_form(days_rest=3) == [Reason("3 days of rest", 1)]
    assert beyond_form(days_rest=None) == []
    assert beyond_form(days_rest=30, team_games_missed=12) == [Reason("missed the team's last 12 games", -1)]
    assert beyond_form(status="questionable") == [Reason("listed as questionable", -1)]
    assert beyond_form(status="available") == []


def test_an_index_is_never_printed_as_points() -> None:
    """What stands in a reason are the terms of the system, in the unit of the market."""
    names = [n for n, c in PLAYER_COMPOSITE_FACTORS.columns.items() if c.unit == "index"]
    assert {"fatigue_score", "pace_score", "total_composite_adjustment"} <= set(names)
    indices: dict[str, Any] = dict.fromkeys(names, 3.0)
    assert why(**indices) == why()
    assert [f.name for f in BASELINE_25.features if f.unit == "index"] == [n for n in BASELINE_25.names if n in names]
