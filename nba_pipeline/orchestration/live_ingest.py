"""Runs that automation asked for fetch what they are about to read, where the source is live; others read what is kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.common import clock
from nba_pipeline.common.extras import required_extra
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration.tags import BY
from nba_pipeline.sources import landing, plan
from nba_pipeline.sources.landing import Feed
from nba_pipeline.sources.state_db import SourceState

LIVE = "nba_stats"
OVERNIGHT = "overnight"
# A run before tip-off does not wait for hours: what does not come is fetched by the next run.
PATIENCE_OF_RUNS = 600.0
KIND_OF: Mapping[str, str] = {
    landing.SCHEDULE.name: plan.SCHEDULE,
    landing.PLAYER_BOXSCORES.name: plan.BOXSCORES,
    landing.TEAM_BOXSCORES.name: plan.BOXSCORES,
    landing.SHOTS.name: plan.SHOTS,
    landing.PROP_LINES.name: plan.LINES,
    landing.GAME_LINES.name: plan.LINES,
    landing.INJURIES.name: plan.INJURIES,
    landing.LINEUPS.name: plan.LINEUPS,
    landing.ROSTERS.name: plan.ROSTERS,
    landing.PLAYERS.name: plan.ROSTERS,
    landing.PLAYER_AGES.name: plan.ROSTERS,
}

_fetched: set[tuple[str, str]] = set()


def fetches(settings: Settings, tags: Mapping[str, str]) -> bool:
    """Return whether a run with these tags fetches what it reads."""
    return settings.source == LIVE and BY in tags


def fetch(settings: Settings, run_id: str, tags: Mapping[str, str], feeds: Iterable[Feed], days: Sequence[date]) -> str:
    """Fetch these feeds of the days, each kind of data once a run; what came, in words, empty where nothing was to do.

    The overnight run also asks again for the days before whose box scores may still be corrected: changed landing files are
    the sensor `corrections`' to see. What does not come opens an alert, and the run goes on with what is kept.
    """
    kinds = [k for k in dict.fromkeys(KIND_OF[f.name] for f in feeds) if (run_id, k) not in _fetched]
    if not fetches(settings, tags) or not kinds:
        return ""
    with required_extra("live", "the source nba_stats"):  # optional: only this source needs its libraries
        from nba_pipeline.sources.ingest import ingest_days

    _fetched.update((run_id, k) for k in kinds)
    asked = set(days)
    if tags[BY] == OVERNIGHT:
        asked |= set(days_between(max(days) - CORRECTED_FOR, max(days)))
    pace = replace(settings.live.pace, patience=min(settings.live.pace.patience, PATIENCE_OF_RUNS))
    live = replace(settings.live, pace=pace)
    state = settings.open_state()
    outcome = ingest_days(asked, kinds, live=live, state=state)
    lost = "; ".join(outcome.failures)
    SourceState(state).record_outages(kinds, dict.fromkeys(kinds, lost[:500]) if lost else {}, clock.now())
    came = f"fetched {', '.join(kinds)}: {sum(outcome.fetched.values())} answers"
    if outcome.set_aside:
        came += f"; set aside {len(outcome.set_aside)} elements: {'; '.join(outcome.set_aside)[:500]}"
    if outcome.disagreements:
        came += (
            f"; two sources disagree in {len(outcome.disagreements)} values: {'; '.join(outcome.disagreements)[:500]}"
        )
    return f"{came}; did not come: {lost[:500]}" if lost else came
