"""nba_analytics.team_offense_game_summary: each team's offence in each finished game."""

from datetime import date

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics._turnovers import TURNOVERS_FORMULA, with_player_turnovers
from nba_pipeline.tables.analytics.zones import (
    COUNTED,
    GAME_MINUTES,
    TEAM_SHOTS_TOLERANCE,
    ZoneCounts,
    possessions,
    true_shooting,
    zone_counts,
)
from nba_pipeline.tables.raw.columns import LANDING_COUNTS, BoxCounts, both_teams, tricode
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.raw.shots import SHOTS
from nba_pipeline.tables.raw.team_boxscores import TEAM_BOXSCORES
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME


class TeamOffenseGameSummary(BoxCounts, ZoneCounts):
    """A team's offence in a finished game. Zones are NULL where the number of shots in the log differs from the attempts by more
    than two. One row per finished game and team."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    season: str = columns.SEASON
    season_type: str = columns.SEASON_TYPE
    team: str = tricode("tricode")
    opponent: str = tricode("tricode of the opponent")
    home_game: bool = column("true for the home team of the schedule")
    turnovers: int = column("turnovers", unit="turnovers", formula=TURNOVERS_FORMULA, ge=0, le=50)
    minutes: int = column("player minutes", unit="minutes", ge=240, le=390)
    overtime_periods: int = column("overtime periods", ge=0, le=6)
    possessions: float = column("possessions", unit="possessions", formula="FGA + 0.44·FTA - OREB + TOV", ge=50, le=180)
    offensive_rating: float = column(
        "points per 100 possessions", unit="points", formula="100·points / possessions", ge=40, le=200
    )
    pace: float = column(
        "possessions per 48 minutes", unit="possessions", formula="possessions·48 / (minutes / 5)", ge=50, le=150
    )
    ts_pct: float = column("true shooting", unit="fraction", formula="points / (2·(FGA + 0.44·FTA))", ge=0.1, le=1.2)
    win_flag: bool = column("true if the team won")
    margin_of_victory: int = column("points minus the opponent's points", unit="points", ge=-100, le=100)
    summed_from_players: bool = column("true where the source has no team line and the players were summed")


TEAM_OFFENSE_GAME_SUMMARY = Table(
    model=TeamOffenseGameSummary,
    name="team_offense_game_summary",
    dataset="nba_analytics",
    key=("game_id", "team"),
    partition="game_date",
    cluster=("team",),
    rules={
        "zone attempts do not add up to FGA": lambda t: (
            (
                t.paint_attempts
                + t.mid_range_attempts
                + t.corner_three_attempts
                + t.above_break_three_attempts
                - t.fg_attempts
            ).abs()
            <= TEAM_SHOTS_TOLERANCE
        ),
        "the winner has fewer points": lambda t: t.win_flag == (t.margin_of_victory > 0),
    },
    group_rules={
        "a game has a number of teams other than two": (("game_id",), lambda t: t.count() == 2),
        "the margins of a game do not cancel": (("game_id",), lambda t: t.margin_of_victory.sum() == 0),
    },
)


def team_zones(shots: ir.Table, players: ir.Table) -> ir.Table:
    """Zone counts per game and team; the shooter's team comes from the box score."""
    owned = shots.inner_join(players, [*GAME, "player_id"]).select(shots, players.team)
    return zone_counts(owned, (*GAME, "team"))


def build(teams: ir.Table, players: ir.Table, schedule: ir.Table, shots: ir.Table) -> ir.Table:
    """Team lines of countable final games with possessions, ratings, pace and zones."""
    games = schedule.filter(schedule.countable)
    teams = with_player_turnovers(teams, players)
    zones = team_zones(shots, players)
    joined = teams.inner_join(games, GAME).left_join(zones, equal(teams, zones, *GAME, "team"))
    complete = (zones.shots_logged - teams.fg_attempts).abs() <= TEAM_SHOTS_TOLERANCE
    used = possessions(teams.fg_attempts, teams.ft_attempts, teams.offensive_rebounds, teams.turnovers)
    home = teams.team == games.home_team
    margin = home.ifelse(games.home_points - games.away_points, games.away_points - games.home_points)
    return joined.select(
        teams.game_id,
        teams.game_date,
        games.season,
        games.season_type,
        teams.team,
        teams.opponent,
        home_game=home,
        minutes=teams.minutes,
        overtime_periods=teams.overtime_periods,
        **{n: teams[n] for n in LANDING_COUNTS},
        **{n: complete.fill_null(False).ifelse(zones[n], None) for n in COUNTED},
        possessions=used,
        offensive_rating=100 * teams.points / used,
        pace=used * GAME_MINUTES / (teams.minutes / 5),
        ts_pct=true_shooting(teams.points, teams.fg_attempts, teams.ft_attempts),
        win_flag=margin > 0,
        margin_of_victory=margin,
        summed_from_players=teams.summed_from_players,
    )


TRANSFORM = Transform(
    TEAM_OFFENSE_GAME_SUMMARY,
    build,
    reads={
        "teams": asof.same_day(TEAM_BOXSCORES),
        "players": asof.same_day(PLAYER_BOXSCORES),
        "schedule": asof.same_day(SCHEDULE),
        "shots": asof.same_day(SHOTS),
    },
    expected=both_teams,
    watched=("paint_attempts",),
)
