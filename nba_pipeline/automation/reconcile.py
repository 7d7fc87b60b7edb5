"""Compares the rows of the source with those the tables were built from: which days run again, and in which tables."""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.automation import selections
from nba_pipeline.automation.schedule_rules import RunPlan, by_days
from nba_pipeline.domain.calendar import training_day
from nba_pipeline.sources import landing
from nba_pipeline.sources.fingerprints import DAILY_FEEDS, NOTHING
from nba_pipeline.tables.catalog import graph_order

RUNS_AT_ONCE = 20
SCHEDULE = landing.SCHEDULE.name
Owner = Literal["landing", "corrections", "line_refresh"]
FeedDay = tuple[str, date]


@dataclass(frozen=True)
class Changes:
    """Feeds that differ from what the tables were built from, by day.

    Attributes:
        by_day: The changed feeds of each day.
        adopted: Digests of days that were published before digests were kept; they count as built from the present rows.
        older: The number of feed days before the first published day; they are not run.
        unscheduled: Days among `by_day` whose schedule was never published.
    """

    by_day: Mapping[date, frozenset[str]]
    adopted: Mapping[FeedDay, str] = field(default_factory=dict)
    older: int = 0
    unscheduled: frozenset[date] = frozenset()


def changes(
    current: Mapping[FeedDay, str],
    built: Mapping[FeedDay, tuple[str, str]],
    published: AbstractSet[FeedDay],
    began: date | None,
    today: date,
) -> Changes:
    """Compare the source with what the tables were built from.

    A day that has neither rows nor a published table does not count as changed, unless it is a gap before a day that does: later
    days look back on every day.

    Args:
        current: Digests of the source's rows by feed and day.
        built: Digests that the tables were built from, with the run that built them.
        published: Feed days of which every table is published.
        began: The first published day; earlier days are only counted. None: nothing is published.
        today: Today; later days do not count.
    """
    changed: dict[date, set[str]] = {}
    adopted: dict[FeedDay, str] = {}
    older = 0
    for (feed, day), digest in current.items():
        build = built.get((feed, day))
        if day > today or (build is not None and build[0] == digest):
            continue
        if build is None and (feed, day) in published:
            adopted[feed, day] = digest
        elif build is None and digest == NOTHING:
            continue
        elif began is None or day < began:
            older += 1
        else:
            changed.setdefault(day, set()).add(feed)
    for day in sorted(changed):
        _fill_gap(changed, day, {d for _, d in published}, began)
    unscheduled = frozenset(d for d in changed if (SCHEDULE, d) not in published)
    return Changes({d: frozenset(feeds) for d, feeds in sorted(changed.items())}, adopted, older, unscheduled)


def _fill_gap(changed: dict[date, set[str]], day: date, published: AbstractSet[date], began: date | None) -> None:
    """Add the unpublished days right before `day`, with all their feeds."""
    before = day - timedelta(days=1)
    while began is not None and before > began and before not in published and before not in changed:
        changed[before] = {f.name for f in DAILY_FEEDS}
        before -= timedelta(days=1)


def owner(feed: str, day: date, today: date, *, grows: bool) -> Owner:
    """Return which sensor or schedule runs a changed feed's day, so that no change runs twice.

    Results of days that may still be corrected belong to `corrections`. Today's quotes of a source that grows by itself belong to
    the refreshes before tip-off. Everything else belongs to `landing`.

    Args:
        feed: The changed feed.
        day: The day of the changed rows.
        today: Today.
        grows: Whether recent days of the source change by themselves.
    """
    if feed in selections.RESULT_FEEDS and today - CORRECTED_FOR <= day < today:
        return "corrections"
    if grows and day == today:
        return "line_refresh"
    return "landing"


def run_plans(
    changes: Changes,
    current: Mapping[FeedDay, str],
    built: Mapping[FeedDay, tuple[str, str]],
    today: date,
    by: Owner,
    *,
    grows: bool,
) -> list[RunPlan]:
    """Plan the runs that `by` owns: exactly the changed days, in the tables that their feeds reach.

    A day whose schedule was never published, such as one without games, waits for it. The key of a run is derived from the rows
    of the source and from those the tables were built from. A second evaluation, also after a restart, therefore plans the same
    run, and a later change, even one back to an earlier state, plans another.

    Args:
        changes: The changed feeds by day.
        current: Digests of the source's rows by feed and day.
        built: Digests that the tables were built from, with the run that built them.
        today: Today.
        by: The sensor or schedule to plan for.
        grows: Whether recent days of the source change by themselves.
    """
    mine = {
        day: feeds
        for day, all_feeds in changes.by_day.items()
        if (feeds := frozenset(f for f in all_feeds if owner(f, day, today, grows=grows) == by))
        and (SCHEDULE in feeds or day not in changes.unscheduled)
    }
    tables = {day: _tables(day, feeds, built, played=day < today) for day, feeds in mine.items()}
    plans = []
    for selected, start, end in by_days(tables)[:RUNS_AT_ONCE]:
        days = [d for d in mine if start <= d <= end]
        states = sorted(
            (f, str(d), current.get((f, d), NOTHING), *built.get((f, d), ("", ""))) for d in days for f in mine[d]
        )
        feeds = ", ".join(sorted({f for d in days for f in mine[d]}))
        key = f"{by} {start} {end} {hashlib.sha256(repr(states).encode()).hexdigest()[:16]}"
        plans.append(RunPlan(selected, start, end, f"new or changed rows of {feeds}", key))
    return plans


def _tables(
    day: date, feeds: AbstractSet[str], built: Mapping[FeedDay, tuple[str, str]], *, played: bool
) -> tuple[str, ...]:
    """Return the tables that the feeds reach; on a training day that never ran, the models too."""
    reached = selections.affected(feeds, played=played)
    never_ran = not any((f, day) in built for f in feeds)
    if never_ran and day == training_day(day) and selections.FORECASTS in reached:
        return tuple(t for t in graph_order() if t in {*reached, selections.MODELS})
    return reached
