"""Probe the live services: does each answer this machine, and what helps where it does not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from nba_pipeline.common import clock
from nba_pipeline.sources.call_log import CallLog, Usage, month_of
from nba_pipeline.sources.calls import LATELY, SERVICES
from nba_pipeline.sources.client import Absent, Refused, Unreachable
from nba_pipeline.sources.live_settings import ODDS_CAP, ODDS_KEY, LiveSettings
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline.sources.plan import INJURY_REPORTS, NBA_CDN, NBA_LINEUPS, NBA_STATS, ODDS_API
from nba_pipeline.sources.rests import Timer
from nba_pipeline.sources.witnesses import KNOWN, require_document

State = Literal["answers", "throttled", "blocked", "refused", "key missing", "key refused", "no credits"]
TIMEOUT = 3.0
ELSEWHERE = "fetch where the service answers and compute here (docs/sources.md, Fetch here, compute there), or set {}"
PROXY = {
    NBA_STATS: "NBA_API_PROXY",
    NBA_CDN: "NBA_API_PROXY",
    NBA_LINEUPS: "NBA_API_PROXY",
    INJURY_REPORTS: "NBA_API_PROXY",
    ODDS_API: "NBA_PIPELINE_ODDS_PROXY",
}


@dataclass(frozen=True)
class Probe:
    """What a service did.

    Attributes:
        source: The service.
        state: What that means.
        detail: What was observed.
        fix: What helps; empty where nothing is to be done.
        seconds: How long it took.
        credits_left: Credits left in the plan, as the service states them.
        credits_spent: Credits spent by this home in this month.
        credits_cap: The monthly cap, if one is set.
    """

    source: str
    state: State
    detail: str
    fix: str = ""
    seconds: float = 0.0
    credits_left: int | None = None
    credits_spent: int | None = None
    credits_cap: int | None = None

    @property
    def fine(self) -> bool:
        """Whether the service answers, or is not configured."""
        return self.state in ("answers", "key missing")

    def as_json(self) -> dict[str, Any]:
        """Return the probe as plain values."""
        return asdict(self) | {"fine": self.fine}


def probe_all(live: LiveSettings, log: CallLog) -> list[Probe]:
    """Probe all services at the same time, each by one small request that costs nothing."""
    with ThreadPoolExecutor(len(KNOWN)) as pool:
        found = list(pool.map(lambda source: _probe(source, live), KNOWN))
    return [_with_history(p, live, log, clock.now()) for p in found]


def _probe(source: str, live: LiveSettings) -> Probe:
    if source == ODDS_API and not live.odds_api_key:
        return Probe(source, "key missing", f"{ODDS_KEY} is not set, so lines are not fetched", f"set {ODDS_KEY}")
    quick = replace(live, pace=replace(live.pace, pause=0.0, timeout=min(live.pace.timeout, TIMEOUT), attempts=1))
    timer = Timer()
    began = timer.monotonic()

    def after(state: State, detail: str, fix: str = "", usage: Usage | None = None) -> Probe:
        left = usage.left if usage else None
        return Probe(source, state, detail, fix, round(timer.monotonic() - began, 2), left)

    service = SERVICES[source](quick, timer)
    try:
        content = service.fetch(KNOWN[source])
        require_document(KNOWN[source], content)
    except (Unreachable, PayloadError) as e:
        return after("blocked", e.what, _elsewhere(source))
    except Absent as e:
        if source == NBA_LINEUPS:
            return after("answers", f"{e.what}, as of every day that is over")
        return after("refused" if e.is_certain else "blocked", e.what, f"where no document comes: {_elsewhere(source)}")
    except Refused as e:
        return _refused(source, e, after)
    return after("answers", f"{len(content):,} bytes", usage=getattr(service, "usage", None))


def _refused(source: str, error: Refused, after: Callable[..., Probe]) -> Probe:
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED):
        return after("key refused", error.what, f"check {ODDS_KEY} and the plan of the service")
    if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
        return after("refused", error.what, "check the address of the service and its version (docs/sources.md)")
    return after("blocked", error.what, _elsewhere(source))


def _elsewhere(source: str) -> str:
    return ELSEWHERE.format(PROXY[source])


def _with_history(probe: Probe, live: LiveSettings, log: CallLog, now: datetime) -> Probe:
    """Tell a throttle from a block by when the service last answered, and add the credits of the odds service."""
    reached = log.reached(probe.source)
    if probe.state == "blocked" and reached is not None and now - reached < LATELY:
        return replace(
            probe,
            state="throttled",
            detail=f"{probe.detail}; it answered at {reached:%Y-%m-%d %H:%M} UTC",
            fix="run ingest: it waits, and goes on when the service answers",
        )
    if probe.source != ODDS_API:
        return probe
    spent, cap = log.spent(ODDS_API, month_of(now)), live.odds_monthly_credits
    state, fix = probe.state, probe.fix
    if state == "answers" and (probe.credits_left == 0 or (cap is not None and spent >= cap)):
        state, fix = "no credits", f"raise {ODDS_CAP} or the plan of the service, or wait for the next month"
    return replace(probe, state=state, fix=fix, credits_spent=spent, credits_cap=cap)
