"""nba_analytics.upcoming_team_game_context: pre-game context of every team."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal, shared
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics._absences import absence_counts
from nba_pipeline.tables.analytics._game_line_consensus import game_line_consensus, seen_from
from nba_pipeline.tables.analytics._slate import is_early, playable, season_openings, slate_teams
from nba_pipeline.tables.analytics._streaks import with_runs
from nba_pipeline.tables.analytics._travel import game_place, is_at_home, way_to_game, with_ends_of_way
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.game_lines import GAME_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE, SLATE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME

SEASON_LABEL = r"^20[0-9]{2}-[0-9]{2}$"


class UpcomingTeamGameContext(Rows):
    """A team's situation before a scheduled game: rest, form, lines, absences and travel, all as of one minute before
    tip-off. Its past games are finished games of the same season, strictly before the day. One row per scheduled game and team.
    """

    game_date: date = columns.GAME_DATE
    team: str = tricode("tricode")
    game_id: str = columns.GAME_ID
    opponent: str = tricode("tricode of the opponent")
    home_game: bool = column(
        "true for the home team of the schedule, also on a neutral site", formula="team = schedule.home_team"
    )
    neutral_site: bool = column(
        "true where neither team plays in its own arena; NULL if the source does not say",
        formula="schedule.neutral_site",
        nullable=True,
    )
    season: str = column("season label", str_matches=SEASON_LABEL)
    season_type: str = columns.SEASON_TYPE
    cutoff_at: Instant = column("last moment at which information entered the row (UTC)", formula="schedule.cutoff_at")

    game_number_in_season: int = column(
        "number of this game in the team's season",
        unit="games",
        formula="finished games of the season + 1",
        ge=1,
        le=125,
    )
    days_since_last_game: int = column(
        "days since the team's previous game; NULL before its first of the season",
        unit="days",
        nullable=True,
        ge=1,
        le=200,
    )
    team_days_rest: int = column(
        "free days before the game", unit="days", formula="days_since_last_game - 1", nullable=True, ge=0, le=199
    )
    team_back_to_back: bool = column("true where the team played the day before", formula="a game on D - 1")
    games_in_last_7_days: int = column("games in [D - 7, D - 1]", unit="games", ge=0, le=7)
    games_in_last_14_days: int = column("games in [D - 14, D - 1]", unit="games", ge=0, le=14)
    team_win_streak_entering: int = column(
        "wins in a row up to the latest game; NULL before the first of the season",
        unit="games",
        nullable=True,
        ge=0,
        le=110,
    )
    team_loss_streak_entering: int = column(
        "losses in a row up to the latest game; NULL before the first of the season",
        unit="games",
        nullable=True,
        ge=0,
        le=110,
    )
    last_game_margin: int = column(
        "own minus other points in the latest game of the season", unit="points", nullable=True, ge=-100, le=100
    )
    last_game_result: str = column("result of the latest game of the season", nullable=True, isin=["W", "L"])

    game_spread: float = column(
        "points the team gives; negative: favoured",
        unit="points",
        precision=2,
        nullable=True,
        formula="closing_spread, else cutoff_spread",
        ge=-60,
        le=60,
    )
    game_total: float = column(
        "over/under of both teams' points",
        unit="points",
        precision=2,
        nullable=True,
        formula="closing_total, else cutoff_total",
        ge=100,
        le=350,
    )
    moneyline: float = column(
        "American odds of the team's win",
        precision=1,
        nullable=True,
        formula="median over books of the implied probability (with the margin), as American odds; closing, else latest timed",
    )
    implied_team_total: float = column(
        "points the lines give the team",
        unit="points",
        precision=2,
        nullable=True,
        formula="game_total / 2 - game_spread / 2",
        ge=40,
        le=200,
    )
    opening_spread: float = column(
        "first spread known, oriented as game_spread; NULL without a capture time",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of each book's earliest quote up to cutoff_at",
        ge=-60,
        le=60,
    )
    opening_total: float = column(
        "first total known; NULL without a capture time",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of each book's earliest quote up to cutoff_at",
        ge=100,
        le=350,
    )
    opening_captured_at: Instant = column(
        "newest capture among the opening quotes (UTC); NULL without a timed quote", nullable=True
    )
    cutoff_spread: float = column(
        "latest timed spread by the cut-off, oriented as game_spread; NULL without a capture time",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of each book's latest quote up to cutoff_at",
        ge=-60,
        le=60,
    )
    cutoff_total: float = column(
        "latest timed total by the cut-off; NULL without a capture time",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of each book's latest quote up to cutoff_at",
        ge=100,
        le=350,
    )
    cutoff_captured_at: Instant = column(
        "newest capture among the latest timed quotes (UTC); NULL without one", nullable=True
    )
    closing_spread: float = column(
        "spread that the source documents as the close before the game, oriented as game_spread; NULL without one",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of documented closing lines",
        ge=-60,
        le=60,
    )
    closing_total: float = column(
        "total that the source documents as the close before the game; NULL without one",
        unit="points",
        precision=2,
        nullable=True,
        formula="median over books of documented closing lines",
        ge=100,
        le=350,
    )
    spread_movement: float = column(
        "change of the spread since the opening; negative: towards the team; NULL unless a book was seen twice or closed",
        unit="points",
        precision=2,
        nullable=True,
        formula="game_spread - opening_spread",
    )
    total_movement: float = column(
        "change of the total since the opening; NULL as spread_movement",
        unit="points",
        precision=2,
        nullable=True,
        formula="game_total - opening_total",
    )
    game_line_books: int = column("books behind the lines; 0 where there is none", unit="books", ge=0, le=100)
    game_line_captured_at: Instant = column(
        "capture of the latest quote used (UTC); NULL for documented closing lines", nullable=True
    )

    players_out_count: int = column(
        "listed players with the status out",
        unit="players",
        nullable=True,
        formula="NULL where the source made no report on any player in the 7 days before the cut-off",
        ge=0,
        le=25,
    )
    players_doubtful_count: int = column(
        "listed players with the status doubtful",
        unit="players",
        nullable=True,
        formula="NULL where no report that grades availability was made in the 7 days before the cut-off;"
        " transactions only know in and out",
        ge=0,
        le=25,
    )
    players_questionable_count: int = column(
        "listed players with the status questionable",
        unit="players",
        nullable=True,
        formula="as players_doubtful_count",
        ge=0,
        le=25,
    )

    travel_miles: float = column(
        "great circle from the arena of the previous game of the season to this one; coming home counts",
        unit="miles",
        precision=1,
        nullable=True,
        formula="from the home court before the first game; neutral courts have positions of their own"
        " (nba_pipeline.domain.arenas); NULL to or from a neutral site of another name",
        ge=0,
        le=7000,
    )
    time_zones_crossed: int = column(
        "hours the clock is put forward on the way; positive: eastward",
        unit="hours",
        nullable=True,
        formula="difference of the zones' UTC offsets on the game's date, daylight saving included; places as travel_miles",
        ge=-10,
        le=10,
    )
    consecutive_road_games: int = column(
        "length of the road trip up to and with this game; 0 at home",
        unit="games",
        formula="games in a row not at home this season; a neutral site is not home",
        ge=0,
        le=30,
    )
    early_season_flag: bool = column(
        "true in the first 14 days of the season", formula="D < date of the season's first regular-season game + 14"
    )


UPCOMING_TEAM_GAME_CONTEXT = Table(
    model=UpcomingTeamGameContext,
    name="upcoming_team_game_context",
    dataset="nba_analytics",
    key=("game_date", "team"),
    partition="game_date",
    cluster=("team",),
    rules={
        "back-to-back and days of rest disagree": lambda t: t.team_back_to_back == (t.team_days_rest == 0),
        "days of rest are not the days since the last game minus one": lambda t: (
            t.team_days_rest == t.days_since_last_game - 1
        ),
        "both a winning and a losing streak": lambda t: (
            (t.team_win_streak_entering == 0) | (t.team_loss_streak_entering == 0)
        ),
        "fewer games in 14 days than in 7": lambda t: t.games_in_last_14_days >= t.games_in_last_7_days,
        "a line was captured after the cut-off": lambda t: t.game_line_captured_at <= t.cutoff_at,
        "American odds lie between -100 and 100": lambda t: t.moneyline.abs() >= 100,
    },
    group_rules={
        "a game has a number of teams other than two": (("game_id",), lambda t: t.count() == 2),
        "the spreads of a game's teams do not cancel out": (
            ("game_id",),
            lambda t: t.game_spread.sum().fill_null(0.0) == 0,
        ),
    },
)


def build(
    slate: ir.Table, season_games: ir.Table, team_games: ir.Table, game_lines: ir.Table, listed: ir.Table
) -> ir.Table:
    """The slate's teams with their history of the season, the lines of their game, their absences and their travel."""
    teams = with_ends_of_way(with_history(slate_teams(slate), team_games, season_games))
    openings = season_openings(slate, season_games)
    market = game_line_consensus(game_lines, playable(slate).select("game_id", "game_date", "cutoff_at"))
    absent = absence_counts(listed)
    joined = (
        teams.left_join(openings, teams.season == openings.season)
        .left_join(market, equal(teams, market, *GAME))
        .left_join(absent, [teams.game_date == absent.game_date, teams.team == absent.team])
    )
    return joined.select(
        *[
            teams[c]
            for c in (
                "game_date",
                "team",
                "game_id",
                "opponent",
                "home_game",
                "neutral_site",
                "season",
                "season_type",
                "cutoff_at",
            )
        ],
        **rest_and_form(teams),
        **seen_from(teams, market),
        players_out_count=absent.players_out_count,
        players_doubtful_count=absent.players_doubtful_count,
        players_questionable_count=absent.players_questionable_count,
        **way_to_game(teams),
        early_season_flag=is_early(teams.game_date, openings.opening),
    )


