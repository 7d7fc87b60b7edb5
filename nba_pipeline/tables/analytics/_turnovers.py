"""Turnovers of a team, counted the same way in every kind of game."""

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.tables.shared.keys import GAME

TURNOVERS_FORMULA = "sum of its players' turnovers; turnovers charged to the team as such are left out"


def with_player_turnovers(teams: ir.Table, players: ir.Table) -> ir.Table:
    """Return the team lines with the sum of the players' turnovers in place of the team's own count.

    The source's play-off lines contain turnovers charged to the team (0.7 to 0.9 a game), its other lines do not.
    """
    sums = players.group_by(*GAME, "team").aggregate(player_turnovers=players.turnovers.sum())
    joined = teams.left_join(sums, [*GAME, "team"]).select(teams, sums.player_turnovers)
    return shared(joined.mutate(turnovers=joined.player_turnovers).drop("player_turnovers"))
