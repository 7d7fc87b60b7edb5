"""The raw tables: what a source may get wrong is set aside or refuses its day, and never passes as data."""

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline import definitions
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.publish import Publication, publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.catalog import CATALOG, schedule_read
from nba_pipeline.tables.raw.game_lines import GAME_LINES
from nba_pipeline.tables.raw.injury_reports import INJURY_REPORTS
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.raw.shots import SHOTS
from nba_pipeline.tables.raw.team_boxscores import TEAM_BOXSCORES
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.support import HandMadeSource, day, moment
from nba_pipeline_tests.support.open_warehouse import OpenWarehouse
from nba_pipeline_tests.support.real_data import REAL_DATA, needs_real_data

assert definitions.defs  # every table is registered
Row = dict[str, Any]
DAY = day("2024-01-05")
AT = datetime(2024, 2, 1, tzinfo=UTC)
NEXT_MORNING = datetime(2024, 1, 6, 12, tzinfo=UTC)
GAME = "0022300500"
TIP = moment("2024-01-06 00:30")


def game(game_id: str = GAME, home: str = "BOS", away: str = "LAL", **more: Any) -> Row:
    return {
        "game_id": game_id,
        "game_date": DAY,
        "game_datetime_utc": TIP,
        "home_team": home,
        "away_team": away,
        "home_pts": 100,
        "away_pts": 90,
    } | more


def box(points: int) -> Row:
    """A box score of two-pointers, and a free throw where the points are odd."""
    counts = dict.fromkeys(["fg3m", "fg3a", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov", "pf"], 0)
    shots, free = divmod(points, 2)
    return counts | {"pts": points, "fgm": shots, "fga": shots, "ftm": free, "fta": free}


def players(home: str = "BOS", away: str = "LAL") -> list[Row]:
    """Five players a team, who share 100 and 90 points evenly."""
    return [
        {
            "game_id": GAME,
            "game_date": DAY,
            "team": team,
            "opponent": opponent,
            "is_home": team == home,
            "player_id": base + n,
            "player_name": f"Player {base + n}",
            "starter": True,
            "min": 48,
            "min_exact": 48.0,
        }
        | box(points // 5)
        for team, opponent, base, points in ((home, away, 10, 100), (away, home, 20, 90))
        for n in range(5)
    ]


def teams() -> list[Row]:
    return [
        {"game_id": GAME, "game_date": DAY, "team": t, "opponent": o, "is_home": t == "BOS", "min": 240} | box(p)
        for t, o, p in (("BOS", "LAL", 100), ("LAL", "BOS", 90))
    ]


def sound() -> dict[str, list[Row]]:
    return {"schedule": [game()], "player_boxscores": players(), "team_boxscores": teams()}


class League:
    """A source made by hand in front of a real warehouse; `template` is one in which the sound feeds are published."""

    def __init__(self, path: Path, source: Source | None = None, template: Path | None = None) -> None:
        self.warehouse = OpenWarehouse(path / "nba.duckdb")
        self.has_sound_days = template is not None
        if template is not None:
            shutil.copy(template, self.warehouse.path)
        self.feeds = sound()
        self.source = source

    def publish(self, *tables: Table, days: Sequence[date] = (DAY,), at: datetime = AT) -> Publication:
        """Publish these tables in order; what became of the last one."""
        done = Publication([])
        for table in tables:
            transform = CATALOG[table.id]
            if table is not tables[-1] and self._is_sound(table):
                continue
            source = self.source or HandMadeSource(self.feeds)
            done = publish(transform, days, self.warehouse, source, schedule_read(transform), RunContext("r", at))
        return done

    def _is_sound(self, table: Table) -> bool:
        return self.has_sound_days and all(self.feeds[n] == sound()[n] for n in ("schedule", table.name))

    def rows(self, table: Table) -> list[Row]:
        read = self.warehouse.read({"r": (table, Days(date(1900, 1, 1), date(2100, 1, 1)))})["r"]
        return read.sort_by([(k, "ascending") for k in table.key]).to_pylist()

    def rejected(self, table: Table) -> list[str]:
        return sorted(r["reason"] for r in self.warehouse.quarantine([table.id]).to_pylist())


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    league = League(tmp_path_factory.mktemp("template"))
    league.publish(SCHEDULE, PLAYER_BOXSCORES)
    league.warehouse.close()
    return league.warehouse.path


@pytest.fixture
def league(template: Path, tmp_path: Path) -> League:
    """The schedule and the players' lines of a sound day are published; tests change the feeds and publish further."""
    return League(tmp_path, template=template)


def refusal(done: Publication) -> str:
    """The reasons of the one refused day."""
    (verdict,) = done.refused
    return "; ".join(c.description for c in verdict.checks.values() if not c.passed)


# --- schedule ---------------------------------------------------------------------------------------------------------


def test_season_and_kind_come_from_the_id_and_only_some_kinds_count(league: League) -> None:
    kinds = {
        "0012300001": ("2023-24", "Preseason", False),
        "0022300001": ("2023-24", "Regular Season", True),
        "0032300001": ("2023-24", "All-Star", False),
        "0042300001": ("2023-24", "Playoffs", True),
        "0052300001": ("2023-24", "PlayIn", True),
        "0062300001": ("2023-24", "NBA Cup Final", True),
    }
    league.feeds["schedule"] = [game(), *(game(i) for i in kinds)]
    kinds[GAME] = ("2023-24", "Regular Season", True)
    done = league.publish(SCHEDULE)
    assert {r["game_id"]: (r["season"], r["season_type"], r["countable"]) for r in league.rows(SCHEDULE)} == kinds
    assert done.verdicts[0].metadata["games"] == 5


def test_a_game_abroad_is_on_a_neutral_site_though_the_source_does_not_say_so(league: League) -> None:
    league.feeds["schedule"] = [game(arena="Accor Arena", neutral_site=False)]
    league.publish(SCHEDULE)
    assert [r["neutral_site"] for r in league.rows(SCHEDULE)] == [True]


def test_teams_of_an_all_star_game_need_not_be_among_the_thirty(league: League) -> None:
    league.feeds["schedule"] = [game(), game("0032300001", "EST", "WST")]
    league.publish(SCHEDULE)
    assert [r["game_id"] for r in league.rows(SCHEDULE)] == [GAME, "0032300001"]


def test_a_game_that_counts_with_a_team_that_nobody_knows_refuses_its_day(league: League) -> None:
    league.feeds["schedule"] = [game(), game("0022300001", "EST", "LAL")]
    assert "0022300001: a countable game has a team that is not one of the thirty" in refusal(league.publish(SCHEDULE))
    assert [r["game_id"] for r in league.rows(SCHEDULE)] == [GAME]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"game_id": None}, "the row has no game id"),
        ({"game_id": "22300500"}, "the game id has lost its leading zeros: store it as text, 10 characters"),
        ({"game_id": "2230050"}, "the game id has lost its leading zeros: store it as text, 10 characters"),
        ({"game_id": "002230050X"}, "the game id is not ten digits with a known prefix"),
        ({"game_id": "0072300500"}, "the game id is not ten digits with a known prefix"),
        ({"home_team": "LAL"}, "a team plays itself"),
        ({"home_pts": 90}, "a final game is a tie"),
        ({"home_pts": -1}, "home_points is not >= 0"),
        ({"home_team": None}, "home_team is missing"),
        (
            {"game_datetime_utc": moment("2024-01-05 00:30")},
            "the tip-off 2024-01-05T00:30Z is on 2024-01-04 in New York, not on the game date 2024-01-05",
        ),
        (
            {"game_datetime_utc": moment("2024-01-06 05:30")},
            "the tip-off 2024-01-06T05:30Z is on 2024-01-06 in New York, not on the game date 2024-01-05",
        ),
        ({"status": "Postponed"}, "the game has a score, but its status is 'Postponed'"),
        ({"status": "Tip soon"}, "the game has a score, but its status is 'Tip soon'"),
        ({"landing_problems": "home_pts: 'x' is not a whole number"}, "home_pts: 'x' is not a whole number"),
    ],
)
def test_a_game_that_cannot_be_is_set_aside_and_refuses_its_day(league: League, changes: Row, reason: str) -> None:
    league.feeds["schedule"] = [game(), game("0022300501") | changes]
    assert reason in refusal(league.publish(SCHEDULE))
    assert [r["game_id"] for r in league.rows(SCHEDULE)] == [GAME]
    assert league.rejected(SCHEDULE) == [reason]


