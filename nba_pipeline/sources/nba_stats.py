"""Fetch from the league's statistics service with the endpoints, parameters and headers of the package `nba_api`."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from nba_api.stats.endpoints.boxscoretraditionalv3 import BoxScoreTraditionalV3
from nba_api.stats.endpoints.leaguedashplayerbiostats import LeagueDashPlayerBioStats
from nba_api.stats.endpoints.leaguegamelog import LeagueGameLog
from nba_api.stats.endpoints.playerindex import PlayerIndex
from nba_api.stats.endpoints.scheduleleaguev2 import ScheduleLeagueV2
from nba_api.stats.endpoints.shotchartdetail import ShotChartDetail
from nba_api.stats.library.http import NBAStatsHTTP
from nba_api.stats.static import teams

from nba_pipeline.sources.client import ThrottledSession
from nba_pipeline.sources.league import HEADERS, league_manners
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.plan import NBA_STATS, Call
from nba_pipeline.sources.rests import Timer

PLAYERS, TEAMS = "P", "T"
ALL_TEAMS = ALL_PLAYERS = 0  # the service's id for no restriction


def _log(kind: str) -> Callable[[Call], Any]:
    def endpoint(call: Call) -> Any:
        return LeagueGameLog(
            player_or_team_abbreviation=kind,
            season=call["season"],
            season_type_all_star=call["season_type"],
            date_from_nullable=call.get("day"),
            date_to_nullable=call.get("day"),
            get_request=False,
        )

    return endpoint


def _shots(call: Call) -> Any:
    return ShotChartDetail(
        team_id=_team_ids()[call["team"]] if call.get("team") else ALL_TEAMS,
        player_id=ALL_PLAYERS,
        context_measure_simple="FGA",
        season_nullable=call["season"],
        season_type_all_star=call["season_type"],
        date_from_nullable=call.get("day"),
        date_to_nullable=call.get("day"),
        get_request=False,
    )


ENDPOINTS: Mapping[str, Callable[[Call], Any]] = {
    "schedule": lambda c: ScheduleLeagueV2(season=c["season"], get_request=False),
    "player_log": _log(PLAYERS),
    "team_log": _log(TEAMS),
    "box_score": lambda c: BoxScoreTraditionalV3(game_id=c["game_id"], get_request=False),
    "shots": _shots,
    "player_index": lambda c: PlayerIndex(season=c["season"], get_request=False),
    "player_bio": lambda c: LeagueDashPlayerBioStats(season=c["season"], get_request=False),
}


class NbaStats:
    """Client of the service at the configured address."""

    suffix = "json"

    def __init__(self, settings: LiveSettings, timer: Timer | None = None) -> None:
        class Service(NBAStatsHTTP):
            base_url = settings.nba_stats_url.replace("{", "{{").replace("}", "}}") + "/{endpoint}"

        timer = timer or Timer()
        # A service that throttles turns requests away by 403, too.
        manners = league_manners(settings, transient=[HTTPStatus.FORBIDDEN])
        Service.set_session(
            ThrottledSession(NBA_STATS, settings.pace, None, timer.sleep, timer.monotonic, manners=manners)
        )
        self._service = Service
        self._headers = HEADERS | dict(settings.nba_headers)

    def request(self, call: Call) -> dict[str, Any]:
        """Describe the request of a call, without secrets."""
        endpoint = ENDPOINTS[call.kind](call)
        return {"endpoint": endpoint.endpoint, "parameters": endpoint.parameters}

    def fetch(self, call: Call) -> bytes:
        """Fetch the answer of a call.

        Raises:
            Unreachable: all attempts failed.
            SourceError: the service refused the request.
        """
        request = self.request(call)
        answer = self._service().send_api_request(request["endpoint"], request["parameters"], headers=self._headers)
        return answer.get_response().encode()


def _team_ids() -> dict[str, int]:
    return {t["abbreviation"]: t["id"] for t in teams.get_teams()}


def team_id(tricode: str | None) -> int | None:
    """Look up the service's id of a club."""
    return _team_ids().get(tricode or "")
