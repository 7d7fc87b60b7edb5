"""The only source of the current time. Drills move it with NBA_PIPELINE_NOW; tests move the clock of the process."""

import os
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.timezone import ZONE

VARIABLE = "NBA_PIPELINE_NOW"


def now() -> datetime:
    """The present moment (UTC), or the moment that NBA_PIPELINE_NOW gives, such as 2024-11-05T12:30:00-05:00.

    Raises ConfigurationError where the variable is not a moment with an offset from UTC.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.tzinfo is None:
        raise ConfigurationError(
            f"{VARIABLE} is {text!r}, not a moment",
            "give one with its offset: 2024-11-05T12:30:00-05:00, or leave it unset",
        )
    return given.astimezone(UTC)


def eastern(moment: datetime) -> datetime:
    """The same moment on the clocks of New York."""
    return moment.astimezone(ZoneInfo(ZONE))


def today() -> date:
    """The calendar date in New York: the last day that has a partition."""
    return eastern(now()).date()