def test_a_game_without_a_date_is_set_aside_and_refuses_no_day(league: League) -> None:
    league.feeds["schedule"] = [game(), game("0022300501", game_date=None)]
    assert league.publish(SCHEDULE).refused == []
    assert league.rejected(SCHEDULE) == ["the row has no game date"]


def test_a_game_is_final_once_both_scores_are_known(league: League) -> None:
    league.feeds["schedule"] = [game(), game("0022300501", home_pts=None), game("0022300502", game_datetime_utc=None)]
    league.publish(SCHEDULE, at=NEXT_MORNING)
    found = {r["game_id"]: r for r in league.rows(SCHEDULE)}
    assert [r["status"] for r in found.values()] == ["final", "scheduled", "final"]
    assert found["0022300501"]["away_points"] is None
    assert found[GAME]["cutoff_at"] == moment("2024-01-06 00:29")
    assert found["0022300502"]["cutoff_at"] == moment("2024-01-05 16:00")


@pytest.mark.parametrize("text", ["0204-01-05", "2424-01-05"])
def test_a_game_on_an_absurd_day_is_set_aside_not_lost(tmp_path: Path, text: str) -> None:
    columns = ["game_id", "game_date", "game_datetime_utc", "home_team", "away_team", "home_pts", "away_pts"]
    lines = [",".join(columns), f"{GAME},{text},,BOS,LAL,100,90", f"0022300501,{DAY},,BOS,LAL,100,90"]
    (tmp_path / "schedule.csv").write_text("\n".join(lines))
    league = League(tmp_path, FilesSource(tmp_path))
    league.publish(SCHEDULE)
    assert len(league.rows(SCHEDULE)) == 1
    assert len(league.rejected(SCHEDULE)) == 1