PLAYED = (*GAME, "season", "team", "home_game", "win_flag", "margin_of_victory")


def with_history(teams: ir.Table, team_games: ir.Table, season_games: ir.Table) -> ir.Table:
    """The teams with aggregates over their finished games of the season before the day, under `h_` names."""
    played = team_games.select(*PLAYED)
    place, neutral = game_place(season_games, season_games.home_team), season_games.neutral_site
    known = played.left_join(season_games, GAME).select(played, place=place, neutral_site=neutral)
    games = shared(known)
    facts = with_runs(
        games.mutate(last_date=games.game_date),
        {"wins": games.win_flag, "losses": ~games.win_flag, "road": ~is_at_home(games)},
        by=("team", "season"),
    )
    return asof.attach(
        teams,
        facts,
        {
            "h_games": asof.count(),
            "h_last_date": asof.latest("last_date"),
            "h_yesterday": asof.count(days=1),
            "h_games_7": asof.count(days=7),
            "h_games_14": asof.count(days=14),
            "h_wins": asof.latest("wins"),
            "h_losses": asof.latest("losses"),
            "h_road": asof.latest("road"),
            "h_margin": asof.latest("margin_of_victory"),
            "h_place": asof.latest("place"),
        },
        by=("team",),
    )


def rest_and_form(teams: ir.Table) -> dict[str, ir.Value]:
    days = teams.game_date.delta(teams.h_last_date, unit="day")
    return {
        "game_number_in_season": teams.h_games + 1,
        "days_since_last_game": days,
        "team_days_rest": days - 1,
        "team_back_to_back": teams.h_yesterday > 0,
        "games_in_last_7_days": teams.h_games_7,
        "games_in_last_14_days": teams.h_games_14,
        "team_win_streak_entering": teams.h_wins,
        "team_loss_streak_entering": teams.h_losses,
        "last_game_margin": teams.h_margin,
        "last_game_result": (teams.h_margin > 0).ifelse("W", (teams.h_margin < 0).ifelse("L", None)),
    }


def expected(slate: ir.Table) -> ir.Table:
    """Both teams of every countable game."""
    return slate_teams(slate).select("game_date", "team", reason=ibis.null("string"))


TRANSFORM = Transform(
    UPCOMING_TEAM_GAME_CONTEXT,
    build,
    reads={
        "slate": SLATE,
        "season_games": asof.season_to_date(SCHEDULE),
        "team_games": asof.season_to_date(TEAM_OFFENSE_GAME_SUMMARY),
        "game_lines": asof.same_day(GAME_LINES),
        "listed": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
    },
    expected=expected,
    watched=(
        "game_spread",
        "moneyline",
        "opening_spread",
        "players_out_count",
        "players_questionable_count",
        "travel_miles",
    ),
)
