"""Declare the first dates of the services' data, so that nothing earlier is requested."""

from collections.abc import Sequence
from datetime import UTC, datetime

from nba_pipeline.sources.parsing.odds import GAME_MARKETS

# The Odds API has snapshots of the main markets since June 2020, of player markets since May 2023 (its guide to
# historical data). It refuses a call that names a market of a later date with status 422.
ODDS_SINCE = datetime(2020, 6, 6, 10, 5, tzinfo=UTC)
PLAYER_MARKETS_SINCE = datetime(2023, 5, 3, 5, 30, tzinfo=UTC)


def has_odds(at: datetime) -> bool:
    """Return whether the odds service has a snapshot of this time."""
    return at >= ODDS_SINCE


def has_markets(at: datetime, markets: Sequence[str]) -> bool:
    """Return whether the odds service has a snapshot of this time with all of these markets."""
    return has_odds(at) and (at >= PLAYER_MARKETS_SINCE or set(markets) <= set(GAME_MARKETS))
