"""The only source of the current time. Drills move it with NBA_PIPELINE_NOW; tests move the clock of the process."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from nba_pipeline.common.timezone import ZONE


def now() -> datetime:
    """The present moment (UTC), or the moment that NBA_PIPELINE_NOW gives, such as 2024-11-05T12:30:00-05:00.

    Raises ConfigurationError where the variable is not a moment with an offset from UTC.
    """
    from nba_pipeline.common.environment import read_environment  # start-up time: --help needs no clock

    return (read_environment().now or datetime.now(UTC)).astimezone(UTC)


def eastern(moment: datetime) -> datetime:
    """The same moment on the clocks of New York."""
    return moment.astimezone(ZoneInfo(ZONE))


def today() -> date:
    """The calendar date in New York: the last day that has a partition."""
    return eastern(now()).date()
