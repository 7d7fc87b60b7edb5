"""What a quote is worth: fair odds, the book's probability without its margin, expected value, and the Kelly stake."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.protocol import Floats

Integers = NDArray[np.integer[Any]]

KELLY_SHARE = 0.25
KELLY_CAP = 0.05
# So many suppliers of prices tell which of them is wrong.
FEWEST_SUPPLIERS = 3


class Price(NamedTuple):
    """One value per quote; NaN where odds are not given. Meaning and formulas stand in nba_predictions.prop_prices."""

    p_over: Floats
    p_push: Floats
    fair_over_odds: Floats
    fair_under_odds: Floats
    margin: Floats
    market_p_over: Floats
    edge_over: Floats
    ev_over: Floats
    ev_under: Floats
    kelly_over: Floats
    kelly_under: Floats


def decimal_odds(american: Floats) -> Floats:
    """Pay-out per unit, stake included: -110 -> 1.909, +120 -> 2.2."""
    return np.where(american < 0, 1 - 100 / american, 1 + american / 100)


def american_odds(decimal: Floats) -> Floats:
    """1.909 -> -110, 2.2 -> +120; NaN where the decimal odds are not above 1 or not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.where(decimal >= 2, 100 * (decimal - 1), -100 / (decimal - 1))
    return np.where(np.isfinite(odds) & (decimal > 1), odds, np.nan)


def price(law: Law, line: Floats, over_odds: Floats, under_odds: Floats) -> Price:
    """Price quotes by the laws of forecasts, elementwise. A push gives the stake back.

    Args:
        law: The law of each quote's forecast.
        line: Lines, in units of the market.
        over_odds: American odds of the over; NaN where there are none.
        under_odds: American odds of the under; NaN where there are none.
    """
    over, push = law.probability_over(line)
    under = np.maximum(1 - over - push, 0)
    pays_over, pays_under = decimal_odds(over_odds), decimal_odds(under_odds)
    booked = 1 / pays_over + 1 / pays_under
    market_over = 1 / pays_over / booked
    ev_over, ev_under = over * (pays_over - 1) - under, under * (pays_under - 1) - over
    with np.errstate(divide="ignore", invalid="ignore"):
        return Price(
            p_over=over,
            p_push=push,
            fair_over_odds=american_odds(1 + under / over),
            fair_under_odds=american_odds(1 + over / under),
            margin=booked - 1,
            market_p_over=market_over,
            edge_over=over / (1 - push) - market_over,
            ev_over=ev_over,
            ev_under=ev_under,
            kelly_over=_kelly(ev_over, pays_over, over + under),
            kelly_under=_kelly(ev_under, pays_under, over + under),
        )


def stated_centre(law: Law, line: Floats, market_over: Floats) -> Floats:
    """Return where a price puts the law: the mean, in standard deviations, at which the law says the price's chance at its line.

    Args:
        law: The law of each quote's forecast, whose own mean does not count.
        line: Lines, in units of the market.
        market_over: Chances of the over by the prices without margin; NaN where there are not both.
    """
    return law.centre(line, market_over) / law.sd


def distance_from_others(forecast: Integers, supplier: NDArray[np.str_], centre: Floats) -> Floats:
    """Measure how far each price lies from those of the other books beside the same forecast.

    Args:
        forecast: Number of the forecast that prices each quote.
        supplier: Supplier of each book's prices.
        centre: `stated_centre` of each quote.

    Returns:
        Distances from the median of the suppliers, one vote each, in standard deviations of the law; NaN without a price of both
        sides, and where fewer than three suppliers have one.
    """
    names, vote = np.unique(supplier, return_inverse=True)
    known = ~np.isnan(centre)
    votes, of_supplier, _ = _medians(forecast[known] * len(names) + vote[known], centre[known])
    forecasts, median, suppliers = _medians(votes // max(len(names), 1), of_supplier)
    distance = np.full(len(centre), np.nan)
    place = np.searchsorted(forecasts, forecast[known])
    distance[known] = np.where(suppliers[place] >= FEWEST_SUPPLIERS, np.abs(centre[known] - median[place]), np.nan)
    return distance


def _medians(key: Integers, values: Floats) -> tuple[Integers, Floats, Integers]:
    """Return the keys, sorted, with the median and the number of the values of each."""
    ordered = values[np.lexsort((values, key))]
    keys, count = np.unique(key, return_counts=True)
    first = np.cumsum(count) - count
    return keys, (ordered[first + (count - 1) // 2] + ordered[first + count // 2]) / 2, count


def _kelly(value: Floats, pays: Floats, decided: Floats) -> Floats:
    """A quarter of the stake that maximises the expected logarithm of the bankroll, capped."""
    full = np.maximum(value, 0) / ((pays - 1) * decided)
    return np.minimum(KELLY_SHARE * full, KELLY_CAP)
