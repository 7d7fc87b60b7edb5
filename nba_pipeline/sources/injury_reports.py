"""Fetch the league's official injury reports, one PDF per publication."""

from typing import Any

from nba_pipeline.sources.client import ThrottledSession
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.nba_stats import HEADERS
from nba_pipeline.sources.plan import INJURY_REPORTS, Call


class InjuryReports:
    """Client of the injury reports at the configured address."""

    suffix = "pdf"

    def __init__(self, settings: LiveSettings) -> None:
        self._url = settings.injuries_url
        self._session = ThrottledSession(INJURY_REPORTS, settings.pace)
        self._session.headers["User-Agent"] = HEADERS["User-Agent"]

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        return {"file": call["file"]}

    def fetch(self, call: Call) -> bytes:
        """Fetch the document of a call.

        Raises:
            Unreachable: all attempts failed.
            SourceError: the service refused the request.
        """
        return self._session.get(f"{self._url}/{call['file']}").content
