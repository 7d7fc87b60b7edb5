"""Ingest days: fetch missing answers from the services, store every answer, write landing files from stored answers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError, PipelineError, SourceError, StateBusyError
from nba_pipeline.domain.calendar import season_of
from nba_pipeline.sources import odds_plan, plan, report_plan
from nba_pipeline.sources.answers import read_events, read_games, stray_events, without_event
from nba_pipeline.sources.call_log import CallLog
from nba_pipeline.sources.calls import Calls, Known, Tell, Watch
from nba_pipeline.sources.disagreements import disagreements
from nba_pipeline.sources.estimates import describe_estimate, wanted_lines
from nba_pipeline.sources.landing_files import SeasonLanding, writing
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.parsing.schedule import Game, by_id
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import KINDS, Call
from nba_pipeline.sources.rests import Timer
from nba_pipeline.state.protocol import StateStore

LANDING_ATTEMPTS = 10


@dataclass(frozen=True)
class IngestOutcome:
    """Result of an ingest.

    Attributes:
        days: The days that were asked for.
        kinds: The kinds of data that were asked for.
        fetched: Number of answers by source and kind.
        failures: Descriptions of failed calls.
        untried: Number of calls that were not made because their source is out.
        changed: Days whose landing file changed, by feed.
        set_aside: Unused elements of the answers, each with its call and reason.
        absent: Documents that do not exist, by source and kind.
        disagreements: Values that two sources give differently.
        waited: Seconds of rest by source.
        credits: Credits of the odds service that were spent.
    """

    days: tuple[date, ...]
    kinds: tuple[str, ...]
    fetched: Mapping[str, int]
    failures: tuple[str, ...]
    untried: int
    changed: Mapping[str, tuple[date, ...]]
    set_aside: tuple[str, ...] = ()
    absent: Mapping[str, int] = field(default_factory=dict)
    disagreements: tuple[str, ...] = ()
    waited: Mapping[str, float] = field(default_factory=dict)
    credits: int = 0

    @property
    def complete(self) -> bool:
        """Whether every call was answered."""
        return not self.failures and not self.untried


@dataclass
class _Ingest:
    """One ingest: its calls, and the failures that belong to no call."""

    calls: Calls
    known: Known
    closing: bool
    failures: list[str] = field(default_factory=list)

    @property
    def store(self) -> PayloadStore:
        return self.known.store

    @property
    def live(self) -> LiveSettings:
        return self.calls.live

    def fail(self, error: PipelineError) -> None:
        """Record a failure that belongs to no call, once."""
        if str(error) not in self.failures:
            self.failures.append(str(error))

    def send_with_second_source(self, calls: Sequence[Call], games: Mapping[str, Game]) -> None:
        """Send calls, and ask the second source for what the first did not answer."""
        self.calls.send(calls, games)
        now = clock.now()
        pairs = [(c, second) for c in calls if not self.calls.is_answered(c) and (second := plan.second_source(c, now))]
        self.calls.send([second for _, second in pairs], games)
        replaced = [c for c, second in pairs if self.calls.is_answered(second) and second not in self.calls.absent]
        for call in (*replaced, *(second for _, second in pairs)):
            self.calls.forget_failure(call)
        if replaced:
            self.calls.tell(f"{plan.NBA_CDN} answered {len(replaced)} calls in place of {plan.NBA_STATS}")


def ingest_days(
    days: Iterable[date],
    kinds: Sequence[str] = KINDS,
    *,
    live: LiveSettings,
    state: StateStore,
    replay: bool = False,
    closing: bool = False,
    watch: Watch = lambda *_: None,
    tell: Tell = lambda _: None,
    timer: Timer | None = None,
) -> IngestOutcome:
    """Fetch the missing answers for these days and write their landing files.

    Args:
        days: Days of games (US Eastern).
        kinds: Some of `plan.KINDS`; the schedule is always requested as well.
        live: Settings of the live services.
        state: The state of the home, with the stored answers, the landing files and the record of calls.
        replay: Write the files from stored answers only, without requests.
        closing: Buy the last historical lines before tip-off also where lines were captured live.
        watch: Receives the current step, steps done and steps planned so far.
        tell: Receives what a person should know while the calls run: rests, estimates of cost, a second source.
        timer: The passing of time; tests replace it.

    Returns:
        What was fetched, what failed and which landing files changed.

    Raises:
        ConfigurationError: A kind does not exist.
        WarehouseBusyError: Another process has been writing landing files for too long.
        StateBusyError: Processes on other machines wrote the same landing files again and again.
    """
    require_kinds(kinds)
    ordered = tuple(sorted(set(days)))
    payloads = state.directory("payloads")
    payloads.pull()
    known = Known(PayloadStore(payloads.path), CallLog(state))
    ingest = _Ingest(Calls(known.store, known.log, live, watch, tell, timer or Timer()), known, closing)
    try:
        if not replay:
            ingest.send_with_second_source(
                plan.schedule_calls(ordered, known.fetched, clock.now(), live.schedule_minutes), {}
            )
        seasons = _seasons(ingest, ordered)
        if not replay:
            _fetch_all(ingest, seasons, ordered, kinds)
    finally:
        payloads.push()
    changed = _land(ingest, state, seasons, ordered, kinds)
    calls = ingest.calls
    return IngestOutcome(
        ordered,
        tuple(kinds),
        dict(calls.fetched),
        (*(f"{call}: {why}" for call, why in calls.failed.items()), *ingest.failures),
        len(calls.untried),
        {feed: tuple(sorted(changed_days)) for feed, changed_days in changed.items()},
        tuple(calls.set_aside),
        dict(Counter(f"{c.source} {c.kind}" for c in calls.absent)),
        disagreements(known.store, seasons, ordered),
        calls.waited,
        calls.credits,
    )


def require_kinds(kinds: Iterable[str]) -> None:
    """Raise ConfigurationError for a kind that does not exist."""
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        raise ConfigurationError(f"no such kind: {', '.join(unknown)}", f"choose from {', '.join(KINDS)}")


def _seasons(ingest: _Ingest, days: Sequence[date]) -> dict[str, list[Game]]:
    """Read the schedules of the seasons of these days; record a failure for a season without one."""
    schedules = {}
    for season in sorted({season_of(d) for d in days}):
        try:
            games = read_games(ingest.store, season)
        except SourceError as e:
            ingest.fail(e)
            continue
        if games is None:
            ingest.fail(
                SourceError(
                    f"the schedule of {season} was never fetched, so no day of that season can be ingested",
                    "ingest its days when the service answers; --replay works only with stored answers",
                )
            )
        else:
            schedules[season] = games
    return schedules


def _fetch_all(ingest: _Ingest, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]) -> None:
    """Fetch all kinds but the schedules; calls are planned before the first is sent, so that progress has a total."""
    live, now, known = ingest.live, clock.now(), ingest.known
    requested = set(days)
    games = [g for s in seasons.values() for g in s]
    of_days = [g for g in games if g.day in requested]
    games_by_id = by_id(games)
    hours, before = live.report_hours, live.report_minutes_before
    planned: dict[str, Callable[[], list[Call]]] = {
        plan.BOXSCORES: lambda: plan.result_calls(of_days, known.fetched),
        plan.SHOTS: lambda: plan.shot_calls(of_days, known.fetched),
        plan.INJURIES: lambda: report_plan.report_calls(of_days, hours, before, now, known),
        plan.ROSTERS: lambda: plan.roster_calls(days, known.fetched),
        plan.LINEUPS: lambda: plan.lineup_calls(of_days, now),
        plan.LINES: lambda: odds_plan.event_calls(of_days, live.odds_minutes_before, now, known.fetched),
    }
    ingest.send_with_second_source([c for kind in kinds if kind in planned for c in planned[kind]()], games_by_id)
    if plan.INJURIES in kinds:
        ingest.calls.send(report_plan.neighbour_calls(of_days, hours, now, known), games_by_id)
    if plan.LINES in kinds:
        try:
            _fetch_lines(ingest, of_days, days, games_by_id)
        except SourceError as e:  # a stored list of events that cannot be read: everything else is landed
            ingest.fail(e)


def _fetch_lines(ingest: _Ingest, games: Sequence[Game], days: Sequence[date], games_by_id: Mapping[str, Game]) -> None:
    """Fetch quotes on games: game lines by the slate, markets of players by the game. History is estimated before."""
    live, now, known, calls = ingest.live, clock.now(), ingest.known, ingest.calls
    wanted = wanted_lines(live, ingest.closing)
    events = read_events(ingest.store, games)
    calls.send(odds_plan.later_event_calls(games, events, wanted.minutes, now, known.fetched), games_by_id)
    events = read_events(ingest.store, games)
    bought = odds_plan.slate_calls(games, events, wanted, now, known)
    bought += odds_plan.prop_calls(games, events, wanted, now, known)
    past = [c for c in bought if odds_plan.is_of_the_past(c) and not known.is_bought_in_vain(c)]
    if past:
        calls.tell(describe_estimate(past, live, known.log))
    calls.send(bought, games_by_id)
    _report_unmatched(ingest, games, days, now)


def _report_unmatched(ingest: _Ingest, games: Sequence[Game], days: Sequence[date], now: datetime) -> None:
    """Record a failure for every game without a listed event, whose quotes cannot be requested, and set stray events aside."""
    strays = [f"event {e.id} ({e.away} at {e.home}, {e.day})" for e in stray_events(ingest.store, games, days)]
    ingest.calls.set_aside += [
        f"{plan.ODDS_API} events: {stray}: no game of the schedule of that day matches" for stray in strays
    ]
    for g in without_event(ingest.store, odds_plan.with_quotes(games, now)):
        ingest.fail(
            SourceError(
                f"{plan.ODDS_API}: game {g.game_id} ({g.away} at {g.home}, {g.day}) is in no list of events, so its quotes "
                "were not requested",
                "run the same command again later; the lists are below payloads/odds_api/events and events_at",
            )
        )


def _land(
    ingest: _Ingest, state: StateStore, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]
) -> dict[str, set[date]]:
    """Write the landing files from all stored answers, again where another machine wrote one of them meanwhile.

    Landing files are fetched before answers: the answers that a fetched file was written from are then here, too.
    """
    landing, payloads = state.directory("landing"), state.directory("payloads")
    changed: dict[str, set[date]] = {}
    with writing(landing.path):
        for _ in range(LANDING_ATTEMPTS):
            landing.pull()
            if payloads.pull():
                seasons = _seasons(ingest, days)
            for feed, feed_days in _land_seasons(ingest, landing.path, seasons, days, kinds):
                changed.setdefault(feed, set()).update(feed_days)
            if landing.push():
                return changed
    raise StateBusyError(
        f"landing files were written by others {LANDING_ATTEMPTS} times while they were written here",
        "run the same command again: the answers are stored",
    )


def _land_seasons(
    ingest: _Ingest, directory: Path, seasons: Mapping[str, list[Game]], days: Sequence[date], kinds: Sequence[str]
) -> Iterator[tuple[str, list[date]]]:
    """Write the landing files of each season, and yield the days whose content changed by feed."""
    landed_kinds = (plan.SCHEDULE, *(k for k in kinds if k != plan.SCHEDULE))
    for season, games in seasons.items():
        own = [d for d in days if season_of(d) == season]
        ingest.calls.watch(f"landing files of {season}", ingest.calls.done, ingest.calls.planned)
        yield from SeasonLanding(ingest.store, directory, season, games, ingest.fail).land(own, landed_kinds).items()
