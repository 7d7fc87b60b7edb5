"""Availability by the line-up of the player's team, as captured by the cut-off."""

import ibis

from nba_pipeline.asof.cutoffs import captured_in_time
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.lineups import CONFIRMED, INACTIVE
from nba_pipeline.domain.report_types import LINEUP
from nba_pipeline.tables.analytics._availability import AVAILABLE, OUT


def lineups_in_time(lineups: ir.Table, teams: ir.Table) -> ir.Table:
    """Select who is out or available by the latest line-up of each team that was captured by the cut-off.

    An expected starter is neither: it is a forecast of the league, and its accuracy is unknown.

    Args:
        lineups: `nba_raw.lineups` of the days.
        teams: The slate's teams with game_date, game_id and cutoff_at, two rows per game.

    Returns:
        game_date, game_id, team, player_id, captured_at and lineup_status, one row per player of a team's line-up.
    """
    joined = lineups.inner_join(teams, ["game_date", "game_id", "team"])
    known = joined.filter(captured_in_time(lineups.captured_at, teams.cutoff_at)).select(lineups)
    of_team = ibis.window(group_by=[known.game_date, known.game_id, known.team])
    newest = known.mutate(__newest=known.captured_at.max().over(of_team))
    latest = newest.filter(newest.captured_at == newest["__newest"], newest.status.isin([CONFIRMED, INACTIVE]))
    status = (latest.status == INACTIVE).ifelse(OUT, AVAILABLE)
    return shared(latest.select("game_date", "game_id", "team", "player_id", "captured_at", lineup_status=status))


def with_lineups(listed: ir.Table, lineups: ir.Table) -> ir.Table:
    """Replace the availability of statements by that of the line-up, where the player is inactive or confirmed to start.

    Only a statement that was published later and says out stays: reports repeat their words until the game, and a line-up is
    final but for those who drop out. A game with an inactive player counts as one with reports.

    Args:
        listed: Listed players with game_id, team and what `with_status` and `with_coverage` add.
        lineups: `lineups_in_time` of the days.
    """
    joined = listed.left_join(lineups, ["game_date", "game_id", "team", "player_id"]).select(
        listed, lineups.captured_at, lineups.lineup_status
    )
    dropped_out = ((joined.injury_status == OUT) & (joined.statement_known_at > joined.captured_at)).fill_null(False)
    decides = joined.lineup_status.notnull() & ~dropped_out
    inactive = (decides & (joined.lineup_status == OUT)).fill_null(False).cast("int64")
    game = ibis.window(group_by=[joined.game_date, joined.game_id])
    return shared(
        joined.mutate(
            injury_status=decides.ifelse(joined.lineup_status, joined.injury_status),
            injury_status_source=decides.ifelse(LINEUP, joined.injury_status_source),
            injury_reported_on=decides.ifelse(joined.game_date, joined.injury_reported_on),
            injuries_reported=joined.injuries_reported | (inactive.max().over(game) > 0),
        ).drop("captured_at", "lineup_status", "statement_known_at")
    )
