"""What each group of features and each system is worth, walk-forward on a published home.

    python benchmarks/ablation.py WAREHOUSE [--market points] [--season 2023-24 ...] [--days 400] [--models-only]

WAREHOUSE is the DuckDB file of a home whose feature store is published. Every month is forecast by what was trained on the rows
of the days before it; nothing is read from the tables of forecasts. Sets: A, played with ten earlier games in the season;
B, of these, a season average of 8 and more; L, played and lined. Differences are paired, row by row; intervals (95 %) come from
drawing whole game days again. A group of features is taken away by making its columns unknown, in training and forecasting.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.evaluation.bootstrap import DayBootstrap
from nba_pipeline.systems import SYSTEM_IDS, Forecast
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.forecasting import forecast
from nba_pipeline.systems.training import train
from nba_pipeline.tables.predictions.features import BASELINE_25
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.shared import consensus_lines as lines

BEST, BASELINE, AWARE = "ensemble_v1", "last_10", "line_aware_v1"
TIERS = (0, 10, 20, 30, np.inf)
WORKERS = 2
Change = Callable[[pd.DataFrame], pd.DataFrame]


def without(*columns: str) -> Change:
    return lambda rows: rows.assign(**dict.fromkeys(columns, np.nan))


def groups(market: str) -> dict[str, Change]:
    """The groups of features, each with what takes it away."""
    added = [n for n in MODEL_FEATURES.names if n not in BASELINE_25.names]
    only_25 = without(*(n for n in added if n not in _form(market)))

    def without_year(rows: pd.DataFrame) -> pd.DataFrame:
        known = {f"{market}_form": rows[f"{market}_ewma"], "minutes_form": rows["minutes_avg_season"]}
        return rows.assign(**known, **{f"{market}_per_minute_year": np.nan, "minutes_avg_year": np.nan})

    statements = ("minutes_newly_out", "injury_risk", "projected_usage_rate", "star_teammates_out")
    return {
        "all that version 2 adds, but the averages of the market": only_25,
        "the year before (form, rates and minutes of the season alone)": without_year,
        "latest games (last 3, minutes of the last)": without(
            f"{market}_avg_last_3", "minutes_last_game", "minutes_avg_last_3"
        ),
        "minutes expected with who is missing": without("minutes_expected", "minutes_vacated", "minutes_newly_out"),
        "attendance (games missed, share of games)": without("team_games_missed", "appearance_share"),
        "starts": without("starter_last_game", "starter_share_last_5"),
        "ranks of minutes": without("minutes_rank_last_5", "rotation_rank"),
        "statements on injuries": without(*statements),
        "volume (shots, free throws, usage)": without("shots_ewma", "free_throws_ewma", "usage_rate_season"),
        "lines of the game": without("game_spread", "spread_size", "implied_team_total"),
        "opponent": without("opponent_def_rating", "opponent_pace", f"opponent_{market}_allowed"),
        "rest and venue": without("rest_advantage", "back_to_back", "home_away"),
    }


def _form(market: str) -> tuple[str, ...]:
    averages = ("avg_last_5", "avg_last_10", "avg_season", "std_last_10", "ewma", "form")
    return tuple(f"{market}_{name}" for name in averages)


# --- rows -------------------------------------------------------------------------------------------------------------


def read_rows(warehouse: Path, market: str) -> pd.DataFrame:
    """Listed players with the features of the models, what they did (NaN where they did not play), and their line."""
    db = duck.connect(warehouse, read_only=True)
    quotes, context = (
        read_table(db, "nba_raw.player_prop_lines"),
        read_table(db, "nba_analytics.upcoming_player_game_context"),
    )
    games = context.select("game_date", "game_id", "player_id", "cutoff_at")
    consensus = sql_of(lines.consensus(quotes.filter(quotes.market == market), games))
    actual = " + ".join(f"f.{c}" for c in MARKETS[market].counts)
    own = ", ".join(f"s.{c}" for c in ("game_date", "season", "player_id", "team", "games_played_season"))
    features = ", ".join(f"s.{c}" for c in MODEL_FEATURES.names)
    rows = db.execute(
        f"""SELECT {own}, {features}, f.minutes_played, ({actual})::DOUBLE AS actual,
                l.line, l.market_line, l.market_over
            FROM nba_predictions.ml_feature_store_v2 AS s
            LEFT JOIN nba_analytics.player_game_summary AS f USING (game_id, player_id)
            LEFT JOIN ({consensus}) AS l ON l.game_date = s.game_date AND l.player_id = s.player_id
            WHERE s.feature_version = '{MODEL_FEATURES.name}' ORDER BY s.game_date, s.player_id"""
    ).df()
    return rows.assign(game_date=pd.to_datetime(rows["game_date"]))


def sql_of(relation: ir.Table) -> str:
    """Compile a relation over quotes and context for the DuckDB file of a home."""
    statement = ibis.to_sql(relation, dialect="duckdb")
    for name, schema in _SCHEMA.items():
        statement = statement.replace(f'"{name}"', f'"{schema}"."{name}"')
    return statement


_SCHEMA = {"player_prop_lines": "nba_raw", "upcoming_player_game_context": "nba_analytics"}


def read_table(db, name: str):
    empty = db.execute(f"SELECT * FROM {name} LIMIT 0").to_arrow_table()
    return relation(ibis.Schema.from_pyarrow(empty.schema), name=name.split(".")[1])


# --- walking forward --------------------------------------------------------------------------------------------------


def walk_forward(
    rows: pd.DataFrame, market: str, months: Sequence[pd.Period], days: int
) -> tuple[pd.DataFrame, float, float]:
    """Forecasts of the played rows of these months by all systems; and the seconds that fitting and forecasting took."""
    played = rows[rows["actual"].notna()]

    def one(month: pd.Period) -> tuple[pd.DataFrame, float, float]:
        first, after = month.start_time, (month + 1).start_time
        seen = (played["game_date"] < first) & (played["game_date"] >= first - pd.Timedelta(days=days))
        began = time.perf_counter()
        artifacts = {s: t.artifact for s, t in train(played[seen], market).systems.items()}
        fitted = time.perf_counter()
        day = rows[(rows["game_date"] >= first) & (rows["game_date"] < after)]
        found = forecast(day, market, artifacts, first.date())
        forecast_at = time.perf_counter()
        facts = day[["game_date", "season", "player_id", "actual", "line"]].assign(
            games=day["games_played_season"].astype(float), average=day[f"{market}_avg_season"]
        )
        made = [
            facts.assign(system_id=s, mean=f.mean, sd=f.sd, skewness=f.skewness, p_over=_decided_over(f, day))[
                facts["actual"].notna()
            ]
            for s, f in found.items()
        ]
        return pd.concat(made), fitted - began, forecast_at - fitted

    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(one, months))
    return pd.concat([d[0] for d in done], ignore_index=True), sum(d[1] for d in done), sum(d[2] for d in done)


def _decided_over(made: Forecast, rows: pd.DataFrame) -> np.ndarray:
    """The calibrated probability of the over, pushes aside."""
    return Law(made.mean, made.sd, made.skewness).decided_over(rows["line"].to_numpy(dtype=float))


# --- measures ---------------------------------------------------------------------------------------------------------


def side_by_side(made: pd.DataFrame, column: str) -> pd.DataFrame:
    return made.pivot(index=["game_date", "player_id"], columns="system_id", values=column)[list(SYSTEM_IDS)]


def interval(difference: pd.Series, digits: int = 3) -> str:
    """Mean and 95 % interval of a paired difference, game days drawn again."""
    if difference.empty:
        return "none"
    estimate = DayBootstrap(difference.index.get_level_values("game_date").to_numpy()).mean(difference.to_numpy())
    return " ".join((f"{estimate.value:+.{digits}f}", f"[{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]"))


def expected_calibration_error(p: np.ndarray, happened: np.ndarray, bins: int = 10) -> float:
    """Mean distance of stated and observed probability over ten bins of equal width, weighted by rows."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(place, p - happened, bins)
    return float(np.abs(gaps).sum() / max(len(p), 1))


