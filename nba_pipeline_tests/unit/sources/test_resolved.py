"""Names without ids are resolved where they are read, from what was known before the day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import INJURIES, PROP_LINES, Feed
from nba_pipeline.sources.resolved import DAYS_BACK, ResolvedSource
from nba_pipeline_tests.support.real_data import REAL_DATA, needs_real_data

DAY = date(2024, 1, 15)
GAME = {"game_id": "0022300001", "game_date": DAY, "game_datetime_utc": None, "home_team": "BOS", "away_team": "DEN"}
COUNTS = [
    "pts",
    "fgm",
    "fga",
    "fg3m",
    "fg3a",
    "ftm",
    "fta",
    "oreb",
    "dreb",
    "reb",
    "ast",
    "stl",
    "blk",
    "tov",
    "pf",
    "min",
]


def line(name: str, player_id: int | None = None, **more: object) -> dict:
    row = {"game_date": DAY, "game_id": GAME["game_id"], "player_id": player_id, "player_name": None}
    row |= {"player_name_source": name, "market": "points", "bookmaker": "b", "line": 10.5}
    return row | more


def played(day: date, player_id: int, name: str, team: str) -> dict:
    row = {"game_id": "x", "game_date": day, "team": team, "opponent": "UTA", "is_home": True}
    return row | {"player_id": player_id, "player_name": name} | dict.fromkeys(COUNTS, 1)


def source(tmp_path: Path, lines: list[dict], box: list[dict], players: Sequence[dict] = ()) -> ResolvedSource:
    files = {"schedule": [GAME | {"home_pts": None, "away_pts": None}], "prop_lines": lines, "player_boxscores": box}
    for name, rows in (files | ({"players": list(players)} if players else {})).items():
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{name}.parquet")
    return ResolvedSource(FilesSource(tmp_path))


def people(rows: pa.Table) -> list[tuple[int | None, str | None, str | None]]:
    return list(zip(*(rows[c].to_pylist() for c in ("player_id", "player_name", "resolved_by")), strict=True))


BEFORE, YESTERDAY = date(2024, 1, 10), date(2024, 1, 14)


def test_a_spelling_gets_the_id_the_name_and_the_rule_and_a_given_id_is_left_alone(tmp_path: Path) -> None:
    box = [played(BEFORE, 10, "Payton Pritchard", "BOS")]
    lines = [line("P. Pritchard"), line("Somebody", 99, player_name="Some Body"), line("Nobody Known")]
    assert people(source(tmp_path, lines, box).read(PROP_LINES, [DAY])) == [
        (10, "Payton Pritchard", "initial"),
        (99, "Some Body", "source"),
        (None, None, None),
    ]


def test_the_team_is_that_of_the_latest_game_before_the_day_never_of_the_day_itself(tmp_path: Path) -> None:
    box = [played(BEFORE, 10, "Payton Pritchard", "LAL"), played(DAY, 10, "Payton Pritchard", "BOS")]
    assert people(source(tmp_path, [line("P. Pritchard")], box).read(PROP_LINES, [DAY]))[0][0] is None
    box.append(played(YESTERDAY, 10, "Payton Pritchard", "BOS"))
    assert people(source(tmp_path, [line("P. Pritchard")], box).read(PROP_LINES, [DAY]))[0][0] == 10


@pytest.mark.parametrize(("days", "found"), [(DAYS_BACK, 10), (DAYS_BACK + 1, None)])
def test_a_game_of_240_days_before_tells_the_team_and_one_of_241_does_not(
    tmp_path: Path, days: int, found: int | None
) -> None:
    box = [played(DAY - timedelta(days=days), 10, "Payton Pritchard", "BOS")]
    listed = [{"player_id": 10, "player_name": "Payton Pritchard"}]
    assert people(source(tmp_path, [line("P. Pritchard")], box, listed).read(PROP_LINES, [DAY]))[0][0] == found


@pytest.mark.parametrize("teams", [("ATL", "BOS"), ("BOS", "ATL")])
def test_of_two_teams_on_one_day_the_last_by_name_counts_in_any_order_of_rows(
    tmp_path: Path, teams: tuple[str, str]
) -> None:
    box = [played(BEFORE, 10, "Payton Pritchard", team) for team in teams]
    assert people(source(tmp_path, [line("P. Pritchard")], box).read(PROP_LINES, [DAY]))[0][0] == 10


@pytest.mark.parametrize("names", [("Payton Pritchard", "Peyton Pritchard"), ("Peyton Pritchard", "Payton Pritchard")])
def test_of_two_names_on_one_day_the_last_by_letters_counts_in_any_order_of_rows(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    box = [played(BEFORE, 10, name, "BOS") for name in names]
    rows = source(tmp_path, [line(name) for name in sorted(names)], box).read(PROP_LINES, [DAY])
    assert rows["player_id"].to_pylist() == [None, 10]


def test_a_quote_without_a_game_may_mean_players_of_any_team_of_the_day(tmp_path: Path) -> None:
    box = [played(BEFORE, 10, "Payton Pritchard", "BOS")]
    rows = source(tmp_path, [line("P. Pritchard", game_id=None)], box).read(PROP_LINES, [DAY])
    assert people(rows)[0] == (10, "Payton Pritchard", "initial")


def test_somebody_who_never_played_is_known_from_the_list_of_players(tmp_path: Path) -> None:
    rows = source(
        tmp_path, [line("New Comer")], [played(BEFORE, 1, "A B", "BOS")], [{"player_id": 7, "player_name": "New Comer"}]
    )
    assert people(rows.read(PROP_LINES, [DAY]))[0] == (7, "New Comer", "exact")


LONG_AGO, LATER = date(2023, 3, 1), date(2024, 1, 20)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([played(LONG_AGO, 10, "Payton Pritchard", "BOS")], id="a player not seen for long"),
        pytest.param([played(LATER, 10, "P Pritchard", "BOS")], id="a player first seen later"),
        pytest.param(
            [played(BEFORE, 10, "P Pritchard", "BOS"), played(LATER, 11, "P Pritchard", "DEN")], id="a namesake to come"
        ),
    ],
)
def test_a_day_is_resolved_alike_alone_and_in_any_range(tmp_path: Path, box: list[dict]) -> None:
    lines = [line("P Pritchard"), line("P. Pritchard"), line("X", game_date=LONG_AGO), line("X", game_date=LATER)]
    read = source(tmp_path, lines, box).read
    alone = people(read(PROP_LINES, [DAY]))
    together = read(PROP_LINES, days_between(LONG_AGO, LATER))
    of_the_day = [d == DAY for d in together["game_date"].to_pylist()]
    assert people(together.filter(pa.array(of_the_day))) == alone


@dataclass
class NamesOnly:
    """The real lines and reports as if no id had come with them."""

    inner: FilesSource

    def describe(self) -> dict[str, str]:
        return self.inner.describe()

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = self.inner.read(feed, days)
        if feed not in (PROP_LINES, INJURIES):
            return rows
        for name in ("player_id", "player_name"):
            place = rows.column_names.index(name)
            rows = rows.set_column(place, rows.schema.field(name), pa.nulls(len(rows), rows.schema.field(name).type))
        return rows


@needs_real_data
@pytest.mark.parametrize(("feed", "least"), [(PROP_LINES, 0.998), (INJURIES, 0.985)])
def test_real_spellings_alone_find_their_players_and_never_a_wrong_one(feed: Feed, least: float) -> None:
    files, days = FilesSource(REAL_DATA), days_between(date(2024, 2, 26), date(2024, 3, 12))
    found = ResolvedSource(NamesOnly(files)).read(feed, days)["player_id"].to_pylist()
    given = files.read(feed, days)["player_id"].to_pylist()
    both = [(a, b) for a, b in zip(given, found, strict=True) if a is not None and b is not None]
    assert all(a == b for a, b in both)
    assert len(both) >= least * sum(g is not None for g in given)
