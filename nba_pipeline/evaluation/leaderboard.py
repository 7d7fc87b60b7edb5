"""Systems, baselines and the market's line on the same rows, with N and 95 % intervals from a bootstrap by game day."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.evaluation.bootstrap import DayBootstrap
from nba_pipeline.evaluation.metrics import brier, calibration_error, hit_rate, log_loss, reliability, tier
from nba_pipeline.systems import LINE_SYSTEM_IDS

REFERENCE = "last_10"
MARKET_LINE = "market_line"
COLUMNS = (
    *(
        "game_date",
        "game_id",
        "player_id",
        "market",
        "system_id",
        "season",
        "season_type",
        "prior_games",
        "season_average",
    ),
    "as_of",
    *(
        "signed_error",
        "absolute_error",
        "point_error",
        "outcome",
        "profit",
        "line",
        "p_over",
        "p_push",
        "actual_value",
        "crps",
        "within_80",
        "pinball_q50",
    ),
)


@dataclass(frozen=True)
class RowSet:
    """Which graded rows a leaderboard stands on: players who played, with these many earlier games this season."""

    market: str
    season: str | None = None
    season_type: str | None = None
    prior_games: int = 10
    min_average: float = 0.0
    tier: str | None = None
    with_line: bool = False

    def covers(self, rows: pd.DataFrame) -> pd.Series:
        """Whether each row is of this market, season, kind of season and these players; unknown averages are of no tier.

        Args:
            rows: Rows with market, season, season_type, prior_games and season_average.
        """
        keep = (rows["market"] == self.market) & (rows["prior_games"] >= self.prior_games)
        for name, value in (("season", self.season), ("season_type", self.season_type)):
            keep &= (rows[name] == value) if value else True
        if self.min_average:
            keep &= rows["season_average"] >= self.min_average
        if self.tier:
            keep &= tier(rows["season_average"]) == self.tier
        return keep

    def select(self, graded: pd.DataFrame) -> pd.DataFrame:
        """These rows, of all systems that forecast every one of them; systems that need a line only where all rows have one."""
        keep = self.covers(graded) & graded["absolute_error"].notna()
        if self.with_line:
            keep &= graded["line"].notna()
        else:
            keep &= ~graded["system_id"].isin(LINE_SYSTEM_IDS)
        rows = graded[keep]
        systems = rows["system_id"].nunique()
        shared = rows.groupby(["game_date", "player_id"])["system_id"].transform("nunique") == systems
        return rows[shared].sort_values(["system_id", "game_date", "player_id"], ignore_index=True)

    def beside_reference(self, graded: pd.DataFrame, system: str) -> pd.DataFrame:
        """These rows that a system and the reference forecast, whatever others did; with a line where the system needs one.

        Args:
            graded: Graded rows of any systems.
            system: The system.

        Returns:
            Rows of both, as `select` has them; where one of them forecast nothing, those of the other.
        """
        own = replace(self, with_line=self.with_line or system in LINE_SYSTEM_IDS)
        return own.select(graded[graded["system_id"].isin((system, REFERENCE))])

    @property
    def words(self) -> str:
        said = [self.market, *(w for w in (self.season, self.season_type, self.tier and f"tier {self.tier}") if w)]
        said += [f"players who played with at least {self.prior_games} earlier games"]
        said += [f"season average of at least {self.min_average:g}"] if self.min_average else []
        said += ["rows with a line"] if self.with_line else []
        return ", ".join(said)


def leaderboard(rows: pd.DataFrame) -> pd.DataFrame:
    """One line per system, best first, from rows of `RowSet.select`; on rows with a line, the line itself stands among them.

    `vs_last_10` and `vs_line` are differences of MAE on the same rows (negative: better), each with its interval; `mae_point` and
    `point_vs_line` are the same of the point forecast, NaN where rows of earlier releases have none.
    """
    if rows.empty:
        return pd.DataFrame(columns=["system_id", "n"])
    groups = {str(name): r for name, r in rows.groupby("system_id")}
    first = next(iter(groups.values()))
    bootstrap = DayBootstrap(first["game_date"].to_numpy())
    line_error = (first["line"] - first["actual_value"]).abs().to_numpy(dtype=float)
    lined = ~np.isnan(line_error)
    on_lines = DayBootstrap(first["game_date"].to_numpy()[lined])
    reference = groups[REFERENCE]["absolute_error"].to_numpy(dtype=float) if REFERENCE in groups else None
    board = []
    for name, r in groups.items():
        error = r["absolute_error"].to_numpy(dtype=float)
        line = bootstrap.mean(error).named("mae") | _scores(r)
        if reference is not None:
            line |= bootstrap.mean(error - reference).named("vs_last_10")
        line |= {"n_with_line": int(lined.sum())} | on_lines.mean((error - line_error)[lined]).named("vs_line")
        point = r["point_error"].to_numpy(dtype=float)
        line |= bootstrap.mean(point).named("mae_point") | on_lines.mean((point - line_error)[lined]).named(
            "point_vs_line"
        )
        board.append({"system_id": name, "n": len(r), **line})
    if lined.all():
        line = bootstrap.mean(line_error).named("mae") | {"bias": float((first["line"] - first["actual_value"]).mean())}
        board.append({"system_id": MARKET_LINE, "n": len(first), **line})
    return pd.DataFrame(board).sort_values("mae", ignore_index=True)


def _scores(r: pd.DataFrame) -> dict[str, Any]:
    """Scores of one system that stand on its own rows.

    The mean is scored by bias and RMSE, the median by `mae_median` (twice its pinball loss, Koenker and Bassett 1978), the
    distribution by CRPS and coverage, chances of decided overs by log-loss, Brier score and calibration, calls by their results.
    """
    wins, losses = int((r["outcome"] == "win").sum()), int((r["outcome"] == "loss").sum())
    error, priced = r["signed_error"].astype(float), r[r["profit"].notna()]
    profit = DayBootstrap(priced["game_date"].to_numpy()).mean(priced["profit"].to_numpy(dtype=float))
    chances = _probabilities(r[r["line"].notna() & (r["line"] != r["actual_value"])])
    return {
        "bias": float(error.mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "mae_median": float(2 * r["pinball_q50"].astype(float).mean()),
        "crps": float(r["crps"].mean()),
        "coverage_80": float(r["within_80"].astype(float).mean()),
        "bets": wins + losses,
        **hit_rate(wins, losses).named("hit_rate"),
        "priced_bets": len(priced),
        "unpriced_bets": int((r["outcome"].isin(["win", "loss"]) & r["profit"].isna()).sum()),
        **profit.named("roi"),
        "decided_overs": len(chances[0]),
        "log_loss": log_loss(*chances),
        "brier": brier(*chances),
        "calibration_error": calibration_error(*chances),
    }


def _probabilities(decided: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Chances of the over given a decision, and whether it won, of rows that have a chance."""
    over = (decided["actual_value"] > decided["line"]).to_numpy(dtype=bool)
    chance = (decided["p_over"] / (1 - decided["p_push"])).to_numpy(dtype=float)
    known = ~np.isnan(chance)
    return chance[known], over[known]


def tiers(rows: pd.DataFrame) -> pd.DataFrame:
    """Error, bias and coverage of every system by tier of the season average."""
    by = rows.assign(tier=tier(rows["season_average"])).groupby(["system_id", "tier"], sort=True)
    return by.agg(
        n=("absolute_error", "size"),
        mae=("absolute_error", "mean"),
        bias=("signed_error", "mean"),
        coverage_80=("within_80", lambda w: w.astype(float).mean()),
    ).reset_index()


def reliabilities(rows: pd.DataFrame) -> pd.DataFrame:
    """Of every system: forecast probability of the over beside its observed share, on decided rows with a line."""
    decided = rows[rows["line"].notna() & (rows["line"] != rows["actual_value"])]
    tables = [
        reliability(*_probabilities(r)).reset_index(drop=True).assign(system_id=name)
        for name, r in decided.groupby("system_id")
    ]
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame(columns=["n", "forecast", "observed", "system_id"])
    )
