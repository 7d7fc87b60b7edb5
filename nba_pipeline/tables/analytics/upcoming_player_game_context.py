"""nba_analytics.upcoming_player_game_context: pre-game context of every listed player."""

from datetime import date

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.analytics._absences import with_absences
from nba_pipeline.tables.analytics._ages import ages_by_day
from nba_pipeline.tables.analytics._availability import (
    STATEMENT_DAYS,
    STATUSES,
    pre_game_statements,
    with_coverage,
    with_status,
)
from nba_pipeline.tables.analytics._lineups import lineups_in_time, with_lineups
from nba_pipeline.tables.analytics._player_history import with_history, with_opponent
from nba_pipeline.tables.analytics._slate import is_early, season_openings, slate_teams
from nba_pipeline.tables.analytics._team_evidence import quoted_players, rosters_in_time, team_statements
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.injury_reports import INJURY_REPORTS
from nba_pipeline.tables.raw.lineups import LINEUPS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.rosters import ROSTERS
from nba_pipeline.tables.raw.schedule import SCHEDULE, SLATE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared import consensus_lines as lines
from nba_pipeline.tables.shared.keys import GAME
from nba_pipeline.tables.shared.listed_players import DAYS_BACK, listed_players, teams_without_history

NO_HISTORY = "team has no earlier games in the warehouse"
SEASON_LABEL = r"^20[0-9]{2}-[0-9]{2}$"


