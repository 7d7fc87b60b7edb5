"""nba_predictions.prediction_accuracy, graded a second time: the home's forecasts beside the box scores of the landing files."""

import numpy as np
import pandas as pd

from tools.recompute import law
from tools.recompute.league import League

TABLE = "nba_predictions.prediction_accuracy"
FORECASTS = "nba_predictions.player_prop_predictions"
LEFT_OUT: dict[str, str] = {}
QUANTILES = {"q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75, "q90": 0.90}


def recompute(league: League) -> pd.DataFrame:
    """Grade every forecast of a finished game. One row per forecast."""
    rows = league.home(FORECASTS)
    rows = rows[rows.predicted_mean.notna() & rows.game_id.isin(league.games.game_id[league.games.home_points.notna()])]
    facts = actuals(league.box_scores)
    rows = rows.merge(facts, on=["game_id", "player_id", "market"], how="left", validate="m:1")
    error = rows.predicted_mean - rows.actual_value
    played = rows.actual_value.notna()
    days = league.box_scores[["game_date", "player_id"]].drop_duplicates().assign(that_day=True)
    that_day = rows[["game_date", "player_id"]].merge(days, on=["game_date", "player_id"], how="left").that_day
    outcome = _outcome(rows, that_day.notna())
    columns = {
        "odds": rows.best_over_odds.where(
            rows.recommendation == "OVER", rows.best_under_odds.where(rows.recommendation == "UNDER")
        ),
        "signed_error": error,
        "absolute_error": error.abs(),
        "point_error": (rows.point_forecast - rows.actual_value).abs() if "point_forecast" in rows else np.nan,
        "within_3": (error.abs() <= 3).astype("object").where(played, None),
        "within_5": (error.abs() <= 5).astype("object").where(played, None),
        "within_80": rows.actual_value.between(rows.q10, rows.q90).astype("object").where(played, None),
        "outcome": outcome,
        "void_reason": outcome.map({"void": "the player did not play"}).astype("object"),
        **{f"pinball_{name}": _pinball(rows.actual_value, rows[name], share) for name, share in QUANTILES.items()},
    }
    rows = rows.assign(**columns)
    return rows.assign(profit=profit(rows), crps=law.crps(rows, rows.actual_value))


def actuals(box_scores: pd.DataFrame) -> pd.DataFrame:
    """Return what happened. One row per game, player and market."""
    values = {
        "points": box_scores.points,
        "rebounds": box_scores.rebounds,
        "assists": box_scores.assists,
        "threes": box_scores.three_pt_makes,
        "pra": box_scores.points + box_scores.rebounds + box_scores.assists,
    }
    keys = box_scores[["game_id", "player_id"]].assign(minutes_played=box_scores.minutes)
    return pd.concat(
        [keys.assign(market=m, actual_value=v.astype(float)) for m, v in values.items()], ignore_index=True
    )


def _outcome(rows: pd.DataFrame, that_day: pd.Series) -> pd.Series:
    """Decide every call by what happened; `that_day` marks players who took part in a game of the day."""
    over = rows.recommendation == "OVER"
    called = over | (rows.recommendation == "UNDER")
    won = np.where(over, rows.actual_value > rows.line, rows.actual_value < rows.line)
    rules = [
        rows.actual_value.isna() & that_day,
        rows.actual_value.isna(),
        rows.recommendation == "NO_LINE",
        ~called,
        rows.actual_value == rows.line,
        won,
    ]
    return pd.Series(
        np.select(rules, ["played_elsewhere", "void", "no_line", "pass", "push", "win"], "loss"),
        rows.index,
        dtype="object",
    )


def _pinball(actual: pd.Series, quantile: pd.Series, share: float) -> pd.Series:
    gap = actual - quantile
    return pd.Series(np.maximum(share * gap, (share - 1) * gap), actual.index)


def profit(rows: pd.DataFrame) -> pd.Series:
    """Return what one unit on the call won at its price: American odds +150 pay 1.5, -150 pay 2/3."""
    pays = pd.Series(np.where(rows.odds > 0, rows.odds / 100, 100 / -rows.odds), rows.index)
    profit = pays.where(rows.outcome == "win", pd.Series(np.where(rows.outcome == "loss", -1.0, 0.0), rows.index))
    return profit.where(rows.outcome.isin(["win", "loss", "push"]) & rows.odds.notna())
