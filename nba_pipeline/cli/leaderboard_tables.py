"""Leaderboard, tiers and reliability as console tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from nba_pipeline.evaluation.metrics import FEWEST_SHOWN

NOTHING = "-"


def error_grid(board: pd.DataFrame, rows: str) -> Grid:
    """Lay out point errors of means and medians; `rows` describes the selected rows."""
    grid = grid_of(f"Leaderboard: {rows}", "system", "N", "MAE", "95 %", "MAE of median", "RMSE", "bias")
    for r in board.to_dict("records"):
        grid.add_row(
            str(r["system_id"]),
            number(r, "n", ",.0f"),
            number(r, "mae", ".3f"),
            interval(r, "mae", ".2f"),
            number(r, "mae_median", ".3f"),
            number(r, "rmse", ".2f"),
            number(r, "bias", "+.2f"),
        )
    return grid


def difference_grid(board: pd.DataFrame) -> Grid:
    """Lay out differences of MAE on the same rows: to the mean of the last ten games, and to the line where there is one."""
    title = "Difference of MAE on the same rows; negative: better"
    grid = grid_of(title, "system", "vs last_10", "95 %", "rows with line", "vs line", "95 %")
    for r in board.to_dict("records"):
        grid.add_row(
            str(r["system_id"]),
            number(r, "vs_last_10", "+.3f"),
            interval(r, "vs_last_10", "+.2f"),
            number(r, "n_with_line", ",.0f"),
            number(r, "vs_line", "+.3f"),
            interval(r, "vs_line", "+.2f"),
        )
    return grid


def chance_grid(board: pd.DataFrame) -> Grid:
    """Lay out the quality of the distributions, and of the chances of decided overs."""
    names = ("CRPS", "in 80 %", "decided overs", "log-loss", "Brier", "calibration error")
    grid = grid_of("Distributions, and chances of the over; a coin has log-loss 0.6931, Brier 0.25", "system", *names)
    for r in board.to_dict("records"):
        grid.add_row(
            str(r["system_id"]),
            number(r, "crps", ".3f"),
            number(r, "coverage_80", ".1%"),
            number(r, "decided_overs", ",.0f"),
            number(r, "log_loss", ".4f"),
            number(r, "brier", ".4f"),
            number(r, "calibration_error", ".3f"),
        )
    return grid


def call_grid(board: pd.DataFrame) -> Grid:
    """Lay out the results of the recommended sides; returns only where there are enough bets."""
    names = ("bets", "hit rate", "95 %", "without a price", "priced bets", "ROI", "95 %")
    title = f"Sides recommended at the consensus line; returns of {FEWEST_SHOWN} priced bets and more"
    grid = grid_of(title, "system", *names)
    for r in board.to_dict("records"):
        enough = r.get("priced_bets", 0) >= FEWEST_SHOWN
        grid.add_row(
            str(r["system_id"]),
            number(r, "bets", ",.0f"),
            number(r, "hit_rate", ".1%"),
            interval(r, "hit_rate", ".1%"),
            number(r, "unpriced_bets", ",.0f"),
            number(r, "priced_bets", ",.0f"),
            number(r, "roi", "+.1%") if enough else NOTHING,
            interval(r, "roi", "+.1%") if enough else NOTHING,
        )
    return grid


def tiers_grid(tiers: pd.DataFrame) -> Grid:
    """Lay out error, bias and coverage by tier of the season average."""
    grid = grid_of("By tier of the season average", "system", "tier", "N", "MAE", "bias", "in 80 %")
    for r in tiers.to_dict("records"):
        numbers = (
            number(r, "n", ",.0f"),
            number(r, "mae", ".3f"),
            number(r, "bias", "+.2f"),
            number(r, "coverage_80", ".1%"),
        )
        grid.add_row(str(r["system_id"]), str(r["tier"]), *numbers)
    return grid


def clean_grid(board: pd.DataFrame, seasons: Sequence[str]) -> Grid:
    """Lay out from which season on each system's figures are clean.

    Args:
        board: Leaderboard with `error_clean_from` and `law_clean_from`.
        seasons: Labels of the seasons of the selected rows; those before are marked as in sample.
    """
    title = "Clean seasons: no constant was chosen on them; figures of earlier seasons flatter the system"
    grid = grid_of(title, "system", "errors from", "probabilities from", "errors in sample here")
    for r in board.to_dict("records"):
        first = r["error_clean_from"]
        if first is not None:
            before = ", ".join(s for s in seasons if s < first)
            grid.add_row(str(r["system_id"]), first, str(r["law_clean_from"]), before or NOTHING)
    return grid


def reliability_grid(bins: pd.DataFrame, system: str) -> Grid:
    """Lay out a reliability diagram in text: one bar per bin, as long as the observed share."""
    grid = grid_of(
        f"{system}: forecast probability of the over beside its observed share", "N", "forecast", "observed", ""
    )
    for r in bins[bins["system_id"] == system].to_dict("records"):
        bar = "#" * round(40 * float(r["observed"]))
        grid.add_row(number(r, "n", ",.0f"), number(r, "forecast", ".3f"), number(r, "observed", ".3f"), bar)
    grid.columns[-1].justify = "left"
    return grid


def grid_of(title: str, first: str, *others: str) -> Grid:
    """Start a table whose first column is text and whose others are numbers."""
    grid = Grid(title=title, title_justify="left", box=SIMPLE_HEAD)
    grid.add_column(first, no_wrap=True)
    for name in others:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def number(row: Mapping[Any, Any], name: str, form: str) -> str:
    """Format a figure of a row; a dash where it is missing."""
    value = row.get(name)
    return NOTHING if value is None or pd.isna(value) else format(value, form)


def interval(row: Mapping[Any, Any], name: str, form: str) -> str:
    """Format the interval of a figure; a dash where it is missing."""
    low, high = number(row, f"{name}_low", form), number(row, f"{name}_high", form)
    return NOTHING if NOTHING in (low, high) else f"{low}..{high}"
