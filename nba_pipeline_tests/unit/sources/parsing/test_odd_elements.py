"""One odd element of an answer is set aside by name; the others are used; an answer of too many odd ones is refused."""

import copy
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.sources.answers import BOX_SCORE_SOURCE, parsed
from nba_pipeline.sources.parsing import (
    box_score,
    game_log,
    injury_report,
    odds,
    players,
    quote_rows,
    schedule,
    shot_chart,
)
from nba_pipeline.sources.parsing.acceptance import SetAside
from nba_pipeline.sources.parsing.injury_report import Word
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline_tests.support.service_answers import result_set
from nba_pipeline_tests.support.small_league import services

NOW = datetime(2026, 1, 23, 20, tzinfo=UTC)
DAY = date(2026, 1, 23)
HOME, AWAY = "Boston Celtics", "New York Knicks"


def game(number: int, **other: Any) -> dict[str, Any]:
    return {
        "gameId": f"00225{number:05d}",
        "gameDateTimeEst": "2026-02-01T19:30:00Z",
        "gameStatus": 3,
        "gameStatusText": "Final",
        "isNeutral": False,
        "arenaName": "Hall",
        "homeTeam": {"teamTricode": "BOS", "score": 100},
        "awayTeam": {"teamTricode": "NYK", "score": 99},
    } | other


def season_of(*games: dict[str, Any]) -> dict[str, Any]:
    return {"leagueSchedule": {"seasonYear": "2025-26", "gameDates": [{"games": list(games)}]}}


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (game(1, gameId="0032500004", homeTeam=None, awayTeam=None), "the part 'homeTeam' is null"),
        (game(2, gameId="0012500009", homeTeam={"teamTricode": "MEL", "score": "88"}), 'score is "88", not a whole'),
        (game(3, gameDateTimeEst="", gameStatus=1), "gameDateTimeEst is empty"),
        (game(4, gameDateTimeEst="soon", gameStatus=1), "gameDateTimeEst is 'soon', not a time"),
        (game(5, gameStatus=None), "the part 'gameStatus' is null"),
        ("All-Star", "an object with gameId is expected"),
    ],
)
def test_an_odd_game_is_set_aside_by_name_and_the_season_is_read(odd: Any, reason: str) -> None:
    set_aside: list[SetAside] = []
    games = schedule.games(season_of(*map(game, range(10, 60)), odd), set_aside)
    assert len(games) == 50
    (named,) = set_aside
    assert named.reason.startswith(reason)
    assert named.element == ('game "All-Star"' if isinstance(odd, str) else f'game "{odd["gameId"]}"')


def test_a_schedule_whose_form_changed_is_refused() -> None:
    changed = [{k: v for k, v in game(i).items() if k != "gameDateTimeEst"} for i in range(60)]
    with pytest.raises(PayloadError, match="60 of 60 games cannot be read, more than 10%"):
        schedule.games(season_of(*changed))
    with pytest.raises(PayloadError, match="the schedule has no games"):
        schedule.games(season_of())


def outcome(name: Any, who: Any, point: Any, price: Any) -> dict[str, Any]:
    return {"name": name, "description": who, "point": point, "price": price}


GOOD = {"player_points": [outcome("Over", "A B", 20.5, -110), outcome("Under", "A B", 20.5, -110)]}


def book(key: Any, markets: dict[str, list[Any]]) -> dict[str, Any]:
    return {"key": key, "markets": [{"key": k, "outcomes": v} for k, v in markets.items()]}


def event(*books: Any, home: str = HOME, away: str = AWAY) -> dict[str, Any]:
    return {
        "id": "abc",
        "commence_time": "2026-01-24T00:00:00Z",
        "home_team": home,
        "away_team": away,
        "bookmakers": list(books),
    }


EIGHT = [book(f"book{i}", GOOD) for i in range(8)]


