"""nba_raw.lineups: the line-ups that were listed before games, with the time of their capture."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.sources.parsing.lineups import INACTIVE, STARTERS, STATUSES
from nba_pipeline.tables.raw.columns import (
    LINE_CAPTURED_LATE,
    ORDINARY,
    UNSCHEDULED,
    first_reason,
    landing_reason,
    tricode,
    when,
    with_tricodes,
)
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns

NO_TIME = "it has no time of capture, so that nothing may use it"
NOT_IN_GAME = "its team does not play in the game"
TOO_MANY = f"more than {STARTERS} players of the team are listed to start"
COPY = "the player is listed more than once in the capture; one was kept"


class Lineups(Rows):
    """Starters and inactive players as listed before a game. A line-up is known from its capture on, never earlier. One row per
    game, capture, team and player.
    """

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    captured_at: Instant = column("time at which the line-up was captured (UTC)")
    team: str = tricode("tricode of the player's team")
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name", str_matches=r"^.{1,100}$")
    player_lookup: str = columns.PLAYER_LOOKUP
    status: str = column(
        "confirmed: a starter named by the team; expected: a starter by the league's expectation; inactive: not in uniform",
        isin=list(STATUSES),
    )
    position: str = column("position in the line-up, in the source's wording; NULL if not stated", nullable=True)
    source: str = column("name of the source", nullable=True)


LINEUPS = Table(
    model=Lineups,
    name="lineups",
    dataset="nba_raw",
    key=("game_id", "captured_at", "team", "player_id"),
    partition="game_date",
    cluster=("game_id", "player_id"),
    on_bad_row="quarantine",
)


def build(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    """Type the line-ups, and reject those captured after the scheduled tip-off or of teams that do not play in the game."""
    landing = with_lookup(with_tricodes(landing, "team"), "player_name")
    rows = landing.left_join(schedule, [landing.game_id == schedule.game_id, landing.game_date == schedule.game_date])
    typed = rows.select(
        *(landing[c] for c in ("game_id", "game_date", "captured_at", "team", "player_id", "player_name")),
        *(landing[c] for c in ("player_lookup", "status", "position", "source")),
        reject_reason=first_reason(
            landing_reason(landing),
            when(landing.captured_at.isnull(), NO_TIME),
            when(schedule.game_id.isnull(), UNSCHEDULED),
            when(landing.captured_at >= schedule.tip_off, LINE_CAPTURED_LATE),
            when((landing.team != schedule.home_team) & (landing.team != schedule.away_team), NOT_IN_GAME),
        ),
    )
    order = [typed.reject_reason.notnull(), typed.status, typed.source]
    same = ibis.window(group_by=["game_id", "captured_at", "team", "player_id"], order_by=order)
    marked = typed.mutate(__copy=ibis.row_number().over(same))
    once = marked.mutate(reject_reason=first_reason(marked.reject_reason, when(marked["__copy"] > 0, COPY)))
    starts = (once.status != INACTIVE) & once.reject_reason.isnull()
    of_team = ibis.window(group_by=["game_id", "captured_at", "team"])
    counted = once.mutate(__starters=starts.cast("int64").sum().over(of_team))
    too_many = (counted["__starters"] > STARTERS) & (counted.status != INACTIVE)
    reason = first_reason(counted.reject_reason, when(too_many, TOO_MANY))
    return counted.mutate(reject_reason=reason).drop("__copy", "__starters")


TRANSFORM = Transform(
    LINEUPS,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.LINEUPS},
    ordinary_rejects=ORDINARY,
    watched=("status", "player_id"),
)
