"""From services to landing files, over real sockets: what is asked, what is kept, what becomes rows, and what never does."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from nba_pipeline.cli.main import main
from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError, SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.sources.call_log import CallLog
from nba_pipeline.sources.ingest import IngestOutcome, ingest_days
from nba_pipeline.sources.landing import (
    FEEDS,
    GAME_LINES,
    INJURIES,
    LINEUPS,
    PLAYER_AGES,
    PLAYER_BOXSCORES,
    PLAYERS,
    PROP_LINES,
    SCHEDULE,
    SHOTS,
    TEAM_BOXSCORES,
    Feed,
)
from nba_pipeline.sources.landing_files import write_rows
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import KINDS
from nba_pipeline.state import mirror
from nba_pipeline.state.bucket import MirroredDirectory
from nba_pipeline_tests.support.loopback import Answer, Loopback, Request, loopback, of_json
from nba_pipeline_tests.support.service_answers import Services
from nba_pipeline_tests.support.small_league import BOSTON, DAY, DENVER, NEXT_DAY, TO_COME, services
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

CANARY = "canary-key-4711"
AFTER, LATER = "2024-11-06T15:00:00+00:00", "2024-11-20T15:00:00+00:00"


@dataclass
class Live:
    """A home whose services are played by the loopback."""

    server: Loopback
    services: Services
    environment: dict[str, str]
    patch: pytest.MonkeyPatch

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)

    @property
    def home(self) -> Path:
        return self.settings.home

    def at(self, moment: str) -> None:
        self.patch.setenv("NBA_PIPELINE_NOW", moment)

    def ingest(self, *kinds: str, days: tuple[date, ...] = (DAY,), replay: bool = False) -> IngestOutcome:
        self.server.requests.clear()
        of = self.settings
        return ingest_days(days, kinds or KINDS, live=of.live, state=of.open_state(), replay=replay)

    def rows(self, feed: Feed, day: date = DAY) -> list[dict[str, Any]]:
        return self.settings.open_source().inner.read(feed, [day]).to_pylist()

    def but(self, part: str, answer: Answer) -> None:
        """Answer as the services do, except where the path contains this."""
        self.server.rule = lambda r: answer if part in r.path else self.services(r)

    def files(self) -> dict[str, bytes]:
        return {
            f"{p.relative_to(self.settings.landing)}": p.read_bytes() for p in self.settings.landing.rglob("*.parquet")
        }


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    with loopback() as server:
        environment = {
            "NBA_PIPELINE_HOME": str(tmp_path / "home"),
            "NBA_PIPELINE_SOURCE": "nba_stats",
            "NBA_PIPELINE_NBA_STATS_URL": f"{server.url}/stats",
            "NBA_PIPELINE_ODDS_API_URL": f"{server.url}/odds",
            "NBA_PIPELINE_INJURIES_URL": f"{server.url}/injuries",
            "NBA_PIPELINE_NBA_CDN_URL": f"{server.url}/cdn",
            "NBA_PIPELINE_ODDS_API_KEY": CANARY,
            "NBA_PIPELINE_INJURY_HOURS": "13",
            "NBA_PIPELINE_INJURY_MINUTES_BEFORE": "0",
            "NBA_PIPELINE_SCHEDULE_MINUTES": "0",
            "NBA_PIPELINE_LIVE_PATIENCE": "0",
            "NBA_PIPELINE_LIVE_PAUSE": "0",
            "NBA_PIPELINE_LIVE_TIMEOUT": "5",
            "NBA_PIPELINE_LIVE_ATTEMPTS": "2",
        }
        made = services()
        server.rule = made
        here = Live(server, made, environment, monkeypatch)
        here.at(AFTER)
        yield here


# --- a whole day ------------------------------------------------------------------------------------------------------


def test_a_day_arrives_with_everything_that_was_said_about_it(live: Live) -> None:
    outcome = live.ingest()
    assert outcome.complete, outcome.failures
    assert set(outcome.changed) == set(FEEDS) - {"players", "player_ages", "rosters", "lineups"}
    games = {r["game_id"]: r for r in live.rows(SCHEDULE)}
    assert set(games) == {BOSTON, DENVER}
    assert (games[BOSTON]["home_pts"], games[BOSTON]["game_datetime_utc"].isoformat()) == (
        80,
        "2024-11-06T00:30:00+00:00",
    )
    assert {len(live.rows(f)) for f in (PLAYER_BOXSCORES,)} == {32}
    first = min(live.rows(PLAYER_BOXSCORES), key=lambda r: r["player_id"])
    assert (first["starter"], first["min_exact"]) == (True, 29.5)
    assert sum(r["starter"] for r in live.rows(PLAYER_BOXSCORES)) == 20
    assert {(r["team"], r["pts"], r["min"]) for r in live.rows(TEAM_BOXSCORES)} >= {("BOS", 80, 240), ("LAL", 72, 240)}
    assert len(live.rows(SHOTS)) == 32 * 5
    assert live.rows(PLAYERS) and live.rows(PLAYER_AGES)


def test_who_did_not_play_and_who_was_reported_stand_in_one_feed(live: Live) -> None:
    live.ingest()
    by_type: dict[str, list[dict[str, Any]]] = {}
    for r in live.rows(INJURIES):
        by_type.setdefault(r["record_type"], []).append(r)
    assert {r["status"] for r in by_type["boxscore_dnp"]} == {"did_not_play"}
    assert all(r["report_utc"] is None and r["player_id"] for r in by_type["boxscore_dnp"])
    reported = {r["player_name_source"]: r for r in by_type["official_report"]}
    assert set(reported) == {"Gómez O'Neal Jr.", "BOS Absent", "LAL van Absent"}
    out = reported["BOS Absent"]
    assert (out["status"], out["game_id"], out["player_id"]) == ("out", BOSTON, None)
    assert out["report_utc"].isoformat() == "2024-11-05T18:30:00+00:00"


def test_quotes_carry_the_first_and_last_snapshot_that_showed_them(live: Live) -> None:
    live.ingest()
    quotes = live.rows(PROP_LINES)
    assert len(quotes) == 20
    boston = next(q for q in quotes if q["game_id"] == BOSTON)
    assert boston["player_id"] is None and boston["player_name_source"]
    seen = [boston[c].isoformat() for c in ("first_seen_utc", "last_seen_utc")]
    assert seen == ["2024-11-05T14:30:00+00:00", "2024-11-06T00:20:00+00:00"]
    lines = [r for r in live.rows(GAME_LINES) if r["game_id"] == BOSTON]
    assert [(r["spread_home"], r["ml_away"], r["snapshot_utc"].isoformat()) for r in lines] == [
        (-3.5, 140.0, "2024-11-05T14:30:00+00:00"),
        (-3.5, 140.0, "2024-11-06T00:20:00+00:00"),
    ]


@pytest.mark.e2e
def test_the_day_goes_from_the_services_into_the_raw_tables(live: Live) -> None:
    assert live.ingest().complete
    for name, value in live.environment.items():
        live.patch.setenv(name, value)
    live.patch.setenv("DAGSTER_HOME", str(live.home / "dagster"))
    from nba_pipeline.cli.backfill import run_backfill

    assert run_backfill(DAY, DAY, ["nba_raw"], missing=False)
    warehouse = live.settings.open_warehouse()
    published = {e["table_id"]: e for e in warehouse.ledger(None, DAY, DAY).to_pylist()}
    assert {t: e["state"] for t, e in published.items()} == dict.fromkeys(published, "published")
    rows = {t.split(".")[1]: e["rows"] for t, e in published.items()}
    assert rows == {
        "schedule": 2,
        "player_boxscores": 32,
        "team_boxscores": 4,
        "shots": 160,
        "player_prop_lines": 20,
        "game_lines": 5,  # the snapshot before the first game lists the second, too
        "injury_reports": 7,
        "lineups": 0,  # listed before games only, and fetched after them
        "rosters": 0,  # fetched on the day after, and listed there
    }


# --- what is asked, and what is not asked again -----------------------------------------------------------------------


def test_a_day_is_asked_again_until_its_corrections_are_over(live: Live) -> None:
    assert live.ingest("boxscores").complete
    assert len(live.server.asked("boxscore")) == 2
    assert live.ingest("boxscores").fetched["nba_stats box_score"] == 2
    live.at(LATER)
    assert live.ingest("boxscores").fetched["nba_stats box_score"] == 2
    assert live.ingest("boxscores").fetched == {"nba_stats schedule": 1}
    assert live.server.asked("boxscore") == []


def test_a_correction_changes_exactly_its_day_and_says_so(live: Live) -> None:
    live.ingest()
    live.services.players[0]["ast"] += 1
    outcome = live.ingest()
    assert outcome.changed == {"player_boxscores": (DAY,)}
    assert live.ingest().changed == {}


def test_a_game_that_moves_to_another_day_leaves_the_day_that_has_a_file(live: Live) -> None:
    live.ingest("schedule", days=(DAY, NEXT_DAY))
    game = next(g for g in live.services.games if g["game_id"] == TO_COME)
    game["game_date"] = date(2024, 12, 1)
    game["game_datetime_utc"] = game["game_datetime_utc"].replace(month=12, day=2)
    outcome = live.ingest("schedule")
    assert outcome.changed == {"schedule": (NEXT_DAY,)}
    assert live.rows(SCHEDULE, NEXT_DAY) == []


def test_lines_of_games_to_come_are_captured_now_and_at_every_call(live: Live) -> None:
    live.at("2024-11-06T20:00:00+00:00")
    for hour in (20, 21):
        live.at(f"2024-11-06T{hour}:00:00+00:00")
        assert live.ingest("lines", days=(NEXT_DAY,)).complete
    assert [r["snapshot_utc"].hour for r in live.rows(GAME_LINES, NEXT_DAY)] == [20, 21]
    assert all("historical" not in r.path for r in live.server.requests)


def test_lines_that_were_captured_live_are_not_bought_again(live: Live) -> None:
    live.at("2024-11-05T20:00:00+00:00")
    for g in live.services.games:
        g["home_pts"] = g["away_pts"] = None
    live.ingest("lines")
    assert len(live.server.asked("/odds")) == 1 + 1 + 2  # events, the slate, the players of two games
    live.at(AFTER)
    live.ingest("lines")
    assert [r.path.rsplit("/", 1)[-1] for r in live.server.asked("historical")] == ["events"]


def daily_lineups(live: Live, word: str) -> dict[str, Any]:
    """The file of the line-ups of the evening, with a word for starters."""

    def team(g: dict[str, Any], side: str) -> dict[str, Any]:
        people = [p for p in live.services.players if (p["game_id"], p["team"]) == (g["game_id"], g[f"{side}_team"])]
        listed = [
            {"personId": p["player_id"], "playerName": p["player_name"], "rosterStatus": "Active"}
            | ({"lineupStatus": word, "position": "C"} if p["starter"] else {"lineupStatus": "", "position": ""})
            for p in people
        ]
        return {"teamAbbreviation": g[f"{side}_team"], "players": listed}

    games = [g for g in live.services.games if g["game_date"] == DAY and g["game_id"] in (BOSTON, DENVER)]
    return {
        "games": [{"gameId": g["game_id"], "homeTeam": team(g, "home"), "awayTeam": team(g, "away")} for g in games]
    }


def test_line_ups_are_captured_from_two_hours_before_a_game_on_and_stored_when_they_change(live: Live) -> None:
    for g in live.services.games:
        g["home_pts"] = g["away_pts"] = None
    word = "Expected"
    live.server.rule = lambda r: (
        of_json(daily_lineups(live, word)) if r.path.endswith("00_daily_lineups_20241105.json") else live.services(r)
    )
    live.at("2024-11-05T20:00:00+00:00")
    assert live.ingest("lineups").complete and live.server.asked("lineups") == []
    for at, said in (("23:00", "Expected"), ("23:15", "Expected"), ("23:30", "Confirmed")):
        word = said
        live.at(f"2024-11-05T{at}:00+00:00")
        assert live.ingest("lineups").complete and len(live.server.asked("/js/data/leaders/00_daily_lineups_")) == 1
    found = Counter((f"{r['captured_at']:%H:%M}", r["status"]) for r in live.rows(LINEUPS))
    assert found == {("23:00", "expected"): 20, ("23:30", "confirmed"): 20}
    live.at(AFTER)
    before = live.files()
    assert live.ingest("lineups").complete and live.server.asked("lineups") == []
    assert live.ingest("lineups", replay=True).complete and live.files() == before


def test_a_day_whose_line_ups_are_not_listed_yet_is_asked_again(live: Live) -> None:
    for g in live.services.games:
        g["home_pts"] = g["away_pts"] = None
    live.at("2024-11-05T23:00:00+00:00")
    outcome = live.ingest("lineups")
    assert outcome.complete and outcome.absent == {"nba_lineups lineups": 1}
    live.server.rule = lambda r: (
        of_json(daily_lineups(live, "Confirmed")) if "daily_lineups" in r.path else live.services(r)
    )
    assert live.ingest("lineups").complete and len(live.rows(LINEUPS)) == 20


def test_a_day_without_games_has_files_without_rows(live: Live) -> None:
    quiet = date(2024, 11, 4)
    outcome = live.ingest(days=(quiet,))
    assert outcome.complete
    for feed in (SCHEDULE, PLAYER_BOXSCORES):
        assert live.rows(feed, quiet) == []


def test_a_day_that_was_never_brought_in_is_not_a_day_without_games(live: Live) -> None:
    live.ingest("schedule")
    with pytest.raises(SourceError, match=r"no file for 2024-11-07.*") as e:
        live.rows(SCHEDULE, date(2024, 11, 7))
    assert "nba-pipeline ingest 2024-11-07 2024-11-07" in e.value.remedy


def test_a_kind_that_was_never_fetched_is_fetched_not_added_by_hand(live: Live) -> None:
    live.ingest("schedule")
    with pytest.raises(SourceError, match="no file for the feed player_boxscores") as e:
        live.rows(PLAYER_BOXSCORES, date(2024, 11, 6))
    assert e.value.remedy == "run `nba-pipeline ingest START END`"


def test_without_a_box_score_the_log_gives_the_lines_and_starters_stay_unknown(live: Live) -> None:
    live.but("boxscore", Answer(status=404))
    outcome = live.ingest("boxscores")
    assert not outcome.complete
    rows = live.rows(PLAYER_BOXSCORES)
    assert len(rows) == 32
    assert {(r["starter"], r["min_exact"]) for r in rows} == {(None, None)}


# --- replay -----------------------------------------------------------------------------------------------------------


def test_replay_makes_the_same_files_without_a_single_request(live: Live) -> None:
    live.ingest()
    before = live.files()
    for path in live.settings.landing.rglob("*.parquet"):
        path.unlink()
    live.environment.pop("NBA_PIPELINE_ODDS_API_KEY")
    outcome = live.ingest(replay=True)
    assert outcome.complete and live.server.requests == []
    assert live.files() == before


def test_replay_without_kept_answers_says_what_is_missing(live: Live) -> None:
    outcome = live.ingest(replay=True)
    assert not outcome.complete
    assert "the schedule of 2024-25 was never fetched" in outcome.failures[0]


# --- what goes wrong --------------------------------------------------------------------------------------------------


def changed_columns(live: Live) -> Answer:
    payload = live.services.shot_chart({"SeasonType": "Regular Season", "TeamID": "0"})
    headers = payload["resultSets"][0]["headers"]
    headers[headers.index("LOC_X")] = "X"
    return of_json(payload)


def no_rows(live: Live) -> Answer:
    payload = live.services.shot_chart({"SeasonType": "Regular Season", "TeamID": "0"})
    payload["resultSets"][0]["rowSet"] = []
    return of_json(payload)


def text_for_a_number(live: Live, rows: int = 160) -> Answer:
    payload = live.services.shot_chart({"SeasonType": "Regular Season", "TeamID": "0"})
    for row in payload["resultSets"][0]["rowSet"][:rows]:
        row[4] = "first"
    return of_json(payload)


def truncated(live: Live) -> Answer:
    whole = json.dumps(live.services.shot_chart({"SeasonType": "Regular Season", "TeamID": "0"}))
    return Answer(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: Answer("<!DOCTYPE html><title>Access denied</title>"), "is a web page, not JSON"),
        (lambda _: Answer('{"Message":"An error has occurred."}'), "is a web page, not JSON: '<Error>"),
        (truncated, "is not JSON, or is truncated"),
        (changed_columns, "columns are missing: LOC_X"),
        (no_rows, "Shot_Chart_Detail has no rows"),
        (text_for_a_number, 'PERIOD is "first", not a whole number'),
        (lambda _: Answer("[]"), "an object with the part 'resultSets' is expected"),
        (lambda _: Answer('{"resultSets": [{"name": "Else"}]}'), "there is no result set Shot_Chart_Detail"),
    ],
    ids=[
        "HTML",
        "error of the service",
        "truncated",
        "columns",
        "no rows",
        "type",
        "form",
        "other result set",
    ],
)
def test_an_answer_that_cannot_be_read_is_kept_for_inspection_and_never_becomes_rows(
    live: Live, answer: Any, said: str
) -> None:
    live.but("shotchart", answer(live))
    outcome = live.ingest("shots")
    assert not outcome.complete
    (failure,) = outcome.failures
    assert failure.startswith("nba_stats shots 2024-25_Regular-Season_2024-11-05: ") and said in failure
    (kept,) = (live.home / "payloads" / "rejected").rglob("*.gz")
    assert str(kept) in failure
    assert not (live.settings.landing / "shots").exists()
    live.server.rule = live.services
    assert live.ingest("shots").complete
    assert len(live.rows(SHOTS)) == 160


def test_an_odd_row_is_named_and_kept_on_record_and_the_others_become_rows(live: Live) -> None:
    live.but("shotchart", text_for_a_number(live, rows=1))
    outcome = live.ingest("shots")
    assert outcome.complete
    (odd,) = outcome.set_aside
    assert odd == (
        "nba_stats shots 2024-25_Regular-Season_2024-11-05: "
        'game "0022400101", attempt 1: PERIOD is "first", not a whole number'
    )
    assert len(live.rows(SHOTS)) == 159
    (meta,) = (live.home / "payloads" / "nba_stats" / "shots").rglob("*.meta.json")
    assert json.loads(meta.read_text())["set_aside"] == [
        odd.removeprefix("nba_stats shots 2024-25_Regular-Season_2024-11-05: ")
    ]
    assert "set aside: nba_stats shots" in command(live, "--only", "shots").output


@pytest.mark.parametrize("body", ["", " \n", "{}", "{ }\n", "null", '""'])
def test_an_answer_without_content_is_tried_again_and_counts_as_an_outage(live: Live, body: str) -> None:
    live.but("boxscore", Answer(body))
    outcome = live.ingest("boxscores")
    assert [f for f in outcome.failures if "box_score" in f] == [
        f"nba_stats box_score {game}: nba_stats: {live.server.url}/stats/boxscoretraditionalv3: an empty answer with "
        "status 200 (2 attempts)\n  Fix: run the same command again later; answers fetched so far are stored"
        for game in (BOSTON, DENVER)
    ]
    assert len(live.server.asked("boxscoretraditional")) == 6  # three failures in a row, of two attempts each
    assert not (live.home / "payloads" / "rejected").exists()
    live.server.rule = live.services
    assert live.ingest("boxscores").complete


def test_a_bought_answer_that_cannot_be_read_is_read_again_and_never_bought_again(live: Live) -> None:
    odd = Answer('{"data": [], "timestamp": "soon"}')
    live.but(f"/events/event{BOSTON}/odds", odd)
    assert not live.ingest("lines").complete
    sold = [(r.path, r.parameters) for r in live.server.asked(BOSTON)]
    assert len(sold) == 2
    live.server.rule = live.services
    again = live.ingest("lines")
    assert live.server.asked("/odds") == [] and again.fetched == {"nba_stats schedule": 1} and again.credits == 0
    assert len(again.failures) == 2 and all("not bought again" in f for f in again.failures)
    store = PayloadStore(live.settings.payloads)
    for key in PayloadStore(store.directory / "rejected").keys("odds_api", "event_odds_at", ""):
        asked = next((p, q) for p, q in sold if q["date"].replace("-", "").replace(":", "")[:13] in key)
        good = live.services(Request(*asked, {}))
        assert good is not None and isinstance(good.content, str)
        at = clock.now() + timedelta(minutes=1)
        store.keep(
            "odds_api", "event_odds_at", key, good.content.encode(), at, {}, rejected_because="an earlier release"
        )
    assert live.ingest("lines").complete and live.server.asked("/odds") == []
    assert {r["game_id"] for r in live.rows(PROP_LINES)} == {BOSTON, DENVER}


def test_a_page_of_a_proxy_is_not_what_was_bought(live: Live) -> None:
    live.but(f"/events/event{BOSTON}/odds", Answer("<html>log in</html>"))
    assert len(live.ingest("lines").failures) == 2
    live.server.rule = live.services
    assert live.ingest("lines").complete
    assert len(live.server.asked(BOSTON)) == 2


def test_a_stored_answer_that_is_damaged_costs_its_own_day_and_feed_alone(live: Live) -> None:
    live.ingest(days=(DAY, NEXT_DAY))
    whole = live.files()
    (kept,) = (live.home / "payloads/nba_stats/box_score" / BOSTON).glob("*.gz")
    kept.write_bytes(b"damaged")
    shutil.rmtree(live.settings.landing)
    outcome = live.ingest(days=(DAY, NEXT_DAY), replay=True)
    (failure,) = outcome.failures
    assert f"{kept} cannot be read" in failure
    lost = {name for name in whole.keys() - live.files().keys()}
    assert lost == {f"{feed}/{DAY}.parquet" for feed in ("player_boxscores", "team_boxscores", "injuries")}


@pytest.mark.parametrize("feed", [INJURIES, PROP_LINES, GAME_LINES], ids=lambda f: f.name)
def test_a_landing_file_that_is_damaged_costs_its_own_day_and_feed_alone(live: Live, feed: Feed) -> None:
    live.ingest(days=(DAY, NEXT_DAY))
    whole = live.files()
    shutil.rmtree(live.settings.landing)
    torn = live.settings.landing / feed.name / f"{DAY}.parquet"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"torn")
    (failure,) = live.ingest(days=(DAY, NEXT_DAY), replay=True).failures
    assert f"{torn} cannot be read" in failure
    assert live.files() == whole | {f"{feed.name}/{DAY}.parquet": b"torn"}
    torn.unlink()
    assert live.ingest(days=(DAY, NEXT_DAY), replay=True).complete and live.files() == whole


def imported(live: Live, feed: Feed, *rows: dict[str, Any]) -> None:
    write_rows(live.settings.landing / feed.name / f"{DAY}.parquet", feed, rows)


def test_an_ingest_of_reports_leaves_who_did_not_play_by_an_imported_box_score(live: Live) -> None:
    absent = {"report_date": DAY, "record_type": "boxscore_dnp", "game_id": BOSTON, "player_id": 7, "team": "BOS"}
    absent |= {"player_name": "Jo Doe", "status": "did_not_play", "source": "sportsdataverse"}
    imported(live, INJURIES, absent)
    for _ in range(2):
        live.ingest("injuries")
        kinds = [(r["record_type"], r["source"]) for r in live.rows(INJURIES)]
        assert kinds.count(("boxscore_dnp", "sportsdataverse")) == 1
        assert any(kind == "official_report" for kind, _ in kinds)
    live.ingest("boxscores")
    assert {r["source"] for r in live.rows(INJURIES) if r["record_type"] == "boxscore_dnp"} == {"NBA box score"}


def test_games_that_no_service_answers_keep_their_imported_lines_and_those_answered_have_their_own(live: Live) -> None:
    live.ingest("boxscores")
    lines = live.rows(PLAYER_BOXSCORES)
    shutil.rmtree(live.settings.payloads)
    imported(live, PLAYER_BOXSCORES, *(r | {"pts": r["pts"] + 1, "source": "elsewhere"} for r in lines))
    live.server.rule = lambda r: (
        Answer(status=404)
        if "leaguegamelog" in r.path or (BOSTON in f"{r.path}{r.parameters}" and "box" in r.path)
        else live.services(r)
    )
    live.ingest("boxscores")
    assert {(r["game_id"], r["source"]) for r in live.rows(PLAYER_BOXSCORES)} == {(BOSTON, "elsewhere"), (DENVER, None)}
    assert len(live.rows(PLAYER_BOXSCORES)) == 32


def test_quotes_that_were_imported_stand_beside_those_that_are_fetched(live: Live) -> None:
    quote = {"game_date": DAY, "game_id": BOSTON, "player_id": 7, "market": "points", "bookmaker": "b", "line": 10.5}
    imported(live, PROP_LINES, quote | {"source": "elsewhere"})
    for _ in range(2):
        live.ingest("lines")
        sources = [r["source"] for r in live.rows(PROP_LINES)]
        assert sources.count("elsewhere") == 1 and set(sources) == {"elsewhere", "The Odds API"}


def test_a_damaged_list_of_events_costs_no_results(live: Live) -> None:
    live.ingest("lines")
    (kept,) = (live.home / "payloads/odds_api/events_at" / f"{DAY}").glob("*.gz")
    kept.write_bytes(b"damaged")
    outcome = live.ingest("boxscores", "lines")
    assert any(f"{kept} cannot be read" in f for f in outcome.failures)
    assert len(live.rows(PLAYER_BOXSCORES)) == 32


def listing(live: Live, change: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]) -> None:
    """Answer as the services do, with the lists of events changed; `change` gets a list and the moment asked for."""

    def rule(request: Request) -> Answer | None:
        answer = live.services(request)
        if answer is None or not request.path.endswith("/events"):
            return answer
        payload = json.loads(answer.content)
        at = request.parameters.get("date", "")
        changed = change(payload["data"] if at else payload, at)
        return of_json(payload | {"data": changed} if at else changed)

    live.server.rule = rule


def test_a_game_that_is_in_no_list_of_events_fails_by_name(live: Live) -> None:
    listing(live, lambda events, _: [e for e in events if BOSTON not in e["id"]])
    outcome = live.ingest("lines")
    (failure,) = outcome.failures
    assert f"game {BOSTON} (NYK at BOS, {DAY}) is in no list of events, so its quotes were not requested" in failure
    assert {r["game_id"] for r in live.rows(PROP_LINES)} == {DENVER}
    assert command(live, "--only", "lines").exit_code == 1


def test_a_game_that_is_listed_late_is_found_by_a_second_list_shortly_before_its_tip_off(live: Live) -> None:
    everything = [live.services._event(g) for g in live.services.games[:3]]

    def change(events: list[dict[str, Any]], at: str) -> list[dict[str, Any]]:
        return everything if at >= "2024-11-06T00:20:00Z" else [e for e in events if BOSTON not in e["id"]]

    listing(live, change)
    assert live.ingest("lines").complete
    assert {r["game_id"] for r in live.rows(PROP_LINES)} == {BOSTON, DENVER}
    assert [r.parameters["date"] for r in live.server.asked("/events") if r.path.endswith("/events")] == [
        "2024-11-05T14:30:00Z",
        "2024-11-06T00:20:00Z",
    ]
    assert live.ingest("lines").complete
    assert live.server.asked("/odds") == []


def test_an_event_with_its_sides_exchanged_gets_its_quotes_and_lines_the_right_way_round(live: Live) -> None:
    assert live.ingest("lines").complete
    before = {(r["game_id"], r["bookmaker"]): r for r in live.rows(GAME_LINES)}
    turned = live.services._event

    def exchanged(game: dict[str, Any]) -> dict[str, Any]:
        event = turned(game)
        return event | {"home_team": event["away_team"], "away_team": event["home_team"]}

    live.services._event = exchanged  # pyright: ignore[reportAttributeAccessIssue]
    live.patch.setenv("NBA_PIPELINE_HOME", str(live.home) + "-2")
    live.environment["NBA_PIPELINE_HOME"] = str(live.home) + "-2"
    assert live.ingest("lines").complete
    assert {(r["game_id"], r["bookmaker"]): r for r in live.rows(GAME_LINES)} == before
    assert {r["game_id"] for r in live.rows(PROP_LINES)} == {BOSTON, DENVER}


def test_an_event_that_is_no_game_is_named_and_fails_nothing(live: Live) -> None:
    stray = {
        "id": "stray",
        "commence_time": "2024-11-06T01:00:00Z",
        "home_team": "Utah Jazz",
        "away_team": "Phoenix Suns",
    }
    listing(live, lambda events, _: [*events, stray])
    outcome = live.ingest("lines")
    assert outcome.complete
    assert outcome.set_aside == (
        "odds_api events: event stray (PHX at UTA, 2024-11-05): no game of the schedule of that day matches",
    )


def test_the_outage_of_one_source_does_not_stop_the_others(live: Live) -> None:
    live.but("/odds/", Answer(status=503))
    outcome = live.ingest()
    assert not outcome.complete
    assert all(f.startswith("odds_api ") for f in outcome.failures)
    assert "status 503" in outcome.failures[0]
    assert len(live.rows(PLAYER_BOXSCORES)) == 32 and len(live.rows(SHOTS)) == 160
    assert not (live.settings.landing / "prop_lines").exists()


def test_a_source_that_fails_three_times_in_a_row_is_not_asked_further(live: Live) -> None:
    live.ingest("schedule")
    live.but("/stats/", Answer(reset=True))
    outcome = live.ingest("boxscores", "shots", "rosters")
    assert len(outcome.failures) == 1 and outcome.untried == 7
    assert len(live.server.asked("/stats/")) == 3 * 2


def test_a_key_that_is_refused_ends_the_questions_to_that_source(live: Live) -> None:
    live.but("/odds/", Answer(f"API key {CANARY} is not valid", 401))
    outcome = live.ingest("lines")
    (failure,) = outcome.failures
    assert "refused with status 401: API key *** is not valid" in failure
    assert "check the key" in failure


def test_without_a_key_lines_fail_by_name_and_nothing_is_asked(live: Live) -> None:
    live.environment.pop("NBA_PIPELINE_ODDS_API_KEY")
    outcome = live.ingest()
    (failure,) = outcome.failures
    assert "NBA_PIPELINE_ODDS_API_KEY is not set" in failure
    assert live.server.asked("/odds/") == []
    assert len(live.rows(PLAYER_BOXSCORES)) == 32


def test_the_key_is_in_no_file_no_error_and_no_representation(live: Live) -> None:
    live.ingest()
    live.but("/odds/", Answer(status=500))
    outcome = live.ingest("lines", days=(NEXT_DAY,))
    assert all(r.parameters["apiKey"] == CANARY for r in live.server.asked("/odds/"))
    assert CANARY not in f"{outcome!r} {live.settings!r}"
    for path in live.home.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert CANARY.encode() not in content, path


def test_an_unknown_kind_is_refused_before_anything_is_asked(live: Live) -> None:
    with pytest.raises(ConfigurationError, match="no such kind: boxes"):
        live.ingest("boxes")
    assert live.server.requests == []


def test_a_row_in_the_file_of_another_day_is_named_and_belongs_to_no_day(live: Live) -> None:
    live.ingest("schedule")
    folder = live.settings.landing / "schedule"
    pq.write_table(pq.read_table(folder / f"{DAY}.parquet"), folder / f"{NEXT_DAY}.parquet")
    rows = live.rows(SCHEDULE, NEXT_DAY)
    assert {r["game_date"] for r in rows} == {None}
    assert {r["landing_problems"] for r in rows} == {"game_date: '2024-11-05' is not the day of its file"}


# --- the command ------------------------------------------------------------------------------------------------------


def command(live: Live, *arguments: str):
    days = [f"{DAY}", f"{DAY}"]
    return CliRunner().invoke(main, ["ingest", *days, *arguments], env={**os.environ, **live.environment})


def test_the_command_ends_with_0_only_when_all_came(live: Live) -> None:
    good = command(live, "--only", "schedule", "--only", "boxscores")
    assert good.exit_code == 0, good.output
    assert (
        "5 responses fetched" in good.output and "landing files of player_boxscores changed: 2024-11-05" in good.output
    )
    live.but("shotchart", Answer(status=404))
    bad = command(live, "--only", "shots")
    assert bad.exit_code == 1
    assert "error: nba_stats shots" in bad.output and "Fix:" in bad.output


def test_the_command_replays(live: Live) -> None:
    assert command(live, "--only", "boxscores").exit_code == 0
    live.server.requests.clear()
    again = command(live, "--only", "boxscores", "--replay")
    assert again.exit_code == 0 and live.server.requests == []
    assert "nothing changed" in again.output


# --- two machines -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(live: Live, service: StorageService) -> Live:
    """The same services, for homes whose state is in one bucket; `home` of the environment is that of a pod."""
    del service  # its address is in the environment
    live.environment |= {"NBA_PIPELINE_BUCKET": f"gs://{BUCKET}/team", "NBA_PIPELINE_STATE": "bucket"}
    return live


def on(live: Live, pod: str) -> Live:
    """The same services seen from a pod with a disk of its own."""
    home = str(Path(live.environment["NBA_PIPELINE_HOME"]).with_name(pod))
    return replace(live, environment=live.environment | {"NBA_PIPELINE_HOME": home})


def test_what_one_pod_fetched_another_reads_without_a_request(shared: Live) -> None:
    first, second = on(shared, "first"), on(shared, "second")
    assert first.ingest().complete
    shared.server.requests.clear()
    assert second.rows(PLAYER_BOXSCORES) == first.rows(PLAYER_BOXSCORES)
    assert CallLog(second.settings.open_state()).reached("nba_stats") is not None
    assert second.ingest("boxscores", replay=True).changed == {}
    assert shared.server.requests == []


def test_answers_that_came_before_an_interruption_are_those_of_every_pod(shared: Live, service: StorageService) -> None:
    def interrupt(_step: str, done: int, _planned: int) -> None:
        if done:
            raise KeyboardInterrupt

    of = on(shared, "first").settings
    with pytest.raises(KeyboardInterrupt):
        ingest_days([DAY], KINDS, live=of.live, state=of.open_state(), watch=interrupt)
    answers = [n for n in service.names if n.startswith("team/payloads/") and n.endswith(".gz")]
    assert len(answers) == 1


def test_two_pods_that_fetch_at_once_lose_no_answer_and_no_row(
    shared: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports and box scores are both of the feed of injuries.

    The second pod writes its file without the answers of the first, after the first has looked and before it writes its own.
    """
    first, second = on(shared, "first"), on(shared, "second")
    push, of_second, handed_out = MirroredDirectory.push, list[MirroredDirectory](), list[bool]()

    def late(self: MirroredDirectory) -> bool:
        if self.path.name != "landing":
            return push(self)
        if not of_second:
            of_second.append(self)
            assert first.ingest("boxscores").complete
            return handed_out[0]
        if not handed_out:
            handed_out.append(push(of_second[0]))
        return push(self)

    monkeypatch.setattr(MirroredDirectory, "push", late)
    assert second.ingest("injuries").complete
    assert handed_out == [True]
    assert_whole(shared, tmp_path)


