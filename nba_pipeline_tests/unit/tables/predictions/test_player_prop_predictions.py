"""Forecasts as rows: each month by its own models, every market asked for, calls by calibrated chances, or a reason."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from nba_pipeline import definitions
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.plan import compile_plan
from nba_pipeline.engine.transform import FinishContext
from nba_pipeline.systems import SYSTEM_IDS, Forecast
from nba_pipeline.systems.distribution import QUANTILES, Law
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions import player_prop_predictions as predictions
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS, call, forecasts
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline_tests import support
from nba_pipeline_tests.support import day, expected_rows

assert definitions.defs  # every table is registered
FORECASTS = CATALOG[PLAYER_PROP_PREDICTIONS.id]
SYSTEM, ENSEMBLE, AWARE = SYSTEM_IDS[0], "ensemble_v1", "line_aware_v1"
JANUARY, FEBRUARY = day("2024-01-31"), day("2024-02-01")
FEATURES: dict[str, Any] = {
    "player_id": 7,
    "feature_version": MODEL_FEATURES.name,
    "player_name": "A B",
    "player_lookup": "ab",
    "game_id": "0022300500",
    "season": "2023-24",
    "season_type": "Regular Season",
    "team": "BOS",
    "opponent": "LAL",
    "games_played_season": 30,
    "early_season_flag": False,
    "is_production_ready": True,
    "points_avg_season": 20.0,
    "assists_avg_season": 5.0,
}
CONTEXT: dict[str, Any] = {"player_id": 7, "game_id": FEATURES["game_id"], "injury_status": None}
QUOTE: dict[str, Any] = {
    "player_id": 7,
    "bookmaker": "dk",
    "book_kind": "sportsbook",
    "line_kind": "main",
    "documented_pre_game": False,
    "over_odds": -105.0,
    "under_odds": -115.0,
}


def rows_of(*days: date, quotes: list[dict] | None = None, now: str = "2025-01-01 00:00") -> pa.Table:
    """What `build` gives `forecasts`: one listed player on each day, with the cut-off half past midnight UTC."""
    inputs: dict[str, Any] = {
        "features": [FEATURES | {"game_date": d} for d in days],
        "context": [CONTEXT | {"game_date": d, "cutoff_at": f"{d} 23:30"} for d in days],
        "quotes": quotes or [],
        "clock": [{"now": now}],
        "markets": [{"market": m} for m in MARKETS],
    }
    return support._execute(FORECASTS, inputs, support._statement(FORECASTS))


def registry(*months: date, markets: tuple[str, ...] = ("points",)) -> pa.Table:
    rows = [
        {"trained_on": m, "market": k, "system_id": SYSTEM, "artifact_location": None, "artifact_sha256": None}
        for m in months
        for k in markets
    ]
    schema = pa.schema([("trained_on", pa.date32()), *((c, pa.string()) for c in list(rows[0])[1:])])
    return pa.Table.from_pylist(rows, schema=schema)


class Asked:
    """Stands in for all systems: forecasts 22 ± 6 and keeps what it was asked."""

    def __init__(self, **made: Any) -> None:
        self.seen: list[tuple[str, list[date], dict]] = []
        self.made = {"mean": 22.0, "sd": 6.0, "skewness": 0.4, "reason": "", "calibration_rows": 500} | made

    def __call__(
        self, rows: pd.DataFrame, market: str, artifacts: Mapping[str, bytes | None], _trained_on: date
    ) -> dict[str, Forecast]:
        self.seen.append((market, rows["game_date"].tolist(), dict(artifacts)))
        n = len(rows)
        mean, sd = np.full(n, self.made["mean"]), np.full(n, self.made["sd"])
        reason = np.full(n, self.made["reason"], dtype=object)
        skewness = np.full(n, self.made["skewness"])
        terms = self.made.get("components", {"form": mean})
        mine = Forecast(mean, sd, reason, terms, skewness, self.made["calibration_rows"])
        aware = Forecast(np.where(rows["line"].isna(), np.nan, mean), sd, reason, {}, skewness, 500)
        return {SYSTEM: mine, ENSEMBLE: mine, AWARE: aware}


def made(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    rows: pa.Table,
    asked: Asked | None = None,
    markets: tuple[str, ...] = ("points",),
    months: tuple[date, ...] = (day("2024-01-01"), FEBRUARY),
    stay: pa.Table | None = None,
    systems: tuple[str, ...] = (SYSTEM,),
) -> list[dict]:
    monkeypatch.setattr(predictions, "forecast", asked or Asked())
    nothing = PLAYER_PROP_PREDICTIONS.computed_schema.empty_table()
    aside = {"models": registry(*months, markets=markets), "kept": nothing if stay is None else stay}
    every = forecasts(rows, FinishContext((), markets, aside, LocalArtifacts(tmp_path))).to_pylist()
    return [r for r in every if r["system_id"] in systems]


def test_each_month_is_forecast_by_the_models_trained_on_its_first_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = Asked()
    found = made(monkeypatch, tmp_path, rows_of(JANUARY, FEBRUARY), asked)
    assert [(m, days) for m, days, _ in asked.seen] == [("points", [JANUARY]), ("points", [FEBRUARY])]
    assert {r["game_date"]: r["trained_on"] for r in found} == {JANUARY: day("2024-01-01"), FEBRUARY: FEBRUARY}


def test_every_market_asked_for_has_its_own_line_and_average(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quotes = [
        QUOTE | {"game_date": JANUARY, "market": m, "line": x, "captured_at": f"{JANUARY} 20:00"}
        for m, x in (("points", 20.5), ("assists", 5.5))
    ]
    found = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=quotes), markets=("points", "assists"))
    shown = {r["market"]: (r["line"], r["season_average"], r["best_over_odds"], r["line_books"]) for r in found}
    assert shown == {"points": (20.5, 20, -105, 1), "assists": (5.5, 5, -105, 1)}


def test_a_live_forecast_knows_no_line_that_came_after_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quotes = [
        QUOTE | {"game_date": JANUARY, "market": "points", "line": x, "captured_at": f"{JANUARY} {at}"}
        for x, at in ((20.5, "15:00"), (24.5, "21:00"))
    ]
    (early,) = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=quotes, now=f"{JANUARY} 16:00"))
    (late,) = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=quotes))
    assert (early["line"], late["line"]) == (20.5, 24.5)
    assert early["as_of"] < late["as_of"]


def test_a_row_without_a_forecast_says_why_and_calls_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = Asked(mean=np.nan, sd=np.nan, reason="no model this month")
    quote = QUOTE | {"game_date": JANUARY, "market": "points", "line": 20.5, "captured_at": f"{JANUARY} 20:00"}
    (row,) = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=[quote]), asked)
    assert (row["insufficient_data_reason"], row["recommendation"]) == ("no model this month", "PASS")
    for name in ("predicted_mean", "predicted_sd", "q50", "p_over", "p_push", "confidence", "components", "edge"):
        assert row[name] is None, name


def test_probability_quantiles_and_confidence_are_of_one_law(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quote = QUOTE | {"game_date": JANUARY, "market": "points", "line": 17.5, "captured_at": f"{JANUARY} 20:00"}
    (row,) = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=[quote]))
    law = Law(*(np.array([row[c]]) for c in ("predicted_mean", "predicted_sd", "predicted_skewness")))
    assert row["p_over"] == row["confidence"] == pytest.approx(law.probability_over(np.array([17.5]))[0][0])
    assert row["point_forecast"] == law.point(4)[0]
    assert [row[f"q{round(100 * q)}"] for q in QUANTILES] == pytest.approx([v[0] for v in law.quantiles().values()])
    assert (row["recommendation"], row["calibration_rows"]) == ("OVER", 500)


@pytest.mark.parametrize("of_each_row", [0, np.array([0])], ids=["of all rows", "of each row"])
def test_an_uncalibrated_law_calls_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of_each_row: int | NDArray[np.int64]
) -> None:
    quote = QUOTE | {"game_date": JANUARY, "market": "points", "line": 10.5, "captured_at": f"{JANUARY} 20:00"}
    (row,) = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=[quote]), Asked(calibration_rows=of_each_row))
    assert (row["recommendation"], row["calibration_rows"]) == ("PASS", 0)
    assert row["p_over"] > 0.9


def test_a_row_that_is_not_ready_for_production_calls_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quote = QUOTE | {"game_date": JANUARY, "market": "points", "line": 10.5, "captured_at": f"{JANUARY} 20:00"}
    rows = rows_of(JANUARY, quotes=[quote])
    place = rows.column_names.index("is_production_ready")
    (row,) = made(monkeypatch, tmp_path, rows.set_column(place, "is_production_ready", pa.array([False])))
    assert row["recommendation"] == "PASS"
    assert row["p_over"] > 0.9


def test_the_system_that_knows_the_market_leads_where_there_is_a_line_and_the_ensemble_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    quote = QUOTE | {"game_date": JANUARY, "market": "points", "line": 17.5, "captured_at": f"{JANUARY} 20:00"}
    rows = made(monkeypatch, tmp_path, rows_of(JANUARY, FEBRUARY, quotes=[quote]), systems=(SYSTEM, ENSEMBLE, AWARE))
    leads = {(r["game_date"], r["system_id"]) for r in rows if r["is_pricing_system"]}
    assert leads == {(JANUARY, AWARE), (FEBRUARY, ENSEMBLE)}


def test_the_edge_is_the_median_minus_the_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quote = QUOTE | {"game_date": JANUARY, "market": "points", "line": 21.75, "captured_at": f"{JANUARY} 20:00"}
    (row,) = made(monkeypatch, tmp_path, rows_of(JANUARY, quotes=[quote]))
    assert row["predicted_mean"] > 21.75
    assert row["edge"] == pytest.approx(row["q50"] - 21.75)
    assert row["edge"] < 0


def test_components_are_json_with_two_decimals_and_null_for_a_term_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terms = {"form": 21.297, "venue": -0.05, "rest": -0.004, "pace": np.nan, "level": 100.0}
    asked = Asked(components={name: np.array([value]) for name, value in terms.items()})
    (row,) = made(monkeypatch, tmp_path, rows_of(JANUARY), asked)
    assert row["components"] == '{"form": 21.30, "venue": -0.05, "rest": 0.00, "pace": null, "level": 100.00}'


def test_nothing_to_forecast_is_an_empty_table_of_the_right_columns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert made(monkeypatch, tmp_path, rows_of()) == []


def test_calls_follow_the_stated_threshold_and_nobody_reported_out_is_called() -> None:
    over = np.array([0.55, 0.5499, 0.45, 0.4501, 0.9, np.nan, np.nan])
    line = np.array([20.5] * 5 + [np.nan, 20.5])
    out = np.array([False] * 4 + [True, False, False])
    assert call(over, line, out).tolist() == ["OVER", "PASS", "UNDER", "PASS", "PASS", "NO_LINE", "PASS"]


def test_every_listed_player_market_asked_for_and_system_is_expected() -> None:
    wanted = expected_rows(
        FORECASTS,
        features=[
            FEATURES | {"game_date": JANUARY},
            FEATURES | {"game_date": JANUARY, "feature_version": "v1_baseline_25"},
        ],
        markets=[{"market": "points"}, {"market": "pra"}],
    )
    assert {(w["market"], w["system_id"]) for w in wanted} == {(m, s) for m in ("points", "pra") for s in SYSTEM_IDS}
    assert len(wanted) == 2 * len(SYSTEM_IDS)


LIVE: dict[str, Any] = {
    "game_date": JANUARY,
    "player_id": 7,
    "market": "points",
    "system_id": SYSTEM,
    "game_id": FEATURES["game_id"],
    "predicted_mean": 31.0,
    "as_of": f"{JANUARY} 16:00",
}
TIP_MINUS_ONE = f"{JANUARY} 23:30"


def still_there(made: dict[str, Any], now: str) -> pa.Table:
    """The rows that a run at `now` must leave as they are, of those that the table holds."""
    inputs: dict[str, Any] = {
        "made": [made],
        "context": [CONTEXT | {"game_date": JANUARY, "game_id": FEATURES["game_id"], "cutoff_at": TIP_MINUS_ONE}],
        "clock": [{"now": now}],
        "markets": [{"market": m} for m in MARKETS],
    }
    return support._execute(FORECASTS, inputs, compile_plan(FORECASTS, "duckdb").side_inputs["kept"])


def test_a_forecast_made_before_the_cutoff_stays_as_it_was_once_the_cutoff_has_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stay = still_there(LIVE, now=TIP_MINUS_ONE)
    (row,) = made(monkeypatch, tmp_path, rows_of(JANUARY), stay=stay)
    assert row["predicted_mean"] == 31.0
    assert row["as_of"] == support.moment(LIVE["as_of"])


def test_a_forecast_of_a_game_that_is_still_to_come_is_made_again() -> None:
    assert still_there(LIVE, now=f"{JANUARY} 23:29").num_rows == 0


def test_a_forecast_that_a_backfill_made_is_made_again() -> None:
    assert still_there(LIVE | {"as_of": TIP_MINUS_ONE}, now=f"{FEBRUARY} 12:00").num_rows == 0


@pytest.mark.parametrize("now", [f"{JANUARY} 18:00", f"{FEBRUARY} 12:00"])
def test_a_forecast_of_a_game_that_was_called_off_since_stays_as_it_was(now: str) -> None:
    """The context of the day no longer has the game, nor its players."""
    other = CONTEXT | {"game_date": JANUARY, "game_id": "0022300999", "player_id": 99, "cutoff_at": TIP_MINUS_ONE}
    inputs: dict[str, Any] = {"made": [LIVE], "context": [other], "clock": [{"now": now}]}
    (row,) = support._execute(FORECASTS, inputs, compile_plan(FORECASTS, "duckdb").side_inputs["kept"]).to_pylist()
    assert (row["predicted_mean"], row["as_of"]) == (31.0, support.moment(LIVE["as_of"]))


@pytest.mark.parametrize("other", [{"system_id": SYSTEM_IDS[1]}, {"market": "assists"}, {"game_id": "0022300501"}])
def test_what_was_not_forecast_live_is_made_beside_what_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: dict[str, Any]
) -> None:
    inputs = {c: [value] for c, value in (LIVE | {"as_of": support.moment(LIVE["as_of"])} | other).items()}
    stay = pa.table(
        {f.name: pa.array(inputs.get(f.name, [None]), f.type) for f in PLAYER_PROP_PREDICTIONS.computed_schema}
    )
    found = made(monkeypatch, tmp_path, rows_of(JANUARY), stay=stay, systems=(SYSTEM, SYSTEM_IDS[1]))
    assert sorted(r["predicted_mean"] for r in found) == [22.0, 31.0]


def test_who_is_listed_only_after_the_forecasts_of_his_game_were_made_has_a_reason() -> None:
    game = {"game_date": JANUARY, "game_id": FEATURES["game_id"]}
    wanted = expected_rows(
        FORECASTS,
        features=[FEATURES | game, FEATURES | game | {"player_id": 8}],
        markets=[{"market": "points"}],
        made=[LIVE],
        context=[CONTEXT | game | {"cutoff_at": TIP_MINUS_ONE}],
        clock=[{"now": f"{FEBRUARY} 12:00"}],
    )
    reasons = {(w["player_id"], w["system_id"]): w["reason"] for w in wanted}
    assert reasons[7, SYSTEM] is None
    assert reasons[8, SYSTEM] == predictions.LISTED_LATER
    assert len(wanted) == 2 * len(SYSTEM_IDS)
    assert {r for (_, s), r in reasons.items() if s != SYSTEM} == {None}
