"""Which alerts hold: pure functions of the time, the games, the ledger and the runs. Days without games raise no alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from nba_pipeline.automation.alert_store import Alert, AlertKind, OpenAlert, day_of
from nba_pipeline.automation.game_slate import Slate
from nba_pipeline.automation.retries import FailedRun, latest_tries
from nba_pipeline.automation.selections import FORECASTS, GRADES
from nba_pipeline.common.clock import eastern
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.domain.season_frame import SeasonFrame
from nba_pipeline.engine.readiness import is_unfinished
from nba_pipeline.engine.refusals import lacks_only_upstream, ledger_reasons
from nba_pipeline.engine.waivers import NO_WAIVERS, Waivers

if TYPE_CHECKING:  # takes most of a second to load, and definitions judge nothing
    from nba_pipeline.evaluation.alarms import Alarm

FORECASTS_BY, GRADES_BY, GAPS_FROM = time(12), time(9), time(11)
GAP_DAYS = 14
LONGEST_REASONS = 300
TABLES_NAMED = 4
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """The ledger entries of some days by table and day: the published ones and the refused ones."""

    published: Mapping[tuple[str, date], Entry]
    refused: Mapping[tuple[str, date], Entry]

    @staticmethod
    def of(entries: Iterable[Entry]) -> Published:
        rows = list(entries)
        by_state = {
            state: {(e["table_id"], e["day"]): e for e in rows if e["state"] == state}
            for state in ("published", "refused")
        }
        return Published(by_state["published"], by_state["refused"])

    def without(self, waivers: Waivers) -> Published:
        """Return the same entries without the refusals of waived days."""
        refused = {(t, d): e for (t, d), e in self.refused.items() if d not in waivers.of(t)}
        return Published(self.published, refused)

    def is_complete(self, table: str, day: date) -> bool:
        """Return whether the table is published for the day, with its games, and lacks no row of them."""
        entry = self.published.get((table, day))
        return entry is not None and entry["games"] > 0 and not is_unfinished(entry)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(ZONE))


def freshness(now: datetime, games: Slate, ledger: Published) -> list[Alert]:
    """List forecasts of today that are missing at noon, and grades of yesterday that are missing at nine, Eastern time."""
    today = eastern(now).date()
    alerts = []
    for table, day, due, product in (
        (FORECASTS, today, _at(today, FORECASTS_BY), "forecasts"),
        (GRADES, today - timedelta(days=1), _at(today, GRADES_BY), "grades"),
    ):
        if games.get(day) and now >= due and not ledger.is_complete(table, day):
            why = _why_incomplete(ledger, table, day)
            text = f"no {product} of {day} ({len(games[day])} games) by {due:%H:%M} Eastern: {why}"
            alerts.append(Alert(AlertKind.FRESHNESS, f"freshness {table} {day}", text))
    return alerts


def _why_incomplete(ledger: Published, table: str, day: date) -> str:
    """Return why the table is not complete for the day, and the fix."""
    if (table, day) in ledger.refused:
        return f"{table} was refused: {_reasons(ledger.refused[table, day])}. {_fix_refusal(table, day)}"
    entry = ledger.published.get((table, day))
    if entry is None:
        why = f"{table} has not run"
    elif entry["games"]:
        why = f"{table} was published before its games had results"
    else:
        why = f"{table} was published without games"
    return f"{why}. {_fix_by_backfill(day, only_missing=entry is not None)}"


def _reasons(entry: Entry) -> str:
    return "; ".join(str(reason) for reason in ledger_reasons(entry))[:LONGEST_REASONS]


def _fix_refusal(table: str, day: date) -> str:
    return (
        f"Fix: list the rejected rows with `nba-pipeline quarantine --table {table}`, correct the source, then run "
        f"`nba-pipeline backfill {day} {day} --missing`"
    )


def _fix_by_backfill(day: date, *, only_missing: bool) -> str:
    return f"Fix: run `nba-pipeline backfill {day} {day}{' --missing' if only_missing else ''}`"


def refusals(ledger: Published) -> list[Alert]:
    """List every refused day of every table, except days that only lack what another table refused."""
    alerts = []
    for (table, day), entry in sorted(ledger.refused.items(), key=lambda item: (item[0][1], item[0][0])):
        if not lacks_only_upstream(entry):
            text = f"{table} refused {day}: {_reasons(entry)}. {_fix_refusal(table, day)}"
            alerts.append(Alert(AlertKind.REFUSED, f"refused {table} {day}", text))
    return alerts


def gaps(
    now: datetime,
    games: Slate,
    ledger: Published,
    tables: Sequence[str],
    began: date | None,
    waivers: Waivers = NO_WAIVERS,
) -> list[Alert]:
    """List game days that are over and not complete in every table, from eleven Eastern on the next day.

    Args:
        now: The time of the evaluation.
        games: Games by day; only these days are evaluated.
        ledger: The ledger entries of these days.
        tables: The tables that have to be complete.
        began: The first day that was ever published; earlier days are not expected. None: no day is.
        waivers: Days that a table may lack.
    """
    alerts = []
    for day in sorted(games):
        if began is None or day < began or not games[day] or now < _at(day + timedelta(days=1), GAPS_FROM):
            continue
        required = [t for t in tables if day not in waivers.of(t)]
        lacking = [t for t in required if not ledger.is_complete(t, day) and not _may_be_empty(ledger, t, day)]
        if lacking:
            others = len(lacking) - TABLES_NAMED
            named = ", ".join(lacking[:TABLES_NAMED]) + (f" and {others} more tables" if others > 0 else "")
            fix = _fix_by_backfill(day, only_missing=True)
            text = f"{day} ({len(games[day])} games) is not complete: {named}. {fix}"
            alerts.append(Alert(AlertKind.GAP, f"gap {day}", text))
    return alerts


def _may_be_empty(ledger: Published, table: str, day: date) -> bool:
    """Return whether the table was published for the day and does not count games."""
    entry = ledger.published.get((table, day))
    return entry is not None and (table, day) not in ledger.refused and not is_unfinished(entry)


def days_of(alerts: Iterable[OpenAlert]) -> set[date]:
    """Return the days of alerts of the kinds `refused`, `gap` and `state`."""
    kinds = (AlertKind.REFUSED, AlertKind.GAP, AlertKind.STATE)
    return {day for a in alerts if a.kind in kinds and (day := day_of(a)) is not None}


def failed_runs(failed: Iterable[FailedRun], settled: AbstractSet[str], ledger: Published) -> list[Alert]:
    """List runs that failed for another reason than refused days and whose days were not published since.

    Args:
        failed: The failed runs, retries included; of a chain of retries the latest counts.
        settled: Origins of chains of which a later try succeeded.
        ledger: The ledger entries of the days of these runs.
    """
    alerts = []
    for origin, run in sorted(latest_tries(failed).items()):
        if origin in settled or run.refused or published_since(run, ledger):
            continue
        names = ", ".join(sorted(run.errors)) or "it ended without an error, such as killed or over its time limit"
        why = f"{names}: {run.message}" if run.message else names
        tries = f" after {run.attempt + 1} tries" if run.attempt else ""
        fix = f"Fix: correct the cause, then run `nba-pipeline backfill {run.start} {run.end} --missing`"
        text = f"run {run.run_id[:8]} over {run.start}..{run.end} failed{tries}: {why}. {fix}"
        alerts.append(Alert(AlertKind.RUN, f"run {origin}", text))
    return alerts


def published_since(run: FailedRun, ledger: Published) -> bool:
    """Return whether another run has published every day of every table of a failed run since."""
    entries = [ledger.published.get((t, d)) for t in run.tables for d in days_between(run.start, run.end)]
    return bool(entries) and all(e is not None and e["recorded_at"] >= run.ended for e in entries)


def unknown_states(games: Iterable[tuple[date, str]]) -> list[Alert]:
    """List games whose state is unknown: words that are not declared, or results that are long overdue."""
    return [
        Alert(
            AlertKind.STATE,
            f"state {game.split()[0]} {day}",
            f"the state of {game} on {day} is unknown. Fix: run `nba-pipeline check {day} {day}`, which names the ways out",
        )
        for day, game in games
    ]


def season_frames(frames: Iterable[SeasonFrame]) -> list[Alert]:
    """List seasons whose schedule lacks games, or has more than a season can have."""
    fix = "Fix: bring the source's schedule up to date; `nba-pipeline check` lists the difference"
    return [
        Alert(AlertKind.SEASON, f"season {f.season}", f"the schedule of {f.season} is not a season's: {f}. {fix}")
        for f in frames
        if f.is_wrong
    ]


def leakage_alarms(alarms: Iterable[Alarm]) -> list[Alert]:
    """List figures that are too good to be free of leakage."""
    fix = (
        "Fix: look for a feature that contains the result; see `nba-pipeline leaderboard` and the asset check `replay`"
    )
    return [
        Alert(AlertKind.ALARM, f"alarm {system}", f"suspected leakage: {system}: {text}. {fix}")
        for system, text in _by_system(alarms).items()
    ]


def drifts(alarms: Iterable[Alarm]) -> list[Alert]:
    """List systems that forecast worse of late than before."""
    fix = (
        "Fix: look at the source and the features of these days (`nba-pipeline check`, `nba-pipeline report`), and train again: "
        "`nba-pipeline backfill FIRST FIRST --select nba_predictions.prediction_models` with the first of the month"
    )
    return [
        Alert(AlertKind.DRIFT, f"drift {system}", f"forecasts got worse: {system}: {text}. {fix}")
        for system, text in _by_system(alarms).items()
    ]


def _by_system(alarms: Iterable[Alarm]) -> dict[str, str]:
    texts: dict[str, list[str]] = {}
    for alarm in alarms:
        texts.setdefault(alarm.system_id, []).append(alarm.text)
    return {system: "; ".join(said) for system, said in texts.items()}


def outages(failures: Mapping[str, str]) -> list[Alert]:
    """List the kinds of data whose latest fetch failed."""
    fix = "Fix: check the network, the limits and the keys of the source; the next scheduled run fetches again"
    return [
        Alert(AlertKind.OUTAGE, f"outage {kind}", f"source out: {text}. {fix}")
        for kind, text in sorted(failures.items())
    ]
