"""Answers become rows: on recorded answers where they are there, on hand-made ones of the documented shape everywhere."""

import gzip
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources.parsing import box_score, game_log, injury_report, odds, players, quote_rows, schedule
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, from_json
from nba_pipeline_tests.support.service_answers import result_set
from nba_pipeline_tests.support.small_pdf import pdf

SAMPLES = Path(os.environ.get("NBA_PIPELINE_TEST_SAMPLES") or Path(__file__).parents[4] / ".." / "shared" / "samples")
recorded = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no recorded answers in {SAMPLES}")
NOW = datetime(2024, 1, 25, 4, 0, 0, 5, tzinfo=UTC)
TIP = datetime(2025, 1, 16, 0, 30, tzinfo=UTC)
GAME = Game("0022400561", date(2025, 1, 15), TIP, "PHI", "NYK", 119, 125, neutral=False, arena=None)


def sample(name: str) -> Any:
    content = (SAMPLES / name).read_bytes()
    return from_json(gzip.decompress(content) if name.endswith(".gz") else content)


# --- the schedule -----------------------------------------------------------------------------------------------------


@recorded
def test_a_recorded_season_has_every_kind_of_game_in_its_number() -> None:
    games = schedule.games(sample("nba_stats_schedule_2024-25.json.gz"))
    prefixes = [g.game_id[:3] for g in games]
    counted = {p: prefixes.count(p) for p in sorted(set(prefixes))}
    assert counted == {"001": 73, "002": 1230, "003": 6, "004": 84, "005": 6, "006": 1}
    assert all(g.over for g in games)


@recorded
def test_the_eastern_times_of_a_recorded_season_agree_with_its_utc_times() -> None:
    payload = sample("nba_stats_schedule_2024-25.json.gz")
    tips = {g.game_id: g.tip_off for g in schedule.games(payload)}
    told = {g["gameId"]: g["gameDateTimeUTC"] for d in payload["leagueSchedule"]["gameDates"] for g in d["games"]}
    assert tips == {i: datetime.fromisoformat(t) for i, t in told.items()}


@recorded
def test_a_recorded_schedule_of_a_season_to_come_has_no_scores() -> None:
    games = schedule.games(sample("nba_cdn_schedule_2025-26_preseason.json"))
    assert games and not any(g.over for g in games)


def scheduled(**more: Any) -> Any:
    game = {
        "gameId": "0022400001",
        "gameStatus": 1,
        "gameStatusText": "7:30 pm ET",
        "gameDateTimeEst": "2024-11-05T22:30:00Z",
        "arenaName": "",
        "isNeutral": False,
        "homeTeam": {"teamTricode": "BOS", "score": 0},
        "awayTeam": {"teamTricode": "NYK", "score": 0},
    } | more
    return {"leagueSchedule": {"seasonYear": "2024-25", "gameDates": [{"gameDate": "", "games": [game]}]}}


def test_a_late_tip_off_belongs_to_its_eastern_day_though_it_is_tomorrow_in_utc() -> None:
    (game,) = schedule.games(scheduled())
    assert (game.day, game.tip_off) == (date(2024, 11, 5), datetime(2024, 11, 6, 3, 30, tzinfo=UTC))


