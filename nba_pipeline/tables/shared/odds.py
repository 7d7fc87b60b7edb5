"""American odds, and the probabilities they imply."""

from nba_pipeline.common import ibis_types as ir

# Both sides of a market together imply 1 and the book's margin. On real game lines of twenty books margins reach 0.12; sums
# below 1 and above 1.12 are averages of American odds or errors of the source.
PAIR_SUM = (1.0, 1.12)
LEAST_ODDS = 100.0


def implied_probability(odds: ir.FloatingValue) -> ir.FloatingValue:
    """Return the break-even probability of American odds: -110 -> 0.524, +120 -> 0.455. It contains the book's margin.

    NULL for numbers between -100 and 100, which are not American odds.
    """
    value = (odds < 0).ifelse(-odds / (100.0 - odds), 100.0 / (odds + 100.0))
    return (odds.abs() >= LEAST_ODDS).ifelse(value, None)


def american_odds(probability: ir.FloatingValue) -> ir.FloatingValue:
    """Return the American odds that break even at the probability: 0.6 -> -150, 0.4 -> +150."""
    return (probability <= 0.5).ifelse(100.0 / probability - 100.0, -100.0 * probability / (1.0 - probability))


def is_odds(odds: ir.FloatingValue) -> ir.BooleanValue:
    """Return whether a number is American odds: at least 100 away from zero. NULL stays NULL."""
    return odds.abs() >= LEAST_ODDS


def is_possible_pair(first: ir.FloatingValue, second: ir.FloatingValue) -> ir.BooleanValue:
    """Return whether the odds of a market's two sides can stand together: they imply a sum within `PAIR_SUM`."""
    lowest, highest = PAIR_SUM
    total = implied_probability(first) + implied_probability(second)
    return (total >= lowest - 1e-9) & (total <= highest)


def is_contradictory(first: ir.FloatingValue, second: ir.FloatingValue) -> ir.BooleanValue:
    """Return whether the odds of a market's two sides imply less than 1 together; false where one is unknown."""
    return (implied_probability(first) + implied_probability(second) < PAIR_SUM[0]).fill_null(False)