def test_a_pod_that_is_slower_writes_its_file_from_the_answers_of_the_faster_one_too(
    shared: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = on(shared, "first"), on(shared, "second")
    push, meanwhile = MirroredDirectory.push, list[IngestOutcome]()

    def late(self: MirroredDirectory) -> bool:
        if self.path == first.settings.landing and not meanwhile:
            meanwhile.append(second.ingest("injuries"))
        return push(self)

    monkeypatch.setattr(MirroredDirectory, "push", late)
    assert first.ingest("boxscores").complete
    assert meanwhile[0].complete
    assert_whole(shared, tmp_path)


def assert_whole(shared: Live, tmp_path: Path) -> None:
    """Require that every pod reads what one machine alone would have written from all answers."""
    alone = replace(shared, environment=shared.environment | {"NBA_PIPELINE_HOME": str(tmp_path / "alone")})
    alone.environment["NBA_PIPELINE_STATE"] = "home"
    alone.ingest("boxscores", "injuries")
    assert {r["record_type"] for r in alone.rows(INJURIES)} == {"boxscore_dnp", "official_report"}
    for pod in ("first", "second", "third"):
        assert on(shared, pod).rows(INJURIES) == alone.rows(INJURIES)


def test_a_stored_answer_is_in_the_bucket_after_what_stands_beside_it(shared: Live, service: StorageService) -> None:
    """Whoever sees an answer can read it: its sidecar was there before."""
    assert on(shared, "first").ingest("boxscores").complete
    written = {n: int(service.storage.get_file_obj(BUCKET, n)["generation"]) for n in service.names}
    answers = [n for n in written if n.endswith(".gz")]
    assert answers
    assert max(written[f"{n}.meta.json"] for n in answers) < min(written[n] for n in answers)


def test_a_copy_that_was_killed_before_it_was_recorded_is_fetched_again(shared: Live) -> None:
    """A file that was fetched and not recorded would count as changed on this machine, and never be renewed."""
    first, second = on(shared, "first"), on(shared, "second")
    assert first.ingest("boxscores").complete

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mirror, "_store", killed)
        with pytest.raises(KeyboardInterrupt):
            second.settings.landed_files()
    first.but("nothing", Answer(b""))
    first.ingest("boxscores", "injuries")
    assert second.rows(INJURIES) == first.rows(INJURIES)
