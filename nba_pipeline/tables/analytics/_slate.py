"""The day's games seen from each team, and the season's first days."""

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import union
from nba_pipeline.domain.calendar import BOOTSTRAP_DAYS

REGULAR_SEASON = "Regular Season"


def playable(slate: ir.Table) -> ir.Table:
    """The countable games of a slate that are not called off."""
    return slate.filter(slate.countable & ~slate.called_off.fill_null(False))


def slate_teams(slate: ir.Table) -> ir.Table:
    """Return two rows per countable game that is not called off, one for each team, with opponent and home_game."""
    games = playable(slate)
    facts = ("game_id", "game_date", "season", "season_type", "cutoff_at", "neutral_site", "arena")
    sides = [
        games.select(*facts, team=games[own], opponent=games[other], home_game=ibis.literal(own == "home_team"))
        for own, other in (("home_team", "away_team"), ("away_team", "home_team"))
    ]
    return union(*sides)


def season_openings(slate: ir.Table, season_games: ir.Table) -> ir.Table:
    """(season, opening): the date of the season's first regular-season game, among the games up to the slate's."""
    columns = ("season", "season_type", "game_date")
    games = union(slate.select(*columns), season_games.select(*columns))
    regular = games.filter(games.season_type == REGULAR_SEASON)
    return regular.group_by("season").aggregate(opening=lambda t: t.game_date.min())


def is_early(game_date: ir.DateValue, opening: ir.DateValue) -> ir.BooleanValue:
    """Return true in the first days of a season, and before its first regular-season game."""
    return (game_date.delta(opening, unit="day") < BOOTSTRAP_DAYS).fill_null(True)
