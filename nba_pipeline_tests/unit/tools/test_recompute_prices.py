"""Lines, prices, calls and grades: computed a second time on quotes made by hand they agree, and a planted fault is reported."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from nba_pipeline import definitions
from nba_pipeline.systems.distribution import Law
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.grading.call_grades import CALL_GRADES, graded
from nba_pipeline.tables.predictions.calls import CALLS
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES, priced
from nba_pipeline_tests import support
from nba_pipeline_tests.support import day
from nba_pipeline_tests.support.prices import PRICE as WORTH_A_CALL
from tools.recompute import call_grades, calls, game_lines, law, player_prop_predictions, prop_prices, quotes
from tools.recompute.comparison import Comparison, compare
from tools.recompute.league import League

assert definitions.defs  # every table is registered
DAY, CUTOFF = day("2024-01-05"), pd.Timestamp("2024-01-06 00:29", tz="UTC")
GAME = {"game_id": "0022300500", "game_date": DAY, "cutoff_at": CUTOFF, "home_points": 100.0}
TIMES = ("captured_at", "last_seen_at", "ended_at", "cutoff_at", "as_of", "computed_at", "tip_off")
Row = dict[str, Any]


def quote(book: str, line: float, over: float | None = -110, under: float | None = -110, **more: Any) -> Row:
    known = {
        "game_date": DAY,
        "game_id": GAME["game_id"],
        "player_id": 7,
        "market": "points",
        "book_kind": "sportsbook",
    }
    seen = {"captured_at": "2024-01-05 20:00", "last_seen_at": None, "ended_at": None, "documented_pre_game": False}
    kinds = {"line_kind": "main", "contradicted": False, "evaluation_only": False}
    return known | seen | kinds | {"bookmaker": book, "line": line, "over_odds": over, "under_odds": under} | more


QUOTES = [
    quote("fanduel", 20.5, -120, 100),
    quote("draftkings", 21.5, 105, -125),
    quote("betmgm", 30.5, 400, -700),
    quote("caesars", 20.0, None, None),
    quote("espnbet", 20.5, 110, 110),
    quote("bovada", 20.5, -125, 105),
    quote("betrivers", 20.5, 170, -210),
    quote("betus", 22.5, -265, 170),
    quote("fliff", 18.5, -105, -115, captured_at="2024-01-05 08:00", last_seen_at="2024-01-05 09:00"),
    quote("prizepicks", 19.5, 100, 100, book_kind="dfs"),
]
FORECASTS = [
    {
        "game_date": DAY,
        "game_id": GAME["game_id"],
        "player_id": 7,
        "market": "points",
        "system_id": system,
        "predicted_mean": mean,
        "predicted_sd": 6.0,
        "predicted_skewness": 0.4,
        "line": 20.5,
        "is_pricing_system": system == "line_aware_v1",
        "as_of": "2024-01-06 00:29",
    }
    for system, mean in (("line_aware_v1", 25.0), ("ensemble_v1", 18.0))
]


def frame(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    for name in {*TIMES} & {*table.columns}:
        table[name] = pd.to_datetime(table[name], utc=True, format="ISO8601")
    return table


def league_of(facts: pd.DataFrame | None = None, **tables: pd.DataFrame) -> League:
    """A league whose home holds these tables, by their names without the dataset."""

    def read(table: str, /, *, history: bool = False) -> pd.DataFrame:
        del history  # there is one day
        return tables[table.split(".")[-1]]

    return cast(
        League,
        SimpleNamespace(
            directory=Path(),
            games=pd.DataFrame([GAME]),
            box_scores=facts,
            home=read,
        ),
    )


def published_prices() -> pd.DataFrame:
    transform = CATALOG[PROP_PRICES.id]
    rows = support._execute(transform, {"predictions": FORECASTS, "quotes": QUOTES}, support._statement(transform))
    return priced(rows).to_pandas()


def prices_again(published: pd.DataFrame) -> Comparison:
    forecasts, raw = frame(FORECASTS), frame(QUOTES)
    again = prop_prices.recompute(league_of(player_prop_predictions=forecasts, player_prop_lines=raw))
    return compare(PROP_PRICES, published, again)


def test_prices_agree_cell_by_cell() -> None:
    found = prices_again(published_prices())
    assert (found.rows, found.differences) == (2 * len(QUOTES), ())


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        ("p_over", lambda t: t.p_over + 0.001),
        ("fair_over_odds", lambda t: -t.fair_over_odds),
        ("market_p_over", lambda t: t.market_p_over + t.margin / 2),
        ("ev_under", lambda t: t.ev_over),
        ("kelly_over", lambda t: 4 * t.kelly_over),
        ("exclusion", lambda t: t.exclusion.replace("stale", None)),
        ("best_over", lambda t: ~t.best_over),
    ],
)
def test_a_fault_in_a_price_is_named(column: str, fault: Callable[[pd.DataFrame], pd.Series]) -> None:
    rows = published_prices()
    assert [d.column for d in prices_again(rows.assign(**{column: fault(rows)})).differences] == [column]


PRICE = WORTH_A_CALL | {"exclusion": None}
CALLABLE = FORECASTS[0] | {
    "model_version": "2",
    "season": "2023-24",
    "season_type": "Regular Season",
    "player_name": "A B",
    "team": "BOS",
    "opponent": "LAL",
    "line_book_kind": "sportsbook",
    "p_over": 0.58,
    "injury_status": None,
    "calibration_rows": 8_000,
    "feature_version": "v2",
    "as_of": "2024-01-05 17:00",
    "p_push": 0.0,
}
SLATE = GAME | {"tip_off": "2024-01-06 00:30"}


def calls_of(*prices: Row) -> tuple[pd.DataFrame, Comparison]:
    transform = CATALOG[CALLS.id]
    features = [
        {"game_date": DAY, "player_id": p, "feature_version": "v2", "is_production_ready": True} for p in (7, 8)
    ]
    made = [CALLABLE, CALLABLE | {"player_id": 8}]
    inputs = {
        "predictions": made,
        "prices": list(prices),
        "features": features,
        "schedule": [SLATE],
        "earlier": [],
        "clock": [{"now": "2024-01-05 17:00"}],
    }
    first = support._execute(transform, inputs, support._statement(transform)).to_pandas()
    run = frame([row | {"computed_at": "2024-01-05 17:00"} for row in made])
    home = {"player_prop_predictions": run, "prop_prices": frame(list(prices)), "ml_feature_store_v2": frame(features)}
    again = calls.recompute(league_of(schedule=frame([SLATE]), **home))
    return first, compare(CALLS, first, again)


def test_calls_agree_whichever_side_is_worth_its_price_and_however_many_a_game_has() -> None:
    under = PRICE | {"player_id": 8, "ev_over": -0.1, "ev_under": 0.25, "p_over": 0.36, "best_under": True}
    first, found = calls_of(PRICE, under)
    assert set(first.side) == {"OVER", "UNDER"}
    assert (found.rows, found.differences) == (2, ())


def test_grades_of_calls_agree_and_a_fault_in_the_close_is_named() -> None:
    transform = CATALOG[CALL_GRADES.id]
    call = CALLABLE | {
        "snapshot": "morning",
        "side": "OVER",
        "bookmaker": "dk",
        "line": 19.5,
        "odds": -115.0,
        "p_side": 0.64,
        "expected_value": 0.19,
        "backfilled": False,
    }
    call = {name: value for name, value in call.items() if name in CALLS.columns}
    played = {"game_date": DAY, "game_id": GAME["game_id"], "player_id": 7, "points": 25}
    slate = SLATE | {"status": "final"}
    inputs = {"calls": [call], "facts": [played], "schedule": [slate], "quotes": QUOTES}
    first = graded(support._execute(transform, inputs, support._statement(transform))).to_pandas()
    counts = {"rebounds": 3, "assists": 2, "three_pt_makes": 1, "minutes": 30.0}
    league = league_of(frame([played | counts]), calls=frame([call]), player_prop_lines=frame(QUOTES))
    again = call_grades.recompute(league)
    assert compare(CALL_GRADES, first, again).differences == ()
    wrong = compare(CALL_GRADES, first.assign(closing_value=first.closing_value + 0.01), again)
    assert [d.column for d in wrong.differences] == ["closing_value"]


def test_the_second_computation_counts_no_price_that_contradicts_the_others_or_itself() -> None:
    players = pd.DataFrame([GAME | {"player_id": 7}])
    at_line = [q for q in QUOTES if q["line"] == 20.5]
    found = quotes.consensus(quotes.in_force(frame(at_line), players)).iloc[0]
    sound = [q for q in at_line if q["bookmaker"] in ("fanduel", "bovada")]
    alone = quotes.consensus(quotes.in_force(frame(sound), players)).iloc[0]
    for name in ("market_over", "best_over_odds", "best_under_odds"):
        assert found[name] == pytest.approx(alone[name]), name


def test_the_consensus_is_a_line_that_a_book_quotes_and_books_of_one_supplier_vote_once() -> None:
    players = pd.DataFrame([GAME | {"player_id": 7}])
    raw = [quote("fanduel", 20.5), quote("draftkings", 21.5), quote("betrivers", 23.5), quote("unibet_us", 23.5)]
    (line,) = quotes.consensus(quotes.in_force(frame(raw[:2]), players)).line
    assert line == 20.5
    found = quotes.consensus(quotes.in_force(frame(raw), players)).iloc[0]
    assert (found.line, found.books) == (21.5, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"captured_at": "2024-01-06 00:30"},
        {"ended_at": "2024-01-06 00:00"},
        {"game_id": "0022300501"},
        {"line_kind": "alternate"},
        {"book_kind": "unknown"},
    ],
)
def test_a_quote_that_is_not_in_force_makes_no_line(changes: Row) -> None:
    players = pd.DataFrame([GAME | {"player_id": 7}])
    assert quotes.in_force(frame([quote("fanduel", 20.5, **changes)]), players).empty


def test_the_close_of_a_game_comes_before_a_timed_quote_and_tells_the_movement_since_the_opening() -> None:
    timed = {
        "game_id": GAME["game_id"],
        "game_date": DAY,
        "bookmaker": "fanduel",
        "book_kind": "sportsbook",
        "captured_at": "2024-01-05 12:00",
        "ended_at": None,
        "contradicted": False,
        "documented_pre_game": False,
        "spread_home": -3.5,
        "total": 220.5,
        "moneyline_home": -160.0,
        "moneyline_away": 140.0,
    }
    close = timed | {"bookmaker": "consensus", "book_kind": "aggregate", "captured_at": None, "spread_home": -5.5}
    late = timed | {"captured_at": "2024-01-06 01:00", "spread_home": -9.5}
    raw = frame([timed, close | {"documented_pre_game": True}, late])
    sides = pd.DataFrame([GAME | {"home_game": True}, GAME | {"home_game": False}])
    found = game_lines.seen_from_teams(sides, game_lines.lines_of_games(raw, pd.DataFrame([GAME])))
    assert found.game_spread.tolist() == [-5.5, 5.5]
    assert found.spread_movement.tolist() == [-2.0, 2.0]
    assert found.implied_team_total.tolist() == [113.0, 107.5]
    assert found.moneyline.tolist() == pytest.approx([-160.0, 140.0])


@pytest.mark.parametrize(
    ("over", "published", "again"),
    [
        (0.45001, "UNDER", "UNDER"),
        (0.45001, "PASS", "PASS"),
        (0.45001, "OVER", "PASS"),
        (0.4502, "UNDER", "PASS"),
        (0.4498, "PASS", "UNDER"),
        (0.54999, "OVER", "OVER"),
    ],
)
def test_a_chance_at_the_bound_of_a_recommendation_is_judged_as_far_as_the_stored_law_tells(
    over: float, published: str, again: str
) -> None:
    row = {"predicted_mean": 12.0, "calibration_rows": 5_000, "injury_status": None, "is_production_ready": True}
    rows = pd.DataFrame([row | {"line": 12.5, "published_call": published}])
    assert player_prop_predictions._calls(rows, pd.Series([over])).tolist() == [again]


def test_the_score_of_a_law_is_that_of_its_formula() -> None:
    rows = pd.DataFrame({"predicted_mean": [2.0, 22.0], "predicted_sd": [2.5, 6.0], "predicted_skewness": [1.8, 0.4]})
    actual = np.array([0.0, 31.0])
    formula = Law(np.array([2.0, 22.0]), np.array([2.5, 6.0]), np.array([1.8, 0.4])).crps(actual)
    assert law.crps(rows, pd.Series(actual)).tolist() == pytest.approx(formula.tolist(), abs=1e-4)
