"""Services on a bad evening: throttled, with blank answers, missing reports and events, odd quotes, and a quota of credits.

`python -m nba_pipeline_tests.support.bad_evening DAYS` ingests so many days from it and prints calls, credits and rests;
`... DAYS --serve PORT` only serves it, for another release to ingest.
"""

import json
import re
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources.odds_plan import PAST
from nba_pipeline.sources.plan import INJURY_REPORTS
from nba_pipeline.sources.witnesses import KNOWN
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.support.loopback import Answer, Request
from nba_pipeline_tests.support.service_answers import EASTERN, Services
from nba_pipeline_tests.support.small_league import absent_of, game_of, line_of, players_of, prop_of, shots_of, team_of
from nba_pipeline_tests.support.small_pdf import injury_report_pdf

FIRST = date(2024, 11, 1)
SEASON = "2024-25"
REPORT = re.compile(r"Injury-Report_(\d{4}-\d{2}-\d{2})_(\d{2}[AP]M)\.pdf")
SLATE = ((19, 0), (19, 0), (19, 0), (19, 30), (19, 30), (20, 0), (20, 0), (22, 0))


@dataclass
class SimulatedTimer:
    """Time that passes by sleeping only."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def month(days: int) -> Services:
    """Days with eight games each, all over."""
    games = []
    for d in range(days):
        for n, (hour, minute) in enumerate(SLATE):
            day = FIRST + timedelta(days=d)
            tip = datetime(day.year, day.month, day.day, hour, minute, tzinfo=EASTERN).astimezone(UTC)
            home, away = TRICODES[(2 * n + d) % 30], TRICODES[(2 * n + 1 + d) % 30]
            games.append(game_of(f"00224{d * 8 + n + 1:05d}", day, tip, home, away, over=True))
    players = [p for g in games for side in ("home", "away") for p in players_of(g, side)]
    by_game: dict[str, list[Any]] = {}
    for p in players:
        by_game.setdefault(p["game_id"], []).append(p)
    return Services(
        SEASON,
        games,
        players=players,
        teams=[team_of(by_game[g["game_id"]], g, side) for g in games for side in ("home", "away")],
        shots=[s for p in players for s in shots_of(p)],
        absent=[absent_of(g, side) for g in games for side in ("home", "away")],
        props=[prop_of(p) for p in players if p["starter"]],
        lines=[line_of(g) for g in games],
    )


@dataclass
class BadEvening:
    """The rule of the server.

    Attributes:
        services: What the services would answer on a good evening.
        monotonic: The passing of time.
        throttle_after: Calls to the statistics service after which it answers none.
        throttle_for: Seconds for which it then answers none.
        blank_every: Every so many calls it answers without content.
        quota: Credits of the odds service.
        is_blocked: Whether the edge of the injury reports refuses a file, whatever it is.
        missing: Games that the first list of events of a day lacks; those in `unlisted` are in none.
    """

    services: Services
    monotonic: Callable[[], float] = time.monotonic
    throttle_after: int = 150
    throttle_for: float = 3600.0
    blank_every: int = 37
    quota: int = 20_000
    unlisted: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    is_blocked: Callable[[str], bool] = lambda _: False
    used: int = 0
    throttles: int = 0
    throttled: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    _since: int = 0
    _until: float = float("-inf")

    def __call__(self, request: Request) -> Answer | None:
        source = request.path.split("/")[1]
        self.calls[source] = self.calls.get(source, 0) + 1
        if source == "stats":
            return self._stats(request)
        return self._odds(request) if source == "odds" else self._report(request)

    def _stats(self, request: Request) -> Answer | None:
        if self.monotonic() < self._until:
            self.throttled += 1
            return (Answer("{}"), Answer("denied", 403), Answer(" \n"), Answer(status=429))[self.throttled % 4]
        self._since += 1
        if self._since > self.throttle_after:
            self._since, self._until = 0, self.monotonic() + self.throttle_for
            self.throttles += 1
            return Answer("{}")
        return Answer("{}") if self._since % self.blank_every == 0 else self.services(request)

    def _report(self, request: Request) -> Answer:
        name = request.path.rsplit("/", 1)[-1]
        if self.is_blocked(name):
            return Answer("<TITLE>Access Denied</TITLE>", 403)
        if name == KNOWN[INJURY_REPORTS]["file"]:
            return Answer(b"%PDF-1.4")
        found = REPORT.fullmatch(name)
        if found is None or zlib.crc32(name.encode()) % 2:
            return Answer("<Error><Code>AccessDenied</Code></Error>", 403)
        local = datetime.strptime(f"{found[1]} {found[2]}", "%Y-%m-%d %I%p").replace(minute=30, tzinfo=EASTERN)
        game = next(g for g in self.services.games if f"{g['game_date']}" == found[1])
        statement = (game, game["home_team"], f"Absent, {game['home_team']}", "Out", "Rest")
        return Answer(injury_report_pdf(local.astimezone(UTC), [statement]))

    def _odds(self, request: Request) -> Answer | None:
        answer = self.services(request)
        if answer is None:
            return None
        cost = self._cost(request)
        if self.used + cost > self.quota:
            message = {"message": "Usage quota has been reached.", "error_code": "OUT_OF_USAGE_CREDITS"}
            return Answer(json.dumps(message), 401)
        self.used += cost
        payload = self._odd(request, json.loads(answer.content))
        headers = {
            "x-requests-last": cost,
            "x-requests-used": self.used,
            "x-requests-remaining": self.quota - self.used,
        }
        return Answer(json.dumps(payload), headers={k: f"{v}" for k, v in headers.items()})

    def _cost(self, request: Request) -> int:
        past = "/historical/" in request.path
        if request.path.endswith("/events"):
            return 1 if past else 0
        return len(request.parameters["markets"].split(",")) * (PAST if past else 1)

    def _odd(self, request: Request, payload: Any) -> Any:
        """Change an answer: events that are missing, sides exchanged, a line listed twice."""
        data = payload["data"] if isinstance(payload, dict) and "data" in payload else payload
        if isinstance(data, list):
            first = request.path.endswith("/events") and "T09" <= request.parameters.get("date", "")[10:13] < "T20"
            hidden = {f"event{g}" for g in (self.unlisted | self.missing if first else self.unlisted)}
            data[:] = [_odd_event(e) for e in data if e["id"] not in hidden]
        else:
            data.update(_odd_event(data))
        return payload


def _odd_event(event: dict[str, Any]) -> dict[str, Any]:
    if int(event["id"][-2:]) % 5 == 0:
        event = event | {"home_team": event["away_team"], "away_team": event["home_team"]}
    for book in event.get("bookmakers", ())[:1]:
        for market in book["markets"]:
            if market["key"] == "player_points":
                twice = [dict(o) for o in market["outcomes"][:2]]
                market["outcomes"] += [o | {"price": o["price"] - 5} for o in twice]
    return event


def main() -> None:
    """Serve a bad month, or ingest it and print what it took."""
    import tempfile
    from pathlib import Path

    from nba_pipeline.sources.ingest import ingest_days
    from nba_pipeline.sources.live_settings import LiveSettings
    from nba_pipeline.sources.rests import Timer
    from nba_pipeline_tests.support.loopback import loopback

    days = int(sys.argv[1])
    timer = SimulatedTimer()
    serving = "--serve" in sys.argv
    evening = BadEvening(
        month(days), time.monotonic if serving else timer.monotonic, unlisted=frozenset({"0022400007"})
    )
    with loopback() as server:
        server.rule = evening
        if serving:
            print(server.url, flush=True)
            sys.stdin.read()
            print(evening.calls, evening.used, evening.throttles)
            return
        with tempfile.TemporaryDirectory() as place:
            live = LiveSettings(
                nba_stats_url=f"{server.url}/stats",
                nba_cdn_url=f"{server.url}/cdn",
                odds_api_url=f"{server.url}/odds",
                injuries_url=f"{server.url}/injuries",
                odds_api_key="key",
            )
            outcome = ingest_days(
                [FIRST + timedelta(days=d) for d in range(days)],
                live=live,
                state=HomeState(Path(place)),
                tell=print,
                timer=Timer(timer.monotonic, timer.sleep),
            )
    print(f"{timer.now / 3600:.1f} simulated hours, rests {outcome.waited}, credits {outcome.credits} ({evening.used})")
    print(f"requests {evening.calls}, throttled {evening.throttles} times for an hour: {evening.throttled} requests")
    print(dict(outcome.fetched), dict(outcome.absent), outcome.untried)
    print(*outcome.failures, sep="\n")


if __name__ == "__main__":
    main()
