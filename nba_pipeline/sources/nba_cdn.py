"""Fetch the league's files of the schedule and of box scores, the second source of both."""

from http import HTTPStatus
from typing import Any

from nba_pipeline.sources.client import Manners, ThrottledSession
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.nba_stats import HEADERS
from nba_pipeline.sources.plan import CDN_BOX_SCORE, CDN_SCHEDULE, NBA_CDN, Call
from nba_pipeline.sources.rests import Timer

# Files are refused to requests that do not come from the league's pages.
REFERER = "https://www.nba.com/"
PATHS = {
    CDN_SCHEDULE: lambda _: "staticData/scheduleLeagueV2_1.json",
    CDN_BOX_SCORE: lambda call: f"liveData/boxscore/boxscore_{call['game_id']}.json",
}


class NbaCdn:
    """Client of the files at the configured address. A file that does not exist has status 404, or 403."""

    suffix = "json"

    def __init__(self, settings: LiveSettings, timer: Timer | None = None) -> None:
        self._url, timer = settings.nba_cdn_url, timer or Timer()
        manners = Manners(
            absent=frozenset((HTTPStatus.NOT_FOUND,)),
            doubtful=frozenset((HTTPStatus.FORBIDDEN,)),
            private=frozenset(settings.nba_headers),
            proxy=settings.nba_proxy,
        )
        self._session = ThrottledSession(NBA_CDN, settings.pace, None, timer.sleep, timer.monotonic, manners)
        self._session.headers.update({"User-Agent": HEADERS["User-Agent"], "Referer": REFERER, **settings.nba_headers})

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        return {"file": PATHS[call.kind](call)}

    def fetch(self, call: Call) -> bytes:
        """Fetch the file of a call.

        Raises:
            Unreachable: all attempts failed.
            Absent: the file does not exist, or the machine is turned away.
            SourceError: the service refused the request.
        """
        return self._session.get(f"{self._url}/{PATHS[call.kind](call)}").content