# --- box scores -------------------------------------------------------------------------------------------------------


def test_a_sound_box_score_is_published_whole(league: League) -> None:
    done = league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES)
    assert done.refused == []
    assert len(league.rows(PLAYER_BOXSCORES)) == 10
    assert [(r["team"], r["summed_from_players"]) for r in league.rows(TEAM_BOXSCORES)] == [
        ("BOS", False),
        ("LAL", False),
    ]


def bench(league: League, **changes: Any) -> None:
    """A sixth player who did not score, with something wrong."""
    league.feeds["player_boxscores"].append(players()[0] | {"player_id": 16, "player_name": "Sixth"} | box(0) | changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"team": "XXX"}, "its team does not play in that game"),
        ({"team": "DEN"}, "its team does not play in that game"),
        ({"game_id": "0022300999"}, "its game is not in the schedule of that day"),
        ({"is_home": False}, "home and away are the other way round in the schedule"),
        ({"opponent": "XXX"}, "its opponent is not the other team"),
        ({"tov": -1}, "turnovers is not >= 0"),
        ({"pf": 900}, "personal_fouls is not <= 60"),
        ({"min_exact": 71.0}, "minutes is not <= 70"),
        ({"min": -3, "min_exact": None}, "minutes is not >= 0"),
        ({"reb": 3}, "rebounds are not offensive + defensive"),
        ({"fgm": 1, "fga": 0, "pts": 2}, "more field goals made than attempted"),
        ({"pts": 2}, "points are not 2·FG + 3·3P + FT"),
        ({"player_id": None}, "player_id is missing"),
        ({"player_id": 0}, "player_id is not > 0"),
        ({"player_name": None}, "player_name is missing"),
        ({"plus_minus": 200}, "plus_minus is not <= 80"),
        ({"landing_problems": "fga: 'x' is not a whole number"}, "fga: 'x' is not a whole number"),
        pytest.param({"opponent": "DEN"}, "opponent"),
        pytest.param({"opponent": "BOS"}, "opponent"),
    ],
)
def test_a_line_that_cannot_be_is_set_aside_with_the_reason(league: League, changes: Row, reason: str) -> None:
    bench(league, **changes)
    done = league.publish(SCHEDULE, PLAYER_BOXSCORES)
    assert done.refused == []
    assert len(league.rows(PLAYER_BOXSCORES)) == 10
    (said,) = league.rejected(PLAYER_BOXSCORES)
    assert reason in said


def test_points_that_do_not_add_up_to_the_score_refuse_the_day(league: League) -> None:
    league.feeds["player_boxscores"][0] |= box(21)
    done = league.publish(SCHEDULE, PLAYER_BOXSCORES)
    assert f"players' points differ from the final score: 1 times ({GAME} BOS: players 101, score 100)" in refusal(done)
    assert {r["points"] for r in league.rows(PLAYER_BOXSCORES)} == {20, 18}, "the earlier rows stay"


def test_a_scorer_who_is_left_out_refuses_the_day(league: League) -> None:
    del league.feeds["player_boxscores"][0]
    said = refusal(league.publish(SCHEDULE, PLAYER_BOXSCORES))
    assert "players 80, score 100" in said
    assert "fewer than five" in said


def test_a_team_that_is_left_out_refuses_the_day(league: League) -> None:
    league.feeds["player_boxscores"] = players()[:5]
    said = refusal(league.publish(SCHEDULE, PLAYER_BOXSCORES))
    assert f"1 of 2 expected rows are absent without a reason ({GAME} LAL)" in said
    assert "number of teams other than two" in said


def test_the_same_line_twice_is_kept_once(league: League) -> None:
    league.feeds["player_boxscores"].append(players()[0])
    assert league.publish(SCHEDULE, PLAYER_BOXSCORES).refused == []
    assert len(league.rows(PLAYER_BOXSCORES)) == 10
    assert league.rejected(PLAYER_BOXSCORES) == ["the same row is there more than once; one was kept"]


def test_lines_that_contradict_each_other_refuse_the_day(league: League) -> None:
    league.feeds["player_boxscores"].append(players()[0] | box(22))
    assert "players 80, score 100" in refusal(league.publish(SCHEDULE, PLAYER_BOXSCORES))
    # both are named; the day's rows stay out
    assert (
        league.rejected(PLAYER_BOXSCORES) == ["other rows have the same key (game_id, player_id) and other values"] * 2
    )


def test_minutes_are_exact_only_where_the_source_has_decimals(league: League) -> None:
    league.feeds["player_boxscores"][0] |= {"min_exact": None, "min": 47}
    league.publish(SCHEDULE, PLAYER_BOXSCORES)
    assert [(r["minutes"], r["minutes_are_exact"]) for r in league.rows(PLAYER_BOXSCORES)[:2]] == [
        (47, False),
        (48, True),
    ]


