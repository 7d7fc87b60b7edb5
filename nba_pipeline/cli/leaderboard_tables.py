"""Leaderboard, tiers and reliability as console tables."""

from collections.abc import Sequence

import pandas as pd
from rich.table import Table as Grid

from nba_pipeline.cli.figures import NOTHING, Figure, figures_grid
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN

SYSTEM = {"system": "system_id"}
ERRORS = (
    Figure("N", "n", ",.0f"),
    Figure("MAE", "mae", ".3f", interval=".2f"),
    Figure("MAE of median", "mae_median", ".3f"),
    Figure("MAE of point", "mae_point", ".3f", interval=".2f"),
    Figure("RMSE", "rmse", ".2f"),
    Figure("bias", "bias", "+.2f"),
)
DIFFERENCES = (
    Figure("vs last_10", "vs_last_10", "+.3f", interval="+.2f"),
    Figure("rows with line", "n_with_line", ",.0f"),
    Figure("vs line", "vs_line", "+.3f", interval="+.2f"),
    Figure("point vs line", "point_vs_line", "+.3f", interval="+.2f"),
)
CHANCES = (
    Figure("CRPS", "crps", ".3f"),
    Figure("in 80 %", "coverage_80", ".1%"),
    Figure("decided overs", "decided_overs", ",.0f"),
    Figure("log-loss", "log_loss", ".4f"),
    Figure("Brier", "brier", ".4f"),
    Figure("calibration error", "calibration_error", ".3f"),
)
SIDES = (
    Figure("bets", "bets", ",.0f"),
    Figure("hit rate", "hit_rate", ".1%", interval=".1%"),
    Figure("without a price", "unpriced_bets", ",.0f"),
    Figure("priced bets", "priced_bets", ",.0f"),
    Figure("ROI", "roi", "+.1%", interval="+.1%"),
)
TIERS = (
    Figure("N", "n", ",.0f"),
    Figure("MAE", "mae", ".3f"),
    Figure("bias", "bias", "+.2f"),
    Figure("in 80 %", "coverage_80", ".1%"),
)
RELIABILITY = (
    Figure("forecast", "forecast", ".3f"),
    Figure("observed", "observed", ".3f"),
    Figure("", "bar", ""),
)
CLEAN = {"errors from": "error_clean_from", "probabilities from": "law_clean_from", "errors in sample here": "before"}
RETURNS = ("roi", "roi_low", "roi_high")


def error_grid(board: pd.DataFrame, rows: str) -> Grid:
    """Lay out errors of means, medians and point forecasts; `rows` describes the selected rows."""
    return figures_grid(f"Leaderboard: {rows}", board, SYSTEM, ERRORS)


def difference_grid(board: pd.DataFrame) -> Grid:
    """Lay out differences of MAE on the same rows: to the mean of the last ten games, and to the line where there is one."""
    return figures_grid("Difference of MAE on the same rows; negative: better", board, SYSTEM, DIFFERENCES)


def chance_grid(board: pd.DataFrame) -> Grid:
    """Lay out the quality of the distributions, and of the chances of decided overs."""
    title = "Distributions, and chances of the over; a coin has log-loss 0.6931, Brier 0.25"
    return figures_grid(title, board, SYSTEM, CHANCES)


def call_grid(board: pd.DataFrame) -> Grid:
    """Lay out the results of the recommended sides; returns only where there are enough bets."""
    enough = board["priced_bets"] >= FEWEST_SHOWN
    shown = board.assign(**{name: board[name].where(enough) for name in RETURNS})
    title = f"Sides recommended at the consensus line; returns of {FEWEST_SHOWN} priced bets and more"
    return figures_grid(title, shown, SYSTEM, SIDES)


def tiers_grid(tiers: pd.DataFrame) -> Grid:
    """Lay out error, bias and coverage by tier of the season average."""
    return figures_grid("By tier of the season average", tiers, SYSTEM | {"tier": "tier"}, TIERS)


def clean_grid(board: pd.DataFrame, seasons: Sequence[str]) -> Grid:
    """Lay out from which season on each system's figures are clean.

    Args:
        board: Leaderboard with `error_clean_from` and `law_clean_from`.
        seasons: Labels of the seasons of the selected rows; those before are marked as in sample.
    """
    known = board[board["error_clean_from"].notna()]
    before = [", ".join(s for s in seasons if s < first) or NOTHING for first in known["error_clean_from"]]
    title = "Clean seasons: no constant was chosen on them; figures of earlier seasons flatter the system"
    return figures_grid(title, known.assign(before=before), SYSTEM | CLEAN, ())


def reliability_grid(bins: pd.DataFrame, system: str) -> Grid:
    """Lay out a reliability diagram in text: one bar per bin, as long as the observed share."""
    own = bins[bins["system_id"] == system]
    bars = ["#" * round(40 * float(share)) for share in own["observed"]]
    title = f"{system}: forecast probability of the over beside its observed share"
    grid = figures_grid(title, own.assign(bar=bars), {}, (Figure("N", "n", ",.0f"), *RELIABILITY))
    grid.columns[0].justify = grid.columns[-1].justify = "left"
    return grid
