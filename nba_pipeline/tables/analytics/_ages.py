"""The age of a player from lists that were complete before the season: a list of the season itself names who will play in it."""

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared


def ages_by_season(players: ir.Table, player_ages: ir.Table) -> ir.Table:
    """Return season, player_id and age, one row per player and season with an earlier list.

    Args:
        players: Rows with season and player_id, the seasons and players asked for.
        player_ages: The feed: season, player_id and age during that season.

    Returns:
        The age of the latest list of an earlier season, plus the seasons passed since. Players without an earlier list are
        absent: their age is unknown before the season ends.
    """
    asked = players.select("season", "player_id").distinct()
    listed = player_ages.group_by("season", "player_id").aggregate(age=player_ages.age.max())
    listed = listed.rename(listed_season="season", listed_player="player_id")
    pairs = asked.inner_join(
        listed, [asked.player_id == listed.listed_player, listed.listed_season < asked.season]
    ).select(asked, listed.listed_season, listed.age)
    newest = ibis.window(group_by=[pairs.season, pairs.player_id], order_by=pairs.listed_season.desc())
    latest = pairs.mutate(__place=ibis.row_number().over(newest)).filter(lambda t: t["__place"] == 0)
    passed = _first_year(latest.season) - _first_year(latest.listed_season)
    return shared(latest.select("season", "player_id", age=latest.age + passed))


def _first_year(season: ir.StringValue) -> ir.IntegerValue:
    return season.substr(0, 4).cast("int64")
