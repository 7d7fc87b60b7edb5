"""Configure the live services: addresses, the key of the odds service, pace, and times of requests."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nba_pipeline.common.errors import ConfigurationError

NBA_STATS_URL = "https://stats.nba.com/stats"
ODDS_API_URL = "https://api.the-odds-api.com"
INJURIES_URL = "https://ak-static.cms.nba.com/referee/injury"
ODDS_KEY = "NBA_PIPELINE_ODDS_API_KEY"


@dataclass(frozen=True)
class Pace:
    """Pace of requests to a service: pause between requests, time-out, attempts per call, first and longest back-off.

    Times in seconds.
    """

    pause: float = 1.0
    timeout: float = 30.0
    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 120.0


@dataclass(frozen=True)
class LiveSettings:
    """Settings of the live services. The key is excluded from `repr`."""

    nba_stats_url: str = NBA_STATS_URL
    odds_api_url: str = ODDS_API_URL
    injuries_url: str = INJURIES_URL
    odds_api_key: str | None = field(default=None, repr=False)
    odds_regions: str = "us"
    odds_minutes_before: tuple[int, ...] = (600, 10)
    report_hours: tuple[int, ...] = (11, 13, 17)
    pace: Pace = Pace()

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "LiveSettings":
        """Read the settings from environment variables; raise ConfigurationError for an invalid value."""
        pace = Pace(
            pause=_number(environment, "NBA_PIPELINE_LIVE_PAUSE", Pace.pause, 0, 3600),
            timeout=_number(environment, "NBA_PIPELINE_LIVE_TIMEOUT", Pace.timeout, 0.1, 3600),
            attempts=int(_number(environment, "NBA_PIPELINE_LIVE_ATTEMPTS", Pace.attempts, 1, 100)),
        )
        return LiveSettings(
            nba_stats_url=_url(environment, "NBA_PIPELINE_NBA_STATS_URL", NBA_STATS_URL),
            odds_api_url=_url(environment, "NBA_PIPELINE_ODDS_API_URL", ODDS_API_URL),
            injuries_url=_url(environment, "NBA_PIPELINE_INJURIES_URL", INJURIES_URL),
            odds_api_key=environment.get(ODDS_KEY) or None,
            odds_regions=environment.get("NBA_PIPELINE_ODDS_REGIONS") or LiveSettings.odds_regions,
            odds_minutes_before=_whole(
                environment, "NBA_PIPELINE_ODDS_MINUTES_BEFORE", LiveSettings.odds_minutes_before, 0, 7 * 24 * 60
            ),
            report_hours=_whole(environment, "NBA_PIPELINE_INJURY_HOURS", LiveSettings.report_hours, 0, 23),
            pace=pace,
        )


def _url(environment: Mapping[str, str], name: str, default: str) -> str:
    address = (environment.get(name) or default).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise ConfigurationError(
            f"{name} is not the address of a service", "give http(s)://host[:port][/path], without user or query"
        )
    return address


def _number(environment: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise ConfigurationError(f"{name} is {text!r}", f"give a number from {least:g} to {most:g}, or leave it unset")
    return value


def _whole(
    environment: Mapping[str, str], name: str, default: tuple[int, ...], least: int, most: int
) -> tuple[int, ...]:
    text = environment.get(name)
    if not text:
        return default
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or not all(least <= v <= most for v in values):
        raise ConfigurationError(
            f"{name} is {text!r}", f"give whole numbers from {least} to {most}, separated by commas"
        )
    return values
