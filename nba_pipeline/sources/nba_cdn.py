"""Fetch the league's files of the schedule and of box scores, the second source of both."""

from http import HTTPStatus
from typing import Any

from nba_pipeline.sources.client import ThrottledSession
from nba_pipeline.sources.league import HEADERS, REFERER, league_manners
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.plan import CDN_BOX_SCORE, CDN_SCHEDULE, NBA_CDN, Call
from nba_pipeline.sources.rests import Timer

PATHS = {
    CDN_SCHEDULE: lambda _: "staticData/scheduleLeagueV2_1.json",
    CDN_BOX_SCORE: lambda call: f"liveData/boxscore/boxscore_{call['game_id']}.json",
}


class NbaCdn:
    """Client of the files at the configured address. A file that does not exist has status 404, or 403."""

    suffix = "json"

    def __init__(self, settings: LiveSettings, timer: Timer | None = None) -> None:
        self._url, timer = settings.nba_cdn_url, timer or Timer()
        manners = league_manners(settings, absent=[HTTPStatus.NOT_FOUND], doubtful=[HTTPStatus.FORBIDDEN])
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