def test_daylight_saving_is_that_of_the_day() -> None:
    (game,) = schedule.games(scheduled(gameDateTimeEst="2024-10-22T19:30:00Z"))
    assert game.tip_off == datetime(2024, 10, 22, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("status", [1, 2])
def test_a_score_counts_only_when_the_game_is_over(status: int) -> None:
    teams = {s: {"teamTricode": t, "score": 50} for s, t in (("homeTeam", "BOS"), ("awayTeam", "NYK"))}
    (game,) = schedule.games(scheduled(gameStatus=status, **teams))
    assert not game.over and game.row()["home_pts"] is None
    (game,) = schedule.games(scheduled(gameStatus=3, **teams))
    assert game.over and game.row()["home_pts"] == 50


@pytest.mark.parametrize("text", ["TBD", "PPD"])
def test_a_time_that_is_not_settled_is_unknown(text: str) -> None:
    (game,) = schedule.games(scheduled(gameStatusText=text))
    assert game.tip_off is None


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "the part 'leagueSchedule' is missing"),
        (scheduled(gameDateTimeEst="soon"), "gameDateTimeEst is 'soon'"),
        (scheduled(gameStatus="3"), "the part 'gameStatus' is \"3\""),
        ({"leagueSchedule": {"gameDates": []}}, "the schedule has no games"),
    ],
)
def test_a_schedule_of_another_form_is_refused_with_what_is_wrong(payload: Any, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        schedule.games(payload)


# --- logs and box scores ----------------------------------------------------------------------------------------------


@recorded
def test_a_recorded_log_gives_a_line_per_player_with_the_opponent_and_the_side() -> None:
    rows = game_log.players(sample("nba_stats_leaguegamelog_2025-03-15.json"), {})
    curry = next(r for r in rows if r["player_id"] == 201939)
    assert len(rows) == 157
    assert (curry["team"], curry["opponent"], curry["is_home"], curry["pts"], curry["game_date"]) == (
        *("GSW", "NYK", True, 28),
        date(2025, 3, 15),
    )


def test_the_schedule_says_who_is_at_home_where_both_teams_read_as_visitors() -> None:
    columns = {c: 1 for c in game_log.PLAYER_COLUMNS} | {
        "TEAM_ABBREVIATION": "PHI",
        "GAME_ID": GAME.game_id,
        "GAME_DATE": "2025-01-15",
        "MATCHUP": "PHI @ NYK",
        "PLAYER_NAME": "A B",
    }
    payload = result_set("LeagueGameLog", list(columns), [list(columns.values())])
    (row,) = game_log.players(payload, {GAME.game_id: GAME})
    assert (row["is_home"], row["opponent"]) == (True, "NYK")
    (row,) = game_log.players(payload, {})
    assert (row["is_home"], row["opponent"]) == (False, "NYK")


@recorded
def test_a_recorded_box_score_says_who_started_how_long_and_who_did_not_play_and_why() -> None:
    found = box_score.box_score(sample("nba_stats_boxscore_0022400561.json"), GAME, "box score")
    assert (len(found.players), len(found.teams), len(found.absent)) == (17, 2, 8)
    assert sum(p["starter"] for p in found.players) == 10
    hart = next(p for p in found.players if p["player_id"] == 1628404)
    assert (hart["min_exact"], hart["min"], hart["starter"], hart["opponent"]) == (49.417, 49, True, "PHI")
    for team in found.teams:
        assert team["min"] == 265
        assert team["pts"] == sum(p["pts"] for p in found.players if p["team"] == team["team"])
    assert {a["reason"] for a in found.absent} == {"DNP - Coach's Decision", "DND - Injury/Illness"}


@pytest.mark.parametrize(("said", "minutes"), [("49:25", 49.417), ("0:04", 0.067), ("12.000000:30", 12.5)])
def test_minutes_are_read_in_every_way_they_are_written(said: str, minutes: float) -> None:
    assert round(box_score._minutes(said), 3) == minutes


@pytest.mark.parametrize("said", ["PT12M", "12", "12:75", "-1:00"])
def test_minutes_of_another_form_are_refused(said: str) -> None:
    with pytest.raises(PayloadError, match="not minutes:seconds"):
        box_score._minutes(said)


@recorded
def test_a_box_score_of_another_game_is_refused() -> None:
    other = Game("0022400562", GAME.day, TIP, "PHI", "NYK", 1, 2, neutral=None, arena=None)
    with pytest.raises(PayloadError, match="of game 0022400561, not of 0022400562"):
        box_score.box_score(sample("nba_stats_boxscore_0022400561.json"), other, "box score")


@recorded
def test_a_recorded_player_index_gives_the_teams_of_the_moment_it_was_fetched() -> None:
    fetched = datetime(2025, 10, 1, 12, tzinfo=UTC)
    rows = players.rosters(sample("nba_stats_playerindex_2025-26.json"), fetched)
    assert {r["captured_at"] for r in rows} == {fetched}
    assert {r["team"] for r in rows} <= set(TRICODES)
    assert len({r["player_id"] for r in rows}) == len(rows)


@recorded
def test_a_recorded_player_index_gives_ids_and_names() -> None:
    rows = players.index(sample("nba_stats_playerindex_2025-26.json"))
    assert {"player_id": 1628389, "player_name": "Bam Adebayo"} in rows
    assert len({r["player_id"] for r in rows}) == len(rows) > 400


# --- odds -------------------------------------------------------------------------------------------------------------


@recorded
def test_recorded_events_find_their_game_by_teams_and_eastern_date() -> None:
    events = odds.events(sample("odds_api_historical_events_2024-01-25.json"))
    late = next(e for e in events if (e.home, e.away) == ("GSW", "ATL"))
    assert (late.commence.date(), late.day) == (date(2024, 1, 25), date(2024, 1, 24))
    game = Game("0022300999", date(2024, 1, 24), late.commence, "GSW", "ATL", None, None, neutral=None, arena=None)
    assert late.game([game]) is game
    assert late.game([Game("0022300998", late.commence.date(), None, "GSW", "ATL", None, None, None, None)]) is None
    assert late.game([denver("ATL", "GSW")]) is not None
    assert all(e.home and e.away for e in events)


@recorded
def test_a_recorded_line_captured_after_tip_off_arrives_with_its_capture_time() -> None:
    taken = odds.snapshot(sample("odds_api_historical_game_lines_in_play.json"), NOW)
    rows = quote_rows.line_rows(
        [taken], date(2024, 1, 24), {taken.event.id: denver(str(taken.event.home), str(taken.event.away))}
    )
    assert [(r["bookmaker"], r["spread_home"], r["total"], r["ml_home"]) for r in rows] == [
        ("draftkings", -6.5, 248.5, None),
        ("fanduel", -7.5, 247.5, None),
    ]
    assert {r["snapshot_utc"] for r in rows} == {datetime(2024, 1, 25, 3, 55, 40, tzinfo=UTC)}
    assert all(r["snapshot_utc"] > taken.event.commence for r in rows)


@recorded
def test_a_recorded_line_captured_after_tip_off_is_refused_by_the_raw_table() -> None:
    from nba_pipeline.tables.catalog import CATALOG
    from nba_pipeline.tables.raw.columns import LINE_CAPTURED_LATE
    from nba_pipeline_tests.support import rows_of

    taken = odds.snapshot(sample("odds_api_historical_game_lines_in_play.json"), NOW)
    rows = quote_rows.line_rows(
        [taken], date(2024, 1, 24), {taken.event.id: denver(str(taken.event.home), str(taken.event.away))}
    )
    tip = datetime(2024, 1, 25, 3, 0, tzinfo=UTC)
    game = {"game_id": "0022300999", "game_date": date(2024, 1, 24), "tip_off": tip}
    transform = CATALOG["nba_raw.game_lines"]
    built = rows_of(transform, transform.expression, landing=rows, schedule=[game])
    assert [r["reject_reason"] for r in built] == [LINE_CAPTURED_LATE] * 2


def denver(home: str = "DEN", away: str = "LAC", day: date = date(2024, 1, 24), tip: datetime | None = None) -> Game:
    return Game("0022300999", day, tip, home, away, None, None, neutral=None, arena=None)


def quoted(
    prices: tuple[float | None, float | None], line: float = 25.5, who: str = "Nikola Jokić", at: str | None = None
) -> Any:
    sides = zip(("Over", "Under"), prices, strict=True)
    outcomes = [{"name": n, "description": who, "price": p, "point": line} for n, p in sides if p is not None]
    book = {"key": "fanduel", "markets": [{"key": "player_points", "outcomes": outcomes}]}
    event = {
        "id": "e1",
        "commence_time": "2024-01-25T03:20:30Z",
        "home_team": "Denver Nuggets",
        "away_team": "Los Angeles Clippers",
        "bookmakers": [book] if outcomes else [],
    }
    return {"timestamp": at, "data": event} if at else event


def taken(hours: list[tuple[int, tuple[float | None, float | None]]]) -> list[dict[str, Any]]:
    shots = [odds.snapshot(quoted(prices, at=f"2024-01-24T{h:02d}:00:00Z"), NOW) for h, prices in hours]
    return quote_rows.prop_rows(shots, date(2024, 1, 24), {"e1": denver()})


def test_over_and_under_of_a_line_are_one_quote_with_the_name_as_the_book_spells_it() -> None:
    (row,) = taken([(15, (-115, -105))])
    assert (row["player_name_source"], row["player_id"], row["player_name"]) == ("Nikola Jokić", None, None)
    assert (row["market"], row["line"], row["over_odds"], row["under_odds"]) == ("points", 25.5, -115.0, -105.0)
    assert (row["game_id"], row["game_date"], row["line_kind"]) == ("0022300999", date(2024, 1, 24), "main")


def test_one_side_alone_is_a_quote_whose_other_side_is_unknown() -> None:
    (row,) = taken([(15, (-115, None))])
    assert (row["over_odds"], row["under_odds"]) == (-115.0, None)


def test_a_quote_that_changes_or_goes_away_and_comes_back_is_told_apart() -> None:
    first, second = (-115, -105), (-120, 100)
    rows = taken([(12, first), (13, first), (14, second), (15, (None, None)), (16, first), (17, first)])
    seen = [(r["over_odds"], r["first_seen_utc"].hour, r["last_seen_utc"].hour) for r in rows]
    assert sorted(seen, key=lambda s: s[1]) == [(-115.0, 12, 13), (-120.0, 14, 14), (-115.0, 16, 17)]


def test_a_quote_ends_when_the_book_is_first_seen_without_it() -> None:
    first, second = (-115, -105), (-120, 100)
    rows = taken([(12, first), (13, second), (14, (None, None)), (15, first)])
    ends = [(r["over_odds"], r["ended_utc"].hour if r["ended_utc"] else None) for r in rows]
    assert sorted(ends, key=str) == [(-115.0, 13), (-115.0, None), (-120.0, 14)]


def test_a_current_answer_was_captured_when_it_was_fetched() -> None:
    assert odds.snapshot(quoted((-115, -105)), NOW).at == NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (quoted((1.87, 1.95)), "2 of 2 outcomes cannot be read.*the price 1.87 is not American odds"),
        ({"message": "Unknown event"}, 'the service reports: "Unknown event"'),
        ({"id": "e1"}, "the part 'commence_time' is missing"),
        (quoted(("-115", None)), 'price is "-115", not a number'),  # pyright: ignore[reportArgumentType]
    ],
)
def test_quotes_of_another_form_are_refused_with_what_is_wrong(payload: Any, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        odds.snapshot(payload, NOW)


# --- injury reports ---------------------------------------------------------------------------------------------------


@recorded
def test_a_recorded_report_gives_its_fourteen_statements_word_for_word() -> None:
    found = injury_report.report(injury_report.words((SAMPLES / "nba_official_injury_report.pdf").read_bytes()))
    assert found.published == datetime(2024, 1, 4, 17, 30, tzinfo=UTC)
    told = json.loads((SAMPLES / "nba_official_injury_report.expected.json").read_text())["records"]
    keys = ("date", "matchup", "team", "player", "status", "reason")
    assert [(f"{d:%m/%d/%Y}", *rest) for d, *rest in found.statements] == [tuple(r[k] for k in keys) for r in told]
    assert len(found.missing) == 29


def test_statements_belong_to_the_game_that_the_schedule_has_for_team_and_date() -> None:
    at = datetime(2024, 1, 4, 17, 30, tzinfo=UTC)
    statement = (GAME.day, "NYK@PHI", "PHI", "Jackson Jr., Álvaro", "Questionable", "Illness")
    (row,) = injury_report.rows(injury_report.Report(at, (statement,), ()), [GAME])
    assert (row["report_date"], row["report_utc"], row["game_id"]) == (date(2024, 1, 4), at, GAME.game_id)
    assert (row["player_name_source"], row["status"], row["record_type"]) == (
        "Álvaro Jackson Jr.",
        "questionable",
        "official_report",
    )


@pytest.mark.parametrize(
    ("printed", "natural"),
    [
        ("Payton II, Gary", "Gary Payton II"),
        ("van Vleet, Fred", "Fred van Vleet"),
        ("Duke Jr., David", "David Duke Jr."),
        ("Nene", "Nene"),
        ("Luwawu-Cabarrot, Timothé", "Timothé Luwawu-Cabarrot"),
    ],
)
def test_names_are_turned_round_and_suffixes_stay_last(printed: str, natural: str) -> None:
    assert injury_report.natural_name(printed) == natural


TITLE = [
    (20.0 + 40 * i, 500.0, w)
    for i, w in enumerate(["Injury", "Report:", "01/04/24", "12:30", "PM", "Page", "1", "of", "1"])
]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Access denied</html>", "the document is not a PDF"),
        (pdf([[(20, 500, "Hello")]]), "is not headed 'Injury Report"),
        (pdf([TITLE]), "the table is not headed"),
        (pdf([TITLE, []]), "1 pages are announced, the document has 2"),
        (
            pdf([TITLE[:5]]),
            "the table is not headed",
        ),
    ],
)
def test_another_document_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(PayloadError, match=said):
        injury_report.report(injury_report.words(content))


@recorded
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99])
def test_a_report_that_is_cut_off_is_refused_or_whole(part: float) -> None:
    whole = (SAMPLES / "nba_official_injury_report.pdf").read_bytes()
    complete = injury_report.report(injury_report.words(whole))
    try:
        found = injury_report.report(injury_report.words(whole[: int(len(whole) * part)]))
    except PayloadError:
        return
    assert found == complete


@pytest.mark.parametrize(
    ("pages", "what"),
    [
        ([[(9.0, 9.0, "a")] * 70_000], "2,000,000 bytes of content"),
        ([[(9.0, 9.0, "a")] * 21_000], "100,000 operations"),
        ([[(9.0, 9.0, "a")]] * 51, "50 pages"),
    ],
)
def test_a_small_pdf_that_decodes_to_far_more_than_a_report_is_refused_before_it_costs_minutes(
    pages: list, what: str
) -> None:
    content = pdf(pages, compressed=True)
    assert len(content) < 150_000
    with pytest.raises(PayloadError, match=f"more than {what}"):
        injury_report.words(content)
