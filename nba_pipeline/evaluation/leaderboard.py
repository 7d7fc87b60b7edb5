"""Systems and baselines on the same rows, with N and 95 % intervals from a bootstrap by game day."""

import numpy as np
import pandas as pd
import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

RESAMPLES = 1_000
SEED = 7


def leaderboard(graded: pa.Table, prior_games: int) -> pd.DataFrame:
    """One row per system, best first: N, MAE with its interval, bias, RMSE, CRPS, coverage, hit rate with N.

    Only rows of players who played with at least `prior_games` earlier games, and only those that every system forecast:
    then all systems stand on the same rows. The market line stands beside them, on its own rows with a line.
    """
    rows = graded.to_pandas()
    rows = rows[rows["absolute_error"].notna() & (rows["prior_games"] >= prior_games)]
    systems = rows["system_id"].nunique()
    shared = rows.groupby(["game_date", "player_id"])["system_id"].transform("nunique") == systems
    rows = rows[shared].assign(market_error=lambda r: (r["line"] - r["actual_value"]).abs())
    if rows.empty:
        return pd.DataFrame(columns=["system_id", "n"])
    board = pd.DataFrame([_line(str(name), r) for name, r in rows.groupby("system_id")])
    return board.sort_values("mae", ignore_index=True)


def _line(system: str, rows: pd.DataFrame) -> dict[str, object]:
    low, high = day_interval(rows["absolute_error"].to_numpy(dtype=float), rows["game_date"].to_numpy())
    wins, losses = int((rows["outcome"] == "win").sum()), int((rows["outcome"] == "loss").sum())
    lined = rows[rows["line"].notna()]
    return {
        "system_id": system,
        "n": len(rows),
        "mae": rows["absolute_error"].mean(),
        "mae_low": low,
        "mae_high": high,
        "bias": rows["signed_error"].mean(),
        "rmse": float(np.sqrt((rows["signed_error"].astype(float) ** 2).mean())),
        "crps": rows["crps"].mean(),
        "coverage_80": rows["within_80"].astype(float).mean(),
        "n_with_line": len(lined),
        "mae_with_line": lined["absolute_error"].mean(),
        "market_mae": lined["market_error"].mean(),
        "bets": wins + losses,
        "hit_rate": wins / (wins + losses) if wins + losses else np.nan,
    }


def day_interval(values: np.ndarray, days: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean when whole game days are resampled, since rows of one day are not independent."""
    _, place = np.unique(days, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    drawn = np.random.default_rng(SEED).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def leaderboard_grid(board: pd.DataFrame, rows: str) -> Grid:
    """The leaderboard for people."""
    grid = Grid(title=f"Leaderboard, points: {rows}", title_justify="left", box=SIMPLE_HEAD)
    grid.add_column("system", no_wrap=True)
    for name in (
        "N",
        "MAE",
        "95 %",
        "bias",
        "RMSE",
        "CRPS",
        "in 80 %",
        "N with line",
        "MAE",
        "market",
        "bets",
        "hit rate",
    ):
        grid.add_column(name, justify="right", no_wrap=True)
    for r in board.to_dict("records"):
        grid.add_row(
            str(r["system_id"]),
            f"{r['n']:,}",
            f"{r['mae']:.3f}",
            f"{r['mae_low']:.3f}-{r['mae_high']:.3f}",
            f"{r['bias']:+.2f}",
            f"{r['rmse']:.2f}",
            f"{r['crps']:.3f}",
            f"{r['coverage_80']:.1%}",
            f"{r['n_with_line']:,}",
            f"{r['mae_with_line']:.3f}",
            f"{r['market_mae']:.3f}",
            f"{r['bets']:,}",
            "none" if pd.isna(r["hit_rate"]) else f"{r['hit_rate']:.1%}",
        )
    return grid
