"""Ingest days: fetch missing answers from the services, store every answer, write landing files from stored answers."""

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

# Receives every step: its description, steps done, steps planned so far.
Watch = Callable[[str, int, int], None]


class Service(Protocol):
    """A live service."""

    suffix: str

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        ...

    def fetch(self, call: Call) -> bytes:
        """Fetch the answer of a call."""
        ...


SERVICES: Mapping[str, Callable[[Any], Service]] = {
    NBA_STATS: NbaStats,
    ODDS_API: OddsApi,
    INJURY_REPORTS: InjuryReports,
}


@dataclass(frozen=True)
class IngestOutcome:
    """Result of an ingest.

    `fetched`: number of answers by source and kind; `failures`: descriptions of failed calls; `untried`: number of calls
    skipped because their source had an outage; `changed`: days whose landing file changed, by feed; `set_aside`: unused
    elements of the answers, each with its call and reason.
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
        """Whether every call was answered."""
        return not self.failures and not self.untried


@dataclass
class _Session:
    """The calls of one ingest: sends them in turn, stores the answers and records the failures."""

    store: PayloadStore
    live: LiveSettings
    watch: Watch
    done: int = 0
    planned: int = 0
    untried: int = 0
    fetched: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    _services: dict[str, Service] = field(default_factory=dict)
    _in_a_row: Counter[str] = field(default_factory=Counter)
    _out: set[str] = field(default_factory=set)

    def send(self, calls: Sequence[Call], games: Mapping[str, Game]) -> None:
        """Send the calls; an outage of one source does not stop calls to others."""
        self.planned += len(calls)
        for call in calls:
            self.watch(str(call), self.done, self.planned)
            if call.source in self._out:
                self.untried += 1
            else:
                self._send_one(call, games)
            self.done += 1
        self.watch("", self.done, self.planned)

    def fail(self, error: PipelineError) -> None:
        """Record a failure."""
        self.failures.append(str(error))

    def _send_one(self, call: Call, games: Mapping[str, Game]) -> None:
        try:
            self._fetch(call, games)
            self.fetched[f"{call.source} {call.kind}"] += 1
            self._in_a_row[call.source] = 0
        except PipelineError as e:
            self._failed(call, e)

    def _failed(self, call: Call, error: PipelineError) -> None:
        self.failures.append(f"{call}: {error}")
        if isinstance(error, Unreachable):
            self._in_a_row[call.source] += 1
        permanent = isinstance(error, ConfigurationError) or (isinstance(error, Refused) and error.permanent)
        if permanent or self._in_a_row[call.source] >= FAILURES_IN_A_ROW:
            self._out.add(call.source)

    def _fetch(self, call: Call, games: Mapping[str, Game]) -> None:
        if call.source not in self._services:
            self._services[call.source] = SERVICES[call.source](self.live)
        service = self._services[call.source]
        content = service.fetch(call)
        at = clock.now()

        def store_answer(rejected_because: str | None = None, set_aside: Sequence[str] = ()) -> Path:
            return self.store.keep(
                *(call.source, call.kind, call.key, content, at, service.request(call)),
                suffix=service.suffix,
                rejected_because=rejected_because,
                set_aside=set_aside,
            ).path

        try:
            unused = [str(element) for element in check(call, content, at, games)]
        except PayloadError as e:
            path = store_answer(e.what)
            raise SourceError(
                e.what,
                f"inspect {path}, which is not used for landing files; docs/sources.md describes the expected answers",
            ) from None
        store_answer(set_aside=unused)
        self.set_aside += [f"{call}: {element}" for element in unused]


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
        payloads: Directory of the stored answers.
        landing: Directory of the landing files.
        replay: Write the files from stored answers only, without requests.
        watch: Receives the current step, steps done and steps planned so far.

    Returns:
        What was fetched, what failed and which landing files changed.

    Raises:
        ConfigurationError: A kind does not exist.
        WarehouseBusyError: Another process has been writing landing files for longer than LANDING_TIMEOUT seconds.
    """
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        raise ConfigurationError(f"no such kind: {', '.join(unknown)}", f"choose from {', '.join(KINDS)}")
    ordered = tuple(sorted(set(days)))
    store = PayloadStore(payloads)
    session = _Session(store, live, watch)
    if not replay:
        session.send(plan.schedule_calls(ordered, store.fetched), {})
    seasons = _seasons(session, ordered)
    if not replay:
        _fetch_all(session, seasons, ordered, kinds)
    changed = _land(session, landing, seasons, ordered, kinds)
    return IngestOutcome(
        ordered,
        tuple(kinds),
        dict(session.fetched),
        tuple(session.failures),
        session.untried,
        {feed: tuple(sorted(changed_days)) for feed, changed_days in changed.items()},
        tuple(session.set_aside),
    )


