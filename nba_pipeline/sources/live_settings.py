"""Configure the live services: addresses, the key of the odds service, pace, and times of requests."""

from dataclasses import dataclass, field

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
