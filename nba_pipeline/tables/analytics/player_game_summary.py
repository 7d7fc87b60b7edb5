"""nba_analytics.player_game_summary: each player's performance in each finished game."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Table, column
from nba_pipeline.domain.game_states import FINAL, absence
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics._turnovers import with_player_turnovers
from nba_pipeline.tables.analytics.zones import (
    ZoneCounts,
    effective_field_goals,
    known_zones,
    true_shooting,
    zone_counts,
)
from nba_pipeline.tables.raw.columns import BOX_RULES, LANDING_COUNTS, BoxCounts, tricode
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.raw.shots import SHOTS
from nba_pipeline.tables.raw.team_boxscores import TEAM_BOXSCORES
from nba_pipeline.tables.raw.took_part import took_part
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared import consensus_lines as lines
from nba_pipeline.tables.shared.keys import GAME

OVER, UNDER, PUSH = "OVER", "UNDER", "PUSH"

# The shortest stint whose usage is a rate.
LEAST_MINUTES = 1.0


class PlayerGameSummary(BoxCounts, ZoneCounts):
    """A player's finished game: box score, shot zones, efficiency, and the market's closing points line. A player took part who
    has minutes, a statistic, points for or against while on court, or a start. Zones are NULL unless the shot log has all of the
    player's attempts. One row per finished game and player who took part."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    season: str = columns.SEASON
    season_type: str = columns.SEASON_TYPE
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name")
    player_lookup: str = columns.PLAYER_LOOKUP
    team: str = tricode("tricode of the player's team in this game")
    opponent: str = tricode("tricode of the opponent")
    home_game: bool = column("true for the home team of the schedule")
    minutes_played: float = column(
        "minutes played; 0 where a source of whole minutes rounds less than half a minute down",
        unit="minutes",
        precision=3,
        ge=0,
        le=70,
    )
    minutes_are_exact: bool = column("true where minutes are decimal, false where the source rounds them")
    starter_flag: bool = column("true for the five starters; NULL where the source does not say", nullable=True)
    win_flag: bool = column("true if the team won")
    plus_minus: int = column(
        "point differential while on the floor; 0 is 0", unit="points", nullable=True, ge=-80, le=80
    )
    usage_rate: float = column(
        "share of team plays used while on the floor; NULL with less than a minute, where a single play is hundreds of percent",
        unit="percent",
        formula="100·(FGA + 0.44·FTA + TOV)·(team minutes / 5) / (minutes·(team FGA + 0.44·team FTA + team TOV)),"
        " team TOV the sum of its players'",
        nullable=True,
        ge=0,
    )
    ts_pct: float = column(
        "true shooting", unit="fraction", formula="points / (2·(FGA + 0.44·FTA))", nullable=True, ge=0, le=2
    )
    efg_pct: float = column(
        "effective field-goal share", unit="fraction", formula="(FGM + 0.5·3PM) / FGA", nullable=True, ge=0, le=1.5
    )
    points_line: float = column(
        "consensus points line in force at the cut-off", unit="points", precision=2, nullable=True, gt=0, le=80
    )
    points_line_source: str = column("sportsbook or dfs", nullable=True, isin=["sportsbook", "dfs"])
    over_under_result: str = column(
        "points against the line; NULL without a line", nullable=True, isin=[OVER, UNDER, PUSH]
    )
    margin: float = column("points minus the line", unit="points", precision=2, nullable=True)


PLAYER_GAME_SUMMARY = Table(
    model=PlayerGameSummary,
    name="player_game_summary",
    dataset="nba_analytics",
    key=("game_id", "player_id"),
    partition="game_date",
    cluster=("player_id", "team"),
    rules=BOX_RULES
    | {
        "zone attempts do not add up to FGA": lambda t: (
            (t.paint_attempts + t.mid_range_attempts + t.corner_three_attempts + t.above_break_three_attempts)
            == t.fg_attempts
        ),
        "a zone has more makes than attempts": lambda t: (
            (t.paint_makes <= t.paint_attempts)
            & (t.mid_range_makes <= t.mid_range_attempts)
            & (t.corner_three_makes <= t.corner_three_attempts)
            & (t.above_break_three_makes <= t.above_break_three_attempts)
        ),
        "over_under_result contradicts points and line": lambda t: (
            (t.over_under_result == OVER) == (t.points > t.points_line)
        ),
    },
    group_rules={
        "a team has more than five starters": (
            ("game_id", "team"),
            lambda t: t.starter_flag.cast("int64").sum().fill_null(0) <= 5,
        ),
    },
)


