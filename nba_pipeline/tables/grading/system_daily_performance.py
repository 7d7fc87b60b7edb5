"""nba_predictions.system_daily_performance: each system's daily results, with baselines and market on the same rows."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.transform import Transform
from nba_pipeline.systems import BASELINE_IDS, SYSTEM_IDS
from nba_pipeline.tables.grading.prediction_accuracy import (
    LOSS,
    NO_BET,
    PASSED,
    PLAYED_ELSEWHERE,
    PREDICTION_ACCURACY,
    PUSH,
    VOID,
    WIN,
)
from nba_pipeline.tables.predictions.player_prop_predictions import OVER, UNDER
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared import exact_sums as exact


class SystemDailyPerformance(Rows):
    """A system's day: counts, errors and bets; every comparison uses rows that both sides forecast.
    One row per day, market and system."""

    game_date: date = columns.GAME_DATE
    market: str = column("statistic that was forecast", isin=list(MARKETS))
    system_id: str = column("system", isin=list(SYSTEM_IDS))
    forecasts: int = column("graded forecasts, void ones included", ge=0)
    played: int = column("forecasts of players who played", ge=0)
    void: int = column("forecasts of players who did not play", ge=0)
    played_elsewhere: int = column(
        "forecasts of players who took part in another game of the day; NULL in rows of earlier releases",
        nullable=True,
        hashed=False,
        ge=0,
    )
    mae: float = column("mean absolute error of played rows", unit="market", nullable=True, ge=0)
    bias: float = column("mean of forecast minus actual; positive = too high", unit="market", nullable=True)
    rmse: float = column("root mean squared error", unit="market", nullable=True, ge=0)
    crps: float = column("mean continuous ranked probability score", unit="market", nullable=True, ge=0)
    coverage_80: float = column("share of actuals between q10 and q90", unit="fraction", nullable=True, ge=0, le=1)
    within_3_share: float = column("share of errors of at most 3", unit="fraction", nullable=True, ge=0, le=1)
    within_5_share: float = column("share of errors of at most 5", unit="fraction", nullable=True, ge=0, le=1)
    bets: int = column("OVER and UNDER calls on actual lines of players who played", ge=0)
    overs: int = column("OVER calls among the bets", ge=0)
    unders: int = column("UNDER calls among the bets", ge=0)
    wins: int = column("won bets", ge=0)
    losses: int = column("lost bets", ge=0)
    pushes: int = column("bets on the exact number", ge=0)
    passes: int = column("rows passed", ge=0)
    no_lines: int = column("rows without a line", ge=0)
    hit_rate: float = column(
        "share of decided bets that won; NULL without a decided bet",
        unit="fraction",
        formula="wins / (wins + losses)",
        nullable=True,
        ge=0,
        le=1,
    )
    decided_bets: int = column("N of the hit rate", formula="wins + losses", ge=0)
    priced_bets: int = column("bets with a real price, pushes included", ge=0)
    roi: float = column(
        "profit per unit staked on the priced bets; NULL without one", unit="fraction", nullable=True, ge=-1
    )
    rows_with_line: int = column("played rows with an actual line", ge=0)
    mae_with_line: float = column("own mean absolute error on these rows", unit="market", nullable=True, ge=0)
    market_mae: float = column(
        "mean absolute error of the line itself on these rows", unit="market", nullable=True, ge=0
    )
    rows_with_baselines: int = column("played rows that every baseline forecasts too", ge=0)
    mae_with_baselines: float = column("own mean absolute error on these rows", unit="market", nullable=True, ge=0)
    last_5_mae: float = column("last_5 on the same rows", unit="market", nullable=True, ge=0)
    last_10_mae: float = column("last_10 on the same rows", unit="market", nullable=True, ge=0)
    season_average_mae: float = column("season_average on the same rows", unit="market", nullable=True, ge=0)
    ewma_mae: float = column("ewma on the same rows", unit="market", nullable=True, ge=0)


SYSTEM_DAILY_PERFORMANCE = Table(
    model=SystemDailyPerformance,
    name="system_daily_performance",
    dataset="nba_predictions",
    key=("game_date", "market", "system_id"),
    partition="game_date",
    cluster=("system_id",),
    rules={
        "played and void do not add up": lambda t: t.played + t.void + t.played_elsewhere.fill_null(0) == t.forecasts,
        "bets do not add up": lambda t: (t.wins + t.losses + t.pushes == t.bets) & (t.overs + t.unders == t.bets),
        "outcomes do not add up": lambda t: (
            t.bets + t.passes + t.no_lines + t.void + t.played_elsewhere.fill_null(0) == t.forecasts
        ),
    },
)
# The columns of grades that the sums are made of; the others are not read.
SUMMED = (
    *("game_date", "player_id", "market", "system_id", "line", "recommendation", "outcome", "profit"),
    *("actual_value", "absolute_error", "signed_error", "crps", "within_3", "within_5", "within_80"),
)


def _beside_baselines(graded: ir.Table) -> ir.Table:
    """Graded rows with each baseline's absolute error on the same player; NULL if the baseline made no forecast."""
    key = ["game_date", "player_id", "market"]
    errors = (
        graded.filter(graded.system_id.isin(BASELINE_IDS))
        .group_by(*key)
        .aggregate(
            **{f"{b}_error": (graded.system_id == b).ifelse(graded.absolute_error, None).max() for b in BASELINE_IDS}
        )
    )
    return graded.left_join(errors, key).select(graded, *[errors[f"{b}_error"] for b in BASELINE_IDS])


