"""Answers in the documented shape of the services, made from tables in the landing layout (of the simulator, or real ones)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from nba_api.stats.static import teams

from nba_pipeline.sources.parsing.odds import PROP_MARKETS
from nba_pipeline.sources.plan import SEASON_TYPES
from nba_pipeline_tests.support.loopback import Answer, Request, of_json
from nba_pipeline_tests.support.small_pdf import injury_report_pdf

EASTERN = ZoneInfo("America/New_York")
IDS = {t["abbreviation"]: t["id"] for t in teams.get_teams()}
NAMES = {t["abbreviation"]: t["full_name"] for t in teams.get_teams()}
COUNTS = ("FGM", "FGA", "FG3M", "FG3A", "FTM", "FTA", "OREB", "DREB", "REB", "AST", "STL", "BLK", "TOV", "PF", "PTS")
V3_COUNTS = {
    "fieldGoalsMade": "fgm",
    "fieldGoalsAttempted": "fga",
    "threePointersMade": "fg3m",
    "threePointersAttempted": "fg3a",
    "freeThrowsMade": "ftm",
    "freeThrowsAttempted": "fta",
    "reboundsOffensive": "oreb",
    "reboundsDefensive": "dreb",
    "reboundsTotal": "reb",
    "assists": "ast",
    "steals": "stl",
    "blocks": "blk",
    "turnovers": "tov",
    "foulsPersonal": "pf",
    "points": "pts",
}
Row = dict[str, Any]


def result_set(name: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    return {
        "resource": name,
        "resultSets": [{"name": name, "headers": list(headers), "rowSet": [list(r) for r in rows]}],
    }


@dataclass
class Services:
    """The three services, of one season. Rows are those of the landing feeds; `reports`: (name of the file, its moment,
    statements as (game, team, printed name, status, reason))."""

    season: str
    games: list[Row]
    players: list[Row] = field(default_factory=list)
    teams: list[Row] = field(default_factory=list)
    shots: list[Row] = field(default_factory=list)
    absent: list[Row] = field(default_factory=list)
    props: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    reports: dict[str, tuple[datetime, list[tuple[Row, str, str, str, str]]]] = field(default_factory=dict)
    has_cdn: bool = False

    def __call__(self, request: Request) -> Answer | None:
        """The rule that answers requests as the services would."""
        name, p = request.path.rsplit("/", 1)[-1], request.parameters
        if name in self.reports:
            return Answer(injury_report_pdf(*self.reports[name]), headers={"Content-Type": "application/pdf"})
        if "/sports/" in request.path:
            return self._odds(request)
        if "/cdn/" in request.path:
            if not self.has_cdn or "nba.com" not in request.headers.get("Referer", ""):
                return Answer("<Error><Code>AccessDenied</Code></Error>", 403)
            game = name.removeprefix("boxscore_").removesuffix(".json")
            return of_json(self.live_box_score(game) if "/boxscore/" in request.path else self.schedule({}))
        made = {
            "scheduleleaguev2": self.schedule,
            "leaguegamelog": self.game_log,
            "boxscoretraditionalv3": lambda p: self.box_score(p["GameID"]),
            "shotchartdetail": self.shot_chart,
            "playerindex": lambda _: self.player_index(),
            "leaguedashplayerbiostats": lambda _: self.bios(),
        }.get(name)
        return of_json(made(p)) if made else None

    def schedule(self, _: Mapping[str, str]) -> Any:
        by_day: dict[date, list[Row]] = defaultdict(list)
        for g in self.games:
            by_day[g["game_date"]].append(self._scheduled(g))
        dates = [{"gameDate": f"{d:%m/%d/%Y} 00:00:00", "games": gs} for d, gs in sorted(by_day.items())]
        return {
            "meta": {"version": 1},
            "leagueSchedule": {"seasonYear": self.season, "leagueId": "00", "gameDates": dates},
        }

    def _scheduled(self, g: Row) -> Row:
        tip = g["game_datetime_utc"]
        local = tip.astimezone(EASTERN) if tip else datetime.combine(g["game_date"], datetime.min.time())
        over = g["home_pts"] is not None
        return {
            "gameId": g["game_id"],
            "gameStatus": 3 if over else 1,
            "gameStatusText": "Final" if over else (f"{local:%I:%M %p} ET" if tip else "TBD"),
            "gameDateEst": f"{g['game_date']}T00:00:00Z",
            "gameDateTimeEst": f"{local:%Y-%m-%dT%H:%M:%S}Z",
            "gameDateTimeUTC": f"{tip:%Y-%m-%dT%H:%M:%S}Z" if tip else "",
            "arenaName": g.get("arena") or "",
            "isNeutral": bool(g.get("neutral_site")),
            "homeTeam": {"teamTricode": g["home_team"], "score": g["home_pts"] or 0},
            "awayTeam": {"teamTricode": g["away_team"], "score": g["away_pts"] or 0},
        }

    def game_log(self, p: Mapping[str, str]) -> Any:
        rows = self.players if p["PlayerOrTeam"] == "P" else self.teams
        headers = ["SEASON_ID", "TEAM_ID", "TEAM_ABBREVIATION", "GAME_ID", "GAME_DATE", "MATCHUP", "MIN", *COUNTS]
        who = ["PLAYER_ID", "PLAYER_NAME", "PLUS_MINUS"] if p["PlayerOrTeam"] == "P" else []
        wanted = [r for r in rows if _of_type(r, p["SeasonType"]) and _between(r, p)]
        values = [
            [*self._logged(r), *([r["player_id"], r["player_name"], r["plus_minus"]] if who else [])] for r in wanted
        ]
        return result_set("LeagueGameLog", [*headers, *who], values)

    def _logged(self, r: Row) -> list[Any]:
        matchup = f"{r['team']} {'vs.' if r['is_home'] else '@'} {r['opponent']}"
        head = [f"2{self.season[:4]}", IDS[r["team"]], r["team"], r["game_id"], f"{r['game_date']}", matchup, r["min"]]
        return [*head, *(r[c.lower()] for c in COUNTS)]

    def box_score(self, game_id: str) -> Any:
        game = next(g for g in self.games if g["game_id"] == game_id)
        return {
            "meta": {"version": 1},
            "boxScoreTraditional": {
                "gameId": game_id,
                "homeTeamId": IDS[game["home_team"]],
                "awayTeamId": IDS[game["away_team"]],
                "homeTeam": self._side(game_id, game["home_team"]),
                "awayTeam": self._side(game_id, game["away_team"]),
            },
        }

    def _side(self, game_id: str, team: str) -> Row:
        def here(rows: list[Row]) -> list[Row]:
            return [r for r in rows if r["game_id"] == game_id and r["team"] == team]

        played = [self._person(r, "F" if r["starter"] else "", "", _statistics(r)) for r in here(self.players)]
        nothing = {"minutes": "", "plusMinusPoints": 0} | dict.fromkeys(V3_COUNTS, 0)
        absent = [self._person(r, "", r["reason"], nothing) for r in here(self.absent)]
        (total,) = here(self.teams)
        sums = {"minutes": f"{total['min']}:00"} | {k: total[v] for k, v in V3_COUNTS.items()}
        return {"teamId": IDS[team], "teamTricode": team, "players": [*played, *absent], "statistics": sums}

    def _person(self, r: Row, position: str, comment: str, statistics: Row) -> Row:
        first, _, family = r["player_name"].partition(" ")
        who = {"personId": int(r["player_id"]), "firstName": first, "familyName": family}
        return {**who, "position": position, "comment": comment, "statistics": statistics}

    def live_box_score(self, game_id: str) -> Any:
        game = next(g for g in self.games if g["game_id"] == game_id)
        sides = {"homeTeam": game["home_team"], "awayTeam": game["away_team"]}
        return {
            "meta": {"version": 1, "code": 200},
            "game": {
                "gameId": game_id,
                "gameStatus": 3,
                **{side: self._live_side(game_id, team) for side, team in sides.items()},
            },
        }

    def _live_side(self, game_id: str, team: str) -> Row:
        side = self._side(game_id, team)

        def live(statistics: Row) -> Row:
            minutes, _, seconds = (statistics["minutes"] or "0:00").partition(":")
            return statistics | {"minutes": f"PT{int(minutes):02d}M{seconds}.00S", "minutesCalculated": f"PT{minutes}M"}

        players = [
            {
                "status": "ACTIVE" if p["statistics"]["minutes"] else "INACTIVE",
                "personId": p["personId"],
                "firstName": p["firstName"],
                "familyName": p["familyName"],
                "name": f"{p['firstName']} {p['familyName']}",
                "starter": "1" if p["position"] else "0",
                "played": "1" if p["statistics"]["minutes"] else "0",
                "notPlayingReason": "" if p["statistics"]["minutes"] else "INACTIVE_COACH",
                "notPlayingDescription": p["comment"],
                "statistics": live(p["statistics"]),
            }
            for p in side["players"]
        ]
        return {"teamTricode": team, "players": players, "statistics": live(side["statistics"])}

    def shot_chart(self, p: Mapping[str, str]) -> Any:
        headers = (
            *("GRID_TYPE", "GAME_ID", "PLAYER_ID", "TEAM_ID", "PERIOD", "MINUTES_REMAINING", "SECONDS_REMAINING"),
            *(
                "ACTION_TYPE",
                "SHOT_TYPE",
                "SHOT_ZONE_BASIC",
                "SHOT_DISTANCE",
                "LOC_X",
                "LOC_Y",
                "SHOT_MADE_FLAG",
                "GAME_DATE",
            ),
        )
        wanted = [r for r in self.shots if _of_type(r, p["SeasonType"]) and _between(r, p)]
        if p["TeamID"] != "0":
            wanted = [r for r in wanted if f"{r['team_id']}" == p["TeamID"]]
        return result_set("Shot_Chart_Detail", headers, [_attempt(r) for r in wanted])

    def player_index(self) -> Any:
        headers = (
            "PERSON_ID",
            "PLAYER_LAST_NAME",
            "PLAYER_FIRST_NAME",
            "TEAM_ABBREVIATION",
            "POSITION",
            "FROM_YEAR",
            "TO_YEAR",
        )
        people = {r["player_id"]: r for r in self.players}
        rows = [
            (i, r["player_name"].partition(" ")[2], r["player_name"].partition(" ")[0], r["team"], "F", "2015", "2025")
            for i, r in people.items()
        ]
        return result_set("PlayerIndex", headers, rows)

    def bios(self) -> Any:
        people = sorted({r["player_id"] for r in self.players})
        return result_set("LeagueDashPlayerBioStats", ("PLAYER_ID", "AGE"), [(i, 20.0 + i % 15) for i in people])

    def _odds(self, request: Request) -> Answer | None:
        at = request.parameters.get("date")
        parts = request.path.split("/")
        if parts[-1] == "events":
            first = datetime.fromisoformat(at).date() if at else None
            listed = [
                self._event(g) for g in self.games if not first or first <= g["game_date"] <= first + timedelta(days=1)
            ]
            return of_json(_wrapped(listed, at))
        asked = set(request.parameters["markets"].split(","))
        if parts[-2] == "basketball_nba":
            moment = datetime.fromisoformat(at) if at else None
            listed = [
                self._event(g) | {"bookmakers": self._books(g, asked)}
                for g in self.games
                if g["game_datetime_utc"]
                and {g["home_team"], g["away_team"]} <= set(NAMES)
                and (not moment or abs(g["game_datetime_utc"] - moment) < timedelta(days=1))
            ]
            return of_json(_wrapped(listed, at))
        game = next((g for g in self.games if _event_id(g) == parts[-2]), None)
        return of_json(_wrapped(self._event(game) | {"bookmakers": self._books(game, asked)}, at)) if game else None

    def _event(self, g: Row) -> Row:
        return {
            "id": _event_id(g),
            "sport_key": "basketball_nba",
            "commence_time": f"{g['game_datetime_utc']:%Y-%m-%dT%H:%M:%SZ}",
            "home_team": NAMES.get(g["home_team"], f"Team {g['home_team']}"),
            "away_team": NAMES.get(g["away_team"], f"Team {g['away_team']}"),
        }

    def _books(self, game: Row, asked: set[str]) -> list[Row]:
        books: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        keys = {market: key for key, market in PROP_MARKETS.items()}
        for r in self.props:
            if r["game_id"] == game["game_id"] and r["market"] in keys:
                for side in ("over", "under"):
                    outcome = {"name": side.title(), "description": r["player_name_source"], "point": r["line"]}
                    books[r["bookmaker"]][keys[r["market"]]].append(outcome | {"price": r[f"{side}_odds"]})
        home, away = NAMES[game["home_team"]], NAMES[game["away_team"]]
        for r in (x for x in self.lines if x["game_id"] == game["game_id"]):
            spread = [(home, r["spread_home"]), (away, -r["spread_home"])]
            books[r["bookmaker"]]["spreads"] = [{"name": n, "price": -110, "point": p} for n, p in spread]
            books[r["bookmaker"]]["totals"] = [
                {"name": n, "price": -110, "point": r["total"]} for n in ("Over", "Under")
            ]
            books[r["bookmaker"]]["h2h"] = [
                {"name": home, "price": r["ml_home"]},
                {"name": away, "price": r["ml_away"]},
            ]
        return [
            {
                "key": book,
                "title": book,
                "markets": [{"key": k, "outcomes": o} for k, o in markets.items() if k in asked],
            }
            for book, markets in books.items()
            if asked & set(markets)
        ]


def _event_id(game: Row) -> str:
    return f"event{game['game_id']}"


def _wrapped(data: Any, at: str | None) -> Any:
    return {"timestamp": at, "previous_timestamp": at, "next_timestamp": at, "data": data} if at else data


def _of_type(r: Row, season_type: str) -> bool:
    return SEASON_TYPES.get(r["game_id"][:3]) == season_type


def _between(r: Row, p: Mapping[str, str]) -> bool:
    day = f"{r['game_date']}"
    return p.get("DateFrom", "") <= day <= (p.get("DateTo") or "9999")


def _statistics(r: Row) -> Row:
    seconds = round(r["min_exact"] * 60)
    return {"minutes": f"{seconds // 60}:{seconds % 60:02d}", "plusMinusPoints": float(r["plus_minus"])} | {
        k: r[v] for k, v in V3_COUNTS.items()
    }


def _attempt(r: Row) -> list[Any]:
    where = [
        r["action_type"],
        f"{r['shot_value']}PT Field Goal",
        r["zone_basic"],
        r["shot_distance"],
        r["loc_x"],
        r["loc_y"],
    ]
    head = [
        "Shot Chart Detail",
        r["game_id"],
        r["player_id"],
        r["team_id"],
        r["period"],
        r["mins_left"],
        r["secs_left"],
    ]
    return [*head, *where, int(r["shot_made"]), f"{r['game_date']:%Y%m%d}"]