def _seasons(session: _Session, days: Sequence[date]) -> dict[str, list[Game]]:
    """Read the schedules of the seasons of these days; record a failure for a season without one."""
    schedules = {}
    for season in sorted({plan.season_of(d) for d in days}):
        try:
            games = read_games(session.store, season)
        except SourceError as e:
            session.fail(e)
            continue
        if games is None:
            session.fail(
                SourceError(
                    f"the schedule of {season} was never fetched, so no day of that season can be ingested",
                    "ingest its days when the service answers; --replay works only with stored answers",
                )
            )
        else:
            schedules[season] = games
    return schedules


def _fetch_all(
    session: _Session, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]
) -> None:
    """Fetch all kinds but the schedules; calls are planned before the first is sent, so that progress has a total."""
    live, now, have = session.live, clock.now(), session.store.fetched
    requested = set(days)
    games = [g for s in seasons.values() for g in s]
    of_days = [g for g in games if g.day in requested]
    planned: dict[str, Callable[[], list[Call]]] = {
        plan.BOXSCORES: lambda: plan.result_calls(of_days, have),
        plan.SHOTS: lambda: plan.shot_calls(of_days, have),
        plan.INJURIES: lambda: plan.report_calls(of_days, live.report_hours, now, have),
        plan.ROSTERS: lambda: plan.roster_calls(days, have),
        plan.LINES: lambda: plan.event_calls(of_days, live.odds_minutes_before, now, have),
    }
    games_by_id = by_id(games)
    session.send([c for kind in kinds if kind in planned for c in planned[kind]()], games_by_id)
    if plan.LINES in kinds:
        before = live.odds_minutes_before
        events = read_events(session.store, of_days)
        session.send(plan.later_event_calls(of_days, events, before, now, have), games_by_id)
        events = read_events(session.store, of_days)
        session.send(plan.line_calls(of_days, events, before, now, have), games_by_id)
        _report_unmatched(session, of_days, days, now)


def _report_unmatched(session: _Session, games: Sequence[Game], days: Sequence[date], now: datetime) -> None:
    """Record a failure for every game without a listed event, whose quotes cannot be requested, and set stray events aside."""
    strays = [f"event {e.id} ({e.away} at {e.home}, {e.day})" for e in stray_events(session.store, games, days)]
    session.set_aside += [
        f"{plan.ODDS_API} events: {stray}: no game of the schedule of that day matches" for stray in strays
    ]
    for g in without_event(session.store, plan.with_quotes(games, now)):
        session.fail(
            SourceError(
                f"{plan.ODDS_API}: game {g.game_id} ({g.away} at {g.home}, {g.day}) is in no list of events, so its quotes "
                "were not requested",
                "run the same command again later; the lists are below payloads/odds_api/events and events_at",
            )
        )


def _land(
    session: _Session, directory: Path, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]
) -> dict[str, set[date]]:
    directory.mkdir(parents=True, exist_ok=True)
    changed: dict[str, set[date]] = {}
    landed_kinds = (plan.SCHEDULE, *(k for k in kinds if k != plan.SCHEDULE))
    with file_lock(directory / ".making.lock", exclusive=True, timeout=LANDING_TIMEOUT):
        for season, games in seasons.items():
            own = [d for d in days if plan.season_of(d) == season]
            session.watch(f"landing files of {season}", session.done, session.planned)
            try:
                altered_days = SeasonLanding(session.store, directory, season, games).land(own, landed_kinds)
            except SourceError as e:
                session.fail(e)
                continue
            for feed, feed_days in altered_days.items():
                changed.setdefault(feed, set()).update(feed_days)
    return changed