def test_a_game_without_a_score_has_no_box_score_yet_and_that_is_explained(tmp_path: Path) -> None:
    league = League(tmp_path)
    league.feeds["schedule"] = [game(home_pts=None, away_pts=None)]
    done = league.publish(SCHEDULE, PLAYER_BOXSCORES, at=NEXT_MORNING)
    assert done.refused == []
    assert set(league.rejected(PLAYER_BOXSCORES)) == {"its game has no final score yet"}
    (entry,) = league.warehouse.ledger([PLAYER_BOXSCORES.id]).to_pylist()
    assert json.loads(entry["absent"]) == {"game not final yet": 2}


@pytest.mark.parametrize("there", [[], [0], [1]])
def test_team_lines_that_are_missing_are_summed_from_players_and_marked(league: League, there: list[int]) -> None:
    league.feeds["team_boxscores"] = [teams()[i] for i in there]
    assert league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES).refused == []
    found = [(r["team"], r["points"], r["minutes"], r["summed_from_players"]) for r in league.rows(TEAM_BOXSCORES)]
    assert found == [("BOS", 100, 240, 0 not in there), ("LAL", 90, 240, 1 not in there)]


def test_overtime_follows_from_the_minutes_that_sources_round(league: League) -> None:
    for row, minutes in zip(league.feeds["team_boxscores"], (264, 291), strict=True):
        row["min"] = minutes
    for row in league.feeds["player_boxscores"]:
        row["min_exact"] = 53.0 if row["team"] == "BOS" else 58.0
    league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES)
    assert [(r["overtime_periods"], r["minutes"]) for r in league.rows(TEAM_BOXSCORES)] == [(1, 265), (2, 290)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (box(99), "a team's points differ from the final score: 1 times"),
        (box(99), "a team's line is not the sum of its players: 1 times (0022300500 BOS: points 99, players 100"),
        ({"stl": 1}, "0022300500 BOS: steals 1, players 0"),
        ({"tov": -1}, "1 of 2 expected rows are absent without a reason"),
        ({"team": "DEN"}, ""),
    ],
)
def test_a_wrong_team_line_refuses_the_day_or_is_replaced_by_the_sum(
    league: League, change: Row, sentence: str
) -> None:
    league.feeds["team_boxscores"][0] |= change
    done = league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES)
    if sentence:
        assert sentence in refusal(done)
    else:
        assert [r["summed_from_players"] for r in league.rows(TEAM_BOXSCORES)] == [True, False]


def test_a_player_without_a_point_too_many_or_too_few_refuses_the_day(league: League) -> None:
    bench = {"player_id": 99, "player_name": "Player 99", "min_exact": 3.0} | box(0)
    league.feeds["player_boxscores"].append(league.feeds["player_boxscores"][0] | bench)
    assert "BOS: minutes 240, players 243.0" in refusal(league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES))


def test_a_team_may_have_turnovers_of_its_own(league: League) -> None:
    league.feeds["team_boxscores"][0]["tov"] = 3
    assert league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES).refused == []


def test_tricodes_of_other_sources_are_the_leagues(league: League) -> None:
    """A day whose every feed writes PHO, BRK and the like is the same day."""
    league.feeds["schedule"] = [game(home="PHX", away="BKN")]
    for feed in ("player_boxscores", "team_boxscores"):
        league.feeds[feed] = [
            r | {c: {"BOS": "PHX", "LAL": "BKN"}[r[c]] for c in ("team", "opponent")} for r in sound()[feed]
        ]
    assert league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES).refused == []
    plain = [league.rows(t) for t in (SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES)]
    foreign = {"PHX": "PHO", "BKN": "BRK"}
    columns = ("team", "opponent", "home_team", "away_team")
    for feed, rows in league.feeds.items():
        league.feeds[feed] = [r | {c: foreign[r[c]] for c in columns if c in r} for r in rows]
    assert league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES).refused == []
    assert [league.rows(t) for t in (SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES)] == plain


def test_a_tricode_that_is_no_teams_is_refused_by_name(league: League) -> None:
    league.feeds["player_boxscores"] = [r | {"team": "XYZ"} for r in sound()["player_boxscores"]]
    league.publish(SCHEDULE, PLAYER_BOXSCORES)
    assert "its team does not play in that game" in league.rejected(PLAYER_BOXSCORES)


def test_team_lines_with_home_and_away_swapped_are_set_aside(league: League) -> None:
    for row in league.feeds["team_boxscores"]:
        row["is_home"] = not row["is_home"]
    league.publish(SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES)
    assert league.rows(TEAM_BOXSCORES) == []


# --- shots ------------------------------------------------------------------------------------------------------------


def shot(**more: Any) -> Row:
    return {
        "game_id": GAME,
        "game_date": DAY,
        "player_id": 10,
        "period": 1,
        "mins_left": 11,
        "secs_left": 30,
        "shot_made": True,
        "shot_value": 2,
        "shot_distance": 5,
        "zone_basic": "Restricted Area",
    } | more


