"""The rule that lists players for a day, the same live and in backfill: it reads only games before the day."""

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared

TEAM_GAMES = 10
DAYS_BACK = 240
APPEARANCE = ("game_id", "game_date", "team", "player_id", "player_name", "player_lookup")


def listed_players(team_days: ir.Table, appearances: ir.Table, team_games: ir.Table) -> ir.Table:
    """Players who appeared in one of their team's last 10 finished games before the day, and for no other team since.

    Shapes: `team_days` has (game_date, team), one row per team and day; `appearances` are player facts (game_id, game_date,
    team, player_id, player_name, player_lookup), one row per game that a player took part in; `team_games` are team facts
    (game_id, game_date, team). Games may lie in earlier seasons, but at most 240 days back. Result: the rows of `team_days`,
    each once per listed player, with player_id, player_name and player_lookup as of the player's latest appearance.
    """
    numbered = _numbered(team_games)
    days = asof.attach(
        team_days,
        numbered,
        {"__latest": asof.latest("game_number"), "__recent": asof.count(days=DAYS_BACK)},
        by=("team",),
        within=(),
    )
    played = appearances.select(*APPEARANCE)
    candidates = _visible_after(played, numbered)
    listed = days.inner_join(
        candidates, [days.team == candidates.team, days["__latest"] == candidates.seen_games]
    ).filter(candidates.games_ago < days["__recent"])
    listed = shared(
        listed.select(
            *[days[c] for c in team_days.columns],
            candidates.player_id,
            candidates.player_name,
            candidates.player_lookup,
        )
    )
    current = asof.attach(listed, played, {"__team": asof.latest("team")}, by=("player_id",), within=())
    return current.filter(current["__team"] == current.team).drop("__team")


def teams_without_history(team_days: ir.Table, team_games: ir.Table) -> ir.Table:
    """`team_days` with `has_history`: true where the team has an earlier game within the listing window."""
    games = team_games.select("game_date", "team")
    counted = asof.attach(team_days, games, {"__recent": asof.count(days=DAYS_BACK)}, by=("team",), within=())
    return counted.mutate(has_history=counted["__recent"] > 0).drop("__recent")


def _numbered(team_games: ir.Table) -> ir.Table:
    """The team's games in order of time, numbered from 1."""
    games = team_games.select("game_id", "game_date", "team")
    in_order = ibis.window(group_by=games.team, order_by=games.game_date)
    return games.mutate(game_number=ibis.row_number().over(in_order) + 1)


def _visible_after(played: ir.Table, numbered: ir.Table) -> ir.Table:
    """Each player under every number of games after which the player's latest appearance for the team is one of its last 10."""
    rows = played.inner_join(numbered, ["game_id", "team"]).select(
        played.player_id, played.player_name, played.player_lookup, numbered.team, numbered.game_number
    )
    in_order = ibis.window(group_by=[rows.player_id, rows.team], order_by=rows.game_number)
    rows = rows.mutate(next_number=rows.game_number.lead().over(in_order))
    spread = rows.mutate(games_ago=ibis.array(list(range(TEAM_GAMES))).unnest().cast("int64"))
    spread = spread.mutate(seen_games=spread.game_number + spread.games_ago)
    return spread.filter((spread.seen_games < spread.next_number).fill_null(True)).drop("next_number", "game_number")