class Sets:
    """The rows of a season and the sets they belong to, on an index of day and player."""

    def __init__(self, made: pd.DataFrame) -> None:
        self.mean, self.sd = side_by_side(made, "mean"), side_by_side(made, "sd")
        self.skewness = side_by_side(made, "skewness")
        self.p_over = side_by_side(made, "p_over")
        facts = made.drop_duplicates(["game_date", "player_id"]).set_index(["game_date", "player_id"])
        self.facts = facts.reindex(self.mean.index)
        self.error = self.mean.sub(self.facts["actual"], axis=0)
        everyone = self.mean.drop(columns=AWARE).notna().all(axis=1)
        self.a = everyone & (self.facts["games"] >= 10)
        self.b = self.a & (self.facts["average"] >= 8)
        self.lined = self.facts["line"].notna()
        self.line_error = (self.facts["line"] - self.facts["actual"]).abs()


def systems_grid(sets: Sets, title: str) -> Grid:
    grid = Grid(title=title, title_justify="left")
    for name in (
        "system",
        "MAE A",
        "MAE B",
        "of medians A",
        "- last_10 on A",
        "- line on L",
        "N L",
        "CRPS A",
        "CRPS B",
    ):
        grid.add_column(name, justify="left" if name == "system" else "right", no_wrap=True)
    for name in ("in 80 %: A and tiers", "bias: A and tiers", "ECE L"):
        grid.add_column(name, justify="right", no_wrap=True)
    for s in SYSTEM_IDS:
        grid.add_row(s, *_measures(sets, s))
    return grid


