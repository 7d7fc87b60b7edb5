"""From the services to landing files: ask what is missing, keep every answer, make the files of the days from what is kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError, PipelineError, SourceError
from nba_pipeline.common.locking import file_lock
from nba_pipeline.sources import plan
from nba_pipeline.sources.answers import check, read_events, read_games, stray_events, without_event
from nba_pipeline.sources.client import Refused, Unreachable
from nba_pipeline.sources.injury_reports import InjuryReports
from nba_pipeline.sources.landing_files import SeasonLanding
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.nba_stats import NbaStats
from nba_pipeline.sources.odds_api import OddsApi
from nba_pipeline.sources.parsing.schedule import Game, by_id
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import INJURY_REPORTS, KINDS, NBA_STATS, ODDS_API, Call

FAILURES_IN_A_ROW = 3
LANDING_TIMEOUT = 600.0

# Told about every step: what is going on, steps done, steps known so far.
Watch = Callable[[str, int, int], None]


class Service(Protocol):
    """A source that can be asked."""

    suffix: str

    def request(self, call: Call) -> dict[str, Any]: ...
    def fetch(self, call: Call) -> bytes: ...


SERVICES: Mapping[str, Callable[[Any], Service]] = {
    NBA_STATS: NbaStats,
    ODDS_API: OddsApi,
    INJURY_REPORTS: InjuryReports,
}


@dataclass(frozen=True)
class IngestOutcome:
    """What came of asking for days.

    `fetched`: answers that came, by source and kind; `failures`: what did not come, in words; `untried`: calls that were not
    made because their source was out; `changed`: by feed, the days whose landing file has another content than before;
    `set_aside`: elements of the answers that are not used, each with the call and the reason.
    """

    days: tuple[date, ...]
    kinds: tuple[str, ...]
    fetched: Mapping[str, int]
    failures: tuple[str, ...]
    untried: int
    changed: Mapping[str, tuple[date, ...]]
    set_aside: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all that was asked for came."""
        return not self.failures and not self.untried


@dataclass
class _Asking:
    """The calls of one ingest: makes them one after the other, keeps the answers, and remembers what failed."""

    store: PayloadStore
    live: LiveSettings
    watch: Watch
    done: int = 0
    known: int = 0
    untried: int = 0
    fetched: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    _services: dict[str, Service] = field(default_factory=dict)
    _in_a_row: Counter[str] = field(default_factory=Counter)
    _out: set[str] = field(default_factory=set)

    def ask(self, calls: Sequence[Call], games: Mapping[str, Game]) -> None:
        """Make the calls. The outage of one source does not keep the others from answering."""
        self.known += len(calls)
        for call in calls:
            self.watch(str(call), self.done, self.known)
            if call.source in self._out:
                self.untried += 1
            else:
                self._one(call, games)
            self.done += 1
        self.watch("", self.done, self.known)

    def fail(self, error: PipelineError) -> None:
        self.failures.append(str(error))

    def _one(self, call: Call, games: Mapping[str, Game]) -> None:
        try:
            self._keep(call, games)
            self.fetched[f"{call.source} {call.kind}"] += 1
            self._in_a_row[call.source] = 0
        except PipelineError as e:
            self._failed(call, e)

    def _failed(self, call: Call, error: PipelineError) -> None:
        self.failures.append(f"{call}: {error}")
        if isinstance(error, Unreachable):
            self._in_a_row[call.source] += 1
        hopeless = isinstance(error, ConfigurationError) or (isinstance(error, Refused) and error.for_good)
        if hopeless or self._in_a_row[call.source] >= FAILURES_IN_A_ROW:
            self._out.add(call.source)

    def _keep(self, call: Call, games: Mapping[str, Game]) -> None:
        if call.source not in self._services:
            self._services[call.source] = SERVICES[call.source](self.live)
        service = self._services[call.source]
        content = service.fetch(call)
        at = clock.now()

        def keep(rejected_because: str | None = None, set_aside: Sequence[str] = ()) -> Path:
            return self.store.keep(
                *(call.source, call.kind, call.key, content, at, service.request(call)),
                suffix=service.suffix,
                rejected_because=rejected_because,
                set_aside=set_aside,
            ).path

        try:
            odd = [str(element) for element in check(call, content, at, games)]
        except PayloadError as e:
            path = keep(e.what)
            raise SourceError(
                e.what, f"look at {path}; nothing of it enters the landing files. docs/sources.md says what is expected"
            ) from None
        keep(set_aside=odd)
        self.set_aside += [f"{call}: {element}" for element in odd]


