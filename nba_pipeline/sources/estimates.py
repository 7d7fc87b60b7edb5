"""Estimate calls, credits and time before anything is fetched: from the plan, without a request."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nba_pipeline.common import clock
from nba_pipeline.sources import odds_plan, plan, report_plan
from nba_pipeline.sources.answers import read_events
from nba_pipeline.sources.call_log import CallLog, month_of
from nba_pipeline.sources.calls import Known, describe_seconds
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.odds_plan import Wanted
from nba_pipeline.sources.parsing.odds import Event
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.plan import ODDS_API, Call, Stored


@dataclass(frozen=True)
class Estimate:
    """What an ingest would take: calls by source and kind, credits of the odds service, seconds of pauses."""

    calls: Mapping[str, int]
    credits: int
    seconds: float

    @property
    def total(self) -> int:
        """Number of calls."""
        return sum(self.calls.values())


def wanted_lines(live: LiveSettings, closing: bool = False) -> Wanted:
    """Return what lines are to be bought by the settings."""
    return Wanted(live.odds_minutes_before, live.markets, closing)


def planned_calls(
    games: Sequence[Game],
    days: Iterable[date],
    kinds: Sequence[str],
    live: LiveSettings,
    now: datetime,
    stored: Stored,
    events: Mapping[str, Event],
    closing: bool = False,
) -> list[Call]:
    """List the calls that an ingest would make, with an assumed event for each game whose event is not known yet.

    Args:
        games: games of the days.
        days: the days.
        kinds: some of `plan.KINDS`.
        live: settings of the services.
        now: the time of planning.
        stored: the known calls.
        events: known events by game id.
        closing: as for `ingest_days`.
    """
    wanted = wanted_lines(live, closing)
    hours, before = live.report_hours, live.report_minutes_before
    calls = plan.schedule_calls(days, stored.fetched, now, live.schedule_minutes)
    if plan.BOXSCORES in kinds:
        calls += plan.result_calls(games, stored.fetched)
    if plan.SHOTS in kinds:
        calls += plan.shot_calls(games, stored.fetched)
    if plan.INJURIES in kinds:
        calls += report_plan.report_calls(games, hours, before, now, stored)
    if plan.ROSTERS in kinds:
        calls += plan.roster_calls(days, stored.fetched)
    if plan.LINEUPS in kinds:
        calls += plan.lineup_calls(games, now)
    if plan.LINES in kinds:
        assumed = odds_plan.with_assumed_events(games, events)
        calls += odds_plan.event_calls(games, wanted.minutes, now, stored.fetched)
        calls += odds_plan.slate_calls(games, assumed, wanted, now, stored)
        calls += odds_plan.prop_calls(games, assumed, wanted, now, stored)
    return calls


def estimate_calls(calls: Iterable[Call], live: LiveSettings) -> Estimate:
    """Count calls, credits and the seconds of the slowest service's pauses."""
    listed = list(calls)
    by_source = Counter(c.source for c in listed)
    return Estimate(
        dict(Counter(f"{c.source} {c.kind}" for c in listed)),
        sum(odds_plan.credits_of(c, _regions(live)) for c in listed if c.source == ODDS_API),
        sum(by_source.values()) * live.pace.pause,
    )


def estimate_ingest(
    games: Sequence[Game], days: Sequence[date], kinds: Sequence[str], live: LiveSettings, known: Known, closing: bool
) -> Estimate:
    """Estimate an ingest of days; arguments as for `planned_calls`."""
    of_days = [g for g in games if g.day in set(days)]
    events = read_events(known.store, of_days)
    calls = planned_calls(of_days, days, kinds, live, clock.now(), known, events, closing)
    return estimate_calls([c for c in calls if not (odds_plan.is_of_the_past(c) and known.is_bought_in_vain(c))], live)


def describe_estimate(calls: Sequence[Call], live: LiveSettings, log: CallLog) -> str:
    """Say what calls to the odds service cost, and what is left."""
    estimate = estimate_calls(calls, live)
    spent = log.spent(ODDS_API, month_of(clock.now()))
    stated = log.usage(ODDS_API)
    left = f", {stated[1].left:,} left at the service" if stated and stated[1].left is not None else ""
    cap = f" of {live.odds_monthly_credits:,}" if live.odds_monthly_credits is not None else ""
    return (
        f"{ODDS_API}: {estimate.total:,} calls for history cost about {estimate.credits:,} credits "
        f"(at least {describe_seconds(estimate.seconds)}); {spent:,}{cap} spent this month{left}"
    )


def _regions(live: LiveSettings) -> int:
    return len(live.odds_regions.split(","))
