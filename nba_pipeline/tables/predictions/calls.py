"""nba_predictions.calls: what was worth its price, when, at which book and line; rows are only ever added."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal, shared, union
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.transform import Transform
from nba_pipeline.systems import SYSTEM_IDS
from nba_pipeline.systems.line_law import PRIOR_ROWS
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.player_prop_predictions import OUT, OVER, PLAYER_PROP_PREDICTIONS, UNDER
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared import exact_sums as exact
from nba_pipeline.tables.shared.keys import GAME
from nba_pipeline.tables.shared.odds import implied_probability

# The snapshot of a call by its minutes before tip-off: each begins above its bound.
MORNING, SIXTY, TWENTY_FIVE, CLOSE = SNAPSHOTS = ("morning", "t60", "t25", "close")
LEAST_MINUTES = ((MORNING, 90), (SIXTY, 40), (TWENTY_FIVE, 5))
LAW = ("predicted_mean", "predicted_sd", "predicted_skewness")

# A call needs a value above 0 with this many standard errors of the probability taken off: one-sided 95 %.
STANDARD_ERRORS = 1.645
VALUE_PRECISION = 4

# Stakes of one snapshot of a day add up to this share of the bankroll at most. Results of calls in one game were correlated by
# 0.01 (3,386 pairs of 2023-24), errors of opponents by 0.02 and of team-mates by -0.07 (points): 0.05 is on the safe side.
DAILY_EXPOSURE = 0.10
GAME_CORRELATION = 0.05
STAKE_PRECISION = 6


class Calls(Rows):
    """Sides that the pricing system found worth a real, fresh price, with book, line, price and the law of that time. The first
    call of a snapshot stays; refreshes, re-runs and backfills add rows and never change one. No call is made on a player
    reported out, on a row of the feature store that is not ready for production, or by a law without calibration. One row
    per player, market and snapshot."""

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    market: str = column("statistic that is bet on", isin=list(MARKETS))
    snapshot: str = column(
        "part of the day in which the call was made",
        formula="by lead_minutes: morning: more than 90; t60: more than 40; t25: more than 5; close: the last 5",
        isin=list(SNAPSHOTS),
    )
    system_id: str = column("pricing system that made the call", isin=list(SYSTEM_IDS))
    model_version: str = column("version of the system")
    game_id: str = columns.GAME_ID
    season: str = column("season label")
    season_type: str = columns.SEASON_TYPE
    player_name: str = column("display name")
    team: str = tricode("tricode of the player's team")
    opponent: str = tricode("tricode of the opponent")
    side: str = column("side of the call: of both best prices the one with the higher value_low", isin=[OVER, UNDER])
    confidence: float = column(
        "probability of the side at the consensus line, pushes aside; below one half where the price makes up for it",
        ge=0,
        le=1,
    )
    consensus_line: float = column("consensus line at that time", unit="market", precision=2, gt=0)
    line_book_kind: str = column("books behind it: sportsbook or dfs", isin=["sportsbook", "dfs"])
    bookmaker: str = column(
        "book with the best price; NULL in rows of earlier releases without a real price", nullable=True
    )
    line: float = column(
        "line of the best price; the consensus line in rows of earlier releases without one",
        unit="market",
        precision=2,
        gt=0,
    )
    odds: float = column(
        "American price of the side; NULL in rows of earlier releases without a real price", precision=1, nullable=True
    )
    p_side: float = column("probability that the side wins at this line, by the law", ge=0, le=1)
    p_push: float = column("probability that the outcome equals this line", ge=0, le=1)
    expected_value: float = column(
        "expected profit of one unit; NULL without a price", unit="units", nullable=True, ge=-1
    )
    value_low: float = column(
        "expected profit of one unit with the probability at the lower end of what its calibration can tell; above 0 in every"
        " call; NULL in rows of earlier releases, which were made by probability alone",
        formula=f"expected_value - {STANDARD_ERRORS}·(1 - p_push)·q·(1 - q)·√(8 / (calibration_rows + {PRIOR_ROWS:,.0f}))"
        "·decimal odds, q = p_side / (1 - p_push): the standard error of an average row of a logistic regression of two terms",
        unit="units",
        precision=VALUE_PRECISION,
        nullable=True,
        hashed=False,
    )
    kelly: float = column(
        "a quarter of the Kelly stake, at most 5 %; for information, not advice",
        unit="fraction of the bankroll",
        nullable=True,
        ge=0,
        le=0.05,
    )
    stake: float = column(
        "kelly, reduced for calls in the same game and so that the stakes of a snapshot of the day add up to at most"
        f" {DAILY_EXPOSURE:.0%}; for information, not advice; NULL in rows of earlier releases",
        formula=f"s·min(1, ({DAILY_EXPOSURE} - stakes of calls made before) / Σ s), s = kelly / (1 + {GAME_CORRELATION}·(new"
        " calls in the game - 1)), over the new calls of the day and snapshot",
        unit="fraction of the bankroll",
        precision=STAKE_PRECISION,
        nullable=True,
        hashed=False,
        ge=0,
        le=0.05,
    )
    predicted_mean: float = column("mean of the law at that time", unit="market", ge=0)
    predicted_sd: float = column("standard deviation of the law at that time", unit="market", gt=0)
    predicted_skewness: float = column("skewness of the law at that time", gt=0)
    injury_status: str = column("status in force at that time; NULL without any statement", nullable=True)
    as_of: Instant = column("the call uses nothing that became known later (UTC)")
    lead_minutes: float = column("minutes from as_of to the scheduled tip-off; NULL if it is unknown", nullable=True)
    backfilled: bool = column(
        "true if the call was computed after the cut-off of its game, so that no user can have acted on it"
    )


CALLS = Table(
    model=Calls,
    name="calls",
    dataset="nba_predictions",
    key=("game_date", "player_id", "market", "snapshot"),
    partition="game_date",
    cluster=("player_id", "market"),
    rules={
        "a price without a book, or a book without a price": lambda t: t.bookmaker.notnull() == t.odds.notnull(),
        "an expected value without a price, or the other way round": lambda t: (
            t.odds.notnull() == t.expected_value.notnull()
        ),
        "a call made after tip-off": lambda t: t.lead_minutes >= 0,
        "a call that is not worth its price for certain": lambda t: t.value_low > 0,
    },
)

KEY = ("game_date", "player_id", "market", "system_id")
# The columns of forecasts that a call repeats, and those that decide whether one may be made; the others are not read.
COPIED = (
    *("model_version", "game_id", "season", "season_type", "player_name", "team", "opponent"),
    *("injury_status", "as_of", "line_book_kind"),
)
DECIDING = ("is_pricing_system", "calibration_rows", "line", "p_over", "p_push")


def build(
    predictions: ir.Table, prices: ir.Table, features: ir.Table, schedule: ir.Table, earlier: ir.Table, clock: ir.Table
) -> ir.Table:
    """Return the calls that exist, unchanged, and the current ones of snapshots that have none."""
    current = _current(predictions, prices, features, schedule, clock)
    new = _staked(current.anti_join(earlier, CALLS.key), earlier)
    types = {c: CALLS.ibis_schema[c] for c in CALLS.computed_columns}
    return union(*[t.select(*types).cast(types) for t in (earlier, new)])


def _callable(predictions: ir.Table, features: ir.Table, schedule: ir.Table, clock: ir.Table) -> ir.Table:
    """Forecasts of the pricing system on which a call may be made, with their snapshots."""
    ready = features.filter((features.feature_version == MODEL_FEATURES.name) & features.is_production_ready)
    mine = (
        predictions.select(*KEY, *COPIED, *LAW, *DECIDING)
        .filter(
            predictions.is_pricing_system.fill_null(False)
            & (predictions.calibration_rows > 0)
            & (predictions.injury_status != OUT).fill_null(True)
            & predictions.line.notnull()
        )
        .semi_join(ready, ["game_date", "player_id"])
    )
    games = shared(schedule.select("game_id", "game_date", "tip_off", "cutoff_at").cross_join(clock))
    joined = mine.inner_join(games, GAME).select(mine, games.tip_off, games.cutoff_at, games.now)
    lead = (joined.tip_off.epoch_seconds() - joined.as_of.epoch_seconds()) / 60.0
    timed = joined.mutate(lead_minutes=lead, backfilled=joined.now > joined.cutoff_at)
    snapshot = ibis.cases(*((timed.lead_minutes > least, name) for name, least in LEAST_MINUTES), else_=CLOSE)
    return shared(timed.mutate(snapshot=snapshot))


def _offers(prices: ir.Table) -> ir.Table:
    """The best price of each side, one row per forecast and side."""
    candidates = prices.filter(prices.exclusion.isnull())
    sides = []
    for side, name in ((OVER, "over"), (UNDER, "under")):
        best = candidates.filter(candidates[f"best_{name}"])
        p_side = best.p_over if side == OVER else 1 - best.p_over - best.p_push
        sides.append(
            best.select(
                *KEY,
                "bookmaker",
                "line",
                "p_push",
                side=ibis.literal(side),
                odds=best[f"{name}_odds"],
                p_side=ibis.greatest(p_side, 0.0),
                expected_value=best[f"ev_{name}"],
                kelly=best[f"kelly_{name}"],
            )
        )
    return union(*sides)


def _value_low(offers: ir.Table, calibration_rows: ir.IntegerValue) -> ir.FloatingValue:
    """Return the expected value with the probability lowered by what its calibration cannot tell (see the contract)."""
    decided = 1 - offers.p_push
    q = offers.p_side / decided
    error = q * (1 - q) * (8 / (calibration_rows + PRIOR_ROWS)).sqrt()
    return offers.expected_value - STANDARD_ERRORS * decided * error / implied_probability(offers.odds)


def _current(
    predictions: ir.Table, prices: ir.Table, features: ir.Table, schedule: ir.Table, clock: ir.Table
) -> ir.Table:
    """The side of each forecast that is worth its price, or nothing."""
    mine, offers = _callable(predictions, features, schedule, clock), _offers(prices)
    over = offers.side == OVER
    consensus_over = mine.p_over / (1 - mine.p_push)
    priced = mine.inner_join(offers, list(KEY)).select(
        *[mine[c] for c in (*KEY, "snapshot", *COPIED, *LAW, "lead_minutes", "backfilled")],
        *[offers[c] for c in ("side", "bookmaker", "line", "odds", "p_side", "p_push", "expected_value", "kelly")],
        consensus_line=mine.line,
        confidence=over.ifelse(consensus_over, 1 - consensus_over),
        value_low=_value_low(offers, mine.calibration_rows),
    )
    worth = priced.filter(priced.value_low.round(VALUE_PRECISION) > 0)
    first = ibis.window(group_by=[worth[c] for c in KEY], order_by=[ibis.desc(worth.value_low), worth.side])
    ranked = worth.mutate(__place=ibis.row_number().over(first))
    return ranked.filter(ranked["__place"] == 0).drop("__place")


def _staked(new: ir.Table, earlier: ir.Table) -> ir.Table:
    """Add the stakes of new calls, beside what calls of the snapshot made before already take of the daily exposure."""
    day = ["game_date", "snapshot"]
    games = new.group_by(*day, "game_id").aggregate(calls=new.player_id.count())
    joined = shared(new.inner_join(games, [*day, "game_id"]))
    alone = shared(joined.mutate(__alone=joined.kelly / (1 + GAME_CORRELATION * (joined.calls - 1))))
    wanted = alone.group_by(*day).aggregate(wanted=exact.total(alone["__alone"], STAKE_PRECISION))
    taken = earlier.group_by(*day).aggregate(taken=exact.total(earlier.stake.coalesce(earlier.kelly), STAKE_PRECISION))
    beside = alone.left_join(wanted, day).left_join(taken, equal(alone, taken, *day))
    left = ibis.greatest(DAILY_EXPOSURE - taken.taken.fill_null(0.0), 0.0)
    share = (wanted.wanted > left).ifelse(left / wanted.wanted.nullif(0.0), 1.0)
    return beside.select(*[alone[c] for c in new.columns], stake=alone["__alone"] * share)


def expected(
    predictions: ir.Table, prices: ir.Table, features: ir.Table, schedule: ir.Table, earlier: ir.Table, clock: ir.Table
) -> ir.Table:
    """Every forecast of the pricing system with a side that is worth its price, and the calls of earlier snapshots."""
    current = _current(predictions, prices, features, schedule, clock).select(*CALLS.key)
    return union(current, earlier.select(*CALLS.key), distinct=True).mutate(reason=ibis.null("string"))


TRANSFORM = Transform(
    CALLS,
    build,
    reads={
        "predictions": asof.same_day(PLAYER_PROP_PREDICTIONS),
        "prices": asof.same_day(PROP_PRICES),
        "features": asof.same_day(ML_FEATURE_STORE),
        "schedule": asof.same_day(SCHEDULE),
        "earlier": asof.kept(CALLS),
    },
    expected=expected,
    watched=("odds",),
)