class UpcomingPlayerGameContext(Rows):
    """A listed player's situation before a scheduled game: load, form, availability and prop line, all as of one minute
    before tip-off. Listed are players who appeared in one of the team's last 10 finished games, are placed in the team by a
    statement or by a roster, or are quoted in its game, if the latest evidence of their team (appearance, box score of a game
    sat out, transaction, official report, roster) is for it; not those who are missing from a newer roster or quoted in other
    games of the day only. Box scores of games sat out, transactions and official reports of earlier days, at most 180, place
    a player whose appearance before was for another team, from the first of the last 10 games on, and a player without an
    appearance in the last 240 days from the day of the latest game on, unless they say that the player is out.
    Past games are finished games of the same season that the player took part in, strictly before the day. One row per listed
    player of a scheduled game.
    """

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    player_name: str = column(
        "display name in the latest game, or else on the roster, in the quote or in the latest statement",
        str_matches=r"^.{1,100}$",
    )
    player_lookup: str = columns.PLAYER_LOOKUP
    game_id: str = columns.GAME_ID
    season: str = column("season label", str_matches=SEASON_LABEL)
    season_type: str = columns.SEASON_TYPE
    team: str = tricode("tricode of the team that lists the player")
    opponent: str = tricode("tricode of the opponent")
    home_game: bool = column("true for the home team of the schedule, also on a neutral site")
    cutoff_at: Instant = column("last moment at which information entered the row (UTC)", formula="schedule.cutoff_at")

    games_played_season: int = column("the player's games this season", unit="games", ge=0, le=125)
    days_rest: int = column(
        "free days before the game; NULL before the player's first game of the season",
        unit="days",
        nullable=True,
        formula="days since the player's previous game of the season - 1",
        ge=0,
        le=299,
    )
    back_to_back: bool = column("true where the player played the day before", formula="a game on D - 1")
    games_in_last_7_days: int = column("the player's games in [D - 7, D - 1]", unit="games", ge=0, le=7)
    games_in_last_14_days: int = column("the player's games in [D - 14, D - 1]", unit="games", ge=0, le=14)
    minutes_in_last_7_days: float = column(
        "the player's minutes in [D - 7, D - 1]; no games are 0 minutes", unit="minutes", precision=2, ge=0, le=400
    )
    minutes_in_last_14_days: float = column(
        "the player's minutes in [D - 14, D - 1]; no games are 0 minutes", unit="minutes", precision=2, ge=0, le=700
    )
    avg_minutes_per_game_last_7: float = column(
        "minutes per game in [D - 7, D - 1]; NULL without a game",
        unit="minutes",
        precision=2,
        nullable=True,
        formula="minutes_in_last_7_days / games_in_last_7_days",
        ge=0,
        le=70,
    )
    back_to_backs_last_14_days: int = column(
        "pairs of the player's games on consecutive days, both in [D - 14, D - 1]", unit="pairs", ge=0, le=13
    )
    points_avg_last_5: float = column(
        "mean points of the player's last 5 games; NULL with fewer this season",
        unit="points",
        nullable=True,
        ge=0,
        le=100,
    )
    points_avg_last_10: float = column(
        "mean points of the player's last 10 games; NULL with fewer this season",
        unit="points",
        nullable=True,
        ge=0,
        le=100,
    )
    player_age: float = column(
        "age on the day; NULL without a date of birth and without a list of an earlier season",
        unit="years",
        precision=1,
        nullable=True,
        formula="(D - date of birth) / 365.25; or else the age of the latest list of player_ages of an earlier season, half a"
        " year more where it is in whole years, + (D - 30 June of that season) / 365.25",
        ge=17,
        le=50,
    )

    injury_status: str = column(
        "availability by the line-up or the latest statement known at the cut-off; NULL without either in force, or where its"
        " words cannot be mapped",
        nullable=True,
        formula="transactions and reports before the game, never box scores; at most 180 days old, of this season, and not"
        " already published by the cut-off of the player's latest game; placed on the list is out, activated is available;"
        " the team's latest line-up captured by the cut-off (inactive is out, a confirmed starter available; an expected one is"
        " neither) comes before them, but for a later statement that the player is out",
        isin=list(STATUSES),
    )
    injury_status_source: str = column(
        "kind of statement: transaction, status_snapshot, official_report or lineups", nullable=True
    )
    injury_reported_on: date = column("day of the statement or line-up", nullable=True)
    injuries_reported: bool = column(
        "true if the source reports availability at all, so that the absence of a report on a player means not out",
        formula="a statement on any player in [D - 7, D - 1], or on a listed player of the game on D by the cut-off, or a listed"
        " player of the game who is inactive by a line-up",
    )
    injuries_graded: bool = column(
        "true where the source grades availability; transactions only know in and out",
        formula="as injuries_reported, counting status_snapshot and official_report only",
    )

    opponent_days_rest: int = column(
        "the opponent's free days before the game; NULL before its first of the season",
        unit="days",
        nullable=True,
        ge=0,
        le=199,
    )
    opponent_pace_last_10: float = column(
        "pace of the opponent's last 10 games of the season together; NULL with fewer than 5",
        unit="possessions per 48 minutes",
        formula="48·Σ possessions / Σ(minutes / 5)",
        nullable=True,
        ge=70,
        le=130,
    )
    pace_differential: float = column(
        "the opponent's pace against the league's",
        unit="possessions per 48 minutes",
        nullable=True,
        formula="opponent_pace_last_10 - pace of all teams' games of the season in [D - 30, D - 1] together",
        ge=-30,
        le=30,
    )
    avg_usage_rate_last_7_games: float = column(
        "usage rate over the player's last 7 games of the season, weighted by minutes; NULL with fewer than 3",
        unit="percent",
        nullable=True,
        formula="Σ usage_rate·minutes / Σ minutes; an unweighted mean would be ruled by stints of seconds",
        ge=0,
    )
    star_teammates_out: int = column(
        "listed team-mates ruled out and average 18 points or more over at least 5 games of the season",
        unit="players",
        nullable=True,
        formula="NULL where injuries_reported is false",
        ge=0,
        le=10,
    )
    projected_usage_rate: float = column(
        "usage rate to expect with the absences known at the cut-off; the average of the last 7 games if no team-mate is out",
        unit="percent",
        nullable=True,
        formula="u·(1 + Σ_out max(u_o − ū, 0)·m_o / (ū·M)): u, m = usage rate and mean minutes over a player's last 7 games;"
        " ū = minutes-weighted mean usage of the team's listed players not ruled out; M = minutes of all its listed players."
        " An absent player's usage above ū is distributed to the others in proportion to u·m. NULL as star_teammates_out",
        ge=0,
    )

    has_prop_line: bool = column("true where a points line was known at the cut-off")
    opening_points_line: float = column(
        "first consensus points line known; NULL without a capture time",
        unit="points",
        precision=2,
        nullable=True,
        gt=0,
        le=80,
    )
    current_points_line: float = column(
        "consensus points line at the cut-off",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of the latest main lines up to cutoff_at; of two middle lines the lower",
        gt=0,
        le=80,
    )
    line_movement: float = column(
        "change of the points line",
        unit="points",
        precision=2,
        nullable=True,
        formula="current_points_line - opening_points_line",
    )
    points_line_books: int = column("books behind the points line; 0 where there is none", unit="books", ge=0, le=100)
    points_line_source: str = column(
        "kind of the bookmakers: sportsbook, or dfs if no sportsbook had a line",
        nullable=True,
        isin=["sportsbook", "dfs"],
    )
    line_captured_at: Instant = column(
        "capture of the latest quote used (UTC); NULL for documented closing quotes", nullable=True
    )
    prop_over_streak: int = column(
        "latest games of the season in a row over the line of each game; NULL before the player's first game with a line",
        unit="games",
        nullable=True,
        formula="games without a line and pushes are passed over",
        ge=0,
        le=110,
    )
    prop_under_streak: int = column(
        "latest games of the season in a row under the line of each game; NULL before the player's first game with a line",
        unit="games",
        nullable=True,
        formula="games without a line and pushes are passed over",
        ge=0,
        le=110,
    )
    early_season_flag: bool = column(
        "true in the first 14 days of the season", formula="D < date of the season's first regular-season game + 14"
    )