def test_shots_get_their_zone_and_are_numbered_in_order_of_time(league: League) -> None:
    league.feeds["shots"] = [
        shot(period=2, shot_value=3, shot_distance=23, zone_basic="Above the Break 3"),
        shot(mins_left=5, shot_distance=9, zone_basic="Mid-Range"),
        shot(),
        shot(period=4, shot_value=3, shot_distance=22, zone_basic="Left Corner 3"),
        shot(period=5, shot_value=3, shot_distance=40, zone_basic=None),
        shot(mins_left=3, shot_distance=8),
    ]
    league.publish(SCHEDULE, SHOTS)
    assert [(r["shot_number"], r["zone"]) for r in league.rows(SHOTS)] == [
        (1, "paint"),
        (2, "mid_range"),
        (3, "paint"),
        (4, "above_break_three"),
        (5, "corner_three"),
        (6, "above_break_three"),
    ]


@pytest.mark.parametrize(
    "changes", [{"shot_value": 4}, {"shot_distance": -1}, {"period": 0}, {"player_id": None}, {"game_id": "0022300999"}]
)
def test_a_shot_that_cannot_be_is_set_aside(league: League, changes: Row) -> None:
    league.feeds["shots"] = [shot(), shot(mins_left=1) | changes]
    league.publish(SCHEDULE, SHOTS)
    assert len(league.rows(SHOTS)) == len(league.rejected(SHOTS)) == 1


# --- lines ------------------------------------------------------------------------------------------------------------


def quote(**more: Any) -> Row:
    return {
        "game_date": DAY,
        "game_id": GAME,
        "player_id": 10,
        "player_name": "Luka Dončić",
        "market": "points",
        "bookmaker": "draftkings",
        "line": 25.5,
        "over_odds": -110.0,
        "under_odds": -110.0,
        "line_kind": "standard",
        "first_seen_utc": moment("2024-01-05 20:00"),
        "last_seen_utc": moment("2024-01-05 23:00"),
    } | more


def test_a_quote_is_kept_with_what_is_known_of_it(league: League) -> None:
    league.feeds["prop_lines"] = [quote(), quote(bookmaker="prizepicks", line_kind="demon", over_odds=None)]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    found = [(r["player_lookup"], r["book_kind"], r["line_kind"]) for r in league.rows(PLAYER_PROP_LINES)]
    assert found == [("lukadoncic", "sportsbook", "main"), ("lukadoncic", "dfs", "alternate")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first_seen_utc": moment("2024-01-06 00:31"), "last_seen_utc": None}, "captured after tip-off"),
        ({"game_id": "0022300999"}, "its game is not in the schedule of that day"),
        ({"line": 25.3}, "a line is not a multiple of one half"),
        ({"line": -1.5}, "line is not > 0"),
        ({"line": None}, "line is missing"),
        ({"over_odds": 50.0}, "American odds lie between -100 and 100"),
        ({"market": "dunks"}, "market is not one of"),
        ({"last_seen_utc": moment("2024-01-05 19:00")}, "the quote was last seen before it was first seen"),
        ({"player_name": None}, "player_name is missing"),
    ],
)
def test_a_quote_that_cannot_be_used_is_set_aside_with_the_reason(league: League, changes: Row, reason: str) -> None:
    league.feeds["prop_lines"] = [quote(bookmaker="fanduel"), quote() | changes]
    assert league.publish(SCHEDULE, PLAYER_PROP_LINES).refused == []
    assert [r["bookmaker"] for r in league.rows(PLAYER_PROP_LINES)] == ["fanduel"]
    (said,) = league.rejected(PLAYER_PROP_LINES)
    assert reason in said


CLOSE = {"is_closing_main": True, "bookmaker": "caesars", "last_seen_utc": None}


@pytest.mark.parametrize(
    ("minutes", "changes", "kept"),
    [
        (6, {}, True),
        (10, {}, True),
        (10.1, {}, False),
        (6, {"is_closing_main": False}, False),
        (6, {"is_closing_main": None}, False),
        (6, {"source": "The Odds API"}, False),
    ],
)
def test_a_documented_close_of_the_minutes_after_the_scheduled_tip_off_is_kept_for_evaluation_only(
    league: League, minutes: float, changes: Row, kept: bool
) -> None:
    late = quote(**CLOSE | {"first_seen_utc": TIP + timedelta(minutes=minutes)} | changes)
    league.feeds["prop_lines"] = [quote(is_closing_main=True), late]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    found = {r["bookmaker"]: r["evaluation_only"] for r in league.rows(PLAYER_PROP_LINES)}
    assert found == {"draftkings": False} | ({"caesars": True} if kept else {})
    assert league.rejected(PLAYER_PROP_LINES) == ([] if kept else ["captured after tip-off"])


def test_names_that_could_not_be_resolved_are_kept_under_the_spelling_of_the_book(league: League) -> None:
    league.feeds["prop_lines"] = [quote(player_id=None, player_name=None, player_name_source="L. Doncic")]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    (row,) = league.rows(PLAYER_PROP_LINES)
    assert (row["player_id"], row["player_lookup"]) == (None, "ldoncic")


PRICED = ("bookmaker", "line_kind", "line", "over_odds", "under_odds", "contradicted")


