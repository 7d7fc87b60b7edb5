"""nba_raw.schedule: the league's games, which determine the expected rows of all tables."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.arenas import is_neutral
from nba_pipeline.domain.calendar import GAME_ID, SEASON_TYPES
from nba_pipeline.domain.eastern_time import eastern_date
from nba_pipeline.domain.game_states import FINAL, STATES, is_called_off
from nba_pipeline.domain.season_expressions import is_countable, season_expression, season_type_expression
from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.engine.transform import Transform, Witness
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw._schedule_states import with_states
from nba_pipeline.tables.raw._schedule_witnesses import TEAMS_OPEN, WITNESS_CHECKS
from nba_pipeline.tables.raw.columns import first_reason, landing_reason, when, with_tricodes
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
    neutral_site: bool = column(
        "true if neither team plays in its own arena; NULL if the source does not state it",
        formula="the arena is one of nba_pipeline.domain.arenas.NEUTRAL_COURTS, else as the source says",
        nullable=True,
    )
    arena: str = column("arena", nullable=True)
    status: str = column(
        "state of the game: scheduled, in progress, final, postponed, cancelled, suspended, not needed, or unknown",
        formula="the source's words; without words final once the score is known, else scheduled; unknown where "
        "the words are not declared, or where the result of a game is overdue; not needed where a play-off series is decided",
        isin=list(STATES),
    )
    home_points: int = column("final score of the home team", unit="points", nullable=True, ge=0, le=250)
    away_points: int = column("final score of the visitors", unit="points", nullable=True, ge=0, le=250)
    called_off: bool = column(
        "true where the game is not played on this day: postponed, cancelled or not needed; NULL in rows of earlier releases",
        nullable=True,
        hashed=False,
    )
    postponed_to: date = column(
        "US-Eastern date to which the game was moved; NULL where that is open, or it was not moved",
        nullable=True,
        hashed=False,
    )


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
        "tip-off is not on the game's date": lambda t: eastern_date(t.tip_off) == t.game_date,
        "a result without a final game": lambda t: t.home_points.notnull() == (t.status == FINAL),
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
        "arena",
        "called_off",
    ),
)

# The id as it is left where it was stored as a number.
WITHOUT_ZEROS = r"^[0-9]{1,9}(\.0)?$"


def build(landing: ir.Table, season_feed: ir.Table, clock: ir.Table) -> ir.Table:
    """Type the schedule, derive season, kind of game and cut-off, and decide on the state of each game."""
    sides = ("home_team", "away_team")
    rows = with_states(with_tricodes(landing, *sides), with_tricodes(season_feed, *sides), clock)
    game_id, final = rows.game_id, rows.state == FINAL
    known_prefix = game_id.substr(0, 3).isin(list(SEASON_TYPES))
    return rows.select(
        game_id=game_id,
        game_date=rows.game_date,
        season=known_prefix.ifelse(season_expression(game_id.re_extract(GAME_ID, 0).nullif("")), None),
        season_type=season_type_expression(game_id),
        countable=is_countable(game_id),
        home_team=rows.home_team,
        away_team=rows.away_team,
        tip_off=rows.game_datetime_utc,
        cutoff_at=asof.cutoff(rows.game_date, rows.game_datetime_utc),
        neutral_site=is_neutral(rows.arena, rows.neutral_site),
        arena=rows.arena,
        status=rows.state,
        home_points=final.ifelse(rows.home_pts, None),
        away_points=final.ifelse(rows.away_pts, None),
        called_off=is_called_off(rows.state),
        postponed_to=is_called_off(rows.state).ifelse(rows.moved_to, None),
        reject_reason=reason(rows),
    )


def reason(rows: ir.Table) -> ir.StringValue:
    """Why a row of the schedule cannot be used; NULL where it can."""
    game_id, tip_day = rows.game_id, eastern_date(rows.game_datetime_utc)
    off_day = "the tip-off " + rows.game_datetime_utc.strftime("%Y-%m-%dT%H:%MZ") + " is on " + tip_day.cast("string")
    return first_reason(
        landing_reason(rows),
        when(game_id.isnull(), "the row has no game id"),
        when(
            game_id.re_search(WITHOUT_ZEROS), "the game id has lost its leading zeros: store it as text, 10 characters"
        ),
        when(~game_id.re_search(GAME_ID), "the game id is not ten digits with a known prefix"),
        when(rows.game_date.isnull(), "the row has no game date"),
        when(~rows.scored & (rows.home_team.isnull() | rows.away_team.isnull()), TEAMS_OPEN),
        rows.contradiction,
        (tip_day != rows.game_date)
        .fill_null(False)
        .ifelse(off_day + " in New York, not on the game date " + rows.game_date.cast("string"), ibis.null("string")),
    )


TRANSFORM = Transform(
    SCHEDULE,
    build,
    reads={"earlier": asof.kept(SCHEDULE)},
    feeds={"landing": feeds.SCHEDULE},
    witnesses={
        "season_feed": Witness(feeds.SCHEDULE, whole_seasons=True),
        "boxes": Witness(feeds.PLAYER_BOXSCORES),
    },
    witness_checks=WITNESS_CHECKS,
)
