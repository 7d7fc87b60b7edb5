"""Season, type and countability of a game by its id, as expressions over a column."""

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, SEASON_TYPES


def season_expression(game_id: ir.StringValue) -> ir.StringValue:
    """Derive the season label; the same rule as `calendar.season_of_game`."""
    year = game_id.substr(3, 2).cast("int64") + 2000
    return year.cast("string") + "-" + ((year + 1) % 100).cast("string").lpad(2, "0")


def season_type_expression(game_id: ir.StringValue) -> ir.StringValue:
    """Derive the season type from the id prefix; NULL for a prefix that does not exist."""
    return game_id.substr(0, 3).cases(*SEASON_TYPES.items(), else_=ibis.null("string"))


def is_countable(game_id: ir.StringValue) -> ir.BooleanValue:
    """Select games whose statistics count: regular season, play-in, play-offs, cup final."""
    return game_id.substr(0, 3).isin(COUNTABLE_PREFIXES)