@pytest.mark.parametrize(
    ("odd", "element", "reason"),
    [
        (
            book("odd", {"player_points": [outcome("Yes", "A B", 20.5, -110)]}),
            "book odd, player_points 1",
            "a player's outcome is called 'Yes'",
        ),
        (
            book("odd", {"player_assists": [outcome("Over", None, 20.5, -110)]}),
            "book odd, player_assists 1",
            "description is empty",
        ),
        (
            book("odd", {"player_points": [outcome("Over", "A B", None, -110)]}),
            "book odd, player_points 1",
            "a player's outcome has no line",
        ),
        (
            book("odd", {"player_points": [outcome("Over", "A B", "20.5", -110)]}),
            "book odd, player_points 1",
            'point is "20.5", not a number',
        ),
        (
            book("odd", {"player_points": [outcome("Over", "A B", 20.5, 1.91)]}),
            "book odd, player_points 1",
            "the price 1.91 is not American odds",
        ),
        (
            book("odd", {"totals": [outcome("Over", None, 220.5, -110), outcome("Under", None, 221.5, -110)]}),
            "book odd, totals",
            "several totals for one game: 220.5, 221.5",
        ),
        (
            book("odd", {"h2h": [outcome("Draw", None, None, 900)]}),
            "book odd, h2h",
            "'Draw' is neither team of the event",
        ),
        (
            book("odd", {"spreads": [outcome(HOME, None, -3.5, -110), outcome(HOME, None, -4.5, -110)]}),
            "book odd, spreads",
            "several spreads for one game: -4.5, -3.5",
        ),
        (book(None, GOOD), "book 9", "key is empty"),
        ({"key": "odd", "markets": None}, "book 9", "the part 'markets' is null"),
        ({"key": "odd", "markets": [{"key": "player_points"}]}, "book odd, market 1", "the part 'outcomes' is missing"),
        ("odd", "book 9", "an object with key is expected"),
    ],
)
def test_an_odd_outcome_market_or_book_is_set_aside_and_the_other_eight_are_kept(
    odd: Any, element: str, reason: str
) -> None:
    set_aside: list[SetAside] = []
    taken = odds.snapshot(event(*EIGHT, odd), NOW, set_aside)
    assert [(p["bookmaker"], p["over_odds"], p["under_odds"]) for p in taken.props] == [
        (f"book{i}", -110.0, -110.0) for i in range(8)
    ]
    (named,) = set_aside
    assert named.element == element
    assert named.reason.startswith(reason)


def test_a_book_keeps_its_good_outcomes_beside_an_odd_one() -> None:
    odd = book("odd", {"player_points": [outcome("Yes", "A B", 20.5, -110), *GOOD["player_points"]]})
    assert [p["bookmaker"] for p in odds.snapshot(event(odd), NOW).props] == ["odd"]


def test_a_market_nobody_asked_for_is_no_odd_element() -> None:
    set_aside: list[SetAside] = []
    odds.snapshot(event(book("a", GOOD | {"player_double_double": [outcome("Yes", "A B", None, 300)]})), NOW, set_aside)
    assert set_aside == []


def test_an_answer_in_decimal_odds_is_refused() -> None:
    decimal = {"player_points": [outcome("Over", "A B", 20.5, 1.91), outcome("Under", "A B", 20.5, 1.91)]}
    with pytest.raises(PayloadError, match="18 of 18 outcomes cannot be read, more than 50%"):
        odds.snapshot(event(*(book(f"book{i}", decimal) for i in range(9))), NOW)


def test_a_line_that_a_book_lists_twice_gives_two_whole_quotes() -> None:
    prices = [(-106, -129), (-112, -128)]
    outcomes = [
        o for over, under in prices for o in (outcome("Over", "A B", 7.5, over), outcome("Under", "A B", 7.5, under))
    ]
    quotes = odds.snapshot(event(book("twice", {"player_points": outcomes})), NOW).props
    assert [(q["over_odds"], q["under_odds"]) for q in quotes] == prices


def test_an_odd_event_of_the_list_is_set_aside() -> None:
    future = event() | {"id": "outright", "home_team": None, "away_team": None}
    set_aside: list[SetAside] = []
    listed = odds.events([event(), event() | {"id": "def"}, future], set_aside)
    assert [e.id for e in listed] == ["abc", "def"]
    assert [str(s) for s in set_aside] == ["event 3: the part 'home_team' is null"]


def of_day(home: str, away: str, day: date = DAY, tip: datetime | None = None) -> Game:
    return Game("0022500600", day, tip, home, away, None, None, neutral=None, arena=None)


def test_an_event_finds_its_game_with_sides_exchanged_and_its_lines_are_turned() -> None:
    quotes = {
        "spreads": [outcome(HOME, None, -6.5, -110), outcome(AWAY, None, 6.5, -110)],
        "h2h": [outcome(HOME, None, None, -250), outcome(AWAY, None, None, 210)],
        "totals": [outcome("Over", None, 220.5, -110), outcome("Under", None, 220.5, -110)],
    }
    taken = odds.snapshot(event(book("a", quotes)), NOW)
    listed, exchanged = of_day("BOS", "NYK"), of_day("NYK", "BOS")
    assert taken.event.game([listed]) is listed
    assert taken.event.game([exchanged]) is exchanged
    rows = [quote_rows.line_rows([taken], DAY, {"abc": g})[0] for g in (listed, exchanged)]
    columns = ("spread_home", "total", "ml_home", "ml_away")
    assert [tuple(r[c] for c in columns) for r in rows] == [(-6.5, 220.5, -250.0, 210.0), (6.5, 220.5, 210.0, -250.0)]


