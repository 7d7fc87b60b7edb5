"""What each schedule asks for: pure functions of the calendar of games, of what is published, and of the moment."""

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
class Ask:
    """One run: these tables over these days. Two asks with the same key are the same event and run once."""

    tables: tuple[str, ...]
    start: date
    end: date
    why: str
    key: str


@dataclass(frozen=True)
class Skip:
    """Nothing to do, and why."""

    reason: str


Decision = Sequence[Ask] | Skip


def stretch(day: date, published: AbstractSet[date]) -> date:
    """The first day that has to run with `day`: it reaches back over the days that nobody ran, such as days without games.

    Later days look back on every day, so a gap must not stay. Where no day before was ever published (a new home), the
    day stands alone: history is brought by `nba-pipeline backfill`.
    """
    for back in range(1, LONGEST_STRETCH):
        if day - timedelta(days=back) in published:
            return day - timedelta(days=back - 1)
    return day


def complete_days(ledger: pa.Table, tables: Sequence[str]) -> set[date]:
    """Days on which all these tables are published and none is refused."""
    held: dict[date, set[str]] = {}
    refused: set[date] = set()
    for e in ledger.select(["table_id", "day", "state"]).to_pylist():
        if e["table_id"] in tables:
            held.setdefault(e["day"], set()).add(e["table_id"])
            refused |= {e["day"]} if e["state"] == "refused" else set()
    return {d for d, names in held.items() if len(names) == len(tables)} - refused


def _up_to(day: date, published: AbstractSet[date], why: str, key: str) -> Ask:
    """Every table of the day, and of the days before it that nobody ran."""
    start = stretch(day, published)
    return Ask(selections.whole(start, day), start, day, why, key)


def overnight(day: date, games: Slate, published: AbstractSet[date], at: datetime, *, results_are_in: bool) -> Decision:
    """Yesterday in every table: results, facts, grades, and the pre-game tables as of the cut-offs; until the results are in."""
    if not games[day]:
        return Skip(f"no games on {day}: its empty day is published together with the next day that has games")
    if results_are_in:
        return Skip(f"the results of all {len(games[day])} games of {day} are in")
    why = f"results of {len(games[day])} games of {day}"
    return [_up_to(day, published, why, f"overnight {day} {at.isoformat()}")]


def morning(day: date, games: Slate, published: AbstractSet[date], at: datetime) -> Decision:
    """Today's slate in every table."""
    if not games[day]:
        return Skip(f"no games on {day}")
    why = f"slate of {len(games[day])} games on {day}"
    return [_up_to(day, published, why, f"morning_slate {day} {at.isoformat()}")]


def blind(name: str, day: date, published: AbstractSet[date], at: datetime, error: str) -> Decision:
    """The run that is due although the source cannot say whether there are games: it fails in sight, and is tried again."""
    why = f"the source cannot say whether there are games: {error}"
    return [_up_to(day, published, why, f"{name} {day} {at.isoformat()}")]


def refresh(day: date, games: Sequence[Game], published: AbstractSet[date], at: datetime) -> Decision:
    """Lines and injuries of today once more, and forecasts of the games that have not started."""
    to_come = [g for g in games if at < g.cutoff]
    if not games:
        return Skip(f"no games on {day}")
    if not to_come:
        return Skip(f"all {len(games)} games of {day} have started: their forecasts stay as they were made")
    first = min(g.cutoff for g in to_come)
    if first - at > BEFORE_TIP_OFF:
        return Skip(f"the next game of {day} starts at {eastern(first):%H:%M}, more than {BEFORE_TIP_OFF} from now")
    key = f"line_refresh {day} {at.isoformat()}"
    if day not in published:
        why = f"the slate of {day} is not complete: every table, not only what lines and injuries change"
        return [_up_to(day, published, why, key)]
    why = f"lines and injuries before {len(to_come)} of {len(games)} games of {day}"
    return [Ask(selections.refreshed(), day, day, why, key)]


def catch_up(ledger: pa.Table, today: date, days: int, at: datetime) -> Decision:
    """What is missing, refused or unfinished on the last days up to yesterday, from the day on which every table had begun."""
    tables = (*selections.daily(), selections.MODELS)
    began = _began(ledger, tables)
    if began is None:
        return Skip("not every table was ever published: bring the history with `nba-pipeline backfill START END`")
    start, end = max(began, today - timedelta(days=days)), today - timedelta(days=1)
    steps = missing_steps(tables, start, end, ledger) if start <= end else []
    if not steps:
        return Skip(f"nothing is missing, refused or unfinished on {start}..{end}")
    return [
        Ask(s.tables, s.start, s.end, s.why, f"catch_up {s.start} {s.end} {len(s.tables)} {at.isoformat()}")
        for s in steps
    ]


def _began(ledger: pa.Table, tables: Sequence[str]) -> date | None:
    first: dict[str, date] = {}
    for e in sorted(ledger.select(["day", "table_id", "state"]).to_pylist(), key=lambda e: e["day"]):
        if e["state"] == "published":
            first.setdefault(e["table_id"], e["day"])
    return max(first[t] for t in tables) if set(tables) <= set(first) else None


def training(day: date, games: Slate, published: AbstractSet[date], at: datetime) -> Decision:
    """The models of the month that begins on `day`, and before them the days that nobody ran."""
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if not any(games[d] for d in games if day <= d <= last):
        return Skip(f"no games in {day:%B %Y}: no models are needed")
    why, key = f"models that serve {day:%B %Y}", f"monthly_training {day} {at.isoformat()}"
    asks = [Ask((selections.MODELS,), day, day, why, key)]
    first = stretch(day, published)
    if first < day:
        before = day - timedelta(days=1)
        asks.insert(
            0, Ask(selections.whole(first, before), first, before, "days that the models learn from", f"{key} history")
        )
    return asks


def by_days(changed: Mapping[date, tuple[str, ...]]) -> list[tuple[tuple[str, ...], date, date]]:
    """Days with the tables that they need, folded into runs of consecutive days with the same tables, in order of days."""
    together: dict[tuple[str, ...], list[date]] = {}
    for day, tables in changed.items():
        together.setdefault(tables, []).append(day)
    folded = [(tables, a, b) for tables, days in together.items() for a, b in ranges(days)]
    return sorted(folded, key=lambda f: (f[1], f[2]))


def named(asks: Sequence[Ask]) -> str:
    """The days of some asks, for people."""
    return describe_days([d for a in asks for d in days_between(a.start, a.end)]) if asks else "no days"
