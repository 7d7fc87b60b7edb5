"""Who took part in a game: the one rule, from which facts, voids and listed players follow."""

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.tables.raw.columns import LANDING_COUNTS


def took_part(players: ir.Table) -> ir.BooleanValue:
    """Whether a player entered the court: he has minutes, a statistic, points for or against while he was on it, or started.

    A source of whole minutes says 0 of less than half a minute, so minutes alone cannot tell. `players` has the columns of
    nba_raw.player_boxscores; never NULL.
    """
    statistics = [players[name].fill_null(0) != 0 for name in (*LANDING_COUNTS, "plus_minus")]
    return ibis.or_(players.minutes.fill_null(0.0) > 0, *statistics, players.starter.fill_null(False))
