"""Alerts about games of today that begin without captured line-ups, in homes that have line-ups of the season."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.common.clock import eastern
from nba_pipeline.domain.calendar import reading_bound
from nba_pipeline.domain.game_states import CALLED_OFF
from nba_pipeline.tables.raw.lineups import LINEUPS
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days, Warehouse

BEFORE_TIP_OFF = timedelta(minutes=30)
COLUMNS = ("game_id", "game_date", "home_team", "away_team", "tip_off", "countable", "status")


@dataclass(frozen=True)
class ScheduledGame:
    """A countable game that takes place on its day; `tip_off` is None where it is not announced."""

    game_id: str
    day: date
    teams: str
    tip_off: datetime | None


def lineup_alerts(now: datetime, games: Sequence[ScheduledGame], captured: AbstractSet[str]) -> list[Alert]:
    """List the games without line-ups that begin in less than half an hour or have begun; one without a tip-off is not due.

    Args:
        now: The time of the evaluation.
        games: The games of today.
        captured: Ids of the games with line-ups.
    """
    due = [(g, g.tip_off) for g in games if g.tip_off and g.tip_off - now < BEFORE_TIP_OFF]
    return [
        Alert(AlertKind.LINEUPS, f"lineups {g.game_id} {g.day}", _text(g, tip_off, has_begun=tip_off <= now))
        for g, tip_off in due
        if g.game_id not in captured
    ]


def _text(game: ScheduledGame, tip_off: datetime, *, has_begun: bool) -> str:
    verb, named = "began" if has_begun else "begins", f"{game.game_id} {game.teams}"
    lacking = f"{named} {verb} at {eastern(tip_off):%H:%M} Eastern on {game.day} without captured line-ups"
    look = (
        "`nba-pipeline check --sources` tells whether the service answers, "
        f"`nba-pipeline quarantine --table {LINEUPS.id}` which rows were rejected"
    )
    read = f"`nba-pipeline backfill {game.day} {game.day}` reads what was captured; {look}"
    if has_begun:
        return f"{lacking}, and none can be captured any more. Fix: {read}"
    return f"{lacking}. Fix: `nba-pipeline ingest {game.day}` captures them until tip-off, {read}"


def missing_lineups(warehouse: Warehouse, now: datetime) -> list[Alert]:
    """Return the alerts about the published games of today, Eastern time; none in a home without line-ups of the season.

    Args:
        warehouse: The warehouse.
        now: The time of the evaluation.
    """
    today = eastern(now).date()
    rows = warehouse.read(
        {
            "games": (SCHEDULE, Days(today, today, COLUMNS)),
            "lineups": (LINEUPS, Days(today, today, ("game_id", "game_date"))),
        }
    )
    games = [
        ScheduledGame(r["game_id"], r["game_date"], f"{r['away_team']} at {r['home_team']}", r["tip_off"])
        for r in rows["games"].sort_by("game_id").to_pylist()
        if r["countable"] and r["status"] not in CALLED_OFF
    ]
    captured = set(rows["lineups"]["game_id"].to_pylist())
    missing = lineup_alerts(now, games, captured)
    if not missing:
        return []
    season = warehouse.ledger([LINEUPS.id], reading_bound(today), today).to_pylist()
    return missing if any(e["state"] == "published" and e["rows"] for e in season) else []
