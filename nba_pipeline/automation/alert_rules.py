"""What alerts are raised: pure functions of the moment, the games, the ledger and the runs. No game, no alert."""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nba_pipeline.automation.alert_store import Alert, OpenAlert
from nba_pipeline.automation.game_slate import Slate
from nba_pipeline.automation.retries import FailedRun
from nba_pipeline.automation.selections import FORECASTS, GRADES
from nba_pipeline.common.clock import eastern
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.readiness import is_unfinished
from nba_pipeline.engine.refusals import lacks_only_upstream
from nba_pipeline.engine.waivers import NO_WAIVERS, Waivers

FRESHNESS, REFUSED, GAP, ALARM, RUN, OUTAGE = "freshness", "refused", "gap", "alarm", "run", "outage"
KINDS = (FRESHNESS, REFUSED, GAP, ALARM, RUN, OUTAGE)
FORECASTS_BY, GRADES_BY, GAPS_FROM = time(12), time(9), time(11)
GAP_DAYS = 14
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """What the ledger says of some days: published and refused entries by table and day."""

    published: Mapping[tuple[str, date], Entry]
    refused: Mapping[tuple[str, date], Entry]

    @staticmethod
    def of(entries: Iterable[Entry]) -> "Published":
        rows = list(entries)
        by_state = {
            state: {(e["table_id"], e["day"]): e for e in rows if e["state"] == state}
            for state in ("published", "refused")
        }
        return Published(by_state["published"], by_state["refused"])

    def without(self, waivers: Waivers) -> "Published":
        """The same, but for refusals of waived days, which somebody knows of."""
        left = {(t, d): e for (t, d), e in self.refused.items() if d not in waivers.of(t)}
        return Published(self.published, left)

    def has(self, table: str, day: date) -> bool:
        """Whether the table is published for the day, with its games, and lacks nothing of them."""
        entry = self.published.get((table, day))
        return entry is not None and entry["games"] > 0 and not is_unfinished(entry)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(ZONE))


def freshness(now: datetime, games: Slate, held: Published) -> list[Alert]:
    """Forecasts of today by noon, grades of yesterday by nine, Eastern; only for days with games."""
    today = eastern(now).date()
    found = []
    for table, day, due, what in (
        (FORECASTS, today, _at(today, FORECASTS_BY), "forecasts"),
        (GRADES, today - timedelta(days=1), _at(today, GRADES_BY), "grades"),
    ):
        if games.get(day) and now >= due and not held.has(table, day):
            text = f"no {what} of {day} ({len(games[day])} games) by {due:%H:%M} Eastern: {_state(held, table, day)}"
            found.append(Alert(FRESHNESS, f"freshness {table} {day}", text))
    return found


def _state(held: Published, table: str, day: date) -> str:
    if (table, day) in held.refused:
        return f"{table} was refused: {_reasons(held.refused[table, day])}"
    entry = held.published.get((table, day))
    if entry is None:
        return f"{table} never ran; nba-pipeline backfill {day} {day}"
    return (
        f"{table} was published while games had no result" if entry["games"] else f"{table} was published without games"
    )


def _reasons(entry: Entry) -> str:
    return "; ".join(json.loads(entry["reasons"]))[:300]


def refusals(held: Published) -> list[Alert]:
    """Every refused day of every table, but not those that only lack what another table refused."""
    found = []
    for (table, day), entry in sorted(held.refused.items(), key=lambda item: (item[0][1], item[0][0])):
        if not lacks_only_upstream(entry):
            text = f"{table} refused {day}: {_reasons(entry)}; nba-pipeline quarantine --table {table}"
            found.append(Alert(REFUSED, f"refused {table} {day}", text))
    return found


def gaps(
    now: datetime,
    games: Slate,
    held: Published,
    tables: Sequence[str],
    began: date | None,
    waivers: Waivers = NO_WAIVERS,
) -> list[Alert]:
    """Game days that are over and not complete in every table, but for what is waived, from eleven of the next day on."""
    found = []
    for day in sorted(games):
        if began is None or day < began or not games[day] or now < _at(day + timedelta(days=1), GAPS_FROM):
            continue
        judged = [t for t in tables if day not in waivers.of(t)]
        lacking = [t for t in judged if not held.has(t, day) and not _may_be_empty(held, t, day)]
        if lacking:
            shown = ", ".join(lacking[:4]) + (f" and {len(lacking) - 4} more tables" if len(lacking) > 4 else "")
            text = (
                f"{day} ({len(games[day])} games) is not complete: {shown}; nba-pipeline backfill {day} {day} --missing"
            )
            found.append(Alert(GAP, f"gap {day}", text))
    return found


def _may_be_empty(held: Published, table: str, day: date) -> bool:
    """A table that was published for the day and does not count games."""
    entry = held.published.get((table, day))
    return entry is not None and (table, day) not in held.refused and not is_unfinished(entry)


def days_of(alerts: Iterable[OpenAlert]) -> set[date]:
    """The days that alerts of the kinds `refused` and `gap` are about; their keys end with it."""
    return {date.fromisoformat(a.key.split()[-1]) for a in alerts if a.kind in (REFUSED, GAP)}


def failed_runs(failed: Iterable[FailedRun], settled: AbstractSet[str], held: Published) -> list[Alert]:
    """Runs that failed for another reason than refused days, until a later try succeeds or their days are published.

    `settled` are the origins of chains that have succeeded since.
    """
    latest: dict[str, FailedRun] = {}
    for run in failed:
        if run.origin not in latest or run.attempt > latest[run.origin].attempt:
            latest[run.origin] = run
    found = []
    for origin, run in sorted(latest.items()):
        if origin in settled or run.refused or done_since(run, held):
            continue
        names = ", ".join(sorted(run.errors)) or "it ended without saying why, such as killed or over its time limit"
        why = f"{names}: {run.said}" if run.said else names
        tried = f" after {run.attempt + 1} tries" if run.attempt else ""
        text = f"run {run.run_id[:8]} over {run.start}..{run.end} failed{tried}: {why}"
        found.append(Alert(RUN, f"run {origin}", text))
    return found


def done_since(run: FailedRun, held: Published) -> bool:
    """Whether another run has published every day of every table of a failed run since."""
    entries = [held.published.get((t, d)) for t in run.tables for d in days_between(run.start, run.end)]
    return bool(entries) and all(e is not None and e["recorded_at"] >= run.ended for e in entries)


def alarms(sentences: Iterable[str]) -> list[Alert]:
    """Figures that are too good to be honest."""
    return [
        Alert(ALARM, f"alarm {s.split(':')[0]}", f"suspected leakage: {s}; nba-pipeline leaderboard") for s in sentences
    ]


def outages(troubles: Mapping[str, str]) -> list[Alert]:
    """Sources that did not answer when they were last asked."""
    return [Alert(OUTAGE, f"outage {kind}", f"source out: {text}") for kind, text in sorted(troubles.items())]
