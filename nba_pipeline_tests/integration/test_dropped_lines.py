"""Lines that a user has from elsewhere: checked row by row, and read beside those of the source."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import GAME_LINES, PROP_LINES

DAY = date(2024, 11, 5)
HEADER = "game_date,game_id,player_id,player_name,player_name_source,market,bookmaker,line,over_odds,under_odds,first_seen_utc"
GOOD = "2024-11-05,0022400101,,,Jayson Tatum,points,draftkings,27.5,-115,-105,2024-11-05T22:40:00Z"


def written(path: Path, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def validated(path: Path, *options: str) -> tuple[int, dict]:
    result = CliRunner().invoke(main, ["validate", str(path), "--json", *options])
    return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else {"error": result.output}


def test_a_good_file_is_fine_and_what_follows_from_it_is_noted(tmp_path: Path) -> None:
    code, said = validated(written(tmp_path / "prop_lines.csv", GOOD))
    assert (code, said["fine"], said["rows"], said["days"], said["errors"]) == (0, True, 1, ["2024-11-05"], [])
    assert said["notes"] == [
        "1 rows have no player_id: their names are resolved when the file is read (nba-pipeline names)"
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOOD.replace("27.5", "many"), "line: 'many' is not a number"),
        (GOOD.replace("2024-11-05,", "5.11.2024,"), "game_date: '5.11.2024' is not a date"),
        (GOOD.replace("27.5", "275"), "the line 275.0 of points is not between 0 and 80"),
        (GOOD.replace("-115", "1.87"), "over_odds 1.87 is not American odds"),
        (GOOD.replace("points", "dunks"), "the market 'dunks' is not one of"),
        (GOOD.replace("0022400101", "22400101"), "game_id '22400101' is not the id of a game"),
        (GOOD.replace("0022400101", "002xxxxxxx"), "game_id '002xxxxxxx' is not the id of a game"),
        (GOOD.replace("0022400101", "0012400101"), "game_id '0012400101' is not the id of a game that counts"),
        (GOOD.replace("0022400101,,", "0022400101,0,"), "player_id 0 is not the id of a player"),
        (GOOD.replace("2024-11-05,", ","), "game_date is empty"),
        (GOOD.replace("2024-11-05,", "1924-11-05,"), "game_date 1924-11-05 cannot be the day of a game"),
        (GOOD.replace("draftkings", ""), "bookmaker is empty"),
        (GOOD.replace("Jayson Tatum", ""), "the player has neither a name nor an id"),
    ],
)
def test_each_row_that_would_be_rejected_is_named(tmp_path: Path, row: str, reason: str) -> None:
    code, said = validated(written(tmp_path / "prop_lines.csv", GOOD, row))
    assert code == 1 and len(said["errors"]) == 1
    assert said["errors"][0].startswith("row ") and reason in said["errors"][0]


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ("0022400001,,soon,BOS,DEN,,", ["game_datetime_utc: 'soon' is not a time", "game_date is empty"]),
        ("0022400001,1924-10-04,game_date,BOS,DEN,,", ["'game_date' is not a time", "game_date 1924-10-04 cannot be"]),
        ("0022400001,4.10.,,BOS,DEN,,", ["game_date: '4.10.' is not a date"]),
    ],
)
def test_a_problem_of_one_column_hides_none_of_another_whose_name_it_mentions(
    tmp_path: Path, values: str, reasons: list[str]
) -> None:
    path = tmp_path / "schedule.csv"
    path.write_text(f"game_id,game_date,game_datetime_utc,home_team,away_team,home_pts,away_pts\n{values}\n")
    (error,) = validated(path)[1]["errors"]
    assert [reason in part for reason, part in zip(reasons, error.split("; "), strict=True)] == [True] * len(reasons)


def test_nothing_more_is_said_of_a_value_that_cannot_be_read(tmp_path: Path) -> None:
    quotes = written(tmp_path / "prop_lines.csv", GOOD.replace("27.5", "many"))
    assert validated(quotes)[1]["errors"] == ["row 1: line: 'many' is not a number"]
    quotes = written(
        tmp_path / "prop_lines.csv", GOOD.replace("Jayson Tatum", "").replace("0022400101,,", "0022400101,x,")
    )
    assert validated(quotes)[1]["errors"] == ["row 1: player_id: 'x' is not a whole number"]
    games = tmp_path / "game_lines.csv"
    games.write_text("game_id,game_date,bookmaker,spread_home,total,ml_home\n0022400101,2024-11-05,fanduel,,much,\n")
    assert validated(games)[1]["errors"] == ["row 1: total: 'much' is not a number"]


@pytest.mark.parametrize("day", ["", "soon"])
def test_a_file_without_a_day_that_can_be_read_is_told_row_by_row(tmp_path: Path, day: str) -> None:
    code, said = validated(written(tmp_path / "prop_lines.csv", GOOD.replace("2024-11-05,", f"{day},")))
    assert (code, said["rows"], said["days"], len(said["errors"])) == (1, 1, [], 1)


def test_a_schedule_may_list_games_that_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "schedule.csv"
    head = "game_id,game_date,game_datetime_utc,home_team,away_team,home_pts,away_pts"
    path.write_text(f"{head}\n0012400001,2024-10-04,,BOS,DEN,,\n,2024-10-04,,BOS,DEN,,\n")
    assert validated(path)[1]["errors"] == ["row 2: game_id is empty"]


def test_unknown_books_columns_and_repeated_rows_are_noted(tmp_path: Path) -> None:
    row = GOOD.replace("draftkings", "corner_shop").replace("2024-11-05T22:40:00Z", "")
    path = written(tmp_path / "prop_lines.csv", row, row)
    path.write_text(path.read_text().replace("first_seen_utc", "seen"))
    code, said = validated(path)
    assert code == 0
    text = " ".join(said["notes"])
    assert all(
        part in text for part in ("corner_shop", "not read: seen", "2 rows have no first_seen_utc", "1 rows repeat")
    )


def test_a_file_that_is_no_table_or_of_no_feed_is_refused_by_name(tmp_path: Path) -> None:
    assert "tells no feed" in validated(written(tmp_path / "quotes.csv", GOOD))[1]["error"]
    assert validated(written(tmp_path / "quotes.csv", GOOD), "--feed", "prop_lines")[0] == 0
    assert "there is no feed odds" in validated(written(tmp_path / "quotes.csv", GOOD), "--feed", "odds")[1]["error"]
    (tmp_path / "prop_lines.parquet").write_bytes(b"no table")
    assert "cannot be read" in validated(tmp_path / "prop_lines.parquet")[1]["error"]
    short = tmp_path / "prop_lines_short.csv"
    short.write_text("game_date,line\n2024-11-05,1.5\n")
    assert "required columns are missing" in validated(short)[1]["error"]


def test_dropped_files_are_read_beside_those_of_the_source(tmp_path: Path) -> None:
    own = written(tmp_path / "landing" / "prop_lines.csv", GOOD)
    written(tmp_path / "lines" / "prop_lines_mine.csv", GOOD.replace("27.5", "28.5"), GOOD.replace("11-05,", "11-06,"))
    line = {"game_id": "0022400101", "game_date": f"{DAY}", "bookmaker": "fanduel", "spread_home": -3.5, "total": 220.5}
    pq.write_table(pa.Table.from_pylist([line]), tmp_path / "lines" / "game_lines.parquet")
    source = FilesSource(own.parent, lines=tmp_path / "lines")
    assert sorted(r["line"] for r in source.read(PROP_LINES, [DAY]).to_pylist()) == [27.5, 28.5]
    assert [r["bookmaker"] for r in source.read(GAME_LINES, [DAY]).to_pylist()] == ["fanduel"]
    own.unlink()
    assert [r["line"] for r in source.read(PROP_LINES, [DAY]).to_pylist()] == [28.5]


def test_a_dropped_file_of_no_feed_is_an_error_that_names_it(tmp_path: Path) -> None:
    own = written(tmp_path / "landing" / "prop_lines.csv", GOOD)
    written(tmp_path / "lines" / "props.csv", GOOD)
    with pytest.raises(SourceError, match=r"props.csv is neither prop_lines\*.csv nor"):
        FilesSource(own.parent, lines=tmp_path / "lines").read(PROP_LINES, [DAY])