def test_an_event_finds_its_game_over_midnight_but_not_the_next_one_of_the_same_teams() -> None:
    (listed,) = odds.events([event() | {"commence_time": "2026-01-24T05:10:00Z"}])
    moved = of_day("BOS", "NYK", DAY, datetime(2026, 1, 24, 3, 30, tzinfo=UTC))
    assert listed.day == DAY + timedelta(days=1)
    assert listed.game([moved]) is moved
    assert listed.game([of_day("BOS", "NYK", DAY - timedelta(days=1), datetime(2026, 1, 23, 0, tzinfo=UTC))]) is None


PLAYED = services()
LOG = PLAYED.game_log({"PlayerOrTeam": "P", "SeasonType": "Regular Season"})["resultSets"][0]
REPEATED = [row for _ in range(40) for row in LOG["rowSet"]]


def with_cell(rows: list[Any], headers: list[str], at: int, column: str, value: Any) -> list[Any]:
    return [
        [*r[: headers.index(column)], value, *r[headers.index(column) + 1 :]] if i == at else r
        for i, r in enumerate(rows)
    ]


def test_a_game_of_which_a_line_cannot_be_read_is_left_out_of_the_log_whole() -> None:
    headers = LOG["headers"]
    games = sorted({r[headers.index("GAME_ID")] for r in LOG["rowSet"]})
    spoiled = LOG["rowSet"][0][headers.index("GAME_ID")]
    set_aside: list[SetAside] = []
    rows = with_cell(REPEATED, headers, 0, "PTS", "12")
    read = game_log.players(result_set("LeagueGameLog", headers, rows), {}, set_aside)
    assert sorted({r["game_id"] for r in read}) == [g for g in games if g != spoiled]
    assert [str(s) for s in set_aside] == [f'game "{spoiled}", row 1: PTS is "12", not a whole number']
    short = [*REPEATED, ["stray"]]
    assert game_log.players(result_set("LeagueGameLog", headers, short), {}, set_aside)


def test_a_log_whose_form_changed_is_refused() -> None:
    headers = LOG["headers"]
    rows = [with_cell([r], headers, 0, "PTS", "12")[0] for r in REPEATED]
    with pytest.raises(PayloadError, match="cannot be read, more than 10%"):
        game_log.players(result_set("LeagueGameLog", headers, rows), {})


def test_a_row_of_another_season_is_set_aside_and_an_answer_of_another_season_is_refused() -> None:
    headers = LOG["headers"]
    rows = with_cell(REPEATED, headers, 0, "GAME_ID", "0022000001")
    set_aside: list[SetAside] = []

    def read(rows: list[Any], key: str) -> list[Any]:
        answer = json.dumps(result_set("LeagueGameLog", headers, rows)).encode()
        return parsed("player_log", key, answer, NOW, {}, set_aside)

    assert len(read(rows, "2024-25_Regular-Season")) == len(rows) - 1
    assert [str(s) for s in set_aside] == ['game "0022000001": it is a game of another season than 2024-25']
    with pytest.raises(PayloadError, match="it is a game of another season than 2023-24"):
        read(REPEATED, "2023-24_Regular-Season")


BOSTON = next(g for g in PLAYED.games if g["home_pts"] is not None)
BOSTON_GAME = Game(BOSTON["game_id"], DAY, None, BOSTON["home_team"], BOSTON["away_team"], 1, 2, None, None)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"statistics": None}, "the part 'statistics' is null"),
        ({"personId": "x"}, 'personId is "x", not a whole number'),
        ({"comment": 5}, "comment is 5, not a text"),
    ],
)
def test_an_odd_line_of_a_box_score_is_set_aside_by_name(odd: dict[str, Any], reason: str) -> None:
    answer = copy.deepcopy(PLAYED.box_score(BOSTON["game_id"]))
    people = answer["boxScoreTraditional"]["homeTeam"]["players"]
    whole = box_score.box_score(answer, BOSTON_GAME, BOX_SCORE_SOURCE)
    answer["boxScoreTraditional"]["homeTeam"]["players"] = [people[0] | odd, *people[1:]] + [
        p | {"personId": 10_000 + i} for i, p in enumerate(people[1:] * 10)
    ]
    set_aside: list[SetAside] = []
    read = box_score.box_score(answer, BOSTON_GAME, BOX_SCORE_SOURCE, set_aside)
    assert whole.is_whole and not read.is_whole
    assert read.teams == whole.teams
    (named,) = set_aside
    assert named.element.startswith(f"{BOSTON['home_team']} player ")
    assert named.reason.startswith(reason)


