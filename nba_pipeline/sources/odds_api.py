"""Fetch events and quotes from The Odds API, version 4, current or historical. Only the request contains the key."""

from datetime import datetime
from typing import Any

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.sources.client import KeyInQuery, ThrottledSession
from nba_pipeline.sources.live_settings import ODDS_KEY, LiveSettings
from nba_pipeline.sources.plan import ODDS_API, Call
from nba_pipeline.sources.service_dates import markets_at

SPORT = "basketball_nba"


class OddsApi:
    """Client of the service at the configured address. Raises ConfigurationError without a key."""

    suffix = "json"

    def __init__(self, settings: LiveSettings) -> None:
        if not settings.odds_api_key:
            raise ConfigurationError(
                f"lines cannot be fetched: {ODDS_KEY} is not set",
                f"set {ODDS_KEY}, or name the other kinds with --only (docs/sources.md)",
            )
        self._settings = settings
        self._session = ThrottledSession(ODDS_API, settings.pace, KeyInQuery(settings.odds_api_key))

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call: path and parameters, without the key."""
        history = "historical/" if call.get("date") else ""
        path = f"v4/{history}sports/{SPORT}/events"
        parameters: dict[str, str] = {"date": call["date"]} if history else {}
        if call.kind.startswith("event_odds"):
            path += f"/{call['event']}/odds"
            parameters |= {
                "regions": self._settings.odds_regions,
                "markets": ",".join(markets_at(datetime.fromisoformat(call["date"]) if history else None)),
                "oddsFormat": "american",
                "dateFormat": "iso",
            }
        return {"path": path, "parameters": parameters}

    def fetch(self, call: Call) -> bytes:
        """Fetch the answer of a call.

        Raises:
            Unreachable: all attempts failed.
            SourceError: the service refused the request.
        """
        request = self.request(call)
        return self._session.get(
            f"{self._settings.odds_api_url}/{request['path']}", params=request["parameters"]
        ).content
