"""The state of every table on every day, from the ledger: what the index and the dashboard of checks show."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from nba_pipeline.domain.calendar import days_between, reading_bound
from nba_pipeline.domain.game_states import PENDING
from nba_pipeline.engine.refusals import lacks_only_upstream

State = Literal["published", "no games", "waiting", "refused", "never run"]
STATES: tuple[State, ...] = ("published", "no games", "waiting", "refused", "never run")
# A day is run in part where some of its tables were never run.
DayState = State | Literal["in part"]
DAY_STATES: tuple[DayState, ...] = ("published", "no games", "in part", "waiting", "refused", "never run")
NEVER: State = "never run"
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One table on one day: its state, rows against what is expected, and the reasons of a refusal."""

    day: date
    state: State
    rows: int = 0
    expected: int = 0
    absent: Mapping[str, int] = field(default_factory=dict[str, int])
    reasons: tuple[str, ...] = ()
    recorded_at: datetime | None = None

    @property
    def codes(self) -> list[str]:
        """The codes of the checks that failed."""
        return list(dict.fromkeys(r.split(":", 1)[0] for r in self.reasons))


@dataclass(frozen=True)
class Stretch:
    """Consecutive days in one state, by their places in a season: the first, and how many."""

    state: DayState
    first: int
    days: int


def cells(entries: Iterable[Entry], tables: Sequence[str], days: Sequence[date]) -> dict[str, list[Cell]]:
    """Return the cell of every table and day, in the order of the days.

    Args:
        entries: rows of the ledger; a day refused after its publication counts as refused and keeps its rows.
        tables: ids of the tables.
        days: the days.
    """
    by_place: dict[tuple[str, date], dict[str, Entry]] = {}
    for e in entries:
        by_place.setdefault((e["table_id"], e["day"]), {})[e["state"]] = e
    return {t: [_cell(d, by_place.get((t, d), {})) for d in days] for t in tables}


def _cell(day: date, own: Mapping[str, Entry]) -> Cell:
    refused, published = own.get("refused"), own.get("published")
    latest = refused or published
    if latest is None:
        return Cell(day, "never run")
    absent = json.loads(latest["absent"])
    if refused is not None:
        state: State = "waiting" if lacks_only_upstream(refused) else "refused"
    else:
        state = "waiting" if PENDING in absent else "published" if latest["games"] else "no games"
    return Cell(
        day=day,
        state=state,
        rows=published["rows"] if published else 0,
        expected=latest["expected"],
        absent=absent,
        reasons=tuple(json.loads(latest["reasons"])) if refused else (),
        recorded_at=latest["recorded_at"],
    )


def worst(states: Iterable[State]) -> DayState:
    """Return the state of a day from those of its tables."""
    present = set(states)
    if not present - {NEVER}:
        return NEVER
    found: dict[DayState, bool] = {s: s in present for s in ("refused", "waiting")}
    found |= {"in part": NEVER in present, "published": "published" in present, "no games": True}
    return next(state for state, holds in found.items() if holds)


def stretches(states: Sequence[DayState]) -> list[Stretch]:
    """Fold equal states of consecutive days."""
    folded: list[Stretch] = []
    for place, state in enumerate(states):
        if folded and folded[-1].state == state:
            folded[-1] = Stretch(state, folded[-1].first, folded[-1].days + 1)
        else:
            folded.append(Stretch(state, place, 1))
    return folded


@dataclass(frozen=True)
class SeasonCalendar:
    """A season of the index: its days with their states, and those of every table."""

    label: str
    days: tuple[date, ...]
    states: tuple[DayState, ...]
    tables: Mapping[str, tuple[State, ...]]

    @property
    def counts(self) -> Counter[DayState]:
        """Days by state."""
        return Counter(self.states)

    def months(self) -> list[tuple[date, list[tuple[date, DayState]]]]:
        """Return the days with their states by month."""
        months: dict[date, list[tuple[date, DayState]]] = {}
        for day, state in zip(self.days, self.states, strict=True):
            months.setdefault(day.replace(day=1), []).append((day, state))
        return list(months.items())


def calendars(entries: Sequence[Entry], tables: Sequence[str]) -> list[SeasonCalendar]:
    """Return a calendar for every season with entries, latest first, from its first to its last day with an entry."""
    by_season: dict[int, list[Entry]] = {}
    for e in entries:
        by_season.setdefault(reading_bound(e["day"]).year, []).append(e)
    seasons = []
    for year, own in sorted(by_season.items(), reverse=True):
        days = days_between(min(e["day"] for e in own), max(e["day"] for e in own))
        by_table: dict[str, tuple[State, ...]] = {
            t: tuple(c.state for c in row) for t, row in cells(own, tables, days).items()
        }
        by_day: tuple[DayState, ...] = tuple(worst(states) for states in zip(*by_table.values(), strict=True))
        seasons.append(SeasonCalendar(f"{year}-{(year + 1) % 100:02d}", tuple(days), by_day, by_table))
    return seasons