def test_a_box_score_of_which_many_lines_cannot_be_read_is_refused() -> None:
    answer = copy.deepcopy(PLAYED.box_score(BOSTON["game_id"]))
    for person in answer["boxScoreTraditional"]["homeTeam"]["players"]:
        person["personId"] = "x"
    with pytest.raises(PayloadError, match="lines of the box score cannot be read, more than 10%"):
        box_score.box_score(answer, BOSTON_GAME, BOX_SCORE_SOURCE)


def test_an_odd_shot_and_an_odd_player_are_set_aside() -> None:
    chart = PLAYED.shot_chart({"SeasonType": "Regular Season", "TeamID": "0"})["resultSets"][0]
    shots = [row for _ in range(40) for row in chart["rowSet"]]
    set_aside: list[SetAside] = []
    rows = with_cell(shots, chart["headers"], 3, "SHOT_TYPE", "4PT Field Goal")
    assert len(shot_chart.shots(result_set("Shot_Chart_Detail", chart["headers"], rows), set_aside)) == len(shots) - 1
    index = PLAYED.player_index()["resultSets"][0]
    people = [row for _ in range(40) for row in index["rowSet"]]
    rows = with_cell(people, index["headers"], 5, "PERSON_ID", "x")
    assert len(players.index(result_set("PlayerIndex", index["headers"], rows), set_aside)) == len(people) - 1
    assert [s.reason for s in set_aside] == [
        "SHOT_TYPE is '4PT Field Goal', not one of 2PT Field Goal, 3PT Field Goal",
        'PERSON_ID is "x", not a whole number',
    ]


HEADING = ("Game", "Date", "Game", "Time", "Matchup", "Team", "Player", "Name", "Current", "Status", "Reason")
COLUMNS = (0, 0, 100, 100, 200, 300, 400, 400, 500, 500, 600)


def reported(statements: list[tuple[str, str, str]]) -> list[Word]:
    """The words of a report of one page with these statements of a game: (team, player, status)."""
    title = [Word(0, 0, w) for w in ["Injury", "Report:", "01/04/24", "12:30", "PM", "Page", "1", "of", "1"]]
    heading = [Word(0, x, w) for x, w in zip(COLUMNS, HEADING, strict=True)]
    game = [Word(0, 0, "01/04/2024"), Word(0, 100, "07:30 (ET)"), Word(0, 200, "NYK@PHI")]
    cells = [
        Word(0, x, w)
        for statement in statements
        for x, w in zip((300, 400, 500, 600), (*statement, "Rest"), strict=True)
    ]
    return [*title, *heading, *game, *cells]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (("New York Knicks", "Odd, One", "Day-To-Day"), "the status 'Day-To-Day' is not one of Out, Doubtful"),
        (("Team Stripes", "Odd, One", "Out"), "'Team Stripes' is not a club of the league"),
    ],
)
def test_an_odd_statement_of_a_report_is_set_aside(odd: tuple[str, str, str], reason: str) -> None:
    good = [("New York Knicks", f"Player, N{i}", "Out") for i in range(20)]
    set_aside: list[SetAside] = []
    found = injury_report.report(reported([*good, odd]), set_aside)
    assert [s[3] for s in found.statements] == [name for _, name, _ in good]
    (named,) = set_aside
    assert named.element == "statement 21 (Odd, One)"
    assert named.reason.startswith(reason)


def test_a_report_with_other_words_for_statuses_is_refused() -> None:
    strange = [("New York Knicks", f"Player, N{i}", "GTD") for i in range(20)]
    with pytest.raises(PayloadError, match="20 of 20 statements cannot be read, more than 10%"):
        injury_report.report(reported(strange))


ODD = st.sampled_from([None, True, "", "x", -1, 0.5, 10**30, float("nan"), [], {}, "2024-13-45"])


@settings(max_examples=300, deadline=None)
@given(
    odd=st.fixed_dictionaries({}, optional={k: ODD for k in ("name", "description", "point", "price")}),
    market=st.sampled_from([*odds.MARKETS, "player_double_double"]),
    key=st.sampled_from(["odd", None, 7, ""]),
)
def test_no_odd_book_takes_another_with_it(odd: dict[str, Any], market: str, key: Any) -> None:
    strange = book(key, {market: [outcome("Over", "A B", 20.5, -110) | odd]})
    taken = odds.snapshot(event(*EIGHT, strange), NOW)
    assert {p["bookmaker"] for p in taken.props} >= {f"book{i}" for i in range(8)}
