"""Services on a bad evening: an ingest goes on by itself, stays within its budget, and asks for nothing twice."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nba_pipeline.sources.call_log import CallLog, month_of
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.ingest import IngestOutcome, ingest_days
from nba_pipeline.sources.landing import PLAYER_BOXSCORES
from nba_pipeline.sources.live_settings import LiveSettings, Pace
from nba_pipeline.sources.plan import INJURY_REPORTS
from nba_pipeline.sources.probes import TIMEOUT, Probe, probe_all
from nba_pipeline.sources.rests import Timer
from nba_pipeline.sources.witnesses import KNOWN
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.support.bad_evening import FIRST, BadEvening, SimulatedTimer, month
from nba_pipeline_tests.support.loopback import Answer, Loopback, loopback, of_json

FIRST_MOMENT = datetime(2024, 12, 1, tzinfo=UTC)
DAYS = 2
GAMES = 8 * DAYS
UNLISTED, LATE = "0022400007", "0022400012"


@dataclass
class Evening:
    """A home beside the services."""

    server: Loopback
    services: BadEvening
    timer: SimulatedTimer
    live: LiveSettings
    place: Path
    notices: list[str] = field(default_factory=list)

    def ingest(self, *kinds: str, closing: bool = False) -> IngestOutcome:
        return ingest_days(
            [FIRST + timedelta(days=d) for d in range(DAYS)],
            kinds or ("boxscores", "shots", "injuries", "lines"),
            live=self.live,
            state=HomeState(self.place),
            closing=closing,
            tell=self.notices.append,
            timer=Timer(self.timer.monotonic, self.timer.sleep),
        )

    @property
    def log(self) -> CallLog:
        return CallLog(HomeState(self.place))


@pytest.fixture(scope="module")
def good() -> BadEvening:
    return BadEvening(month(DAYS))


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: BadEvening) -> Iterator[Evening]:
    monkeypatch.setenv("NBA_PIPELINE_NOW", "2024-12-15T12:00:00+00:00")
    timer = SimulatedTimer()
    services = BadEvening(
        good.services,
        timer.monotonic,
        throttle_after=18,
        blank_every=7,
        unlisted=frozenset({UNLISTED}),
        missing=frozenset({LATE}),
    )
    with loopback() as server:
        server.rule = services
        live = LiveSettings(
            nba_stats_url=f"{server.url}/stats",
            nba_cdn_url=f"{server.url}/cdn",
            odds_api_url=f"{server.url}/odds",
            injuries_url=f"{server.url}/injuries",
            odds_api_key="key",
            pace=Pace(pause=1.0, timeout=5, attempts=2),
        )
        yield Evening(server, services, timer, live, tmp_path)


def test_days_are_ingested_to_the_end_without_a_hand(evening: Evening) -> None:
    outcome = evening.ingest()
    assert outcome.fetched["nba_stats box_score"] == GAMES and outcome.untried == 0
    assert evening.services.throttles >= 1
    assert 3600 <= sum(outcome.waited.values()) < 2 * 3600 * evening.services.throttles
    assert [f.split(" (")[0] for f in outcome.failures] == [f"odds_api: game {UNLISTED}"]
    assert any("rest 6" in n and "calls done" in n for n in evening.notices)
    assert outcome.fetched["odds_api event_odds_at"] == 2 * (GAMES - 1)
    assert outcome.credits == evening.services.used == evening.log.spent("odds_api", month_of(FIRST_MOMENT))
    assert any("calls for history cost about" in n for n in evening.notices)


def test_what_was_answered_and_what_does_not_exist_is_not_asked_again(evening: Evening) -> None:
    first = evening.ingest()
    assert first.absent["injury_reports report"] > 5
    evening.services.calls.clear()
    again = evening.ingest()
    assert again.fetched == {} and again.credits == 0 and evening.services.calls == {}


def test_a_cap_is_never_exceeded_and_more_credits_buy_only_the_rest(evening: Evening) -> None:
    evening.live = replace(evening.live, odds_monthly_credits=500)
    outcome = evening.ingest("lines")
    assert evening.services.used <= 500 < evening.services.used + 30
    assert sum("NBA_PIPELINE_ODDS_MONTHLY_CREDITS" in f for f in outcome.failures) == 1 and outcome.untried > 0
    assert any("of 500 spent this month" in n for n in evening.notices)
    evening.live = replace(evening.live, odds_monthly_credits=5000)
    rest = evening.ingest("lines")
    assert rest.untried == 0 and len(rest.failures) == 1
    assert evening.services.used == outcome.credits + rest.credits
    assert outcome.credits + rest.credits <= 30 * 6 * DAYS + 10 * 2 * GAMES + 3 * DAYS


def test_a_quota_that_is_used_up_is_an_error_by_name_and_ends_the_calls(evening: Evening) -> None:
    evening.services.quota = 100
    outcome = evening.ingest("lines")
    assert any("Usage quota has been reached" in f for f in outcome.failures) and outcome.untried > 0


def test_a_service_that_never_answered_is_given_up_without_a_rest(evening: Evening) -> None:
    evening.server.rule = lambda r: Answer(status=403) if r.path.startswith("/stats") else evening.services(r)
    outcome = evening.ingest("boxscores")
    assert outcome.waited == {} and evening.timer.now < 60
    assert "the service turns requests away (status 403)" in outcome.failures[0]


def test_a_service_that_stays_away_is_given_up_when_patience_ends(evening: Evening) -> None:
    evening.services.throttle_after = 10
    evening.live = replace(evening.live, pace=replace(evening.live.pace, patience=500))
    outcome = evening.ingest("boxscores")
    assert outcome.untried > 0 and sum(outcome.waited.values()) == 60 + 120 + 240
    assert outcome.fetched["nba_stats box_score"] > 0
    evening.timer.sleep(3600)
    assert evening.ingest("boxscores").fetched["nba_stats box_score"] < GAMES


@pytest.mark.parametrize("minutes", [0, 120], ids=["few reports", "many reports"])
def test_a_machine_that_is_turned_away_learns_nothing_about_reports_and_asks_again(
    evening: Evening, minutes: int
) -> None:
    evening.live = replace(evening.live, report_minutes_before=minutes)
    evening.services.is_blocked = lambda _: True
    for _ in range(2):
        outcome = evening.ingest("injuries")
        assert (outcome.absent, outcome.complete, outcome.waited) == ({}, False, {})
        assert any("injury_reports turns this machine away" in n for n in evening.notices)
    evening.services.is_blocked = lambda _: False
    outcome = evening.ingest("injuries")
    assert outcome.complete and outcome.fetched["injury_reports report"] > 0 and outcome.absent
    evening.services.calls.clear()
    assert evening.ingest("injuries").complete and "injuries" not in evening.services.calls


def test_a_web_page_in_the_place_of_a_report_that_exists_shows_that_the_machine_is_turned_away(
    evening: Evening,
) -> None:
    evening.services.is_blocked = lambda _: True
    evening.server.rule = lambda r: (
        Answer("<html>Access Denied</html>") if r.path.endswith(KNOWN[INJURY_REPORTS]["file"]) else evening.services(r)
    )
    outcome = evening.ingest("injuries")
    assert (outcome.absent, outcome.complete) == ({}, False)


@pytest.mark.parametrize("ends_with", ["time", "requests"])
def test_reports_refused_by_a_block_that_began_on_the_way_come_when_it_is_over(
    evening: Evening, ends_with: str
) -> None:
    good = evening.ingest("injuries")
    again = Evening(evening.server, evening.services, evening.timer, evening.live, evening.place / "other")
    asked: list[str] = []

    def is_blocked(name: str) -> bool:
        asked.append(name)
        return len(asked) > 5 and (evening.timer.now < 1800 if ends_with == "time" else len(asked) <= 15)

    evening.services.is_blocked, evening.timer.now = is_blocked, 0.0
    outcome = again.ingest("injuries")
    assert (outcome.fetched, outcome.absent, outcome.complete) == (good.fetched, good.absent, True)
    assert (1800 if ends_with == "time" else 60) <= outcome.waited["injury_reports"] < 7200
    assert any("asked for again after a rest" in n for n in again.notices)


@pytest.mark.parametrize("first", range(0, 12, 2))
def test_a_block_of_a_few_requests_that_is_over_before_it_is_noticed_loses_no_report(
    evening: Evening, first: int
) -> None:
    good = evening.ingest("injuries")
    again = Evening(evening.server, evening.services, evening.timer, evening.live, evening.place / "other")
    asked: list[str] = []

    def is_blocked(name: str) -> bool:
        asked.append(name)
        return first < len(asked) <= first + 6

    evening.services.is_blocked = is_blocked
    outcome = again.ingest("injuries")
    assert (outcome.fetched, outcome.absent, outcome.complete) == (good.fetched, good.absent, True)
    evening.services.calls.clear()
    assert again.ingest("injuries").complete and "injuries" not in evening.services.calls


def test_the_second_source_takes_over_marks_its_rows_and_differences_are_named(
    evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = evening.services.services
    monkeypatch.setattr(services, "has_cdn", True)
    monkeypatch.setenv("NBA_PIPELINE_NOW", "2024-11-04T15:00:00+00:00")
    evening.live = replace(evening.live, pace=replace(evening.live.pace, patience=0))
    evening.server.rule = lambda r: Answer("{}") if "boxscoretraditional" in r.path else services(r)
    outcome = evening.ingest("boxscores")
    assert outcome.fetched["nba_cdn live_box_score"] == GAMES and outcome.complete
    rows = FilesSource(evening.place / "landing").read(PLAYER_BOXSCORES, [FIRST]).to_pylist()
    assert {(r["source"], r["starter"], r["min_exact"]) for r in rows if r["min_exact"] == 29.5} == {
        ("NBA live data", True, 29.5),
        ("NBA live data", False, 29.5),
    }
    evening.server.rule = services
    corrected = next(p for p in services.players if p["game_id"] == "0022400001")
    monkeypatch.setitem(corrected, "reb", corrected["reb"] + 1)
    (difference,) = evening.ingest("boxscores").disagreements
    assert difference.endswith("reb is 5 at nba_stats and 4 at nba_cdn") and "game 0022400001" in difference
    rows = FilesSource(evening.place / "landing").read(PLAYER_BOXSCORES, [FIRST]).to_pylist()
    assert {r["source"] for r in rows} == {None}
    (kept,) = (evening.place / "payloads/nba_cdn/live_box_score/0022400002").glob("*.gz")
    kept.write_bytes(b"damaged")
    outcome = evening.ingest("schedule")
    assert len(outcome.disagreements) == 2
    assert f"game 0022400002: the two sources cannot be compared: {kept} cannot be read" in outcome.disagreements[1]


def probes(evening: Evening) -> dict[str, Probe]:
    return {p.source: p for p in probe_all(evening.live, evening.log)}


def test_what_each_service_does_is_told_within_seconds(evening: Evening) -> None:
    services = evening.services.services
    is_behind_proxy = False
    evening.server.rule = lambda r: (
        Answer("{}", delay=20)
        if r.path.startswith(("/stats", "/cdn"))
        else Answer("<html>a page of the proxy</html>")
        if "Injury-Report" in r.path and is_behind_proxy
        else of_json([])
        if "/odds" in r.path
        else Answer("<Error/>", 404)
    )
    evening.live = replace(evening.live, pace=Pace(timeout=5, pause=5))
    began = time.monotonic()
    found = probes(evening)
    assert time.monotonic() - began < 2 * TIMEOUT - 1
    assert {s: p.state for s, p in found.items()} == {
        "nba_stats": "blocked",
        "nba_cdn": "blocked",
        "odds_api": "answers",
        "injury_reports": "refused",
        "nba_lineups": "answers",
    }
    assert all(p.seconds < TIMEOUT + 1 for p in found.values())
    assert all("no answer within 3 s" in found[s].detail for s in ("nba_stats", "nba_cdn"))
    assert "NBA_API_PROXY" in found["nba_stats"].fix and "Fetch here, compute there" in found["nba_stats"].fix
    is_behind_proxy = True
    assert probes(evening)["injury_reports"].state == "blocked"
    evening.server.rule = services
    evening.ingest("schedule")
    evening.server.rule = lambda _: Answer(status=403)
    found = probes(evening)
    assert {s: p.state for s, p in found.items() if s != "odds_api"} == {
        "nba_stats": "throttled",
        "nba_cdn": "blocked",
        "injury_reports": "blocked",
        "nba_lineups": "blocked",
    }


def test_missing_and_refused_keys_and_credits_are_told_apart(evening: Evening) -> None:
    evening.live = replace(evening.live, odds_api_key=None)
    assert (probes(evening)["odds_api"].state, probes(evening)["odds_api"].fine) == ("key missing", True)
    evening.live = replace(evening.live, odds_api_key="key")
    evening.server.rule = lambda _: Answer('{"message": "bad key", "error_code": "INVALID_KEY"}', 401)
    assert probes(evening)["odds_api"].state == "key refused"
    for left, state in (("0", "no credits"), ("17", "answers")):
        evening.server.rule = lambda _, left=left: Answer("[]", headers={"x-requests-remaining": left})
        assert (probes(evening)["odds_api"].state, probes(evening)["odds_api"].credits_left) == (state, int(left))