def _measures(sets: Sets, system: str) -> list[str]:
    error, mean, actual = sets.error[system], sets.mean[system], sets.facts["actual"]
    made = mean.notna()
    a, b, lined = sets.a & made, sets.b & made, sets.lined & made
    law = Law(mean.to_numpy(), sets.sd[system].to_numpy(), sets.skewness[system].to_numpy())
    score = pd.Series(law.crps(actual.to_numpy()), mean.index)
    bounds = law.quantiles()
    inside = (actual >= bounds[0.10]) & (actual <= bounds[0.90])
    tier = pd.cut(sets.facts["average"], TIERS, right=False)
    decided = lined & (actual != sets.facts["line"])
    happened = (actual > sets.facts["line"])[decided].to_numpy(dtype=float)
    calibration = expected_calibration_error(sets.p_over[system][decided].to_numpy(), happened)

    def by_tier(values: pd.Series, form: str) -> str:
        tiers = values[a].groupby(tier[a], observed=False).mean()
        return " ".join(format(v, form) for v in (values[a].mean(), *tiers))

    return [
        f"{error[a].abs().mean():.3f}",
        f"{error[b].abs().mean():.3f}",
        f"{np.abs(bounds[0.50] - actual)[a].mean():.3f}",
        interval((error.abs() - sets.error[BASELINE].abs())[a]),
        interval((error.abs() - sets.line_error)[lined]),
        f"{int(lined.sum()):,}",
        f"{score[a].mean():.3f}",
        f"{score[b].mean():.3f}",
        by_tier(inside.astype(float), ".3f"),
        by_tier(error, "+.2f"),
        f"{calibration:.4f}",
    ]


def ablation_grid(whole: pd.DataFrame, reduced: dict[str, pd.DataFrame], season: str) -> Grid:
    grid = Grid(title=f"{BEST} without a group, minus with it; {season}", title_justify="left")
    for name in ("without", "MAE on A", "MAE on B", "MAE on L"):
        grid.add_column(name, justify="left" if name == "without" else "right", no_wrap=True)
    full = Sets(whole[whole["season"] == season])
    for name, made in reduced.items():
        less = Sets(made[made["season"] == season])
        gained = (less.error[BEST].abs() - full.error[BEST].abs()).dropna()
        rows = [gained[use.reindex(gained.index, fill_value=False)] for use in (full.a, full.b, full.lined)]
        grid.add_row(name, *[interval(r) for r in rows])
    return grid


def arguments(description: str | None, *seasons: str) -> argparse.ArgumentParser:
    """Read the home, market, seasons and training days of a walk; `seasons` are those of a call without any."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--market", default="points", choices=list(MARKETS))
    parser.add_argument("--season", nargs="+", default=list(seasons))
    parser.add_argument("--days", type=int, default=400, help="days before the month that a model sees")
    return parser


def main() -> None:
    parser = arguments(__doc__, "2022-23", "2023-24")
    parser.add_argument("--models-only", action="store_true")
    wanted = parser.parse_args()
    console = Console(width=230)
    rows = read_rows(wanted.warehouse, wanted.market)
    of_seasons = rows.loc[rows["season"].isin(wanted.season), "game_date"].dt.to_period("M")
    months = sorted(of_seasons.unique())
    whole, fitting, forecasting = walk_forward(rows, wanted.market, months, wanted.days)
    console.print(f"{len(months)} months: {fitting:.0f} s of fitting, {forecasting:.1f} s of forecasting, two threads")
    for season in wanted.season:
        sets = Sets(whole[whole["season"] == season])
        title = f"{wanted.market}, {season}: A {int(sets.a.sum()):,} rows, B {int(sets.b.sum()):,}, L {int(sets.lined.sum()):,}"
        console.print(systems_grid(sets, title))
    if wanted.models_only:
        return
    reduced = {}
    for name, change in groups(wanted.market).items():
        reduced[name], _, _ = walk_forward(change(rows), wanted.market, months, wanted.days)
        console.print(f"without {name}: done")
    for season in wanted.season:
        console.print(ablation_grid(whole, reduced, season))


if __name__ == "__main__":
    main()