def ingest_days(
    days: Iterable[date],
    kinds: Sequence[str] = KINDS,
    *,
    live: LiveSettings,
    payloads: Path,
    landing: Path,
    replay: bool = False,
    watch: Watch = lambda *_: None,
) -> IngestOutcome:
    """Fetch the missing answers for these days and write their landing files.

    Args:
        days: Days of games (US Eastern).
        kinds: Some of `plan.KINDS`; the schedule is always requested as well.
        live: Settings of the live services.
        payloads: Directory of the kept answers.
        landing: Directory of the landing files.
        replay: Write the files from kept answers only, without requests.
        watch: Receives the current step, steps done and steps known so far.

    Returns:
        What was fetched, what failed and which landing files changed.

    Raises:
        ConfigurationError: A kind does not exist.
        WarehouseBusyError: Another process has been writing landing files for longer than LANDING_TIMEOUT seconds.
    """
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        raise ConfigurationError(f"no such kind: {', '.join(unknown)}", f"choose from {', '.join(KINDS)}")
    wanted = tuple(sorted(set(days)))
    store = PayloadStore(payloads)
    asking = _Asking(store, live, watch)
    if not replay:
        asking.ask(plan.schedule_calls(wanted, store.fetched), {})
    seasons = _seasons(asking, wanted)
    if not replay:
        _ask_all(asking, seasons, wanted, kinds)
    changed = _land(asking, landing, seasons, wanted, kinds)
    return IngestOutcome(
        wanted,
        tuple(kinds),
        dict(asking.fetched),
        tuple(asking.failures),
        asking.untried,
        {feed: tuple(sorted(found)) for feed, found in changed.items()},
        tuple(asking.set_aside),
    )


def _seasons(asking: _Asking, days: Sequence[date]) -> dict[str, list[Game]]:
    """The schedules of the seasons of these days; a season whose schedule is not known cannot be worked on, and fails."""
    found = {}
    for season in sorted({plan.season_of(d) for d in days}):
        try:
            games = read_games(asking.store, season)
        except SourceError as e:
            asking.fail(e)
            continue
        if games is None:
            asking.fail(
                SourceError(
                    f"the schedule of {season} is not known, so nothing of that season can be worked on",
                    "ingest its days when the service answers; without a network, --replay needs kept answers",
                )
            )
        else:
            found[season] = games
    return found


def _ask_all(asking: _Asking, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]) -> None:
    """Everything but the schedules; the calls are planned before the first is made, so that it is known how many there are."""
    live, now, have = asking.live, clock.now(), asking.store.fetched
    wanted = set(days)
    games = [g for s in seasons.values() for g in s]
    of_days = [g for g in games if g.day in wanted]
    planned: dict[str, Callable[[], list[Call]]] = {
        plan.BOXSCORES: lambda: plan.result_calls(of_days, have),
        plan.SHOTS: lambda: plan.shot_calls(of_days, have),
        plan.INJURIES: lambda: plan.report_calls(of_days, live.report_hours, now, have),
        plan.ROSTERS: lambda: plan.roster_calls(days, have),
        plan.LINES: lambda: plan.event_calls(of_days, live.odds_minutes_before, now, have),
    }
    known = by_id(games)
    asking.ask([c for kind in kinds if kind in planned for c in planned[kind]()], known)
    if plan.LINES in kinds:
        before = live.odds_minutes_before
        events = read_events(asking.store, of_days)
        asking.ask(plan.later_event_calls(of_days, events, before, now, have), known)
        events = read_events(asking.store, of_days)
        asking.ask(plan.line_calls(of_days, events, before, now, have), known)
        _report_unmatched(asking, of_days, days, now)


def _report_unmatched(asking: _Asking, games: Sequence[Game], days: Sequence[date], now: datetime) -> None:
    """Fail for every game whose quotes could not be asked for because no event is listed for it, and name stray events."""
    strays = [f"event {e.id} ({e.away} at {e.home}, {e.day})" for e in stray_events(asking.store, games, days)]
    asking.set_aside += [
        f"{plan.ODDS_API} events: {stray}: it is no game of the schedule of that day" for stray in strays
    ]
    for g in without_event(asking.store, plan.with_quotes(games, now)):
        asking.fail(
            SourceError(
                f"{plan.ODDS_API}: game {g.game_id} ({g.away} at {g.home}, {g.day}) is in no list of events, so its quotes "
                "were not asked for",
                "run the same command again later; the lists are below payloads/odds_api/events and events_at",
            )
        )


def _land(
    asking: _Asking, directory: Path, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]
) -> dict[str, set[date]]:
    directory.mkdir(parents=True, exist_ok=True)
    changed: dict[str, set[date]] = {}
    made = (plan.SCHEDULE, *(k for k in kinds if k != plan.SCHEDULE))
    with file_lock(directory / ".making.lock", exclusive=True, timeout=LANDING_TIMEOUT):
        for season, games in seasons.items():
            own = [d for d in days if plan.season_of(d) == season]
            asking.watch(f"landing files of {season}", asking.done, asking.known)
            try:
                found = SeasonLanding(asking.store, directory, season, games).land(own, made)
            except SourceError as e:
                asking.fail(e)
                continue
            for feed, altered in found.items():
                changed.setdefault(feed, set()).update(altered)
    return changed
