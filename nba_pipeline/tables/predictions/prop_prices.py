"""nba_predictions.prop_prices: every quote in force, priced by every system."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.books import SPORTSBOOK, feed_expression
from nba_pipeline.domain.markets import MARKETS, by_market
from nba_pipeline.engine.transform import Transform
from nba_pipeline.systems import BASELINE_IDS, SYSTEM_IDS
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.pricing import Price, distance_from_others, price, stated_centre
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared import consensus_lines as lines
from nba_pipeline.tables.shared.odds import is_contradictory

if TYPE_CHECKING:
    import pandas as pd

PRICED = tuple(s for s in SYSTEM_IDS if s not in BASELINE_IDS)


# Sportsbooks were seen again within 12 hours in 92 % of priced quotes of 2023-24, and their lines lay within half a standard
# deviation of the consensus in 99.9 %. In 99.8 % and more their prices put the law within a quarter of one of the median, but for
# feeds that mix sides up (docs/models.md).
STALE_AFTER = timedelta(hours=12)
OUTLYING_LINE = 0.5
OUTLYING_PRICE = 0.25
PICKEM, NO_PRICE, STALE, OUTLIER, CONTRADICTORY = EXCLUSIONS = (
    "pickem",
    "no_price",
    "stale",
    "outlying",
    "contradictory",
)


class PropPrices(Rows):
    """Value of a quote under a system's forecast: probabilities, fair odds, edge over the book's price without its margin,
    and expected value of both sides. Quotes without a price have probabilities and fair odds only. One row per forecast, book
    and line."""

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    market: str = column("statistic that is bet on", isin=list(MARKETS))
    system_id: str = column("system whose forecast prices the quote", isin=list(PRICED))
    bookmaker: str = column("book")
    line: float = column("the book's main line in force at the cut-off", precision=2, gt=0, le=150)
    book_kind: str = column("sportsbook, or dfs for pick'em operators without real prices", isin=["sportsbook", "dfs"])
    over_odds: float = column(
        "American odds of the over; NULL for pick'em operators, whose prices are placeholders",
        precision=1,
        nullable=True,
    )
    under_odds: float = column("American odds of the under; NULL as over_odds", precision=1, nullable=True)
    quoted_at: Instant = column("when the quote was last known before the cut-off (UTC)", nullable=True)
    p_over: float = column("probability that the outcome exceeds the line, by the law of the forecast", ge=0, le=1)
    p_push: float = column("probability that the outcome equals the line", ge=0, le=1)
    fair_over_odds: float = column(
        "American odds at which the over is worth nothing; NULL where it is certain or impossible",
        formula="decimal 1 + p_under / p_over, as stakes come back on a push",
        precision=1,
        nullable=True,
    )
    fair_under_odds: float = column(
        "American odds at which the under is worth nothing; NULL where it is certain or impossible",
        formula="decimal 1 + p_over / p_under",
        precision=1,
        nullable=True,
    )
    margin: float = column(
        "what the book keeps",
        unit="fraction",
        formula="sum of both implied probabilities minus 1; NULL without both odds",
        nullable=True,
    )
    market_p_over: float = column(
        "the book's probability of the over without its margin",
        formula="implied probability of the over / sum of both",
        nullable=True,
        ge=0,
        le=1,
    )
    edge_over: float = column(
        "the system's probability of the over, pushes aside, minus the book's without margin; of the under it is the negative",
        formula="p_over / (1 - p_push) - market_p_over",
        nullable=True,
        ge=-1,
        le=1,
    )
    ev_over: float = column(
        "expected profit of one unit on the over",
        unit="units",
        formula="p_over·(decimal odds - 1) - p_under",
        nullable=True,
        ge=-1,
    )
    ev_under: float = column(
        "expected profit of one unit on the under",
        unit="units",
        formula="p_under·(decimal odds - 1) - p_over",
        nullable=True,
        ge=-1,
    )
    kelly_over: float = column(
        "a quarter of the Kelly stake on the over, at most 5 %; for information, not advice",
        unit="fraction of the bankroll",
        formula="min(0.05, max(0, ev / ((decimal odds - 1)·(p_over + p_under))) / 4)",
        nullable=True,
        ge=0,
        le=0.05,
    )
    kelly_under: float = column(
        "the same for the under", unit="fraction of the bankroll", formula="as kelly_over", nullable=True, ge=0, le=0.05
    )
    exclusion: str = column(
        "reason why the quote is no candidate for the best price; NULL for a candidate, and in rows of earlier releases",
        formula=f"pickem: a pick'em operator, whose prices are placeholders; no_price: no odds; stale: last known more than "
        f"{STALE_AFTER.total_seconds() / 3600:g} hours before as_of; outlying: the line lies more than {OUTLYING_LINE:g} "
        "standard deviations of the forecast from the consensus line, or the price more than "
        f"{lines.OUTLYING_LOGIT:g}, in logits of the over without margin, from the median of the suppliers at its line, "
        f"or, where three suppliers and more have prices, puts the law more than {OUTLYING_PRICE:g} standard deviations from "
        "where their median does; contradictory: both prices together imply less than 1",
        nullable=True,
        hashed=False,
        isin=list(EXCLUSIONS),
    )
    is_pricing_system: bool = column(
        "true for the system whose prices lead: line_aware_v1 where it has a forecast, else ensemble_v1; NULL in rows of"
        " earlier releases",
        nullable=True,
        hashed=False,
    )
    best_over: bool = column("true for the candidate with the highest expected value on the over, by the system's law")
    best_under: bool = column(
        "true for the candidate with the highest expected value on the under, by the system's law"
    )


PROP_PRICES = Table(
    model=PropPrices,
    name="prop_prices",
    dataset="nba_predictions",
    key=("game_date", "player_id", "market", "system_id", "bookmaker", "line"),
    partition="game_date",
    cluster=("system_id", "player_id"),
    rules={
        "more than certain": lambda t: t.p_over + t.p_push <= 1.0001,
        "an expected value without a price, or the other way round": lambda t: (
            (t.over_odds.notnull() == t.ev_over.notnull()) & (t.under_odds.notnull() == t.ev_under.notnull())
        ),
        "a best price without a price": lambda t: (
            (~t.best_over | t.over_odds.notnull()) & (~t.best_under | t.under_odds.notnull())
        ),
        "an excluded quote is a best price": lambda t: t.exclusion.isnull() | ~(t.best_over | t.best_under),
    },
    group_rules={
        "more than one best price of a side": (
            ("game_date", "player_id", "market", "system_id"),
            lambda t: (t.best_over.cast("int64").sum() <= 1) & (t.best_under.cast("int64").sum() <= 1),
        ),
    },
)

KEY = ("game_date", "player_id", "market")
FORECAST = ("predicted_mean", "predicted_sd", "predicted_skewness")


def build(predictions: ir.Table, quotes: ir.Table) -> ir.Table:
    """Every forecast beside every quote that was in force when it was made; `priced` adds the values of the quotes."""
    made = _priced(predictions)
    slate = predictions.select("game_date", "game_id", "player_id", cutoff_at=predictions.as_of).distinct()
    quoted = quotes.select(*lines.QUOTED).filter(quotes.market.isin(made.market))
    current = lines.beside_other_books(lines.in_force(quoted, slate))
    joined = made.inner_join(current, [*KEY, made.as_of == current.cutoff_at])
    real = current.book_kind == SPORTSBOOK
    return joined.select(
        *[made[c] for c in (*KEY, "system_id", "is_pricing_system", *FORECAST)],
        *[current[c] for c in ("bookmaker", "line", "book_kind")],
        **{c: real.ifelse(current[c], None) for c in ("over_odds", "under_odds")},
        quoted_at=current.known_at,
        supplier=feed_expression(current.bookmaker),
        exclusion=exclusion(current, made.line, made.predicted_sd, made.as_of),
    )


def exclusion(
    quotes: ir.Table, consensus_line: ir.FloatingValue, sd: ir.FloatingValue, as_of: ir.TimestampValue
) -> ir.StringValue:
    """Return the reason why a quote is no candidate for the best price; NULL for a candidate.

    Args:
        quotes: Quotes in force at `as_of`, of `consensus_lines.beside_other_books`.
        consensus_line: Consensus line of each quote's player and market, in units of the market.
        sd: Standard deviation of the forecast, in units of the market.
        as_of: Time up to which the forecast uses information; a quote without a time is a documented close and never stale.
    """
    away = (quotes.line - consensus_line).abs()
    return ibis.cases(
        (quotes.book_kind != SPORTSBOOK, PICKEM),
        (quotes.over_odds.isnull() & quotes.under_odds.isnull(), NO_PRICE),
        (quotes.known_at < as_of - ibis.interval(seconds=int(STALE_AFTER.total_seconds())), STALE),
        ((away > OUTLYING_LINE * sd) | lines.is_outlying(quotes), OUTLIER),
        (is_contradictory(quotes.over_odds, quotes.under_odds), CONTRADICTORY),
    )


def _priced(predictions: ir.Table) -> ir.Table:
    return predictions.filter(predictions.predicted_mean.notnull() & predictions.system_id.isin(PRICED))


def priced(rows: pa.Table) -> pa.Table:
    """The rows of `build` with probabilities, fair odds, edges and values; prices that contradict the other books' are excluded,
    and the best price per side is marked."""
    frame = rows.to_pandas()
    numbers = (_floats(rows, c) for c in (*FORECAST, "line", "over_odds", "under_odds"))
    made = by_market(_price, frame["market"].to_numpy(dtype=str), *numbers)
    nothing = dict.fromkeys((*Price._fields, "centre"), np.empty(0))
    frame = frame.drop(columns=list(FORECAST)).assign(**(made or nothing))
    frame.loc[_contradicted(frame), "exclusion"] = OUTLIER
    frame, candidate = frame.drop(columns=["supplier", "centre"]), frame["exclusion"].isna()
    for side in ("over", "under"):
        worth = frame[f"ev_{side}"].where(candidate)
        order = frame.assign(worth=worth).sort_values(["worth", "line", "bookmaker"], ascending=[False, True, True])
        first = order[order["worth"].notna()].drop_duplicates([*KEY, "system_id"]).index
        frame[f"best_{side}"] = frame.index.isin(first)
    return pa.Table.from_pandas(frame, preserve_index=False)


def _contradicted(frame: "pd.DataFrame") -> "pd.Index":
    """The candidates whose prices lie far from those of the other books, each counted with its line."""
    rows = frame[frame["exclusion"].isna() & frame["centre"].notna()]
    forecast = rows.groupby([*KEY, "system_id"]).ngroup()
    distance = distance_from_others(
        forecast.to_numpy(), rows["supplier"].to_numpy(dtype=str), rows["centre"].to_numpy()
    )
    return rows.index[distance > OUTLYING_PRICE]


def _price(
    mean: np.ndarray, sd: np.ndarray, skewness: np.ndarray, line: np.ndarray, *odds: np.ndarray, market: str
) -> dict[str, np.ndarray]:
    law = Law.stored(mean, sd, skewness, market)
    found = price(law, line, *odds)
    return {**found._asdict(), "centre": stated_centre(law, line, found.market_p_over)}


def _floats(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False)


def expected(predictions: ir.Table) -> ir.Table:
    """Every forecast that has a line has quotes."""
    made = _priced(predictions)
    return made.filter(made.line.notnull()).select(*KEY, "system_id", reason=ibis.null("string"))


TRANSFORM = Transform(
    PROP_PRICES,
    build,
    reads={
        "predictions": asof.same_day(PLAYER_PROP_PREDICTIONS),
        "quotes": asof.same_day(PLAYER_PROP_LINES),
    },
    expected=expected,
    counted="forecasts",
    apply=priced,
    watched=("over_odds", "market_p_over"),
)
