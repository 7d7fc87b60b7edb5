"""nba_predictions.calls, made a second time from the forecasts and the prices of a home that one run filled."""

import numpy as np
import pandas as pd

from tools.recompute import quotes
from tools.recompute.league import League

TABLE = "nba_predictions.calls"
FORECASTS, PRICES = "nba_predictions.player_prop_predictions", "nba_predictions.prop_prices"
FEATURES, SCHEDULE = "nba_predictions.ml_feature_store_v2", "nba_raw.schedule"
LEFT_OUT: dict[str, str] = {}
KEY = ["game_date", "player_id", "market", "system_id"]
ERRORS, PRIOR_ROWS, EXPOSURE, IN_ONE_GAME = 1.645, 2_000, 0.10, 0.05


def recompute(league: League) -> pd.DataFrame:
    """Choose of every forecast the side that is worth its price for certain. One row per player, market and snapshot."""
    rows = _callable(league).merge(_offers(league.home(PRICES)), on=KEY, validate="1:m")
    q = rows.p_side / (1 - rows.p_push)
    error = (1 - rows.p_push) * q * (1 - q) * np.sqrt(8 / (rows.calibration_rows + PRIOR_ROWS))
    rows = rows.assign(value_low=rows.expected_value - ERRORS * error * quotes.decimal(rows.odds))
    worth = rows[rows.value_low.round(4) > 0].sort_values(["value_low", "side"], ascending=[False, True])
    calls = worth.groupby(KEY).head(1).reset_index(drop=True)
    chance = calls.consensus_over.where(calls.side == "OVER", 1 - calls.consensus_over)
    return calls.assign(confidence=chance, stake=_stakes(calls))


def _callable(league: League) -> pd.DataFrame:
    """Return the forecasts of the pricing system on which a call may be made, with the snapshot of their time."""
    made, features, games = league.home(FORECASTS), league.home(FEATURES), league.home(SCHEDULE)
    ready = features[features.is_production_ready][["game_date", "player_id", "feature_version"]]
    allowed = made.is_pricing_system & (made.calibration_rows > 0) & (made.injury_status != "out") & made.line.notna()
    rows = made[allowed].merge(ready, on=["game_date", "player_id", "feature_version"])
    rows = rows.merge(games[["game_id", "game_date", "tip_off", "cutoff_at"]], on=["game_id", "game_date"])
    lead = (rows.tip_off - rows.as_of).dt.total_seconds() / 60
    snapshot = np.select([lead > 90, lead > 40, lead > 5], ["morning", "t60", "t25"], "close")
    return rows.rename(columns={"line": "consensus_line"}).assign(
        lead_minutes=lead,
        snapshot=snapshot,
        backfilled=rows.computed_at > rows.cutoff_at,
        consensus_over=rows.p_over / (1 - rows.p_push),
    )[[*KEPT, "consensus_over", "calibration_rows"]]


KEPT = (
    *KEY,
    *("snapshot", "model_version", "game_id", "season", "season_type", "player_name", "team", "opponent"),
    *("predicted_mean", "predicted_sd", "predicted_skewness", "injury_status", "as_of", "consensus_line"),
    *("line_book_kind", "lead_minutes", "backfilled"),
)


def _offers(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the best price of each side. One row per forecast and side."""
    sides = {"OVER": ("over", prices.p_over), "UNDER": ("under", (1 - prices.p_over - prices.p_push).clip(lower=0))}
    parts = [
        prices[[*KEY, "bookmaker", "line", "p_push"]].assign(
            side=side,
            odds=prices[f"{name}_odds"],
            p_side=chance,
            expected_value=prices[f"ev_{name}"],
            kelly=prices[f"kelly_{name}"],
        )[prices[f"best_{name}"]]
        for side, (name, chance) in sides.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _stakes(calls: pd.DataFrame) -> pd.Series:
    """Reduce stakes for calls in one game, and so that those of a snapshot of the day add up to a tenth at most."""
    day = [calls.game_date, calls.snapshot]
    in_game = calls.groupby([*day, calls.game_id]).player_id.transform("size")
    alone = calls.kelly / (1 + IN_ONE_GAME * (in_game - 1))
    return alone * (EXPOSURE / alone.groupby(day).transform("sum")).clip(upper=1)
