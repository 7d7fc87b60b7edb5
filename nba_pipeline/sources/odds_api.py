"""Fetch events and quotes from The Odds API, version 4, current or historical, or from a service of the same form.

Only the request contains the key.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.sources.call_log import Usage
from nba_pipeline.sources.client import KeyInHeader, KeyInQuery, Manners, ThrottledSession
from nba_pipeline.sources.live_settings import ODDS_KEY, LiveSettings
from nba_pipeline.sources.odds_plan import EVENTS, EVENTS_AT, PROPS, PROPS_AT, credits_of
from nba_pipeline.sources.parsing.odds import PROP_MARKETS
from nba_pipeline.sources.plan import ODDS_API, Call
from nba_pipeline.sources.rests import Timer

SPORT = "basketball_nba"
SERVICE_NAMES = {ours: name for name, ours in PROP_MARKETS.items()}
# The headers that state credits: those of The Odds API, and the usual ones of other services for the rest of a quota.
COST, LEFT, USED = ("x-requests-last",), ("x-requests-remaining", "x-ratelimit-remaining"), ("x-requests-used",)


class OddsApi:
    """Client of the service at the configured address. Raises ConfigurationError without a key."""

    suffix = "json"

    def __init__(self, settings: LiveSettings, timer: Timer | None = None) -> None:
        if not settings.odds_api_key:
            raise ConfigurationError(
                f"lines cannot be fetched: {ODDS_KEY} is not set",
                f"set {ODDS_KEY}, or name the other kinds with --only (docs/sources.md)",
            )
        self._settings, timer = settings, timer or Timer()
        header = settings.odds_key_header
        key = KeyInHeader(settings.odds_api_key, header) if header else KeyInQuery(settings.odds_api_key)
        manners = Manners(proxy=settings.odds_proxy)
        self._session = ThrottledSession(ODDS_API, settings.pace, key, timer.sleep, timer.monotonic, manners)
        self.usage = Usage()

    @property
    def regions(self) -> int:
        """Number of regions of books."""
        return len(self._settings.odds_regions.split(","))

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call: path and parameters, without the key."""
        history = "historical/" if call.get("date") else ""
        path = f"{self._settings.odds_version}/{history}sports/{SPORT}"
        parameters: dict[str, str] = {"date": call["date"]} if history else {}
        if call.kind in (EVENTS, EVENTS_AT):
            return {"path": f"{path}/events", "parameters": parameters}
        parameters |= {
            "regions": self._settings.odds_regions,
            "markets": ",".join(SERVICE_NAMES.get(m, m) for m in call["markets"].split(",")),
            "oddsFormat": "american",
            "dateFormat": "iso",
        }
        event = f"/events/{quote(call['event'], safe='')}" if call.kind in (PROPS, PROPS_AT) else ""
        return {"path": f"{path}{event}/odds", "parameters": parameters}

    def fetch(self, call: Call) -> bytes:
        """Fetch the answer of a call; `usage` then has its credits.

        Raises:
            Unreachable: all attempts failed.
            SourceError: the service refused the request.
        """
        self.usage = Usage()
        request = self.request(call)
        answer = self._session.get(f"{self._settings.odds_api_url}/{request['path']}", params=request["parameters"])
        self.usage = stated_usage(answer.headers, credits_of(call, self.regions))
        return answer.content


def stated_usage(headers: Mapping[str, str], planned: int) -> Usage:
    """Read the credits that an answer states.

    Args:
        headers: headers of the answer.
        planned: what the call costs as published, where the answer does not state it.
    """
    cost = _number(headers, COST)
    return Usage(planned if cost is None else cost, _number(headers, LEFT), _number(headers, USED))


def _number(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    for name in names:
        try:
            return int(float(headers[name]))
        except (KeyError, ValueError, OverflowError):
            continue
    return None
