"""nba_predictions.calls: what was recommended, when, at which book and price; rows are only ever added."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared, union
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.transform import Transform
from nba_pipeline.systems import SYSTEM_IDS
from nba_pipeline.tables.predictions.player_prop_predictions import OVER, PLAYER_PROP_PREDICTIONS, UNDER
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns

# The snapshot of a call by its minutes before tip-off: each begins above its bound.
MORNING, SIXTY, TWENTY_FIVE, CLOSE = SNAPSHOTS = ("morning", "t60", "t25", "close")
LEAST_MINUTES = ((MORNING, 90), (SIXTY, 40), (TWENTY_FIVE, 5))
LAW = ("predicted_mean", "predicted_sd", "predicted_skewness")


class Calls(Rows):
    """Recommendations of the pricing system at the time they were made: book, line, price and the law of that time. The
    first call of a snapshot stays; refreshes, re-runs and backfills add rows and never change one. One row per player, market
    and snapshot."""

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
    side: str = column("side that was recommended", isin=[OVER, UNDER])
    confidence: float = column("probability of the side at the consensus line, pushes aside", ge=0.5, le=1)
    consensus_line: float = column("consensus line at that time", unit="market", precision=2, gt=0)
    line_book_kind: str = column("books behind it: sportsbook or dfs", isin=["sportsbook", "dfs"])
    bookmaker: str = column("book with the best price; NULL if there was no real price", nullable=True)
    line: float = column(
        "line of the best price; the consensus line if there was none", unit="market", precision=2, gt=0
    )
    odds: float = column("American price of the side; NULL if there was no real price", precision=1, nullable=True)
    p_side: float = column("probability that the side wins at this line, by the law", ge=0, le=1)
    p_push: float = column("probability that the outcome equals this line", ge=0, le=1)
    expected_value: float = column(
        "expected profit of one unit; NULL without a price", unit="units", nullable=True, ge=-1
    )
    kelly: float = column(
        "a quarter of the Kelly stake, at most 5 %; for information, not advice",
        unit="fraction of the bankroll",
        nullable=True,
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
    },
)

KEY = ("game_date", "player_id", "market", "system_id")


def build(predictions: ir.Table, prices: ir.Table, schedule: ir.Table, earlier: ir.Table, clock: ir.Table) -> ir.Table:
    """Return the calls that exist, unchanged, and the current ones of snapshots that have none."""
    current = _current(predictions, prices, schedule, clock)
    new = current.anti_join(earlier, CALLS.key)
    types = {c: CALLS.ibis_schema[c] for c in CALLS.computed_columns}
    return union(*[t.select(*types).cast(types) for t in (earlier, new)])


def _called(predictions: ir.Table, schedule: ir.Table, clock: ir.Table) -> ir.Table:
    """Calls of the pricing system, with their snapshots."""
    mine = predictions.filter(
        predictions.recommendation.isin([OVER, UNDER]) & predictions.is_pricing_system.fill_null(False)
    )
    games = shared(schedule.select("game_id", "tip_off", "cutoff_at").cross_join(clock))
    joined = mine.inner_join(games, "game_id").select(mine, games.tip_off, games.cutoff_at, games.now)
    lead = (joined.tip_off.epoch_seconds() - joined.as_of.epoch_seconds()) / 60.0
    timed = joined.mutate(lead_minutes=lead, backfilled=joined.now > joined.cutoff_at)
    snapshot = ibis.cases(*((timed.lead_minutes > least, name) for name, least in LEAST_MINUTES), else_=CLOSE)
    return shared(timed.mutate(snapshot=snapshot))


def _current(predictions: ir.Table, prices: ir.Table, schedule: ir.Table, clock: ir.Table) -> ir.Table:
    called = _called(predictions, schedule, clock)
    over = called.recommendation == OVER
    best = union(
        prices.filter(prices.best_over).mutate(side=ibis.literal(OVER)),
        prices.filter(prices.best_under).mutate(side=ibis.literal(UNDER)),
    )
    priced = called.left_join(best, [*[called[c] == best[c] for c in KEY], called.recommendation == best.side])
    odds = over.ifelse(best.over_odds, best.under_odds)
    at_price = best.line.notnull()
    consensus_side = over.ifelse(called.p_over, 1 - called.p_over - called.p_push)
    price_side = over.ifelse(best.p_over, 1 - best.p_over - best.p_push)
    copied = ("model_version", "game_id", "season", "season_type", "player_name", "team", "opponent", "confidence")
    return priced.select(
        *[called[c] for c in (*KEY, "snapshot", *copied, *LAW, "injury_status", "as_of")],
        *[called[c] for c in ("line_book_kind", "lead_minutes", "backfilled")],
        side=called.recommendation,
        consensus_line=called.line,
        bookmaker=best.bookmaker,
        line=best.line.coalesce(called.line),
        odds=odds,
        p_side=ibis.greatest(at_price.ifelse(price_side, consensus_side), 0.0),
        p_push=best.p_push.coalesce(called.p_push),
        expected_value=over.ifelse(best.ev_over, best.ev_under),
        kelly=over.ifelse(best.kelly_over, best.kelly_under),
    )


def expected(predictions: ir.Table, schedule: ir.Table, earlier: ir.Table, clock: ir.Table) -> ir.Table:
    """Every call of the pricing system, and those of earlier snapshots."""
    current = _called(predictions, schedule, clock).select(*CALLS.key)
    return union(current, earlier.select(*CALLS.key), distinct=True).mutate(reason=ibis.null("string"))


TRANSFORM = Transform(
    CALLS,
    build,
    reads={
        "predictions": asof.same_day(PLAYER_PROP_PREDICTIONS),
        "prices": asof.same_day(PROP_PRICES),
        "schedule": asof.same_day(SCHEDULE),
        "earlier": asof.kept(CALLS),
    },
    expected=expected,
    watched=("odds",),
)
