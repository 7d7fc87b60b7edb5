"""Which runs each schedule plans: pure functions of the calendar of games, the published days and the time."""

import calendar
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from nba_pipeline.automation import selections
from nba_pipeline.automation.game_slate import Game, Slate
from nba_pipeline.common.clock import eastern
from nba_pipeline.domain.calendar import days_between, describe_days, ranges
from nba_pipeline.orchestration.backfill_plan import missing_steps

LONGEST_STRETCH = 200
BEFORE_TIP_OFF = timedelta(hours=12)


@dataclass(frozen=True)
class RunPlan:
    """One run: these tables over these days. Two plans with the same key are the same event and run once."""

    tables: tuple[str, ...]
    start: date
    end: date
    why: str
    key: str


@dataclass(frozen=True)
class Skip:
    """There is nothing to run, and why."""

    reason: str


Decision = Sequence[RunPlan] | Skip


def stretch(day: date, published: AbstractSet[date]) -> date:
    """Return the first day that has to run with `day`: it reaches back over unpublished days, such as days without games.

    Later days look back on every day, so no gap may remain. Where no earlier day was ever published (a new home), `day` runs
    alone: history is filled by `nba-pipeline backfill`.

    Args:
        day: The day to run.
        published: Days on which every table is published.
    """
    for back in range(1, LONGEST_STRETCH):
        if day - timedelta(days=back) in published:
            return day - timedelta(days=back - 1)
    return day


def complete_days(ledger: pa.Table, tables: Sequence[str]) -> set[date]:
    """Return the days on which all of the tables are published and none is refused.

    Args:
        ledger: Ledger entries, with the columns day, table_id and state.
        tables: The tables that count.
    """
    present: dict[date, set[str]] = {}
    refused: set[date] = set()
    for e in ledger.select(["table_id", "day", "state"]).to_pylist():
        if e["table_id"] in tables:
            present.setdefault(e["day"], set()).add(e["table_id"])
            refused |= {e["day"]} if e["state"] == "refused" else set()
    return {d for d, names in present.items() if len(names) == len(tables)} - refused


def _up_to(day: date, published: AbstractSet[date], why: str, key: str) -> RunPlan:
    """Plan every table of the day and of the unpublished days before it."""
    start = stretch(day, published)
    return RunPlan(selections.whole(start, day), start, day, why, key)


def overnight(day: date, games: Slate, published: AbstractSet[date], at: datetime, *, results_are_in: bool) -> Decision:
    """Plan every table of yesterday, pre-game tables as of their cutoffs, until its results are published.

    Args:
        day: Yesterday.
        games: The games of that day.
        published: Days on which every table is published.
        at: The time of the tick, which is part of the key.
        results_are_in: Whether facts and grades of the day are published and wait for no game.
    """
    if not games[day]:
        return Skip(f"no games on {day}; the empty day is published with the next day that has games")
    if results_are_in:
        return Skip(f"results of all {len(games[day])} games of {day} are published")
    why = f"results of {len(games[day])} games of {day}"
    return [_up_to(day, published, why, f"overnight {day} {at.isoformat()}")]


def morning(day: date, games: Slate, published: AbstractSet[date], at: datetime) -> Decision:
    """Plan every table of today's slate.

    Args:
        day: Today.
        games: The games of that day.
        published: Days on which every table is published.
        at: The time of the tick, which is part of the key.
    """
    if not games[day]:
        return Skip(f"no games on {day}")
    why = f"slate of {len(games[day])} games on {day}"
    return [_up_to(day, published, why, f"morning_slate {day} {at.isoformat()}")]


def plan_without_calendar(name: str, day: date, published: AbstractSet[date], at: datetime, error: str) -> Decision:
    """Plan the run that is due although the source cannot be read: it fails visibly and is retried.

    Args:
        name: The schedule, which is part of the key.
        day: The day to run.
        published: Days on which every table is published.
        at: The time of the tick, which is part of the key.
        error: Why the calendar of games could not be read.
    """
    why = f"the calendar of games cannot be read from the source: {error}"
    return [_up_to(day, published, why, f"{name} {day} {at.isoformat()}")]


