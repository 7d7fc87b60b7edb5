"""The source `files`: whatever is wrong with a file or a value is said with its name and with what to do."""

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.files import FilesSource, days_of_file
from nba_pipeline.sources.imports.season_files import read_rows
from nba_pipeline.sources.landing import FEEDS, PLAYER_AGES, PROBLEMS, Feed, LandingColumn
from nba_pipeline_tests.support import day

Row = dict[str, Any]


def col(name: str, kind: Any, *, required: bool = True) -> LandingColumn:
    return LandingColumn(name, kind, name, required)


FEED = Feed(
    "games",
    "One row per game.",
    "game_date",
    (
        col("game_date", "date"),
        col("team", "text"),
        col("points", "integer"),
        col("minutes", "number", required=False),
        col("starter", "flag", required=False),
        col("tip_off", "instant", required=False),
    ),
)
OPTIONAL = Feed(FEED.name, FEED.grain, FEED.day, FEED.columns, optional=True)
DAY = day("2024-01-05")
GOOD: Row = {
    "game_date": DAY,
    "team": "BOS",
    "points": 100,
    "minutes": 48.5,
    "starter": True,
    "tip_off": datetime(2024, 1, 6, 0, 30, tzinfo=UTC),
}


def parquet(at: Path, rows: Sequence[Row], name: str = "games", **columns: pa.DataType) -> FilesSource:
    names = list(dict.fromkeys(n for r in rows for n in r))
    table = pa.table({n: pa.array([r.get(n) for r in rows], columns.get(n)) for n in names})
    pq.write_table(table, at / f"{name}.parquet")
    return FilesSource(at)


def texts(at: Path, rows: Sequence[Row], file: str = "games.csv") -> FilesSource:
    names = list(dict.fromkeys(n for r in rows for n in r))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    (at / file).write_bytes(gzip.compress(content) if file.endswith(".gz") else content)
    return FilesSource(at)


def read(source: FilesSource, *days: date, feed: Feed = FEED) -> list[Row]:
    return source.read(feed, days or [DAY]).to_pylist()


def one(source: FilesSource) -> Row:
    (row,) = read(source)
    return row


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_directory_that_does_not_exist_is_named_with_the_setting_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere does not exist\n.*NBA_PIPELINE_DATA"):
        FilesSource(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="file does not exist"):
        FilesSource(tmp_path / "file")


