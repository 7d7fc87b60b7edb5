"""The home of the demo: its days, and its seasons, which are simulated while the rest of the command is imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from nba_pipeline.config.home import record_origin, recorded_origin, require_origin
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, season_of
from nba_pipeline.sources.simulated_files import SimulatedFiles

DEMO_START, DEMO_END = date(2024, 10, 22), date(2025, 6, 22)
# A season before, for the models of opening night to learn from.
HISTORY_START = date(2023, 8, 1)


def last_day(days: int | None) -> date:
    """Return the last day of the demo, of this many days; of all where that is None."""
    return DEMO_END if days is None else min(DEMO_END, days_between(DEMO_START, DEMO_END)[days - 1])


@contextmanager
def begun(end: date) -> Iterator[Settings]:
    """Give the settings of the demo's home, whose seasons are simulated while the block runs."""
    settings = _begin(Settings.from_environment(), end)
    require_origin(settings.home, settings.origin)
    if not settings.is_simulated:
        yield settings
        return
    first = max(HISTORY_START, settings.first_day)
    files = SimulatedFiles(settings.simulated, settings.seed)
    with files.ahead(season_of(d) for d in days_between(first, end)):
        yield settings


def _begin(settings: Settings, end: date) -> Settings:
    """Let a new home have the days of the demo alone, and return its settings."""
    if recorded_origin(settings.home) is not None:
        return settings
    settings.home.mkdir(parents=True, exist_ok=True)
    first = max(HISTORY_START, settings.first_day)
    record_origin(settings.home, replace(settings.origin, first_day=first, last_day=end))
    return Settings.from_environment()
