"""The age of a player on a day: by the date of birth, or else from lists that were complete before the season.

A list of the season itself names who will play in it, so that a missing age would tell who will not.
"""

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared

DAYS_OF_YEAR = 365.25
# Lists give ages at the end of the season, on 30 June, in whole years: the exact age is half a year more on average.
HALF_YEAR = 0.5


def ages_by_day(players: ir.Table, player_ages: ir.Table, people: ir.Table) -> ir.Table:
    """Return game_date, player_id and age in years, one row per player and day with a date of birth or an earlier list.

    Args:
        players: Rows with game_date, season and player_id, the days and players asked for.
        player_ages: The feed: season, player_id and age at the season's end.
        people: The feed `players`: player_id and birth_date.

    Returns:
        Years since the birth; or the age of the latest list of an earlier season, and the years since that season's 30 June by
        the calendar. Players without either are absent: their age is unknown before the season ends.
    """
    asked = players.select("game_date", "season", "player_id").distinct()
    births = people.group_by("player_id").aggregate(born=people.birth_date.min()).rename(born_player="player_id")
    listed = player_ages.group_by("season", "player_id").aggregate(age=player_ages.age.max())
    listed = listed.rename(listed_season="season", listed_player="player_id")
    pairs = asked.left_join(
        listed, [asked.player_id == listed.listed_player, listed.listed_season < asked.season]
    ).select(asked, listed.listed_season, listed.age)
    newest = ibis.window(
        group_by=[pairs.game_date, pairs.player_id], order_by=pairs.listed_season.desc(nulls_first=False)
    )
    latest = shared(pairs.mutate(__place=ibis.row_number().over(newest)).filter(lambda t: t["__place"] == 0))
    with_birth = latest.left_join(births, latest.player_id == births.born_player).select(latest, births.born)
    whole = (with_birth.age == with_birth.age.floor()).ifelse(with_birth.age + HALF_YEAR, with_birth.age)
    by_list = whole + _years(with_birth.game_date, _end_of(with_birth.listed_season))
    age = _years(with_birth.game_date, with_birth.born).fill_null(by_list)
    return shared(with_birth.select("game_date", "player_id", age=age).filter(lambda t: t.age.notnull()))


def _years(day: ir.DateValue, since: ir.DateValue) -> ir.FloatingValue:
    return day.delta(since, unit="day") / DAYS_OF_YEAR


def _end_of(season: ir.StringValue) -> ir.DateValue:
    year = season.substr(0, 4).cast("int64") + 1
    return (year.cast("string") + "-06-30").cast("date")
