"""Send the calls of one ingest: store every answer, let services that fail rest, and stop before too much is spent."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError, PipelineError, SourceError
from nba_pipeline.sources.answers import check, is_unchanged
from nba_pipeline.sources.call_log import CallLog, Entry, Outcome, Usage, month_of
from nba_pipeline.sources.client import Absent, Refused, Unreachable
from nba_pipeline.sources.injury_reports import InjuryReports
from nba_pipeline.sources.live_settings import ODDS_CAP, LiveSettings
from nba_pipeline.sources.nba_cdn import NbaCdn
from nba_pipeline.sources.nba_lineups import NbaLineups
from nba_pipeline.sources.nba_stats import NbaStats
from nba_pipeline.sources.odds_api import OddsApi
from nba_pipeline.sources.odds_plan import credits_of, is_of_the_past
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import INJURY_REPORTS, NBA_CDN, NBA_LINEUPS, NBA_STATS, ODDS_API, Call
from nba_pipeline.sources.rests import Rests, Timer
from nba_pipeline.sources.witnesses import require_document, witnesses

# Receives every step: its description, steps done, steps planned so far.
Watch = Callable[[str, int, int], None]
# Receives what a person should know while the calls run: rests, estimates, disagreements.
Tell = Callable[[str], None]
# A service that answered within this time is not blocked: its failures are taken as throttling.
LATELY = timedelta(days=1)
# After so many documents in a row that may not exist, one that exists is asked for, to learn whether the machine is turned away.
MOST_DOUBTFUL = 8


class CreditLimit(SourceError):
    """A call would spend more credits than the monthly cap or the plan of the service leaves."""


class Service(Protocol):
    """A live service."""

    suffix: str

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        ...

    def fetch(self, call: Call) -> bytes:
        """Fetch the answer of a call."""
        ...


SERVICES: Mapping[str, Callable[[Any, Timer], Service]] = {
    NBA_STATS: NbaStats,
    NBA_CDN: NbaCdn,
    ODDS_API: OddsApi,
    INJURY_REPORTS: InjuryReports,
    NBA_LINEUPS: NbaLineups,
}


@dataclass
class Known:
    """What is known of earlier calls: stored answers, and the record of calls."""

    store: PayloadStore
    log: CallLog

    def fetched(self, source: str, kind: str, key: str) -> datetime | None:
        """Return when a call was last answered; None if it never was."""
        times = (self.store.fetched(source, kind, key), self.log.latest("unchanged", source, kind, key))
        return max((t for t in times if t is not None), default=None)

    def captures(self, source: str, kind: str, key: str) -> list[datetime]:
        """List when the stored answers to a call were fetched."""
        return [answer.fetched_at for answer in self.store.all(source, kind, key)]

    def absent(self, source: str, kind: str, key: str) -> datetime | None:
        """Return when the service last answered that the document of a call does not exist; None if it never did."""
        return self.log.latest("absent", source, kind, key)

    def is_bought_in_vain(self, call: Call) -> bool:
        """Return whether an answer was bought that could not be read."""
        return self.store.bought_in_vain(call.source, call.kind, call.key) is not None

    def keys(self, source: str, kind: str, beginning: str) -> list[str]:
        """List the keys of stored answers with a common beginning."""
        return self.store.keys(source, kind, beginning)


@dataclass
class Calls:
    """The calls of one ingest.

    Attributes:
        store: Where answers are stored.
        log: The record of calls.
        live: Settings of the services.
        watch: Receives every step.
        tell: Receives rests and estimates.
        timer: The passing of time.
        failed: Why a call failed.
        untried: Calls that were not made because their service is out.
        credits: Credits spent in this ingest.
    """

    store: PayloadStore
    log: CallLog
    live: LiveSettings
    watch: Watch
    tell: Tell
    timer: Timer = field(default_factory=Timer)
    done: int = 0
    planned: int = 0
    credits: int = 0
    fetched: Counter[str] = field(default_factory=Counter)
    failed: dict[Call, str] = field(default_factory=dict)
    untried: set[Call] = field(default_factory=set)
    absent: list[Call] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    _services: dict[str, Service] = field(default_factory=dict)
    _rests: dict[str, Rests] = field(default_factory=dict)
    _rounds: Counter[Call] = field(default_factory=Counter)
    _doubtful: dict[str, list[tuple[Call, Absent]]] = field(default_factory=dict)
    _repeated: set[Call] = field(default_factory=set)

    @property
    def waited(self) -> dict[str, float]:
        """Seconds of rest by service."""
        return {source: rests.total for source, rests in self._rests.items() if rests.total}

    def send(self, calls: Sequence[Call], games: Mapping[str, Game]) -> None:
        """Send the calls. A service that rests does not hold up calls to others; one that is out is not asked further.

        Args:
            calls: The calls.
            games: The season's schedule by game id.
        """
        self.planned += len(calls)
        queues: dict[str, deque[Call]] = {}
        for call in calls:
            queues.setdefault(call.source, deque()).append(call)
        while any(queues.values()):
            source = self._next(queues)
            self._send_next(source, queues[source], games)
            doubtful = self._doubtful.get(source, ())
            if len(doubtful) >= MOST_DOUBTFUL or (doubtful and not queues[source]):
                self._settle(source, queues[source])
        self.watch("", self.done, self.planned)

    def is_answered(self, call: Call) -> bool:
        """Return whether a call neither failed nor was left out."""
        return call not in self.failed and call not in self.untried

    def forget_failure(self, call: Call) -> None:
        """Note that the failure of a call needs no mention: another source answered, or that of the first call is named."""
        self.failed.pop(call, None)
        self.untried.discard(call)

    def service(self, source: str) -> Service:
        """Return the client of a service. Raises ConfigurationError where a setting is missing."""
        if source not in self._services:
            self._services[source] = SERVICES[source](self.live, self.timer)
        return self._services[source]

    def _next(self, queues: Mapping[str, deque[Call]]) -> str:
        """Choose the first service with calls that does not rest; wait for the first rest to end where all rest."""
        waiting = [s for s, queue in queues.items() if queue]
        ends = {s: self._rest_of(s).until for s in waiting}
        ready = [s for s in waiting if ends[s] <= self.timer.monotonic()]
        if ready:
            return ready[0]
        first = min(waiting, key=ends.__getitem__)
        self.timer.sleep(max(0.0, ends[first] - self.timer.monotonic()))
        return first

    def _rest_of(self, source: str) -> Rests:
        if source not in self._rests:
            reached = self.log.reached(source)
            lately = reached is not None and clock.now() - reached < LATELY
            self._rests[source] = Rests(self.live.pace, is_known=lately)
        return self._rests[source]

    def _send_next(self, source: str, queue: deque[Call], games: Mapping[str, Game]) -> None:
        call, rests = queue.popleft(), self._rest_of(source)
        if rests.is_out:
            self._leave_out(call)
            return
        self.watch(str(call), self.done, self.planned)
        try:
            if not self._read_bought(call, games):
                self._fetch(call, games)
                self.fetched[f"{call.source} {call.kind}"] += 1
                self._answered(source, queue)
            self.failed.pop(call, None)
        except Absent as e:
            if not e.is_certain:
                self._doubtful.setdefault(source, []).append((call, e))
                return
            self._note_absent([call])
            self._answered(source, queue)
            return
        except Unreachable as e:
            self._unreachable(call, e, queue)
            return
        except PipelineError as e:
            self.failed[call] = str(e)
            if isinstance(e, (ConfigurationError, CreditLimit)) or (isinstance(e, Refused) and e.permanent):
                rests.give_up()
        self.done += 1

    def _unreachable(self, call: Call, error: Unreachable, queue: deque[Call]) -> None:
        """Put a call that its service did not answer back behind the others, and let the service rest."""
        self.log.record(_entry(call, "unreachable"))
        self.failed[call] = str(error)
        self._rounds[call] += 1
        rests = self._rest_of(call.source)
        seconds = rests.failed(self.timer.monotonic(), error.wait)
        if seconds is not None:
            self.tell(
                f"{call.source} does not answer: it rests for {describe_seconds(seconds)} (rest {rests.number}); "
                f"{self.done:,} of {self.planned:,} calls done, what came is stored ({error.what})"
            )
        if rests.is_out or rests.is_hopeless(self._rounds[call]):
            self.done += 1
        else:
            queue.append(call)

    def _answered(self, source: str, queue: deque[Call]) -> None:
        """Note that a service answers this machine.

        Documents that it did not give before are asked for once more, as it may have turned the machine away for a moment;
        those that it did not give then either do not exist.
        """
        self._rest_of(source).answered()
        refused = [call for call, _ in self._doubtful.pop(source, [])]
        self._note_absent([call for call in refused if call in self._repeated])
        queue.extend(call for call in refused if call not in self._repeated)
        self._repeated.update(refused)

    def _note_absent(self, calls: Sequence[Call]) -> None:
        self.log.record_all(_entry(call, "absent") for call in calls)
        self.absent += calls
        self.done += len(calls)
        for call in calls:
            self.failed.pop(call, None)

    def _settle(self, source: str, queue: deque[Call]) -> None:
        """Learn from documents that exist whether the last ones may not, or whether the service turns this machine away."""
        rests = self._rest_of(source)
        if not rests.is_out and any(self._is_shown(witness) for witness in witnesses(source, self.store)):
            self._answered(source, queue)
            return
        doubtful = self._doubtful.pop(source)
        seconds = rests.turned_away(self.timer.monotonic())
        self.tell(
            f"{source} turns this machine away, also from documents that exist: {len(doubtful)} documents will be asked for "
            f"again {f'after a rest of {describe_seconds(seconds)}' if seconds else 'in another run'} "
            "(nba-pipeline check --sources)"
        )
        for call, error in doubtful:
            self.log.record(_entry(call, "unreachable"))
            self.failed[call] = str(error)
            self._rounds[call] += 1
            if rests.is_out or rests.is_hopeless(self._rounds[call]):
                self.done += 1
            else:
                queue.append(call)

    def _is_shown(self, witness: Call) -> bool:
        """Return whether a service gives a document that exists."""
        try:
            require_document(witness, self.service(witness.source).fetch(witness))
        except SourceError:
            return False
        self.log.record(_entry(witness, "answered"))
        return True

    def _leave_out(self, call: Call) -> None:
        if call not in self.failed:
            self.untried.add(call)
        self.done += 1

    def _fetch(self, call: Call, games: Mapping[str, Game]) -> None:
        service = self.service(call.source)
        if call.source == ODDS_API:
            self._require_credits(call)
        try:
            content = service.fetch(call)
        except Refused:
            self.log.record(_entry(call, "refused"))
            raise
        at = clock.now()
        usage = getattr(service, "usage", Usage())
        self.credits += usage.credits
        earlier = self.store.latest(call.source, call.kind, call.key)
        if earlier is not None and is_unchanged(call, content, at, games, earlier):
            self.log.record(_entry(call, "unchanged", usage, at))
            return

        def store_answer(rejected_because: str | None = None, set_aside: Sequence[str] = ()) -> Path:
            path = self.store.keep(
                *(call.source, call.kind, call.key, content, at, service.request(call)),
                suffix=service.suffix,
                rejected_because=rejected_because,
                set_aside=set_aside,
            ).path
            self.log.record(_entry(call, "rejected" if rejected_because else "answered", usage, at))
            return path

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

    def _read_bought(self, call: Call, games: Mapping[str, Game]) -> bool:
        """Read an answer that was bought before and could not be read, as this release may: the service would sell the same.

        Returns:
            Whether there is such an answer, and it can be read now.

        Raises:
            SourceError: There is such an answer, and it still cannot be read.
        """
        bought = self.store.bought_in_vain(call.source, call.kind, call.key) if is_of_the_past(call) else None
        if bought is None:
            return False
        content = bought.read()
        try:
            unused = [str(element) for element in check(call, content, bought.fetched_at, games)]
        except PayloadError as e:
            raise SourceError(
                f"{e.what} (bought at {bought.fetched_at:%Y-%m-%d %H:%M} UTC, and not bought again)",
                f"inspect {bought.path}; remove its directory to buy the answer again",
            ) from None
        names = (call.source, call.kind, call.key)
        self.store.keep(*names, content, bought.fetched_at, bought.meta["request"], set_aside=unused)
        self.set_aside += [f"{call}: {element}" for element in unused]
        return True

    def _require_credits(self, call: Call) -> None:
        """Refuse a call that costs more than the monthly cap or the plan of the service leaves. Raises CreditLimit."""
        now, cap = clock.now(), self.live.odds_monthly_credits
        cost = credits_of(call, len(self.live.odds_regions.split(",")))
        if not cost:
            return
        spent = self.log.spent(ODDS_API, month_of(now))
        if cap is not None and spent + cost > cap:
            raise CreditLimit(
                f"{ODDS_API}: {call.kind} costs {cost} credits, and {spent:,} of the {cap:,} of {ODDS_CAP} are spent in "
                f"{now:%Y-%m}",
                f"raise {ODDS_CAP}, or run the same command again next month",
            )


def _entry(call: Call, outcome: Outcome, usage: Usage | None = None, at: datetime | None = None) -> Entry:
    return Entry(at or clock.now(), call.source, call.kind, call.key, outcome, usage or Usage())


def describe_seconds(seconds: float) -> str:
    """Format a span of time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
