"""nba_predictions.system_daily_performance, computed a second time from the grades of the home."""

import numpy as np
import pandas as pd

from tools.recompute.league import League

TABLE = "nba_predictions.system_daily_performance"
GRADES = "nba_predictions.prediction_accuracy"
LEFT_OUT: dict[str, str] = {}
KEY = ["game_date", "market", "system_id"]
FORECAST = ["game_date", "player_id", "market"]
BASELINES = ("last_5", "last_10", "season_average", "ewma")


def recompute(league: League) -> pd.DataFrame:
    """Sum up every system's day. One row per day, market and system."""
    rows = league.home(GRADES)
    errors = rows.pivot_table(index=FORECAST, columns="system_id", values="absolute_error").reindex(
        columns=list(BASELINES)
    )
    rows = rows.merge(errors.dropna().add_suffix("_error").reset_index(), on=FORECAST, how="left")
    days = rows.groupby(KEY)
    played = rows[rows.actual_value.notna()]
    bets = rows[rows.outcome.isin(["win", "loss", "push"])]
    lined = played[(played.line_source == "actual") & played.line.notna()]
    with_baselines = played[played.last_5_error.notna()]
    columns = {
        "forecasts": days.size(),
        "played": _count(played),
        "void": _count(rows[rows.outcome == "void"]),
        "played_elsewhere": _count(rows[rows.outcome == "played_elsewhere"]),
        "mae": played.groupby(KEY).absolute_error.mean(),
        "bias": played.groupby(KEY).signed_error.mean(),
        "rmse": np.sqrt((played.signed_error**2).groupby([played[k] for k in KEY]).mean()),
        "crps": played.groupby(KEY).crps.mean(),
        "coverage_80": _share(played, "within_80"),
        "within_3_share": _share(played, "within_3"),
        "within_5_share": _share(played, "within_5"),
        "bets": _count(bets),
        "overs": _count(bets[bets.recommendation == "OVER"]),
        "unders": _count(bets[bets.recommendation == "UNDER"]),
        **{name: _count(rows[rows.outcome == outcome]) for name, outcome in OUTCOMES.items()},
        "priced_bets": _count(bets[bets.profit.notna()]),
        "roi": bets.groupby(KEY).profit.mean(),
        "rows_with_line": _count(lined),
        "mae_with_line": lined.groupby(KEY).absolute_error.mean(),
        "market_mae": (lined.line - lined.actual_value).abs().groupby([lined[k] for k in KEY]).mean(),
        "rows_with_baselines": _count(with_baselines),
        "mae_with_baselines": with_baselines.groupby(KEY).absolute_error.mean(),
        **{f"{name}_mae": with_baselines.groupby(KEY)[f"{name}_error"].mean() for name in BASELINES},
    }
    table = pd.DataFrame(columns)
    counts = [name for name, values in columns.items() if values.dtype.kind == "i"]
    table[counts] = table[counts].fillna(0)
    decided = table.wins + table.losses
    return table.assign(decided_bets=decided, hit_rate=table.wins / decided.replace(0, np.nan)).reset_index()


OUTCOMES = {"wins": "win", "losses": "loss", "pushes": "push", "passes": "pass", "no_lines": "no_line"}


def _count(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby(KEY).size()


def _share(rows: pd.DataFrame, flag: str) -> pd.Series:
    return rows[flag].astype(float).groupby([rows[k] for k in KEY]).mean()
