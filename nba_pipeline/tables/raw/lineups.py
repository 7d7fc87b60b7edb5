"""nba_raw.lineups: the line-ups that were listed before games, with the time of their capture."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.asof.cutoffs import captured_late
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.lineups import STARTERS, STARTING, STATUSES
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import (
    LINE_CAPTURED_LATE,
    ORDINARY,
    UNSCHEDULED,
    first_reason,
    landing_reason,
    team_reason,
    tricode,
    when,
    with_tricodes,
)
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME

NO_TIME = "it has no time of capture, so that nothing may use it"
CONTRADICTED = "the capture lists the player with different statuses or for different teams"
TOO_MANY = f"more than {STARTERS} players of the team are listed to start"
COPY = "the player is listed more than once in the capture; one was kept"
CAPTURE = (*GAME, "captured_at")


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
    """Type the line-ups, and reject what cannot be used: late, of another game, contradictory, repeated or a surplus starter."""
    landing = with_lookup(with_tricodes(landing, "team"), "player_name")
    rows = landing.left_join(schedule, equal(landing, schedule, *GAME))
    typed = rows.select(
        *(landing[c] for c in ("game_id", "game_date", "captured_at", "team", "player_id", "player_name")),
        *(landing[c] for c in ("player_lookup", "status", "position", "source")),
        reject_reason=first_reason(
            landing_reason(landing),
            when(landing.captured_at.isnull(), NO_TIME),
            when(schedule.game_id.isnull(), UNSCHEDULED),
            when(captured_late(landing.captured_at, schedule.tip_off, landing.source), LINE_CAPTURED_LATE),
            team_reason(landing, schedule),
        ),
    )
    return _without_surplus(_without_copies(_without_contradictions(typed)))


def _usable(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row says something of a player: it has no reason to be rejected, a known status and a possible id."""
    return (
        rows.reject_reason.isnull()
        & rows.status.isin(STATUSES).fill_null(False)
        & (rows.player_id > 0).fill_null(False)
    )


def _without_contradictions(rows: ir.Table) -> ir.Table:
    """Reject every row of a player if the rows of one capture contradict each other."""
    usable = _usable(rows)
    of_player = ibis.window(group_by=[*CAPTURE, "player_id"])
    said = [usable.ifelse(rows[c], None) for c in ("status", "team")]
    differs = ibis.or_(*(s.max().over(of_player) != s.min().over(of_player) for s in said))
    return rows.mutate(reject_reason=first_reason(rows.reject_reason, when(usable & differs, CONTRADICTED)))


def _without_copies(rows: ir.Table) -> ir.Table:
    """Reject all rows of a player in a capture but one, by an order that is independent of the order of the rows."""
    order = [
        ibis.desc(_usable(rows)),
        ibis.desc(rows.player_name, nulls_first=False),
        ibis.asc(rows.position, nulls_first=False),
        ibis.asc(rows.source, nulls_first=False),
    ]
    of_player = ibis.window(group_by=[*CAPTURE, "team", "player_id"], order_by=order)
    marked = rows.mutate(__copy=ibis.row_number().over(of_player))
    copy = when(_usable(marked) & (marked["__copy"] > 0), COPY)
    return marked.mutate(reject_reason=first_reason(marked.reject_reason, copy)).drop("__copy")


def _without_surplus(rows: ir.Table) -> ir.Table:
    """Reject all starters of a team with more than five: which of them start is unknown."""
    starts = _usable(rows) & rows.status.isin(STARTING)
    starters = starts.cast("int64").sum().over(ibis.window(group_by=[*CAPTURE, "team"]))
    return rows.mutate(reject_reason=first_reason(rows.reject_reason, when(starts & (starters > STARTERS), TOO_MANY)))


TRANSFORM = Transform(
    LINEUPS,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.LINEUPS},
    ordinary_rejects=ORDINARY,
    watched=("status", "player_id"),
)
