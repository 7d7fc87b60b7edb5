"""The league's official injury reports, one PDF per moment of publication."""

from typing import Any

from nba_pipeline.sources.client import PoliteSession
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.nba_stats import HEADERS
from nba_pipeline.sources.plan import INJURY_REPORTS, Call


class InjuryReports:
    """Fetches the documents from the configured address."""

    suffix = "pdf"

    def __init__(self, settings: LiveSettings) -> None:
        self._url = settings.injuries_url
        self._session = PoliteSession(INJURY_REPORTS, settings.pace)
        self._session.headers["User-Agent"] = HEADERS["User-Agent"]

    def request(self, call: Call) -> dict[str, Any]:
        """What is asked, for the record."""
        return {"file": call["file"]}

    def fetch(self, call: Call) -> bytes:
        """The document. Raises Unreachable or SourceError."""
        return self._session.get(f"{self._url}/{call['file']}").content
