"""nba_predictions.player_prop_predictions, computed a second time from the means and laws that the models gave.

Means are held against the sum of their components, those of the plain averages against the features; mean, spread and skewness
of the law are given, for they are what the models learned. Lines, probabilities, quantiles and calls follow from them.
"""

import json

import numpy as np
import pandas as pd

from tools.recompute import law, quotes
from tools.recompute.league import League

TABLE = "nba_predictions.player_prop_predictions"
FEATURES, CONTEXT = "nba_predictions.ml_feature_store_v2", "nba_analytics.upcoming_player_game_context"
GIVEN = "learned, or of the run that made the forecast"
LEFT_OUT = {
    **dict.fromkeys(("predicted_sd", "predicted_skewness", "calibration_rows", "components"), GIVEN),
    **dict.fromkeys(("model_version", "trained_on", "as_of"), GIVEN),
    "insufficient_data_reason": "wording",
}
# Components have two decimals, ten of them at most; the table of quantiles is interpolated to a ten-thousandth of a deviation.
TOLERANCES = {"predicted_mean": 0.05} | dict.fromkeys(("q10", "q25", "q50", "q75", "q90", "edge"), 0.002)
MARKETS = ("points", "rebounds", "assists", "threes", "pra")
PLAIN = {"last_5": "avg_last_5", "last_10": "avg_last_10", "season_average": "avg_season", "ewma": "ewma"}
QUANTILES = {"q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q90": 0.90}
CONFIDENT = 0.55
# The law is stored with four decimals: of a chance that is as near to the bound, it does not tell on which side it was.
TIE = 1e-4


def recompute(league: League) -> pd.DataFrame:
    """Compute lines, probabilities and calls of every listed player, market and system. One row each."""
    made = league.home(TABLE)
    rows = made[["game_date", "player_id", "market", "system_id", "feature_version", *LAW, "calibration_rows", "as_of"]]
    rows = rows.assign(components=made.components, published_q50=made.q50, published_call=made.recommendation).merge(
        _listed(league), on=["game_date", "player_id"], how="left"
    )
    features = _features(league)
    rows = rows.merge(features, on=["game_date", "player_id", "feature_version", "market"], how="left", validate="m:1")
    rows = pd.concat([rows, _lines(rows, league)], axis=1)
    over, push = law.over_and_push(rows, rows.line)
    decided = over / (1 - push).where(push < 1)
    confidence = np.maximum(decided, 1 - decided)
    quantiles = pd.DataFrame({name: law.quantile(rows, q) for name, q in QUANTILES.items()}, rows.index)
    rows = pd.concat([rows, quantiles], axis=1)
    return rows.assign(
        predicted_mean=_means(rows),
        p_over=over,
        p_push=push,
        confidence=confidence,
        edge=rows.q50 - rows.line,
        point_forecast=np.ceil(rows.published_q50 - 0.5),
        recommendation=_calls(rows, decided),
        is_pricing_system=_pricing(rows),
        over_shift=np.nan,
        over_slope=np.nan,
    )


LAW = ("predicted_mean", "predicted_sd", "predicted_skewness")
COPIED = (
    *("game_id", "season", "season_type", "player_name", "player_lookup", "team", "opponent"),
    *("injury_status", "early_season_flag"),
)


def _listed(league: League) -> pd.DataFrame:
    context = league.home(CONTEXT)
    return context[["game_date", "player_id", *COPIED]].assign(prior_games=context.games_played_season)


def _features(league: League) -> pd.DataFrame:
    """Return the plain averages by market. One row per day, player, version of the features and market."""
    store = league.home(FEATURES)
    keys = store[["game_date", "player_id", "feature_version", "is_production_ready"]]
    parts = [
        keys.assign(
            market=m,
            season_average=store[f"{m}_avg_season"],
            **{f"plain_{system}": store[f"{m}_{name}"] for system, name in PLAIN.items()},
        )
        for m in MARKETS
    ]
    return pd.concat(parts, ignore_index=True)


def _means(rows: pd.DataFrame) -> pd.Series:
    """Add up the components; of the plain averages, which read no other column, take the feature."""
    total = rows.components.map(_sum, na_action="ignore").astype("float64")
    known = rows.predicted_mean.notna()
    for system in PLAIN:
        total = total.mask(rows.system_id == system, rows[f"plain_{system}"])
    return total.where(known)


def _sum(components: str) -> float:
    """Add up components; one that took no part is null."""
    return sum(value or 0.0 for value in json.loads(components).values())


def _lines(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Look up the consensus at the time of each forecast, in the order of `rows`."""
    players = rows[["game_date", "game_id", "player_id", "as_of"]].drop_duplicates()
    players = players.rename(columns={"as_of": "cutoff_at"})
    lines = quotes.consensus(quotes.in_force(league.home(quotes.QUOTES), players))
    names = {
        "line": "line",
        "line_source": "line_book_kind",
        "books": "line_books",
        "captured_at": "line_captured_at",
        "best_over_odds": "best_over_odds",
        "best_under_odds": "best_under_odds",
    }
    found = rows[quotes.PLAYER].merge(
        lines.rename(columns=names)[[*quotes.PLAYER, *names.values()]], on=quotes.PLAYER, how="left", validate="m:1"
    )
    found = found.drop(columns=quotes.PLAYER).set_axis(rows.index)
    return found.assign(line_source=np.where(found.line.notna(), "actual", "none"))


def _calls(rows: pd.DataFrame, over: pd.Series) -> pd.Series:
    allowed = rows.predicted_mean.notna() & (rows.calibration_rows > 0) & (rows.injury_status != "out")
    allowed &= rows.is_production_ready.astype("boolean").fillna(False).astype(bool)
    calls = np.select(
        [rows.line.isna(), ~allowed, over >= CONFIDENT, 1 - over >= CONFIDENT],
        ["NO_LINE", "PASS", "OVER", "UNDER"],
        "PASS",
    )
    tie = allowed & (np.abs(np.maximum(over, 1 - over) - CONFIDENT) < TIE)
    either = (rows.published_call == "PASS") | (rows.published_call == np.where(over > 0.5, "OVER", "UNDER"))
    return pd.Series(calls, rows.index, dtype="object").mask(tie & either, rows.published_call)


def _pricing(rows: pd.DataFrame) -> pd.Series:
    aware = (rows.system_id == "line_aware_v1") & rows.predicted_sd.notna()
    led = aware.groupby([rows.game_date, rows.player_id, rows.market]).transform("any")
    return aware | ((rows.system_id == "ensemble_v1") & ~led)
