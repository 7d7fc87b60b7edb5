"""nba_raw.rosters: the latest roster of each team, as of each day."""

from datetime import date

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import union
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.eastern_time import eastern_date
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import first_reason, landing_reason, tricode, when, with_tricodes
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.tables.shared import columns

CURRENT_DAYS = 14
NO_TIME = "it has no time of capture, so that no day may use it"


class Rosters(Rows):
    """Rosters captured on the day, and of each team the latest captured in the 14 days before it. A roster is used from its
    capture on, never earlier. One row per day, capture, team and player.
    """

    roster_date: date = column(
        "US-Eastern calendar date for which the roster is the latest, or on which it was captured"
    )
    captured_at: Instant = column("time at which the roster was captured (UTC)")
    team: str = tricode("tricode of the team")
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name", str_matches=r"^.{1,100}$")
    player_lookup: str = columns.PLAYER_LOOKUP
    source: str = column("name of the source", nullable=True)


ROSTERS = Table(
    model=Rosters,
    name="rosters",
    dataset="nba_raw",
    key=("roster_date", "team", "player_id", "captured_at"),
    partition="roster_date",
    cluster=("team", "player_id"),
    on_bad_row="quarantine",
)


def build(landing: ir.Table, days: ir.Table) -> ir.Table:
    """Assign captures to the days for which they are the latest, and reject those without a time."""
    rows = with_lookup(with_tricodes(landing, "team"), "player_name")
    rows = rows.mutate(
        captured_on=eastern_date(rows.captured_at),
        reject_reason=first_reason(landing_reason(rows), when(rows.captured_at.isnull(), NO_TIME)),
    )
    bad = rows.filter(rows.reject_reason.notnull())
    of_the_days = bad.left_join(days, bad.captured_on == days.day).filter(bad.captured_on.isnull() | days.day.notnull())
    rejected = of_the_days.select(*_columns(bad, bad.captured_on))
    good = rows.filter(rows.reject_reason.isnull())
    last_day = good.captured_on + ibis.interval(days=CURRENT_DAYS)
    near = good.inner_join(days, [good.captured_on <= days.day, last_day >= days.day]).select(good, days.day)
    earlier = (near.captured_on < near.day).ifelse(near.captured_at, None)
    newest = near.mutate(__newest=earlier.max().over(ibis.window(group_by=[near.day, near.team])))
    current = newest.filter((newest.captured_on == newest.day) | (newest.captured_at == newest["__newest"]))
    return union(current.select(*_columns(current, current.day)), rejected)


def _columns(rows: ir.Table, day: ir.DateValue) -> list[ir.Value]:
    names = ("captured_at", "team", "player_id", "player_name", "player_lookup", "source", "reject_reason")
    return [day.name("roster_date"), *(rows[c] for c in names)]


TRANSFORM = Transform(
    ROSTERS,
    build,
    reads={"schedule": SLATE},
    feeds={"landing": feeds.ROSTERS},
)