def priced(league: League) -> list[tuple[Any, ...]]:
    return sorted((tuple(r[c] for c in PRICED) for r in league.rows(PLAYER_PROP_LINES)), key=str)


def test_a_main_line_stays_beside_the_same_line_of_its_alternates(league: League) -> None:
    ladder = [quote(line_kind="alternate", line=n, over_odds=-118.0, under_odds=-112.0) for n in (23.5, 25.5, 27.5)]
    league.feeds["prop_lines"] = [quote(over_odds=-115.0, under_odds=-105.0), *ladder]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert league.rejected(PLAYER_PROP_LINES) == []
    assert priced(league) == [
        *[("draftkings", "alternate", n, -118.0, -112.0, False) for n in (23.5, 25.5, 27.5)],
        ("draftkings", "main", 25.5, -115.0, -105.0, False),
    ]


def test_prices_with_which_a_book_contradicts_itself_are_all_kept_and_marked(league: League) -> None:
    later = moment("2024-01-05 21:00")
    league.feeds["prop_lines"] = [
        quote(over_odds=-106.0, under_odds=-129.0),
        quote(over_odds=-112.0, under_odds=-128.0),
        quote(over_odds=-120.0, under_odds=100.0, first_seen_utc=later),
        quote(bookmaker="fanduel"),
    ]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert league.rejected(PLAYER_PROP_LINES) == []
    assert priced(league) == [
        ("draftkings", "main", 25.5, -106.0, -129.0, True),
        ("draftkings", "main", 25.5, -112.0, -128.0, True),
        ("draftkings", "main", 25.5, -120.0, 100.0, False),
        ("fanduel", "main", 25.5, -110.0, -110.0, False),
    ]


def test_quotes_without_game_player_and_capture_time_are_compared_with_their_like(league: League) -> None:
    nameless = {"game_id": None, "player_id": None, "player_name": None, "player_name_source": "L. Doncic"}
    untimed = nameless | {"first_seen_utc": None, "is_closing_main": True}
    league.feeds["prop_lines"] = [
        quote(**untimed, over_odds=-106.0, under_odds=-129.0),
        quote(**untimed, over_odds=-112.0, under_odds=-128.0),
        *[quote(**untimed, bookmaker="fanduel")] * 2,
    ]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert priced(league) == [
        ("draftkings", "main", 25.5, -106.0, -129.0, True),
        ("draftkings", "main", 25.5, -112.0, -128.0, True),
        ("fanduel", "main", 25.5, -110.0, -110.0, False),
    ]
    assert len(league.rejected(PLAYER_PROP_LINES)) == 1


def test_an_absurd_copy_contradicts_nothing(league: League) -> None:
    league.feeds["prop_lines"] = [quote(), quote(over_odds=199900.0)]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert priced(league) == [("draftkings", "main", 25.5, -110.0, -110.0, False)]
    (said,) = league.rejected(PLAYER_PROP_LINES)
    assert "American odds are outside the plausible range" in said


def test_of_copies_of_a_quote_the_one_that_was_seen_last_is_kept(league: League) -> None:
    earlier = quote(last_seen_utc=moment("2024-01-05 22:00"))
    league.feeds["prop_lines"] = [earlier, quote(), quote()]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert [r["last_seen_at"] for r in league.rows(PLAYER_PROP_LINES)] == [moment("2024-01-05 23:00")]
    assert (
        league.rejected(PLAYER_PROP_LINES)
        == ["the same quote is there more than once; the one that was seen last was kept"] * 2
    )


def test_two_players_of_one_name_keep_their_quotes(league: League) -> None:
    league.feeds["prop_lines"] = [
        quote(player_id=10, player_name="Jalen Johnson"),
        quote(player_id=11, player_name="Jalen Johnson", over_odds=-120.0),
        quote(player_id=None, player_name=None, player_name_source="Jalen Johnson", game_id=None),
    ]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert league.rejected(PLAYER_PROP_LINES) == []
    assert {(r["player_id"], r["game_id"], r["contradicted"]) for r in league.rows(PLAYER_PROP_LINES)} == {
        (10, GAME, False),
        (11, GAME, False),
        (None, None, False),
    }