def test_a_missing_required_feed_is_an_error_that_names_the_file_to_add(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file for the feed games\n.*add games\.parquet or games\.csv"):
        FilesSource(tmp_path).read(FEED, [DAY])


def test_a_missing_optional_feed_is_an_empty_table_of_the_right_shape(tmp_path: Path) -> None:
    found = FilesSource(tmp_path).read(OPTIONAL, [DAY])
    assert found.num_rows == 0
    assert found.column_names == [*GOOD, PROBLEMS]


def test_the_same_feed_twice_is_refused(tmp_path: Path) -> None:
    parquet(tmp_path, [GOOD])
    source = texts(tmp_path, [GOOD])
    with pytest.raises(SourceError, match=r"games exists more than once: games\.parquet, games\.csv\n.*keep one"):
        read(source)


@pytest.mark.parametrize(
    "content", [b"", b"not parquet", b"PAR1" + b"\x00" * 50 + b"PAR1"], ids=["empty", "text", "broken"]
)
def test_an_unreadable_parquet_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "games.parquet").write_bytes(content)
    with pytest.raises(SourceError, match=r"games\.parquet cannot be read: .*\n.*replace the file"):
        read(FilesSource(tmp_path))


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    source = parquet(tmp_path, [GOOD] * 100)
    whole = (tmp_path / "games.parquet").read_bytes()
    (tmp_path / "games.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"games\.parquet cannot be read"):
        read(source)


def test_missing_columns_are_named_beside_those_the_file_has(tmp_path: Path) -> None:
    source = parquet(tmp_path, [{"game_date": DAY, "TEAM": "BOS"}])
    with pytest.raises(
        SourceError, match=r"required columns are missing: team, points \(the file has: TEAM, game_date\)"
    ):
        read(source)


def test_optional_columns_that_are_missing_are_unknown_and_further_ones_ignored(tmp_path: Path) -> None:
    row = one(parquet(tmp_path, [{"game_date": DAY, "team": "BOS", "points": 1, "surplus": 9}]))
    assert row == {k: None for k in GOOD} | {"game_date": DAY, "team": "BOS", "points": 1, PROBLEMS: None}


@pytest.mark.parametrize("name", ["it's [a] dir", 'qu"ote; --', "é"])
def test_sql_and_wildcards_in_the_path_are_a_path(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert one(parquet(tmp_path / name, [GOOD]))["team"] == "BOS"


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["games.csv", "games.csv.gz"])
def test_csv_gives_what_parquet_gives(tmp_path: Path, file: str) -> None:
    rows = [GOOD, GOOD | {"team": 'a "b", c\nd', "minutes": None, "starter": None, "tip_off": None}]
    (tmp_path / "p").mkdir()
    (tmp_path / "c").mkdir()
    assert read(texts(tmp_path / "c", rows, file)) == read(parquet(tmp_path / "p", rows))


def test_numbers_may_come_as_floats_and_dates_as_timestamps(tmp_path: Path) -> None:
    moments = {"game_date": datetime(2024, 1, 5), "tip_off": datetime(2024, 1, 6, 0, 30)}  # noqa: DTZ001
    row = one(
        parquet(tmp_path, [GOOD | moments | {"points": 100.0, "starter": 1.0, "minutes": 48}], minutes=pa.int32())
    )
    assert row == GOOD | {"minutes": 48.0, PROBLEMS: None}


def test_an_empty_text_is_unknown(tmp_path: Path) -> None:
    assert one(texts(tmp_path, [GOOD | {"team": "", "points": "", "minutes": "", "starter": "", "tip_off": ""}])) == {
        k: None for k in GOOD
    } | {"game_date": DAY, PROBLEMS: None}


def test_nan_in_a_column_of_numbers_is_unknown(tmp_path: Path) -> None:
    row = one(parquet(tmp_path, [GOOD | {"points": float("nan"), "minutes": float("nan")}]))
    assert (row["points"], row["minutes"], row[PROBLEMS]) == (None, None, None)


def test_nan_in_a_flag_is_unknown(tmp_path: Path) -> None:
    """pandas writes a flag with unknown values as 1.0, 0.0 and NaN."""
    rows = [GOOD | {"starter": v} for v in (1.0, 0.0, float("nan"))]
    assert [r["starter"] for r in read(parquet(tmp_path, rows))] == [True, False, None]


def test_a_number_that_is_neither_0_nor_1_is_no_flag(tmp_path: Path) -> None:
    assert one(parquet(tmp_path, [GOOD | {"starter": 7}]))[PROBLEMS] == "starter: '7' is not true or false"


FAULTS: dict[str, tuple[Row, str]] = {
    "text for a whole number": ({"points": "many"}, "points: 'many' is not a whole number"),
    "half points": ({"points": "10.5"}, "points: '10.5' is not a whole number"),
    "infinite": ({"points": "inf"}, "points: 'inf' is not a whole number"),
    "too big": ({"points": "1e30"}, "points: '1e30' is not a whole number"),
    "text for a number": ({"minutes": "12:34"}, "minutes: '12:34' is not a number"),
    "infinite minutes": ({"minutes": "Infinity"}, "minutes: 'Infinity' is not a number"),
    "no flag": ({"starter": "maybe"}, "starter: 'maybe' is not true or false"),
    "no moment": ({"tip_off": "7:30 pm ET"}, "tip_off: '7:30 pm ET' is not a time"),
    "quotes": ({"points": "'; DROP TABLE x; --"}, "points: ''; DROP TABLE x; --' is not a whole number"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_value_that_cannot_be_typed_is_unknown_and_named(tmp_path: Path, fault: str) -> None:
    changes, sentence = FAULTS[fault]
    row = one(texts(tmp_path, [GOOD | changes]))
    assert row[PROBLEMS] == sentence
    assert all(row[c] is None for c in changes)
    assert row["team"] == "BOS"


def test_all_bad_values_of_a_row_are_named(tmp_path: Path) -> None:
    row = one(texts(tmp_path, [GOOD | {"points": "x", "minutes": "y"}]))
    assert row[PROBLEMS] == "points: 'x' is not a whole number; minutes: 'y' is not a number"


def test_a_number_beyond_infinity_in_parquet_is_named(tmp_path: Path) -> None:
    row = one(parquet(tmp_path, [GOOD | {"minutes": float("-inf")}]))
    assert (row["minutes"], row[PROBLEMS]) == (None, "minutes: '-inf' is not a number")


def test_big_whole_numbers_are_read_exactly(tmp_path: Path) -> None:
    assert one(parquet(tmp_path, [GOOD | {"points": 2**53 + 1}]))["points"] == 2**53 + 1


# --- days -------------------------------------------------------------------------------------------------------------


def test_only_the_days_asked_for_are_read_scattered_ones_too(tmp_path: Path) -> None:
    days = [DAY + timedelta(days=n) for n in range(5)]
    source = parquet(tmp_path, [GOOD | {"game_date": d} for d in days])
    for wanted in ([days[0]], [days[1], days[3]], days):
        assert [r["game_date"] for r in read(source, *wanted)] == wanted


@pytest.mark.parametrize("text", ["", "soon", "2024-13-45", "05/01/2024", "1899-12-30", "2424-01-05"])
def test_a_row_whose_day_cannot_be_a_day_of_a_game_is_always_read(tmp_path: Path, text: str) -> None:
    source = texts(tmp_path, [GOOD, GOOD | {"game_date": text}])
    for days in ([DAY], [DAY + timedelta(days=50)]):
        assert len(read(source, *days)) == 1 + (days == [DAY])
    lost = read(source, DAY + timedelta(days=50))[0]
    if text in ("soon", "2024-13-45", "05/01/2024"):
        assert lost[PROBLEMS] == f"game_date: '{text}' is not a date"


def test_a_feed_that_is_not_daily_is_read_whole(tmp_path: Path) -> None:
    parquet(tmp_path, [{"season": "2023-24", "player_id": 1, "age": 20.5}], "player_ages")
    assert FilesSource(tmp_path).read(PLAYER_AGES, [DAY]).num_rows == 1


def test_describe_says_where_every_feed_comes_from_or_that_it_is_missing(tmp_path: Path) -> None:
    parquet(tmp_path, [GOOD], "schedule")
    said = FilesSource(tmp_path).describe()
    assert set(said) == set(FEEDS)
    assert said["schedule"].endswith("schedule.parquet")
    assert said["shots"].startswith("no file")


def test_a_whole_file_that_memory_is_too_small_for_is_not_to_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, file = parquet(tmp_path, [GOOD | {"team": "B" * 8_000_000}]), tmp_path / "games.parquet"
    ordinary = duck.connect

    def small() -> duckdb.DuckDBPyConnection:
        db = ordinary()
        db.execute("SET memory_limit = '1MB'; SET max_temp_directory_size = '0MB'")
        return db

    monkeypatch.setattr(duck, "connect", small)
    monkeypatch.setattr(duck, "scratch", small)
    for read in (lambda: source.read(FEED, [DAY]), lambda: days_of_file(FEED, file), lambda: read_rows(file, ())):
        with pytest.raises(SourceError, match=r"cannot be read: Out of Memory[\s\S]*Fix: read fewer days"):
            read()
