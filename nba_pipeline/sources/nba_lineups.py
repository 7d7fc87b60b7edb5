"""Fetch the league's file of the line-ups of a day."""

from http import HTTPStatus
from typing import Any

from nba_pipeline.sources.client import ThrottledSession
from nba_pipeline.sources.league import HEADERS, REFERER, league_manners
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.plan import NBA_LINEUPS, Call
from nba_pipeline.sources.rests import Timer

PLACE = "js/data/leaders"


class NbaLineups:
    """Client of the files beside the statistics service. A day whose file does not exist yet has status 404."""

    suffix = "json"

    def __init__(self, settings: LiveSettings, timer: Timer | None = None) -> None:
        self._url, timer = settings.nba_stats_url.removesuffix("/stats"), timer or Timer()
        manners = league_manners(settings, transient=[HTTPStatus.FORBIDDEN], absent=[HTTPStatus.NOT_FOUND])
        self._session = ThrottledSession(NBA_LINEUPS, settings.pace, None, timer.sleep, timer.monotonic, manners)
        self._session.headers.update({**HEADERS, "Referer": REFERER, **settings.nba_headers})

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        return {"file": f"{PLACE}/{call['file']}"}

    def fetch(self, call: Call) -> bytes:
        """Fetch the file of a call.

        Raises:
            Unreachable: all attempts failed.
            Absent: the file does not exist.
            SourceError: the service refused the request.
        """
        return self._session.get(f"{self._url}/{PLACE}/{call['file']}").content
