"""Since when the services have what can be asked of them. What did not exist yet is not asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime

from nba_pipeline.sources.parsing.odds import MARKETS, PROP_MARKETS

# The Odds API keeps snapshots of the main markets since June 2020, those of players' markets since May 2023
# (its guide to historical data). A call that names one market which did not exist is refused whole, with status 422.
ODDS_SINCE = datetime(2020, 6, 6, 10, 5, tzinfo=UTC)
PLAYER_MARKETS_SINCE = datetime(2023, 5, 3, 5, 30, tzinfo=UTC)


def has_odds(at: datetime) -> bool:
    """Whether the odds service has a snapshot of this moment."""
    return at >= ODDS_SINCE


def markets_at(at: datetime | None) -> Sequence[str]:
    """The markets that the odds service has at a moment of the past; None: now."""
    if at is None or at >= PLAYER_MARKETS_SINCE:
        return MARKETS
    return tuple(m for m in MARKETS if m not in PROP_MARKETS)
