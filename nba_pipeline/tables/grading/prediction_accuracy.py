"""nba_predictions.prediction_accuracy: each forecast against the actual result."""

from datetime import date
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.game_states import FINAL, PENDING, absence, void_reason
from nba_pipeline.domain.markets import MARKETS, by_market
from nba_pipeline.engine.transform import Transform
from nba_pipeline.systems import SYSTEM_IDS
from nba_pipeline.systems.distribution import QUANTILES, Law, pinball
from nba_pipeline.systems.pricing import decimal_odds
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.predictions.player_prop_predictions import NO_LINE, OVER, PASS, PLAYER_PROP_PREDICTIONS, UNDER
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute

WIN, LOSS, PUSH, VOID, PASSED, NO_BET = "win", "loss", "push", "void", "pass", "no_line"
PLAYED_ELSEWHERE = "played_elsewhere"
DID_NOT_PLAY = "the player did not play"
OUTCOMES = (WIN, LOSS, PUSH, VOID, PASSED, NO_BET, PLAYED_ELSEWHERE)


class PredictionAccuracy(Rows):
    """Grades of forecasts that were made before tip-off; void where the player did not play or the game was called off,
    played_elsewhere where the player took part in another game of the day, for the forecast was for a team that he had left.
    One row per forecast of a finished game, or of one that was called off or suspended."""

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    market: str = column("statistic that was forecast", isin=list(MARKETS))
    system_id: str = column("system that made the forecast", isin=list(SYSTEM_IDS))
    model_version: str = column("version of the system")
    game_id: str = columns.GAME_ID
    season: str = column("season label")
    season_type: str = columns.SEASON_TYPE
    team: str = tricode("tricode of the player's team")
    opponent: str = tricode("tricode of the opponent")
    prior_games: int = column("games the player had finished this season before the day", unit="games", ge=0)
    season_average: float = column(
        "the player's mean of the market this season before the day", unit="market", nullable=True, ge=0
    )
    predicted_mean: float = column("forecast mean", unit="market", ge=0)
    predicted_sd: float = column("forecast standard deviation", unit="market", gt=0)
    predicted_skewness: float = column(
        "skewness of the forecast's law; NULL in rows of earlier releases", nullable=True, gt=0, hashed=False
    )
    q10: float = column("10 % quantile of the forecast", unit="market", ge=0)
    q90: float = column("90 % quantile of the forecast", unit="market", ge=0)
    line: float = column("line that the forecast was compared with", unit="market", precision=2, nullable=True)
    line_source: str = column("actual or none", isin=["actual", "none"])
    p_over: float = column("forecast probability of the over", nullable=True, ge=0, le=1)
    p_push: float = column("forecast probability of the line exactly", nullable=True, ge=0, le=1)
    recommendation: str = column("call against the line", isin=[OVER, UNDER, PASS, NO_LINE])
    confidence: float = column("probability of the more likely side", nullable=True, ge=0.5, le=1)
    odds: float = column(
        "American price of the called side: the best of a sportsbook at the line; NULL without a call or a price",
        precision=1,
        nullable=True,
    )
    actual_value: int = column(
        "what happened; NULL if the player did not play in the game", unit="market", nullable=True, ge=0
    )
    minutes_played: float = column(
        "minutes played; NULL if the player did not play", unit="minutes", precision=3, nullable=True
    )
    signed_error: float = column("forecast minus actual", unit="market", nullable=True)
    absolute_error: float = column("absolute error", unit="market", nullable=True, ge=0)
    point_error: float = column(
        "absolute error of the point forecast; NULL in rows of earlier releases",
        unit="market",
        nullable=True,
        hashed=False,
        ge=0,
    )
    within_3: bool = column("absolute error of at most 3", nullable=True)
    within_5: bool = column("absolute error of at most 5", nullable=True)
    within_80: bool = column("actual between the 10 % and the 90 % quantile", nullable=True)
    crps: float = column("continuous ranked probability score", unit="market", nullable=True, ge=0)
    pinball_q10: float = column("pinball loss of q10", unit="market", nullable=True, ge=0)
    pinball_q25: float = column("pinball loss of q25", unit="market", nullable=True, ge=0)
    pinball_q50: float = column("pinball loss of q50", unit="market", nullable=True, ge=0)
    pinball_q75: float = column("pinball loss of q75", unit="market", nullable=True, ge=0)
    pinball_q90: float = column("pinball loss of q90", unit="market", nullable=True, ge=0)
    outcome: str = column(
        "win or loss of an OVER/UNDER call on an actual line; push if actual = line; void if the player did not play or the"
        " game was called off; played_elsewhere if he played in another game of the day; pass; no_line",
        isin=list(OUTCOMES),
    )
    profit: float = column(
        "profit of one unit on the call at its price; 0 on a push; NULL without a decided bet or without a price",
        unit="units",
        nullable=True,
        ge=-1,
    )
    void_reason: str = column(
        "why the forecast is void: the player did not play, or the game was postponed, cancelled, suspended or not needed; "
        "NULL in rows of earlier releases",
        nullable=True,
        hashed=False,
    )
    as_of: Instant = column("what the forecast knew ends here (UTC)")