UPCOMING_PLAYER_GAME_CONTEXT = Table(
    model=UpcomingPlayerGameContext,
    name="upcoming_player_game_context",
    dataset="nba_analytics",
    key=("game_date", "player_id"),
    partition="game_date",
    cluster=("player_id", "team"),
    rules={
        "back-to-back and days of rest disagree": lambda t: t.back_to_back == (t.days_rest == 0),
        "fewer games in 14 days than in 7": lambda t: t.games_in_last_14_days >= t.games_in_last_7_days,
        "more recent games than games of the season": lambda t: t.games_played_season >= t.games_in_last_14_days,
        "points_avg_last_5 stands on fewer than 5 games": lambda t: (
            t.points_avg_last_5.isnull() | (t.games_played_season >= 5)
        ),
        "points_avg_last_10 stands on fewer than 10 games": lambda t: (
            t.points_avg_last_10.isnull() | (t.games_played_season >= 10)
        ),
        "has_prop_line and the line disagree": lambda t: t.has_prop_line == t.current_points_line.notnull(),
        "a line was captured after the cut-off": lambda t: t.line_captured_at <= t.cutoff_at,
        "both an over and an under streak": lambda t: (t.prop_over_streak == 0) | (t.prop_under_streak == 0),
        "an absence lowers the projected usage": lambda t: (
            t.projected_usage_rate >= t.avg_usage_rate_last_7_games - 0.001
        ),
    },
)

CARRIED = (
    *("game_date", "player_id", "player_name", "player_lookup", "game_id", "season", "season_type"),
    *("team", "opponent", "home_game", "cutoff_at"),
    *("games_played_season", "games_in_last_7_days", "games_in_last_14_days", "avg_minutes_per_game_last_7"),
    *("points_avg_last_5", "points_avg_last_10"),
    *("opponent_days_rest", "opponent_pace_last_10", "pace_differential"),
    *("avg_usage_rate_last_7_games", "prop_over_streak", "prop_under_streak"),
)
LISTED = (*GAME, "team", "player_id")
# What is known of a player's state and what it follows from; both are kept apart from the many columns that neither reads.
STATE = (
    *("injury_status", "injury_status_source", "injury_reported_on", "injuries_reported", "injuries_graded"),
    *("star_teammates_out", "projected_usage_rate"),
)
OF_STATE = (
    *(*LISTED, "cutoff_at", "opening", "last_game_date", "last_cutoff_at"),
    *("points_avg_season", "avg_usage_rate_last_7_games", "minutes_avg_last_7_games"),
)