@pytest.mark.parametrize(
    ("book", "kind"),
    [
        *[(b, "dfs") for b in ("prizepicks", "underdog", "pick6", "betr_us_dfs", "PrizePicks", "sleeper")],
        *[(b, "sportsbook") for b in ("draftkings", "betonline.ag", "BetOnlineAG", "williamhill_us", "pointsbet(us)")],
        *[(b, "exchange") for b in ("novig", "prophetx", "betopenly", "kalshi", "betfair_ex_uk")],
        *[(b, "unknown") for b in ("some_new_book", "pick7", "barstool", "foxbet")],
    ],
)
def test_a_quote_says_what_its_book_is_on_that_day(league: League, book: str, kind: str) -> None:
    league.feeds["prop_lines"] = [quote(bookmaker=book)]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert [r["book_kind"] for r in league.rows(PLAYER_PROP_LINES)] == [kind]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"over_odds": 199900.0, "under_odds": None}, "American odds are outside the plausible range"),
        ({"over_odds": None, "under_odds": -100000.0}, "American odds are outside the plausible range"),
        ({"over_odds": 3000.0, "under_odds": -9000.0}, "American odds are outside the plausible range"),
        ({"over_odds": -10000.0, "under_odds": -10000.0}, "do not add up to what such a book quotes"),
        ({"over_odds": 135.0, "under_odds": 125.0}, "do not add up to what such a book quotes"),
        ({"over_odds": -110.0, "under_odds": 1990.0}, "do not add up to what such a book quotes"),
        ({"line": 95.5}, "the line is above any plausible one of its market"),
        ({"market": "blocks", "line": 25.5}, "the line is above any plausible one of its market"),
        ({"ended_utc": moment("2024-01-05 22:00")}, "the quote ended before it was last seen"),
    ],
)
def test_an_implausible_quote_goes_to_quarantine(league: League, changes: Row, reason: str) -> None:
    league.feeds["prop_lines"] = [quote(bookmaker="fanduel"), quote() | changes]
    assert league.publish(SCHEDULE, PLAYER_PROP_LINES).refused == []
    assert [r["bookmaker"] for r in league.rows(PLAYER_PROP_LINES)] == ["fanduel"]
    (said,) = league.rejected(PLAYER_PROP_LINES)
    assert reason in said


@pytest.mark.parametrize(
    "changes",
    [
        {"over_odds": 1253.0, "under_odds": -10000.0, "market": "threes", "line": 0.5},
        {"over_odds": 5000.0, "under_odds": None, "line_kind": "alternate", "line": 45.5},
        {"over_odds": None, "under_odds": None},
        {"over_odds": 100.0, "under_odds": -120.0},
        {"over_odds": -137.0, "under_odds": -137.0, "bookmaker": "prizepicks"},
    ],
)
def test_a_plausible_quote_however_steep_is_kept(league: League, changes: Row) -> None:
    league.feeds["prop_lines"] = [quote() | changes]
    league.publish(SCHEDULE, PLAYER_PROP_LINES)
    assert league.rejected(PLAYER_PROP_LINES) == []


def game_line(**more: Any) -> Row:
    line = {"game_id": GAME, "game_date": DAY, "bookmaker": "fanduel", "spread_home": -3.5, "total": 220.5}
    return line | {"snapshot_utc": TIP - timedelta(hours=2)} | more


def test_contradictory_game_lines_of_a_book_at_one_moment_are_kept_and_marked_and_copies_collapse(
    league: League,
) -> None:
    contrary, other_time = game_line(spread_home=4.5), game_line(spread_home=2.5, snapshot_utc=TIP)
    absurd = game_line(ml_home=-500.0, ml_away=-500.0, total=150.0)
    league.feeds["game_lines"] = [game_line(), game_line(source="again"), contrary, other_time, absurd]
    assert league.publish(SCHEDULE, GAME_LINES).refused == []
    marked = sorted((r["spread_home"], r["contradicted"]) for r in league.rows(GAME_LINES))
    assert marked == [(-3.5, True), (2.5, False), (4.5, True)]
    assert sorted(league.rejected(GAME_LINES))[1] == "the same line is there more than once; one was kept"


def test_a_game_line_knows_when_it_ended_and_what_its_book_is(league: League) -> None:
    league.feeds["game_lines"] = [
        game_line(ended_utc=TIP - timedelta(hours=1)),
        game_line(bookmaker="newbook", book_kind="sportsbook"),
        game_line(bookmaker="unheard"),
        game_line(bookmaker="odd", ended_utc=TIP - timedelta(hours=3)),
        game_line(bookmaker="casino", book_kind="casino"),
    ]
    league.publish(SCHEDULE, GAME_LINES)
    known = {r["bookmaker"]: (r["book_kind"], r["ended_at"]) for r in league.rows(GAME_LINES)}
    assert known == {
        "fanduel": ("sportsbook", TIP - timedelta(hours=1)),
        "newbook": ("sportsbook", None),
        "unheard": ("unknown", None),
    }
    assert sorted(r.split(":")[0] for r in league.rejected(GAME_LINES))[-1] == "the line ended before it was captured"


def test_game_lines_after_tip_off_are_set_aside(league: League) -> None:
    line = {"game_id": GAME, "game_date": DAY, "bookmaker": "x", "spread_home": -3.5, "total": 220.5}
    league.feeds["game_lines"] = [line | {"snapshot_utc": TIP}, line | {"snapshot_utc": moment("2024-01-06 00:31")}]
    league.publish(SCHEDULE, GAME_LINES)
    assert [r["captured_at"] for r in league.rows(GAME_LINES)] == [TIP]
    assert league.rejected(GAME_LINES) == ["captured after tip-off"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"ml_home": -92.5, "ml_away": 110.0}, "a moneyline lies between -100 and 100"),
        ({"ml_home": 322.0, "ml_away": 608.0}, "its moneylines imply less than 1 or more than 1.12 together"),
        ({"ml_home": -500.0, "ml_away": -500.0}, "its moneylines imply less than 1 or more than 1.12 together"),
        ({"ml_home": -200.0, "ml_away": 170.0, "spread_home": 5.0}, "spread and moneyline favour different teams"),
    ],
)
def test_game_lines_that_contradict_themselves_are_set_aside(league: League, fault: Row, reason: str) -> None:
    line = {
        "game_id": GAME,
        "game_date": DAY,
        "bookmaker": "x",
        "spread_home": -3.5,
        "total": 220.5,
        "snapshot_utc": TIP,
    }
    sound = line | {"bookmaker": "y", "ml_home": -160.0, "ml_away": 140.0}
    league.feeds["game_lines"] = [line | fault, sound]
    league.publish(SCHEDULE, GAME_LINES)
    assert [r["bookmaker"] for r in league.rows(GAME_LINES)] == ["y"]
    assert league.rejected(GAME_LINES) == [reason]