PREDICTION_ACCURACY = Table(
    model=PredictionAccuracy,
    name="prediction_accuracy",
    dataset="nba_predictions",
    key=("game_date", "player_id", "market", "system_id"),
    partition="game_date",
    cluster=("system_id", "player_id"),
    rules={
        "a played row without an error, or the other way round": lambda t: (
            t.actual_value.notnull() == t.absolute_error.notnull()
        ),
        "a bet is graded without an actual line": lambda t: (
            ~t.outcome.isin([WIN, LOSS, PUSH]) | (t.line_source == "actual")
        ),
        "a profit without a price": lambda t: t.profit.isnull() | t.odds.notnull(),
        "profit and outcome contradict each other": lambda t: (t.profit > 0) == (t.outcome == WIN),
        "a void row has an actual value": lambda t: ~t.outcome.isin([VOID, PLAYED_ELSEWHERE]) | t.actual_value.isnull(),
    },
)

_COPIED = (
    "game_date",
    "player_id",
    "market",
    "system_id",
    "model_version",
    "game_id",
    "season",
    "season_type",
    "team",
    "opponent",
    "prior_games",
    "season_average",
    "predicted_mean",
    "predicted_sd",
    "predicted_skewness",
    "q10",
    "q90",
    "line",
    "line_source",
    "p_over",
    "p_push",
    "recommendation",
    "confidence",
    "as_of",
)
# What else a forecast is graded by; its other columns, of which the terms of the forecast are the longest, are not read.
_JUDGED = ("q25", "q50", "q75", "point_forecast", "best_over_odds", "best_under_odds")


def build(predictions: ir.Table, facts: ir.Table, schedule: ir.Table) -> ir.Table:
    """Forecasts made before tip-off, joined to what happened; `grade` adds the scores.

    Forecasts of games that were called off or suspended are joined to nothing: they are void, whenever they were made.
    """
    states = schedule.mutate(void=void_reason(schedule.status))
    over = states.filter(states.status == FINAL).semi_join(facts, GAME)
    games = over.union(states.filter(states.void.notnull()))
    made = predictions.select(*_COPIED, *_JUDGED).filter(predictions.predicted_mean.notnull())
    graded = made.inner_join(games, GAME).select(made, games.void, games.tip_off, games.cutoff_at)
    graded = graded.mutate(played_game=graded.void.isnull().ifelse(graded.game_id, None))
    here = [
        graded.played_game == facts.game_id,
        graded.game_date == facts.game_date,
        graded.player_id == facts.player_id,
    ]
    games_of_day = facts.group_by("game_date", "player_id").aggregate(
        first_game=facts.game_id.min(), last_game=facts.game_id.max()
    )
    of_day = [graded.game_date == games_of_day.game_date, graded.player_id == games_of_day.player_id]
    joined = graded.left_join(facts, here).left_join(games_of_day, of_day)
    elsewhere = (games_of_day.first_game != graded.played_game) | (games_of_day.last_game != graded.played_game)
    known = joined.select(
        *[graded[c] for c in _COPIED],
        graded.q25,
        graded.q50,
        graded.point_forecast,
        graded.q75,
        odds=graded.recommendation.cases((OVER, graded.best_over_odds), (UNDER, graded.best_under_odds)),
        actual_value=graded.market.cases(*((m.name, m.actual(facts)) for m in MARKETS.values())),
        minutes_played=facts.minutes_played,
        called_off=graded.void,
        elsewhere=elsewhere.fill_null(False),
        in_time=graded.void.notnull() | asof.made_before(graded.as_of, graded.tip_off, graded.cutoff_at),
    )
    return known.filter(known.in_time).drop("in_time")


