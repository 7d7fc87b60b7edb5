"""Which quotes are plausible: bounds of lines by market, of American odds, and of what a book keeps of a pair of prices.

The bounds stand well outside what books quoted from 2021 to 2025 (the figures beside them), and well inside what an error makes
of a quote: +199900 for +199, -100000 for "off the board", decimal odds for American ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain import books
from nba_pipeline.tables.shared.odds import implied_probability

# Market -> the highest plausible line. Highest quoted main lines: points 42.5, rebounds 16.5, assists 12.5, threes 6.5,
# pra 61.5, pr 50.5, pa 53.5, ra 24.5, blocks 3.5, steals 5.5; alternates reach to records of single games.
# Of points as high as the columns of facts and contexts hold, so that one quote never refuses a day.
HIGHEST_LINES: Mapping[str, float] = {
    "points": 80.0,
    "rebounds": 40.0,
    "assists": 35.0,
    "threes": 20.0,
    "pra": 120.0,
    "pr": 105.0,
    "pa": 105.0,
    "ra": 60.0,
    "blocks": 15.0,
    "steals": 12.0,
}


@dataclass(frozen=True)
class PriceBounds:
    """Bounds of American odds. Extremes quoted on main lines: +1253 and -10000, on the same pair."""

    lowest: float
    highest: float


MAIN_PRICES = PriceBounds(-10_000.0, 2_500.0)
ALTERNATE_PRICES = PriceBounds(-10_000.0, 20_000.0)


@dataclass(frozen=True)
class PairBand:
    """Between what both implied probabilities of a pair must add up to. Below one, betting on both sides would win for sure."""

    least: float
    most: float


# Kind of book -> band. Quoted pairs: sportsbooks 1.00 to 1.20, DFS operators 1.00 to 1.16. An exchange without offers reaches
# 1.94; an aggregate's mean of American odds is no price and adds up to anything.
PAIR_BANDS: Mapping[str, PairBand] = {
    books.SPORTSBOOK: PairBand(0.98, 1.25),
    books.DFS: PairBand(0.98, 1.25),
    books.EXCHANGE: PairBand(0.95, 2.00),
    books.AGGREGATE: PairBand(0.00, 2.00),
    books.UNKNOWN: PairBand(0.90, 1.40),
}


def line_is_plausible(market: ir.StringValue, line: ir.FloatingValue) -> ir.BooleanValue:
    """Whether a line is at most the highest plausible one of its market; NULL for a market without a bound."""
    highest = market.cases(*HIGHEST_LINES.items(), else_=ibis.null("float64"))
    return line <= highest


def price_is_plausible(line_kind: ir.StringValue, odds: ir.FloatingValue) -> ir.BooleanValue:
    """Whether American odds lie within the bounds of main or alternate lines; NULL for an unknown price."""
    main = line_kind == "main"
    lowest = main.ifelse(MAIN_PRICES.lowest, ALTERNATE_PRICES.lowest)
    highest = main.ifelse(MAIN_PRICES.highest, ALTERNATE_PRICES.highest)
    return (odds >= lowest) & (odds <= highest)


def pair_is_plausible(
    book_kind: ir.StringValue, over_odds: ir.FloatingValue, under_odds: ir.FloatingValue
) -> ir.BooleanValue:
    """Whether a pair of prices adds up to what a book of its kind can quote; NULL where a price is unknown."""
    total = implied_probability(over_odds) + implied_probability(under_odds)
    least = book_kind.cases(*((k, b.least) for k, b in PAIR_BANDS.items()), else_=ibis.null("float64"))
    most = book_kind.cases(*((k, b.most) for k, b in PAIR_BANDS.items()), else_=ibis.null("float64"))
    return total.between(least, most)
