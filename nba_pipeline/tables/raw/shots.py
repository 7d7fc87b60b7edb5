"""nba_raw.shots: every field-goal attempt, with its zone."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.domain.game_states import absence
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import ORDINARY, UNSCHEDULED, first_reason, landing_reason, when
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME

ZONES = ("paint", "mid_range", "corner_three", "above_break_three")
PAINT_FEET = 8
CORNER_LABELS = ("Left Corner 3", "Right Corner 3")
NO_SHOTS = "the source has no shots of the game"


class Shots(Rows):
    """Field-goal attempts as recorded by the source. One row per field-goal attempt."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    player_id: int = column("NBA person id of the shooter", gt=0)
    shot_number: int = column("1 for the player's first attempt of the game, in order of time", ge=1, le=80)
    period: int = column("period; 5 and up are overtimes", ge=1, le=12)
    seconds_left: int = column("time left in the period", unit="seconds", ge=0, le=720)
    made: bool = column("true for a make")
    value: int = column("points of a make", unit="points", isin=[2, 3])
    distance: int = column("distance from the hoop", unit="feet", ge=0, le=94)
    loc_x: int = column("along the baseline, from the hoop", unit="tenths of feet", nullable=True)
    loc_y: int = column("along the court, from the hoop", unit="tenths of feet", nullable=True)
    zone: str = column(
        "zone of the attempt",
        formula="2-pointer within 8 ft: paint; other 2-pointer: mid_range; 3-pointer by its corner label",
        isin=list(ZONES),
    )
    action_type: str = column("kind of shot in the source's wording", nullable=True)


SHOTS = Table(
    model=Shots,
    name="shots",
    dataset="nba_raw",
    key=("game_id", "player_id", "shot_number"),
    partition="game_date",
    cluster=("player_id",),
    on_bad_row="quarantine",
)


def zone_of(value: ir.IntegerValue, distance: ir.IntegerValue, label: ir.StringValue) -> ir.StringValue:
    """Return the zone of an attempt; a three without a label counts as above the break, where four of five are taken."""
    return ibis.cases(
        ((value == 2) & (distance <= PAINT_FEET), "paint"),
        (value == 2, "mid_range"),
        ((value == 3) & label.isin(CORNER_LABELS).fill_null(False), "corner_three"),
        (value == 3, "above_break_three"),
        else_=ibis.null("string"),
    )


def build(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    """Type the attempts and number them per player and game in order of time."""
    rows = landing.left_join(schedule, equal(landing, schedule, *GAME))
    left = landing.mins_left * 60 + landing.secs_left
    tie_breakers = [
        landing.loc_x,
        landing.loc_y,
        landing.shot_made,
        landing.shot_distance,
        landing.action_type,
        landing.zone_basic,
    ]
    in_time = ibis.window(
        group_by=[landing.game_id, landing.game_date, landing.player_id],
        order_by=[landing.period, left.desc(), landing.shot_value, *tie_breakers],
    )
    return rows.select(
        game_id=landing.game_id,
        game_date=landing.game_date,
        player_id=landing.player_id,
        shot_number=ibis.row_number().over(in_time) + 1,
        period=landing.period,
        seconds_left=left,
        made=landing.shot_made,
        value=landing.shot_value,
        distance=landing.shot_distance,
        loc_x=landing.loc_x,
        loc_y=landing.loc_y,
        zone=zone_of(landing.shot_value, landing.shot_distance, landing.zone_basic),
        action_type=landing.action_type,
        reject_reason=first_reason(landing_reason(landing), when(schedule.game_id.isnull(), UNSCHEDULED)),
    )


def expected(schedule: ir.Table) -> ir.Table:
    """Return every countable game, with the reason recorded if the source has no shots of it."""
    games = schedule.filter(schedule.countable)
    return games.select(*GAME, reason=absence(games.status).fill_null(NO_SHOTS))


TRANSFORM = Transform(
    SHOTS,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.SHOTS},
    expected=expected,
    counted="games",
    ordinary_rejects=ORDINARY,
    watched=("loc_x",),
)
