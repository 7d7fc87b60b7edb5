"""Fetch the league's official injury reports, one PDF per publication."""

from http import HTTPStatus
from typing import Any

from nba_pipeline.sources.client import ThrottledSession
from nba_pipeline.sources.league import HEADERS, league_manners
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.plan import INJURY_REPORTS, Call
from nba_pipeline.sources.rests import Timer


class InjuryReports:
    """Client of the injury reports at the configured address. A report that does not exist has status 404, or 403."""

    suffix = "pdf"

    def __init__(self, settings: LiveSettings, timer: Timer | None = None) -> None:
        self._url, timer = settings.injuries_url, timer or Timer()
        manners = league_manners(settings, absent=[HTTPStatus.NOT_FOUND], doubtful=[HTTPStatus.FORBIDDEN])
        self._session = ThrottledSession(
            INJURY_REPORTS, settings.pace, None, timer.sleep, timer.monotonic, manners=manners
        )
        self._session.headers.update({"User-Agent": HEADERS["User-Agent"], **settings.nba_headers})

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        return {"file": call["file"]}

    def fetch(self, call: Call) -> bytes:
        """Fetch the document of a call.

        Raises:
            Unreachable: all attempts failed.
            Absent: the report does not exist, or the machine is turned away.
            SourceError: the service refused the request.
        """
        return self._session.get(f"{self._url}/{call['file']}").content
