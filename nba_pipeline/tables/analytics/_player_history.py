"""Pre-game history of a listed player and of the opponent."""

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.tables.analytics._absences import STAR_GAMES
from nba_pipeline.tables.analytics._streaks import with_runs
from nba_pipeline.tables.analytics.player_game_summary import OVER, UNDER
from nba_pipeline.tables.analytics.zones import GAME_MINUTES, game_minutes
from nba_pipeline.tables.shared.keys import GAME

PLAYED = (*GAME, "season", "player_id", "minutes_played", "points", "usage_rate", "over_under_result")


def with_history(players: ir.Table, games: ir.Table, season_games: ir.Table) -> ir.Table:
    """The listed players with aggregates over their games of the season before the day, and their streaks against the line."""
    own = games.select(*PLAYED)
    known = own.left_join(season_games, GAME).select(own, last_cutoff_at=season_games.cutoff_at)
    own = shared(known)
    in_order = ibis.window(group_by=[own.player_id, own.season], order_by=own.game_date)
    facts = own.mutate(
        second_leg=(own.game_date.delta(own.game_date.lag().over(in_order), unit="day") == 1).fill_null(False)
    )
    facts = facts.mutate(
        second_leg=facts.second_leg.cast("int64"),
        last_game_date=facts.game_date,
        used=facts.usage_rate * facts.minutes_played,
    )
    with_games = asof.attach(
        players,
        facts,
        {
            "games_played_season": asof.count(),
            "last_game_date": asof.latest("last_game_date"),
            "last_cutoff_at": asof.latest("last_cutoff_at"),
            "h_yesterday": asof.count(days=1),
            "games_in_last_7_days": asof.count(days=7),
            "games_in_last_14_days": asof.count(days=14),
            "h_minutes_7": asof.total("minutes_played", days=7),
            "h_minutes_14": asof.total("minutes_played", days=14),
            "avg_minutes_per_game_last_7": asof.mean("minutes_played", days=7),
            "h_second_legs": asof.total("second_leg", days=13),
            "points_avg_last_5": asof.mean("points", last=5, at_least=5),
            "points_avg_last_10": asof.mean("points", last=10, at_least=10),
            "points_avg_season": asof.mean("points", at_least=STAR_GAMES),
            "avg_usage_rate_last_7_games": asof.ratio("used", "minutes_played", last=7, at_least=3),
            "minutes_avg_last_7_games": asof.mean("minutes_played", last=7, at_least=3),
        },
        by=("player_id",),
    )
    decided = own.filter(own.over_under_result.isin([OVER, UNDER]))
    against_line = with_runs(
        decided,
        {"over": decided.over_under_result == OVER, "under": decided.over_under_result == UNDER},
        by=("player_id", "season"),
    )
    streaks = {"prop_over_streak": asof.latest("over"), "prop_under_streak": asof.latest("under")}
    return asof.attach(with_games, against_line, streaks, by=("player_id",))


def with_opponent(teams: ir.Table, team_games: ir.Table, openings: ir.Table) -> ir.Table:
    """The slate's teams with the season's opening, and rest and pace of the team they meet."""
    team_games = team_games.select(
        *("game_date", "season", "team"),
        possessions_48=GAME_MINUTES * team_games.possessions,
        minutes=game_minutes(team_games.overtime_periods),
        last_date=team_games.game_date,
    )
    sides = teams.select("game_date", "season", team=teams.opponent)
    sides = asof.attach(
        sides,
        team_games,
        {
            "last_date": asof.latest("last_date"),
            "pace_last_10": asof.ratio("possessions_48", "minutes", last=10, at_least=5),
        },
        by=("team",),
    )
    sides = asof.attach(sides, team_games, {"league_pace": asof.ratio("possessions_48", "minutes", days=30)}, by=())
    joined = teams.inner_join(sides, [teams.game_date == sides.game_date, teams.opponent == sides.team]).left_join(
        openings, teams.season == openings.season
    )
    return shared(
        joined.select(
            teams,
            opening=openings.opening,
            opponent_days_rest=sides.game_date.delta(sides.last_date, unit="day") - 1,
            opponent_pace_last_10=sides.pace_last_10,
            pace_differential=sides.pace_last_10 - sides.league_pace,
        )
    )
