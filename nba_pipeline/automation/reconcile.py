"""Rows that landed or changed, against what the tables were built of: which days have to run again, and in which tables."""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.automation import selections
from nba_pipeline.automation.schedule_rules import Ask, by_days
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
    """Feeds by day that differ from what the tables hold. `adopted` are days that were published before anybody kept
    digests: they are taken to be built of what is there now. The schedule of `unscheduled` days was never published."""

    by_day: Mapping[date, frozenset[str]]
    adopted: Mapping[FeedDay, str] = field(default_factory=dict)
    older: int = 0
    unscheduled: frozenset[date] = frozenset()


def changes(
    held: Mapping[FeedDay, str],
    built: Mapping[FeedDay, tuple[str, str]],
    published: AbstractSet[FeedDay],
    began: date | None,
    today: date,
) -> Changes:
    """Compare what the source holds with what the tables were built of.

    `published` are the feeds' days whose tables are published, `began` the first of all published days: earlier days are
    history that nobody asked for, and are only counted (`older`). A day that has neither rows nor a published table does
    not count as changed, unless it is a gap before a day that does: later days look back on every day.
    """
    found: dict[date, set[str]] = {}
    adopted: dict[FeedDay, str] = {}
    older = 0
    for (feed, day), digest in held.items():
        known = built.get((feed, day))
        if day > today or (known is not None and known[0] == digest):
            continue
        if known is None and (feed, day) in published:
            adopted[feed, day] = digest
        elif known is None and digest == NOTHING:
            continue
        elif began is None or day < began:
            older += 1
        else:
            found.setdefault(day, set()).add(feed)
    for day in sorted(found):
        _fill_gap(found, day, {d for _, d in published}, began)
    unscheduled = frozenset(d for d in found if (SCHEDULE, d) not in published)
    return Changes({d: frozenset(feeds) for d, feeds in sorted(found.items())}, adopted, older, unscheduled)


def _fill_gap(found: dict[date, set[str]], day: date, published: AbstractSet[date], began: date | None) -> None:
    """Add the days right before `day` that nobody ran, with all their feeds."""
    before = day - timedelta(days=1)
    while began is not None and before > began and before not in published and before not in found:
        found[before] = {f.name for f in DAILY_FEEDS}
        before -= timedelta(days=1)


def owner(feed: str, day: date, today: date, *, grows: bool) -> Owner:
    """Who runs a changed feed's day, so that no change runs twice.

    Results of days that are still corrected are corrections. Quotes of today in a source that grows by itself are what the
    refreshes before tip-off are for. All else has landed.
    """
    if feed in selections.RESULT_FEEDS and today - CORRECTED_FOR <= day < today:
        return "corrections"
    if grows and day == today:
        return "line_refresh"
    return "landing"


def asks(
    found: Changes,
    held: Mapping[FeedDay, str],
    built: Mapping[FeedDay, tuple[str, str]],
    today: date,
    who: Owner,
    *,
    grows: bool,
) -> list[Ask]:
    """The runs that `who` asks for: exactly the changed days, in the tables that their feeds reach. A day whose schedule
    nobody ran yet, such as one without games, waits for it.

    The key of a run is made of what is there and of what the tables were built of, so that looking twice asks once, also after
    a restart, and that a later change, even one back to an earlier state, is another event.
    """
    mine = {
        day: feeds
        for day, all_feeds in found.by_day.items()
        if (feeds := frozenset(f for f in all_feeds if owner(f, day, today, grows=grows) == who))
        and (SCHEDULE in feeds or day not in found.unscheduled)
    }
    tables = {day: _tables(day, feeds, built, played=day < today) for day, feeds in mine.items()}
    made = []
    for wanted, start, end in by_days(tables)[:RUNS_AT_ONCE]:
        days = [d for d in mine if start <= d <= end]
        told = sorted(
            (f, str(d), held.get((f, d), NOTHING), *built.get((f, d), ("", ""))) for d in days for f in mine[d]
        )
        feeds = ", ".join(sorted({f for d in days for f in mine[d]}))
        key = f"{who} {start} {end} {hashlib.sha256(repr(told).encode()).hexdigest()[:16]}"
        made.append(Ask(wanted, start, end, f"new or changed rows of {feeds}", key))
    return made


def _tables(
    day: date, feeds: AbstractSet[str], built: Mapping[FeedDay, tuple[str, str]], *, played: bool
) -> tuple[str, ...]:
    """What the feeds reach; of a training day that never ran, the models too."""
    reached = selections.affected(feeds, played=played)
    never_ran = not any((f, day) in built for f in feeds)
    if never_ran and day == training_day(day) and selections.FORECASTS in reached:
        return tuple(t for t in graph_order() if t in {*reached, selections.MODELS})
    return reached
