"""nba_raw.schedule: the league's games, which determine the expected rows of all tables."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.calendar import GAME_ID, SEASON_TYPES
from nba_pipeline.domain.season_expressions import is_countable, season_expression, season_type_expression
from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import FINAL, SCHEDULED, first_reason, landing_reason, when, with_tricodes
from nba_pipeline.tables.shared import columns


class Schedule(Rows):
    """Games of the league as listed by the source, played or not. One row per game."""

    game_id: str = column("NBA game id; the first three digits encode the kind of game", str_matches=GAME_ID)
    game_date: date = columns.GAME_DATE
    season: str = column("season label", formula="digits 4-5 of the game id", str_matches=r"^20[0-9]{2}-[0-9]{2}$")
    season_type: str = column(
        "kind of game", formula="first three digits of the game id", isin=list(SEASON_TYPES.values())
    )
    countable: bool = column("true if the game's statistics count", formula="prefix 002, 004, 005 or 006")
    home_team: str = column("tricode of the home team")
    away_team: str = column("tricode of the visitors")
    tip_off: Instant = column(
        "scheduled tip-off (UTC); NULL if not announced, as for some play-off games", nullable=True
    )
    cutoff_at: Instant = column(
        "latest time of information that a forecast of the game may use (UTC)",
        formula="one minute before tip-off; 16:00 UTC of the day if the tip-off is unknown",
    )
    neutral_site: bool = column("true if neither team is at home; NULL if the source does not state it", nullable=True)
    arena: str = column("arena", nullable=True)
    status: str = column("final once the score is known, else scheduled", isin=[FINAL, SCHEDULED])
    home_points: int = column("final score of the home team", unit="points", nullable=True, ge=0, le=250)
    away_points: int = column("final score of the visitors", unit="points", nullable=True, ge=0, le=250)


SCHEDULE = Table(
    model=Schedule,
    name="schedule",
    dataset="nba_raw",
    key=("game_id",),
    partition="game_date",
    cluster=("season",),
    on_bad_row="quarantine",
    rules={
        "a countable game has a team that is not one of the thirty": lambda t: (
            ~t.countable | (t.home_team.isin(TRICODES) & t.away_team.isin(TRICODES))
        ),
        "a team plays itself": lambda t: t.home_team != t.away_team,
        "a final game is a tie": lambda t: t.home_points != t.away_points,
        "tip-off is not on the game's date": lambda t: (
            (t.tip_off - ibis.interval(hours=4)).date().delta(t.game_date, unit="day").abs() <= 1
        ),
    },
)

# The columns of a game that are known before it starts.
SLATE = asof.same_day(
    SCHEDULE,
    visible=(
        "game_id",
        "game_date",
        "season",
        "season_type",
        "countable",
        "home_team",
        "away_team",
        "tip_off",
        "cutoff_at",
        "neutral_site",
    ),
)


def build(landing: ir.Table) -> ir.Table:
    """Type the schedule, and derive season, kind of game and cut-off from the game id and the tip-off."""
    landing = with_tricodes(landing, "home_team", "away_team")
    game_id = landing.game_id
    final = landing.home_pts.notnull() & landing.away_pts.notnull()
    known_prefix = game_id.substr(0, 3).isin(list(SEASON_TYPES))
    return landing.select(
        game_id=game_id,
        game_date=landing.game_date,
        season=known_prefix.ifelse(season_expression(game_id.re_extract(GAME_ID, 0).nullif("")), None),
        season_type=season_type_expression(game_id),
        countable=is_countable(game_id),
        home_team=landing.home_team,
        away_team=landing.away_team,
        tip_off=landing.game_datetime_utc,
        cutoff_at=asof.cutoff(landing.game_date, landing.game_datetime_utc),
        neutral_site=landing.neutral_site,
        arena=landing.arena,
        status=final.ifelse(FINAL, SCHEDULED),
        home_points=final.ifelse(landing.home_pts, None),
        away_points=final.ifelse(landing.away_pts, None),
        reject_reason=first_reason(
            landing_reason(landing),
            when(game_id.isnull(), "the row has no game id"),
            when(~game_id.re_search(GAME_ID), "the game id is not ten digits with a known prefix"),
            when(landing.game_date.isnull(), "the row has no game date"),
        ),
    )


TRANSFORM = Transform(SCHEDULE, build, feeds={"landing": feeds.SCHEDULE})
