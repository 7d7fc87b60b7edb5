"""nba_raw.injury_reports: reports on players' availability."""

from datetime import date

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.calendar import GAME_ID
from nba_pipeline.domain.identity.spelling import WAYS
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.domain.report_types import RECORD_TYPES
from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import first_reason, landing_reason, with_tricodes
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.tables.shared import columns


class InjuryReports(Rows):
    """Reports on a player's availability with their publication times. One row per player and report."""

    report_date: date = column("US-Eastern calendar date of the report")
    player_id: int = column("NBA person id; NULL where the name could not be resolved", nullable=True, gt=0)
    player_name: str = column("display name", str_matches=r"^.{1,100}$")
    player_lookup: str = columns.PLAYER_LOOKUP
    resolved_by: str = column(
        "rule that resolved the id: source (the source provides the id) or the spelling rule that matched; unknown: not resolved",
        nullable=True,
        hashed=False,
        isin=list(WAYS),
    )
    reported_at: Instant = column("publication time (UTC); NULL if only the day is known", nullable=True)
    record_type: str = column(
        "kind of report; boxscore_dnp exists only after the game: it says nothing about availability, and from the next day on"
        " names the player's team",
        isin=list(RECORD_TYPES),
    )
    status: str = column("status in the source's wording", nullable=True)
    team: str = column("tricode of the player's team; NULL if not stated", nullable=True, isin=list(TRICODES))
    game_id: str = column("NBA game id; NULL if the report is not about one game", nullable=True, str_matches=GAME_ID)
    reason: str = column("reason in the source's wording", nullable=True)
    source: str = column("name of the source of the report", nullable=True)


INJURY_REPORTS = Table(
    model=InjuryReports,
    name="injury_reports",
    dataset="nba_raw",
    key=("report_date", "player_lookup", "reported_at", "record_type", "status", "reason", "game_id", "team"),
    partition="report_date",
    cluster=("player_id",),
    on_bad_row="quarantine",
)


def build(landing: ir.Table) -> ir.Table:
    """Type the statements and normalise the names."""
    landing = with_tricodes(landing, "team")
    landing = with_lookup(
        landing.mutate(player_name=landing.player_name.coalesce(landing.player_name_source)), "player_name"
    )
    return landing.select(
        report_date=landing.report_date,
        player_id=landing.player_id,
        player_name=landing.player_name,
        player_lookup=landing.player_lookup,
        resolved_by=landing.resolved_by,
        reported_at=landing.report_utc,
        record_type=landing.record_type,
        status=landing.status,
        team=landing.team,
        game_id=landing.game_id,
        reason=landing.reason,
        source=landing.source,
        reject_reason=first_reason(landing_reason(landing)),
    )


TRANSFORM = Transform(
    INJURY_REPORTS,
    build,
    reads={"schedule": SLATE},
    feeds={"landing": feeds.INJURIES},
    watched=("player_id", "reported_at"),
)