def build(
    slate: ir.Table,
    season_games: ir.Table,
    recent: ir.Table,
    recent_team_games: ir.Table,
    season: ir.Table,
    season_team_games: ir.Table,
    earlier_reports: ir.Table,
    reports: ir.Table,
    lineups: ir.Table,
    quotes: ir.Table,
    rosters: ir.Table,
    player_ages: ir.Table,
    people: ir.Table,
) -> ir.Table:
    """Listed players with their own history, their availability, their opponent, their team-mates' absences and their line."""
    teams = with_opponent(slate_teams(slate), season_team_games, season_openings(slate, season_games))
    evidence = (team_statements(earlier_reports), rosters_in_time(rosters, teams), quoted_players(quotes, teams))
    players = with_history(listed_players(teams, recent, recent_team_games, *evidence), season, season_games)
    statements = pre_game_statements(earlier_reports, reports)
    states = with_coverage(with_status(players.select(*OF_STATE), statements), statements)
    states = with_absences(with_lineups(states, lineups_in_time(lineups, teams)))
    points = quotes.select(*lines.QUOTED).filter(quotes.market == "points")
    market = lines.consensus(points, players.select("game_date", "game_id", "player_id", "cutoff_at"))
    ages = ages_by_day(players, player_ages, people)
    joined = (
        players.left_join(states, equal(players, states, *LISTED))
        .left_join(market, equal(players, market, "game_date", "player_id"))
        .left_join(ages, equal(players, ages, "game_date", "player_id"))
    )
    return joined.select(
        *[players[c] for c in CARRIED],
        *[states[c] for c in STATE],
        days_rest=players.game_date.delta(players.last_game_date, unit="day") - 1,
        back_to_back=players.h_yesterday > 0,
        minutes_in_last_7_days=players.h_minutes_7.fill_null(0.0),
        minutes_in_last_14_days=players.h_minutes_14.fill_null(0.0),
        back_to_backs_last_14_days=players.h_second_legs.fill_null(0),
        player_age=ages.age,
        has_prop_line=market.line.notnull(),
        opening_points_line=market.opening_line,
        current_points_line=market.line,
        line_movement=market.line - market.opening_line,
        points_line_books=market.books.fill_null(0),
        points_line_source=market.line_source,
        line_captured_at=market.captured_at,
        early_season_flag=is_early(players.game_date, players.opening),
    )


def expected(slate: ir.Table, recent_team_games: ir.Table) -> ir.Table:
    """Return every team of the slate: it must have listed players, unless no earlier game of it is published."""
    teams = teams_without_history(slate_teams(slate), recent_team_games)
    return teams.select("game_date", "team", reason=teams.has_history.ifelse(None, NO_HISTORY))


TRANSFORM = Transform(
    UPCOMING_PLAYER_GAME_CONTEXT,
    build,
    reads={
        "slate": SLATE,
        "season_games": asof.season_to_date(SCHEDULE),
        "recent": asof.before(PLAYER_GAME_SUMMARY, DAYS_BACK),
        "recent_team_games": asof.before(TEAM_OFFENSE_GAME_SUMMARY, DAYS_BACK),
        "season": asof.season_to_date(PLAYER_GAME_SUMMARY),
        "season_team_games": asof.season_to_date(TEAM_OFFENSE_GAME_SUMMARY),
        "earlier_reports": asof.before(INJURY_REPORTS, STATEMENT_DAYS),
        "reports": asof.same_day(INJURY_REPORTS),
        "lineups": asof.same_day(LINEUPS),
        "quotes": asof.same_day(PLAYER_PROP_LINES),
        "rosters": asof.same_day(ROSTERS),
    },
    feeds={"player_ages": feeds.PLAYER_AGES, "people": feeds.PLAYERS},
    expected=expected,
    counted="teams",
    watched=("injury_status", "current_points_line", "player_age", "projected_usage_rate", "points_avg_last_10"),
)
