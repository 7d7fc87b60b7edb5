"""The schedule is held to account: a feed that fails never publishes emptiness, and a game is on one day in one state."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.engine.waivers import Waiver, Waivers
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline_tests.support.feed_days import (
    FRIDAY,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    FeedDays,
    Row,
    box_score,
    game,
    morning_after,
    refusal,
    tip_off,
)

STATES = ("game_id", "game_date", "status", "postponed_to")
LATER = morning_after(MONDAY + timedelta(days=30))


@pytest.fixture
def published(tmp_path: Path) -> FeedDays:
    """Two final games on Monday, with their box scores, and one to come on Friday; both days are published."""
    one, two, next_one = game(1, MONDAY), game(2, MONDAY, home="LAL", away="DEN"), game(3, FRIDAY, played=False)
    days = FeedDays(tmp_path, [one, two, next_one], [*box_score(one), *box_score(two, player_name="Other")])
    for n, line in enumerate(days.feeds["player_boxscores"]):
        line["player_id"] = n + 1
    assert days.publish(SCHEDULE, MONDAY, FRIDAY, at=morning_after(MONDAY)).refused == []
    return days


def test_ids_that_lost_their_zeros_refuse_the_day_and_its_rows_stay(published: FeedDays) -> None:
    before = published.rows(SCHEDULE, *STATES)
    for row in published.feeds["schedule"] + published.feeds["player_boxscores"]:
        row["game_id"] = str(int(row["game_id"]))
    said = refusal(published.publish(SCHEDULE, MONDAY, at=LATER))
    assert "lost its leading zeros" in said
    assert published.rows(SCHEDULE, *STATES) == before


@pytest.mark.parametrize("lost", [[0], [1], [0, 1], [0, 1, 2]])
def test_a_published_result_that_is_gone_refuses_the_day(published: FeedDays, lost: list[int]) -> None:
    published.feeds["schedule"] = [r for n, r in enumerate(published.feeds["schedule"]) if n not in lost]
    published.feeds["player_boxscores"] = []
    assert "games that were published with a result are gone" in refusal(published.publish(SCHEDULE, MONDAY, at=LATER))


def test_a_schedule_from_before_the_games_does_not_take_their_results_back(published: FeedDays) -> None:
    for row in published.feeds["schedule"]:
        row["home_pts"] = row["away_pts"] = None
    assert "published with a result are gone" in refusal(published.publish(SCHEDULE, MONDAY, at=LATER))


def test_an_empty_schedule_beside_box_scores_refuses_the_day_of_a_new_home(tmp_path: Path) -> None:
    days = FeedDays(tmp_path, [], box_score(game(1, MONDAY)))
    assert "0022300001, 10 players" in refusal(days.publish(SCHEDULE, MONDAY, TUESDAY, at=LATER))


def test_a_few_strange_lines_of_a_box_score_are_no_witness_of_a_game(published: FeedDays) -> None:
    published.feeds["player_boxscores"] += box_score(game(99, MONDAY))[:4]
    assert published.publish(SCHEDULE, MONDAY, at=LATER).refused == []


def test_a_slate_that_lost_a_game_is_refused_and_one_whose_game_moved_is_not(published: FeedDays) -> None:
    moved = published.feeds["schedule"].pop()
    said = refusal(published.publish(SCHEDULE, FRIDAY, at=morning_after(MONDAY)))
    assert "0022300003 NYK at BOS" in said
    published.feeds["schedule"].append(game(3, FRIDAY + timedelta(days=9), played=False))
    assert published.publish(SCHEDULE, FRIDAY, at=morning_after(MONDAY)).refused == []
    assert moved["game_id"] not in {i for i, *_ in published.rows(SCHEDULE, *STATES)}


def test_a_waiver_is_the_named_way_out_and_the_error_writes_it_down(published: FeedDays) -> None:
    published.feeds["schedule"].pop()
    at = morning_after(MONDAY)
    line = f"2024-01-09,nba_raw.schedule,{FRIDAY},{FRIDAY},,NAME,REASON"
    assert line in refusal(published.publish(SCHEDULE, FRIDAY, at=at))
    waiver = Waiver("nba_raw.schedule", FRIDAY, FRIDAY, MONDAY, "a", "the league took it out")
    done = published.publish(SCHEDULE, FRIDAY, at=at, waivers=Waivers((waiver,)))
    assert done.refused == []
    assert "the league took it out" in str(done.verdicts[0].metadata["waived"])


def test_a_game_with_open_teams_is_set_aside_by_name_and_refuses_nothing(published: FeedDays) -> None:
    published.feeds["schedule"].append(game(1201, FRIDAY, played=False, home_team=None, away_team=None, status="TBD"))
    assert published.publish(SCHEDULE, FRIDAY, at=morning_after(MONDAY)).refused == []
    (rejected,) = published.warehouse.quarantine([SCHEDULE.id]).to_pylist()
    assert (rejected["reason"], "0022301201" in rejected["row"]) == ("its teams are not settled yet", True)


def test_exact_copies_collapse_and_contradictory_ones_refuse_by_name(published: FeedDays) -> None:
    copy = dict(published.feeds["schedule"][0])
    published.feeds["schedule"].append(copy)
    assert published.publish(SCHEDULE, MONDAY, at=LATER).refused == []
    copy["home_pts"] = 101
    assert "0022300001" in refusal(published.publish(SCHEDULE, MONDAY, at=LATER))


def test_a_feed_without_a_readable_date_refuses_the_days_that_it_leaves_empty(tmp_path: Path) -> None:
    days = FeedDays(tmp_path, [game(n, MONDAY, game_date=None) for n in range(1, 18)])
    assert "17 games" in refusal(days.publish(SCHEDULE, TUESDAY, at=LATER))


@pytest.mark.parametrize(
    ("tip", "on"),
    [
        (datetime.fromisoformat("2024-01-09T04:59:00+00:00"), MONDAY),
        (datetime.fromisoformat("2024-01-09T05:00:00+00:00"), TUESDAY),
        (datetime.fromisoformat("2024-07-09T03:59:00+00:00"), date(2024, 7, 8)),
        (datetime.fromisoformat("2024-07-09T04:00:00+00:00"), date(2024, 7, 9)),
    ],
)
def test_the_date_of_a_game_is_the_eastern_date_of_its_tip_off_without_tolerance(
    tmp_path: Path, tip: datetime, on: date
) -> None:
    days = FeedDays(tmp_path, [game(n, on + timedelta(days=n - 2), game_datetime_utc=tip) for n in (1, 2, 3)])
    done = days.publish(SCHEDULE, *(on + timedelta(days=n) for n in (-1, 0, 1)), at=tip + timedelta(days=9))
    assert [v.day for v in done.verdicts if v.published] == [on]
    assert all(str(on) in v.reason and str(v.day) in v.reason for v in done.refused)


# --- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("Postponed", "postponed"),
        ("PPD", "postponed"),
        ("Cancelled", "cancelled"),
        ("canceled", "cancelled"),
        ("Suspended", "suspended"),
        ("not needed", "not needed"),
        ("Q3 5:12", "in progress"),
        ("7:30 pm ET", "scheduled"),
        ("Tip soon", "unknown"),
        (None, "scheduled"),
    ],
)
def test_the_state_of_a_game_follows_from_the_words_of_its_source(tmp_path: Path, words: str, state: str) -> None:
    days = FeedDays(tmp_path, [game(1, MONDAY, played=False, status=words)])
    days.publish(SCHEDULE, MONDAY, at=morning_after(MONDAY))
    assert days.rows(SCHEDULE, *STATES) == [("0022300001", MONDAY, state, None)]


@pytest.mark.parametrize("words", ["postponed", "cancelled", "suspended", "not needed", "Tip soon"])
def test_a_game_that_is_not_played_is_an_explained_absence_that_blocks_nothing(tmp_path: Path, words: str) -> None:
    other = game(2, MONDAY, home="LAL", away="DEN")
    days = FeedDays(tmp_path, [game(1, MONDAY, played=False, status=words), other], box_score(other))
    for table in (SCHEDULE, PLAYER_BOXSCORES):
        assert days.publish(table, MONDAY, at=morning_after(MONDAY)).refused == []
    absent = json.loads(days.absent(PLAYER_BOXSCORES, MONDAY))
    assert list(absent.values()) == [2]
    assert "game not final yet" not in absent


def late(**changes: Any) -> Row:
    return game(1, MONDAY, played=False, **changes)


@pytest.mark.parametrize(
    ("row", "at", "others_played_on", "state"),
    [
        (late(), morning_after(MONDAY), TUESDAY, "scheduled"),
        (late(), LATER, TUESDAY, "unknown"),
        (late(), LATER, None, "scheduled"),
        (late(game_datetime_utc=None), morning_after(MONDAY), MONDAY, "unknown"),
        (late(game_datetime_utc=None), morning_after(MONDAY), None, "scheduled"),
        (late(home_pts=0, away_pts=0), LATER, TUESDAY, "unknown"),
        (late(home_pts=0, away_pts=0, status="Final"), morning_after(MONDAY), None, "unknown"),
    ],
)
def test_a_result_that_is_overdue_while_later_ones_are_in_leaves_the_state_unknown(
    tmp_path: Path, row: Row, at: datetime, others_played_on: date | None, state: str
) -> None:
    others = [game(2, others_played_on, home="LAL", away="DEN")] if others_played_on else []
    days = FeedDays(tmp_path, [row, *others])
    days.publish(SCHEDULE, MONDAY, at=at)
    assert ("0022300001", MONDAY, state, None) in days.rows(SCHEDULE, *STATES)


@pytest.mark.parametrize(
    "old",
    [
        late(status="Postponed"),
        late(status="Final", home_pts=0, away_pts=0),
        late(home_pts=0, away_pts=0),
        late(),
    ],
)
@pytest.mark.parametrize("played", [True, False])
def test_a_game_that_is_listed_under_its_old_and_its_new_day_is_on_the_new_one(
    tmp_path: Path, old: Row, played: bool
) -> None:
    new = game(1, FRIDAY, played=played)
    boxes = [*box_score(new), *box_score(old)] if played else []
    days = FeedDays(tmp_path, [old, new], boxes)
    for table in (SCHEDULE, PLAYER_BOXSCORES):
        assert days.publish(table, MONDAY, FRIDAY, at=morning_after(WEDNESDAY)).refused == []
    assert days.rows(SCHEDULE, *STATES) == [
        ("0022300001", MONDAY, "postponed", FRIDAY),
        ("0022300001", FRIDAY, "final" if played else "scheduled", None),
    ]
    assert {d for (d,) in days.rows(PLAYER_BOXSCORES, "game_date")} == ({FRIDAY} if played else set())


def test_a_game_that_moved_leaves_the_quotes_of_its_old_day_as_they_were_captured(tmp_path: Path) -> None:
    before, after = game(1, MONDAY, played=False), game(1, FRIDAY, played=False)
    quote = {
        "game_date": MONDAY,
        "game_id": "0022300001",
        "player_id": 7,
        "player_name": "A B",
        "market": "points",
        "bookmaker": "fanduel",
        "line": 20.5,
        "over_odds": -110.0,
        "under_odds": -110.0,
        "line_kind": "main",
        "first_seen_utc": tip_off(MONDAY) - timedelta(hours=9),
    }
    days = FeedDays(tmp_path, [before])
    days.feeds["prop_lines"] = [quote]
    for table in (SCHEDULE, PLAYER_PROP_LINES):
        assert days.publish(table, MONDAY, at=tip_off(MONDAY)).refused == []
    captured = days.rows(PLAYER_PROP_LINES, "game_date", "line", "captured_at")
    later = quote | {"game_date": FRIDAY, "line": 22.5, "first_seen_utc": tip_off(FRIDAY) - timedelta(hours=9)}
    days.feeds |= {"schedule": [before | {"status": "Postponed"}, after], "prop_lines": [quote, later]}
    for table in (SCHEDULE, PLAYER_PROP_LINES):
        assert days.publish(table, MONDAY, FRIDAY, at=tip_off(FRIDAY)).refused == []
    assert days.rows(SCHEDULE, *STATES)[0] == ("0022300001", MONDAY, "postponed", FRIDAY)
    rows = days.rows(PLAYER_PROP_LINES, "game_date", "line", "captured_at")
    assert rows == [*captured, (FRIDAY, 22.5, tip_off(FRIDAY) - timedelta(hours=9))]


def test_a_game_with_results_on_two_days_refuses_both(tmp_path: Path) -> None:
    days = FeedDays(tmp_path, [game(1, MONDAY), game(1, FRIDAY)])
    done = days.publish(SCHEDULE, MONDAY, FRIDAY, at=LATER)
    assert [v.day for v in done.refused] == [MONDAY, FRIDAY]
    assert all("listed on several days, 2024-01-08 and 2024-01-12" in v.reason for v in done.refused)


def test_a_game_to_come_on_two_days_refuses_both_unless_one_is_marked(tmp_path: Path) -> None:
    first, second = game(1, WEDNESDAY, played=False), game(1, FRIDAY, played=False)
    days = FeedDays(tmp_path, [first, second])
    assert len(days.publish(SCHEDULE, WEDNESDAY, FRIDAY, at=morning_after(MONDAY)).refused) == 2
    first["status"] = "Postponed"
    assert days.publish(SCHEDULE, WEDNESDAY, FRIDAY, at=morning_after(MONDAY)).refused == []
    assert days.rows(SCHEDULE, *STATES)[0] == ("0022300001", WEDNESDAY, "postponed", FRIDAY)


def test_a_playoff_game_is_not_needed_once_its_series_is_decided(tmp_path: Path) -> None:
    series = [game(1, MONDAY + timedelta(days=n), game_id=f"004230010{n + 1}") for n in range(4)]
    fifth = game(1, FRIDAY, game_id="0042300105", played=False)
    days = FeedDays(tmp_path, [*series, fifth])
    days.publish(SCHEDULE, FRIDAY, at=morning_after(TUESDAY))
    assert days.rows(SCHEDULE, *STATES) == [("0042300105", FRIDAY, "not needed", None)]
    series[0]["home_pts"], series[0]["away_pts"] = 90, 100
    days.publish(SCHEDULE, FRIDAY, at=morning_after(TUESDAY))
    assert days.rows(SCHEDULE, *STATES) == [("0042300105", FRIDAY, "scheduled", None)]
    days.feeds["schedule"].remove(fifth)
    series[0]["home_pts"], series[0]["away_pts"] = 100, 90
    assert days.publish(SCHEDULE, FRIDAY, at=morning_after(TUESDAY)).refused == []


def test_a_box_score_of_a_game_that_is_called_off_refuses_the_day(tmp_path: Path) -> None:
    off = game(1, MONDAY, played=False, status="cancelled")
    days = FeedDays(tmp_path, [off], box_score(off))
    assert "0022300001, 10 players, called cancelled" in refusal(days.publish(SCHEDULE, MONDAY, at=LATER))


def test_box_scores_alone_of_a_game_that_nobody_scheduled_refuse_their_own_day(published: FeedDays) -> None:
    stranger = game(77, MONDAY, home="MIA", away="ORL")
    published.feeds["player_boxscores"] += box_score(stranger)
    assert "0022300077" in refusal(published.publish(PLAYER_BOXSCORES, MONDAY, at=LATER))
