"""nba_analytics.team_defense_game_summary: each team's defence in each finished game."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.shots import ZONES
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME


class TeamDefenseGameSummary(Rows):
    """A team's defence in a finished game: the opponent's production and the team's own defensive plays.
    One row per finished game and defending team."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    season: str = columns.SEASON
    season_type: str = columns.SEASON_TYPE
    defending_team: str = tricode("tricode of the defending team")
    opponent: str = tricode("tricode of the team on offence")
    home_game: bool = column("true if the defending team is at home in the schedule")
    points_allowed: int = column("opponent's points", unit="points", ge=0, le=250)
    opp_fg_makes: int = column("opponent's field goals made", unit="shots", ge=0)
    opp_fg_attempts: int = column("opponent's field goals attempted", unit="shots", ge=0)
    opp_three_pt_makes: int = column("opponent's threes made", unit="shots", ge=0)
    opp_three_pt_attempts: int = column("opponent's threes attempted", unit="shots", ge=0)
    opp_ft_makes: int = column("opponent's free throws made", unit="shots", ge=0)
    opp_ft_attempts: int = column("opponent's free throws attempted", unit="shots", ge=0)
    opp_rebounds: int = column("opponent's rebounds", unit="rebounds", ge=0)
    opp_assists: int = column("opponent's assists", unit="assists", ge=0)
    turnovers_forced: int = column("opponent's turnovers", unit="turnovers", ge=0)
    fouls_committed: int = column("own personal fouls", unit="fouls", ge=0)
    steals: int = column("own steals", unit="steals", ge=0)
    blocks: int = column("own blocks", unit="blocks", ge=0)
    defensive_rebounds: int = column("own defensive rebounds", unit="rebounds", ge=0)
    opp_paint_attempts: int = column("opponent's 2-point attempts within 8 ft", unit="shots", nullable=True, ge=0)
    opp_paint_makes: int = column("opponent's 2-point makes within 8 ft", unit="shots", nullable=True, ge=0)
    opp_mid_range_attempts: int = column("opponent's other 2-point attempts", unit="shots", nullable=True, ge=0)
    opp_mid_range_makes: int = column("opponent's other 2-point makes", unit="shots", nullable=True, ge=0)
    opp_corner_three_attempts: int = column("opponent's corner threes attempted", unit="shots", nullable=True, ge=0)
    opp_corner_three_makes: int = column("opponent's corner threes made", unit="shots", nullable=True, ge=0)
    opp_above_break_three_attempts: int = column("opponent's other threes attempted", unit="shots", nullable=True, ge=0)
    opp_above_break_three_makes: int = column("opponent's other threes made", unit="shots", nullable=True, ge=0)
    points_in_paint_allowed: int = column("2·opponent's paint makes", unit="points", nullable=True, ge=0)
    mid_range_points_allowed: int = column("2·opponent's mid-range makes", unit="points", nullable=True, ge=0)
    three_pt_points_allowed: int = column("3·opponent's threes made", unit="points", ge=0)
    defensive_rating: float = column(
        "opponent's points per 100 of its possessions",
        unit="points",
        formula="100·points allowed / opponent's possessions",
        ge=40,
        le=200,
    )
    opponent_pace: float = column(
        "opponent's possessions per 48 minutes",
        unit="possessions",
        formula="possessions·48 / (minutes / 5)",
        ge=50,
        le=150,
    )
    opponent_ts_pct: float = column(
        "opponent's true shooting", unit="fraction", formula="points / (2·(FGA + 0.44·FTA))", ge=0.1, le=1.2
    )
    overtime_periods: int = column("overtime periods", ge=0, le=6)
    win_flag: bool = column("true if the defending team won")
    margin_of_victory: int = column("points minus points allowed", unit="points", ge=-100, le=100)


TEAM_DEFENSE_GAME_SUMMARY = Table(
    model=TeamDefenseGameSummary,
    name="team_defense_game_summary",
    dataset="nba_analytics",
    key=("game_id", "defending_team"),
    partition="game_date",
    cluster=("defending_team",),
    rules={
        "points in zones exceed points": lambda t: (
            t.points_in_paint_allowed + t.mid_range_points_allowed <= t.points_allowed
        )
    },
    group_rules={"a game has a number of teams other than two": (("game_id",), lambda t: t.count() == 2)},
)


def build(offense: ir.Table) -> ir.Table:
    """The opponent's offence, seen from the defending team."""
    own = offense
    opp = offense.view()
    joined = own.inner_join(opp, [*equal(own, opp, *GAME), own.team == opp.opponent])
    return joined.select(
        game_id=own.game_id,
        game_date=own.game_date,
        season=own.season,
        season_type=own.season_type,
        defending_team=own.team,
        opponent=own.opponent,
        home_game=own.home_game,
        points_allowed=opp.points,
        opp_fg_makes=opp.fg_makes,
        opp_fg_attempts=opp.fg_attempts,
        opp_three_pt_makes=opp.three_pt_makes,
        opp_three_pt_attempts=opp.three_pt_attempts,
        opp_ft_makes=opp.ft_makes,
        opp_ft_attempts=opp.ft_attempts,
        opp_rebounds=opp.rebounds,
        opp_assists=opp.assists,
        turnovers_forced=opp.turnovers,
        fouls_committed=own.personal_fouls,
        steals=own.steals,
        blocks=own.blocks,
        defensive_rebounds=own.defensive_rebounds,
        **{f"opp_{zone}_{what}": opp[f"{zone}_{what}"] for zone in ZONES for what in ("attempts", "makes")},
        points_in_paint_allowed=2 * opp.paint_makes,
        mid_range_points_allowed=2 * opp.mid_range_makes,
        three_pt_points_allowed=3 * opp.three_pt_makes,
        defensive_rating=opp.offensive_rating,
        opponent_pace=opp.pace,
        opponent_ts_pct=opp.ts_pct,
        overtime_periods=own.overtime_periods,
        win_flag=own.win_flag,
        margin_of_victory=own.margin_of_victory,
    )


def expected(offense: ir.Table) -> ir.Table:
    """Return every team with a published offence row."""
    return offense.select(*GAME, defending_team=offense.team, reason=ibis.null("string"))


TRANSFORM = Transform(
    TEAM_DEFENSE_GAME_SUMMARY,
    build,
    reads={"offense": asof.same_day(TEAM_OFFENSE_GAME_SUMMARY)},
    expected=expected,
    watched=("opp_paint_attempts",),
)
