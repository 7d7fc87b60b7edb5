"""Attendance: which of the team's games of the season a player took part in, started, and with which rank of minutes."""

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal, shared
from nba_pipeline.tables.shared.keys import GAME

RECENT_DAYS = 30


def appearances(games: ir.Table, offense: ir.Table) -> ir.Table:
    """Player facts with the number of the game in the team's season, and the rank of the player's minutes in it."""
    in_order = ibis.window(group_by=[offense.team, offense.season], order_by=offense.game_date)
    numbered = offense.select("game_id", "game_date", "team", number=ibis.row_number().over(in_order) + 1)
    of_team = [games.game_id, games.game_date, games.team]
    rank = ibis.rank().over(ibis.window(group_by=of_team, order_by=games.minutes_played.desc()))
    ranked = games.select(
        *("game_id", "game_date", "season", "player_id", "team"),
        games.minutes_played,
        started=games.starter_flag.cast("int64"),
        minutes_rank=rank + 1,
    )
    joined = ranked.inner_join(numbered, equal(ranked, numbered, *GAME, "team"))
    return shared(joined.select(ranked, numbered.number))


def with_attendance(listed: ir.Table, games: ir.Table, offense: ir.Table, *, past: bool = False) -> ir.Table:
    """Add the player's last game for the team, recent games and recent starts, as of before the day.

    Args:
        listed: Rows with game_date, season, player_id and team.
        games: Facts of players of the season.
        offense: Facts of teams of the season.
        past: Whether they were listed on many earlier days (see `asof.attach`).

    Returns:
        `listed` with the features of attendance, and under `h_` names the team's games of the season (`h_team_games`) and the
        player's mean minutes (`h_minutes`), which are no features.
    """
    played = appearances(games, offense)
    of_player = {
        "h_number": asof.latest("number"),
        "h_team": asof.latest("team"),
        "h_recent": asof.count(days=RECENT_DAYS),
        "starter_last_game": asof.latest("started"),
        "starter_share_last_5": asof.mean("started", last=5),
        "h_minutes": asof.mean("minutes_played"),
        "minutes_rank_last_5": asof.mean("minutes_rank", last=5, at_least=3),
    }
    rows = asof.attach(listed, played, of_player, by=("player_id",), past=past)
    team_games = offense.select("game_date", "season", "team")
    of_team = {"h_team_games": asof.count(), "h_team_recent": asof.count(days=RECENT_DAYS)}
    rows = asof.attach(rows, team_games, of_team, by=("team",), past=past)
    share = ibis.least(rows["h_recent"] / rows["h_team_recent"].nullif(0), 1.0)
    missed = (rows["h_team"] == rows.team).ifelse(rows["h_team_games"] - rows["h_number"], None)
    return shared(rows.mutate(appearance_share=share, team_games_missed=missed))