def test_what_is_missing_from_the_source_is_said_in_the_coverage(league: League) -> None:
    for table in (GAME_LINES, PLAYER_PROP_LINES, SHOTS):
        done = league.publish(SCHEDULE, table)
        assert done.refused == []
        assert "the source has no" in str(done.verdicts[0].checks["coverage"].metadata["absent_because"])


# --- injuries ---------------------------------------------------------------------------------------------------------


def injury(**more: Any) -> Row:
    known = {"report_date": DAY, "record_type": "transaction", "player_id": 10, "player_name": "A. B.", "status": "out"}
    return known | more


@pytest.mark.parametrize(
    "changes", [{"record_type": "rumour"}, {"team": "XXX"}, {"player_name": None}, {"game_id": "1"}]
)
def test_a_statement_that_breaks_the_contract_is_set_aside(league: League, changes: Row) -> None:
    league.feeds["injuries"] = [injury(), injury(player_name="C. D.") | changes]
    league.publish(SCHEDULE, INJURY_REPORTS)
    assert [r["player_lookup"] for r in league.rows(INJURY_REPORTS)] == ["ab"]
    assert len(league.rejected(INJURY_REPORTS)) == 1


# --- real data --------------------------------------------------------------------------------------------------------

CHECKS: dict[str, Callable[[list[Row]], bool]] = {
    SCHEDULE.id: lambda rows: len(rows) == 100,
    PLAYER_BOXSCORES.id: lambda rows: sum(r["points"] == 73 for r in rows) == 1,
    TEAM_BOXSCORES.id: lambda rows: len(rows) == 2 * 100 and not any(r["summed_from_players"] for r in rows),
    SHOTS.id: lambda rows: {r["zone"] for r in rows} == {"paint", "mid_range", "corner_three", "above_break_three"},
}


@needs_real_data
def test_two_weeks_of_real_games_pass_every_rule(tmp_path: Path) -> None:
    """2024-01-15 to 28: Dončić scores 73 on the 26th."""
    league = League(tmp_path, FilesSource(REAL_DATA))
    days = days_between(day("2024-01-15"), day("2024-01-28"))
    for table in (SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES, SHOTS, PLAYER_PROP_LINES, GAME_LINES, INJURY_REPORTS):
        done = league.publish(table, days=days)
        assert done.refused == [], (table.id, [v.checks for v in done.refused][:1])
        assert CHECKS.get(table.id, bool)(league.rows(table)), (table.id, len(league.rows(table)))
    late = [r for r in league.rows(PLAYER_PROP_LINES) if r["captured_at"] and r["captured_at"].date() > days[-1]]
    assert late == [r for r in late if r["game_date"] == days[-1]]


def test_days_between_the_days_asked_for_are_neither_published_nor_rejected(league: League) -> None:
    """A blocked day leaves a hole in the range; the tables read for the days around it hold its rows too."""
    wanted = [day("2024-01-05"), day("2024-01-06"), day("2024-01-07")]
    league.feeds = {name: [] for name in league.feeds}
    for n, on in enumerate(wanted):
        moved = {"game_id": f"002230050{n}", "game_date": on}
        tip = {"game_datetime_utc": datetime(2024, 1, 6 + n, tzinfo=UTC)}
        for name, rows in sound().items():
            league.feeds[name] += [r | moved | (tip if name == "schedule" else {}) for r in rows]
    league.publish(SCHEDULE, PLAYER_BOXSCORES, days=wanted)
    league.publish(TEAM_BOXSCORES, days=[wanted[0], wanted[2]])
    assert {r["game_date"] for r in league.rows(TEAM_BOXSCORES)} == {wanted[0], wanted[2]}
    assert league.rejected(TEAM_BOXSCORES) == []


def test_a_preseason_game_with_a_box_score_does_not_refuse_its_day(league: League) -> None:
    """Its lines are facts, but nothing demands them: only countable games are expected."""
    preseason = "0012300001"
    league.feeds = {n: [*rows, *[r | {"game_id": preseason} for r in rows]] for n, rows in sound().items()}
    for table in (PLAYER_BOXSCORES, TEAM_BOXSCORES):
        assert league.publish(SCHEDULE, table).refused == []
    assert GAME in {r["game_id"] for r in league.rows(TEAM_BOXSCORES)}