def grade(rows: pa.Table) -> pa.Table:
    """Errors, scores and outcomes of joined forecasts."""
    names = ("predicted_mean", "predicted_sd", "predicted_skewness", "actual_value", "line", "odds")
    mean, sd, skewness, actual, line, odds = (_floats(rows, c) for c in names)
    error = mean - actual
    size = np.abs(error)
    played = ~np.isnan(actual)
    inside = (actual >= _floats(rows, "q10")) & (actual <= _floats(rows, "q90"))
    outcome = outcomes(rows["recommendation"].to_numpy(), actual, line, rows["elsewhere"].to_numpy().astype(bool))
    scores = by_market(_scores, rows["market"].to_numpy().astype(str), mean, sd, skewness, actual)
    graded = {c: rows[c] for c in (*_COPIED, "odds", "actual_value", "minutes_played")}
    graded |= {
        "signed_error": _numbers(error),
        "absolute_error": _numbers(size),
        "point_error": _numbers(np.abs(_floats(rows, "point_forecast") - actual)),
        "within_3": pa.array(size <= 3, mask=~played),
        "within_5": pa.array(size <= 5, mask=~played),
        "within_80": pa.array(inside, mask=~played),
        "crps": _numbers(scores.get("crps", error)),
        **{
            f"pinball_q{round(100 * q)}": _numbers(pinball(_floats(rows, f"q{round(100 * q)}"), actual, q))
            for q in QUANTILES
        },
        "outcome": pa.array(outcome),
        "void_reason": pc.if_else(
            pa.array(outcome == VOID), pc.coalesce(rows["called_off"], pa.scalar(DID_NOT_PLAY)), None
        ),
        "profit": _numbers(profit(outcome, odds)),
    }
    return pa.table(graded)


def _scores(
    mean: np.ndarray, sd: np.ndarray, skewness: np.ndarray, actual: np.ndarray, *, market: str
) -> dict[str, np.ndarray]:
    return {"crps": Law.stored(mean, sd, skewness, market).crps(actual)}


def profit(outcome: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Profit of one unit at American odds: what the odds pay on a win, -1 on a loss, 0 on a push, NaN otherwise."""
    priced = ~np.isnan(odds)
    bets = [(outcome == o) & priced for o in (WIN, LOSS, PUSH)]
    return np.select(bets, [decimal_odds(odds) - 1, -1.0, 0.0], np.nan)


def outcomes(called: np.ndarray, actual: np.ndarray, line: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """Grade each row.

    Args:
        called: The calls.
        actual: What happened; NaN where the player did not play in the game.
        line: The lines; NaN without one.
        elsewhere: Whether the player took part in another game of the day.

    Returns:
        win, loss, push, pass or no_line; void or played_elsewhere without an actual value, whatever the call.
    """
    right = ((called == OVER) & (actual > line)) | ((called == UNDER) & (actual < line))
    return np.select(
        [np.isnan(actual) & elsewhere, np.isnan(actual), called == NO_LINE, called == PASS, actual == line, right],
        [PLAYED_ELSEWHERE, VOID, NO_BET, PASSED, PUSH, WIN],
        LOSS,
    )


def _floats(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].cast(pa.float64()).to_numpy()


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def expected(predictions: ir.Table, facts: ir.Table, schedule: ir.Table) -> ir.Table:
    """Every forecast of a countable game: graded once the game is final and if it was made before tip-off; void at once
    where the game was called off."""
    made = predictions.filter(predictions.predicted_mean.notnull())
    played = facts.select(*GAME).distinct()
    joined = made.left_join(schedule, GAME).left_join(played, equal(made, played, *GAME))
    late = ~asof.made_before(made.as_of, schedule.tip_off, schedule.cutoff_at)
    reason = ibis.cases(
        (schedule.game_id.isnull(), "its game is no longer in the schedule of the day"),
        (void_reason(schedule.status).notnull(), ibis.null("string")),
        (schedule.status != FINAL, absence(schedule.status)),
        (played.game_id.isnull(), PENDING),
        (late, "it was made after tip-off"),
    )
    return joined.select(made.game_date, made.player_id, made.market, made.system_id, reason=reason)


TRANSFORM = Transform(
    PREDICTION_ACCURACY,
    build,
    reads={
        "predictions": asof.same_day(PLAYER_PROP_PREDICTIONS),
        "facts": asof.same_day(PLAYER_GAME_SUMMARY),
        "schedule": asof.same_day(SCHEDULE),
    },
    expected=expected,
    apply=grade,
    watched=("actual_value", "line"),
    group="5_grading",
)
