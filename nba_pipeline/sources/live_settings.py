"""Configure the live services: addresses, keys, proxies, pace, what is bought, and times of requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nba_pipeline.domain.markets import DEFAULT_MARKETS

NBA_STATS_URL = "https://stats.nba.com/stats"
NBA_CDN_URL = "https://cdn.nba.com/static/json"
ODDS_API_URL = "https://api.the-odds-api.com"
INJURIES_URL = "https://ak-static.cms.nba.com/referee/injury"
ODDS_KEY = "NBA_PIPELINE_ODDS_API_KEY"
ODDS_CAP = "NBA_PIPELINE_ODDS_MONTHLY_CREDITS"


@dataclass(frozen=True)
class Pace:
    """Pace of requests to a service: times in seconds.

    Attributes:
        pause: Between two requests.
        timeout: Until a request times out.
        attempts: Attempts per call.
        first_wait: First back-off between attempts.
        longest_wait: Longest back-off, and the longest wait that a service may ask for within a call.
        first_rest: First rest of a service whose calls fail; each further rest is twice as long.
        longest_rest: Longest rest.
        patience: Longest time in rests without an answer in between; 0: a service that fails gets no rest and is given up.
    """

    pause: float = 1.0
    timeout: float = 30.0
    attempts: int = 3
    first_wait: float = 1.0
    longest_wait: float = 120.0
    first_rest: float = 60.0
    longest_rest: float = 1800.0
    patience: float = 7200.0


@dataclass(frozen=True)
class LiveSettings:
    """Settings of the live services. Secrets are excluded from `repr`: keys, headers, and proxies, which may have passwords.

    Attributes:
        nba_proxy: Proxy for the services of the league.
        nba_headers: Headers of requests to them, besides or instead of the usual ones.
        odds_version: Path of the odds service between its address and `sports`, such as v4.
        odds_key_header: Header that carries the key of the odds service; None: the parameter apiKey.
        odds_monthly_credits: Credits of the odds service that may be spent in a calendar month (UTC); None: no cap.
        markets: Markets of players to buy.
        report_hours: US-Eastern hours whose injury report, at half past, is requested.
        report_minutes_before: Minutes before each tip-off in which every injury report is requested; 0: none.
        schedule_minutes: Minutes in which the schedule of a season is requested once at most.
    """

    nba_stats_url: str = NBA_STATS_URL
    nba_cdn_url: str = NBA_CDN_URL
    odds_api_url: str = ODDS_API_URL
    injuries_url: str = INJURIES_URL
    nba_proxy: str | None = field(default=None, repr=False)
    odds_proxy: str | None = field(default=None, repr=False)
    nba_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    odds_api_key: str | None = field(default=None, repr=False)
    odds_version: str = "v4"
    odds_key_header: str | None = None
    odds_regions: str = "us"
    odds_minutes_before: tuple[int, ...] = (600, 10)
    odds_monthly_credits: int | None = None
    markets: tuple[str, ...] = DEFAULT_MARKETS
    report_hours: tuple[int, ...] = (11, 13, 17)
    report_minutes_before: int = 120
    schedule_minutes: int = 15
    pace: Pace = Pace()