def build(graded: ir.Table) -> ir.Table:
    """Daily sums per system."""
    t = shared(_beside_baselines(graded.select(*SUMMED)))
    everyone = ibis.and_(*[t[f"{b}_error"].notnull() for b in BASELINE_IDS], t.absolute_error.notnull())
    lined = t.line.notnull() & t.absolute_error.notnull()

    def n(condition: ir.BooleanValue) -> ir.IntegerScalar:
        return condition.cast("int64").sum()

    def average(value: ir.NumericValue, where: ir.BooleanValue) -> ir.FloatingScalar:
        return exact.mean(where.ifelse(value, None))

    bet = t.outcome.isin([WIN, LOSS, PUSH])
    wins, losses = n(t.outcome == WIN), n(t.outcome == LOSS)
    return t.group_by("game_date", "market", "system_id").aggregate(
        forecasts=t.count(),
        played=n(t.actual_value.notnull()),
        void=n(t.outcome == VOID),
        played_elsewhere=n(t.outcome == PLAYED_ELSEWHERE),
        mae=exact.mean(t.absolute_error),
        bias=exact.mean(t.signed_error),
        rmse=exact.mean(t.signed_error * t.signed_error).sqrt(),
        crps=exact.mean(t.crps),
        coverage_80=exact.mean(t.within_80.cast("int64")),
        within_3_share=exact.mean(t.within_3.cast("int64")),
        within_5_share=exact.mean(t.within_5.cast("int64")),
        bets=n(bet),
        overs=n(bet & (t.recommendation == OVER)),
        unders=n(bet & (t.recommendation == UNDER)),
        wins=wins,
        losses=losses,
        pushes=n(t.outcome == PUSH),
        passes=n(t.outcome == PASSED),
        no_lines=n(t.outcome == NO_BET),
        hit_rate=wins / (wins + losses).cast("float64").nullif(0.0),
        decided_bets=wins + losses,
        priced_bets=n(t.profit.notnull()),
        roi=exact.mean(t.profit),
        rows_with_line=n(lined),
        mae_with_line=average(t.absolute_error, lined),
        market_mae=average((t.line - t.actual_value).abs(), lined),
        rows_with_baselines=n(everyone),
        mae_with_baselines=average(t.absolute_error, everyone),
        **{f"{b}_mae": average(t[f"{b}_error"], everyone) for b in BASELINE_IDS},
    )


def expected(graded: ir.Table) -> ir.Table:
    """Every system with a graded forecast that day."""
    return graded.select("game_date", "market", "system_id").distinct().mutate(reason=ibis.null("string"))


TRANSFORM = Transform(
    SYSTEM_DAILY_PERFORMANCE,
    build,
    reads={"graded": asof.same_day(PREDICTION_ACCURACY)},
    expected=expected,
    watched=("hit_rate",),
    group="5_grading",
)