def refresh(day: date, games: Sequence[Game], published: AbstractSet[date], at: datetime) -> Decision:
    """Plan today's lines and injuries again, and forecasts of the games that have not started.

    Args:
        day: Today.
        games: The games of that day.
        published: Days on which every table is published.
        at: The time of the tick, which is part of the key.
    """
    to_come = [g for g in games if at < g.cutoff]
    if not games:
        return Skip(f"no games on {day}")
    if not to_come:
        return Skip(f"all {len(games)} games of {day} have started; their forecasts are final")
    first = min(g.cutoff for g in to_come)
    if first - at > BEFORE_TIP_OFF:
        return Skip(f"the next game of {day} starts at {eastern(first):%H:%M}, more than {BEFORE_TIP_OFF} from now")
    key = f"line_refresh {day} {at.isoformat()}"
    if day not in published:
        why = f"the slate of {day} is not complete, so every table runs, not only those that lines and injuries change"
        return [_up_to(day, published, why, key)]
    why = f"lines and injuries before {len(to_come)} of {len(games)} games of {day}"
    return [RunPlan(selections.refreshed(), day, day, why, key)]


def catch_up(ledger: pa.Table, today: date, days: int, at: datetime) -> Decision:
    """Plan what is missing, refused or unfinished on the last days up to yesterday.

    Args:
        ledger: Ledger entries of all days.
        today: Today; not included.
        days: How many days to look back, but not before the first day that every table has published.
        at: The time of the tick, which is part of the key.
    """
    tables = (*selections.daily(), selections.MODELS)
    began = _began(ledger, tables)
    if began is None:
        return Skip("some tables were never published. Fix: fill the history with `nba-pipeline backfill START END`")
    start, end = max(began, today - timedelta(days=days)), today - timedelta(days=1)
    steps = missing_steps(tables, start, end, ledger) if start <= end else []
    if not steps:
        return Skip(f"nothing is missing, refused or unfinished on {start}..{end}")
    return [
        RunPlan(s.tables, s.start, s.end, s.why, f"catch_up {s.start} {s.end} {len(s.tables)} {at.isoformat()}")
        for s in steps
    ]


def _began(ledger: pa.Table, tables: Sequence[str]) -> date | None:
    first: dict[str, date] = {}
    for e in sorted(ledger.select(["day", "table_id", "state"]).to_pylist(), key=lambda e: e["day"]):
        if e["state"] == "published":
            first.setdefault(e["table_id"], e["day"])
    return max(first[t] for t in tables) if set(tables) <= set(first) else None


def training(day: date, games: Slate, published: AbstractSet[date], at: datetime) -> Decision:
    """Plan the models of the month that begins on `day`, after the unpublished days before it.

    Args:
        day: The first of the month.
        games: The games of the month.
        published: Days on which every table is published.
        at: The time of the tick, which is part of the key.
    """
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if not any(games[d] for d in games if day <= d <= last):
        return Skip(f"no games in {day:%B %Y}: no models are needed")
    why, key = f"models that serve {day:%B %Y}", f"monthly_training {day} {at.isoformat()}"
    plans = [RunPlan((selections.MODELS,), day, day, why, key)]
    first = stretch(day, published)
    if first < day:
        before = day - timedelta(days=1)
        plans.insert(
            0,
            RunPlan(
                selections.whole(first, before), first, before, "days that the models are trained on", f"{key} history"
            ),
        )
    return plans


def by_days(changed: Mapping[date, tuple[str, ...]]) -> list[tuple[tuple[str, ...], date, date]]:
    """Fold days with the tables that they need into ranges of consecutive days with the same tables, in order of days."""
    days_of: dict[tuple[str, ...], list[date]] = {}
    for day, tables in changed.items():
        days_of.setdefault(tables, []).append(day)
    folded = [(tables, a, b) for tables, days in days_of.items() for a, b in ranges(days)]
    return sorted(folded, key=lambda f: (f[1], f[2]))


def describe_days_of(plans: Sequence[RunPlan]) -> str:
    """Return the days of some plans in words."""
    return describe_days([d for plan in plans for d in days_between(plan.start, plan.end)]) if plans else "no days"