def build(players: ir.Table, teams: ir.Table, schedule: ir.Table, shots: ir.Table, quotes: ir.Table) -> ir.Table:
    """Box score + shot zones + efficiency + closing line, for players who took part in countable final games."""
    teams = with_player_turnovers(teams, players)
    played = players.filter(took_part(players))
    zones = zone_counts(shots, (*GAME, "player_id"))
    logged_games = shots.select(*GAME).distinct()
    games = schedule.filter(schedule.countable)
    slate = played.inner_join(games, GAME).select(played.game_date, played.game_id, played.player_id, games.cutoff_at)
    market = lines.consensus(quotes.filter(quotes.market == "points"), slate)
    named = with_lookup(played, "player_name")
    joined = (
        named.inner_join(games, GAME)
        .inner_join(teams, equal(named, teams, *GAME, "team"))
        .left_join(zones, equal(named, zones, *GAME, "player_id"))
        .left_join(logged_games, equal(named, logged_games, *GAME))
        .left_join(market, [named.game_date == market.game_date, named.player_id == market.player_id])
    )
    used = named.fg_attempts + 0.44 * named.ft_attempts + named.turnovers
    team_used = teams.fg_attempts + 0.44 * teams.ft_attempts + teams.turnovers
    home = named.team == games.home_team
    won = home.ifelse(games.home_points > games.away_points, games.away_points > games.home_points)
    none_taken = (named.fg_attempts == 0) & logged_games.game_id.notnull()
    return joined.select(
        named.game_id,
        named.game_date,
        games.season,
        games.season_type,
        named.player_id,
        named.player_name,
        named.player_lookup,
        named.team,
        named.opponent,
        home_game=home,
        minutes_played=named.minutes,
        minutes_are_exact=named.minutes_are_exact,
        starter_flag=named.starter,
        win_flag=won,
        **{n: named[n] for n in LANDING_COUNTS},
        plus_minus=named.plus_minus,
        **known_zones(zones, zones.shots_logged == named.fg_attempts, none_taken),
        usage_rate=(named.minutes >= LEAST_MINUTES).ifelse(
            100 * used * (teams.minutes / 5) / (named.minutes * team_used).nullif(0.0), None
        ),
        ts_pct=true_shooting(named.points, named.fg_attempts, named.ft_attempts),
        efg_pct=effective_field_goals(named.fg_makes, named.three_pt_makes, named.fg_attempts),
        points_line=market.line,
        points_line_source=market.line_source,
        over_under_result=ibis.cases(
            (named.points > market.line, OVER), (named.points < market.line, UNDER), (named.points == market.line, PUSH)
        ),
        margin=named.points - market.line,
    )


def expected(players: ir.Table, schedule: ir.Table) -> ir.Table:
    """Every player who took part in a countable game by its box score; for a game without a result, one row that says why."""
    games = schedule.filter(schedule.countable)
    played = players.filter(took_part(players)).semi_join(games, GAME)
    there = played.select(*GAME, "player_id", reason=ibis.null("string"))
    to_come = games.filter(games.status != FINAL)
    return there.union(to_come.select(*GAME, player_id=ibis.null("int64"), reason=absence(to_come.status)))


TRANSFORM = Transform(
    PLAYER_GAME_SUMMARY,
    build,
    reads={
        "players": asof.same_day(PLAYER_BOXSCORES),
        "teams": asof.same_day(TEAM_BOXSCORES),
        "schedule": asof.same_day(SCHEDULE),
        "shots": asof.same_day(SHOTS),
        "quotes": asof.same_day(PLAYER_PROP_LINES),
    },
    expected=expected,
    watched=("starter_flag", "paint_attempts", "points_line"),
)
