"""The simulator as a source: seasons are written once, and what lies in the future is not known."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nba_pipeline.sources.landing import (
    FEEDS,
    GAME_LINES,
    INJURIES,
    PLAYER_AGES,
    PLAYER_BOXSCORES,
    PROP_LINES,
    SCHEDULE,
    SHOTS,
)
from nba_pipeline.sources.simulated import SimulatorSource

SEED = 5
NOT_INVENTED = {"rosters", "lineups"}
DAY = date(2024, 12, 4)
EVENING = datetime(2024, 12, 5, 4, 0, tzinfo=UTC)
DAYS = [DAY, DAY + timedelta(days=1)]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("simulated")
    SimulatorSource(home, SEED).read(SCHEDULE, [DAY])
    return home


def source(directory: Path, now: datetime | None = None) -> SimulatorSource:
    return SimulatorSource(directory, SEED, now)


def test_a_season_is_written_whole_and_only_once(directory: Path) -> None:
    season = directory / f"seed-{SEED}" / "2024-25"
    # The invented league has neither rosters nor line-ups: its listings follow from its games.
    assert {p.stem for p in season.glob("*.parquet")} >= set(FEEDS) - NOT_INVENTED
    written = {p: p.stat().st_mtime_ns for p in season.iterdir()}
    source(directory).read(SHOTS, [DAY])
    assert {p: p.stat().st_mtime_ns for p in season.iterdir()} == written
    assert [p for p in season.parent.iterdir() if p.name.startswith(".")] == []


def test_every_feed_has_the_columns_of_the_landing_layout(directory: Path) -> None:
    for name, feed in ((n, f) for n, f in FEEDS.items() if n not in NOT_INVENTED):
        stored = set(pq.read_schema(directory / f"seed-{SEED}" / "2024-25" / f"{name}.parquet").names)
        assert {c.name for c in feed.columns if c.required} <= stored, name


def test_ages_are_those_of_all_seasons_up_to_the_last_whichever_seasons_the_days_are_of(directory: Path) -> None:
    def ages(*days: date) -> set[tuple[str, int, float]]:
        rows = source(directory).read(PLAYER_AGES, days)
        return set(zip(*(rows[c].to_pylist() for c in ("season", "player_id", "age")), strict=True))

    assert ages(DAY) == ages(DAY.replace(year=2022), DAY)
    assert {"2022-23", "2023-24", "2024-25"} <= {season for season, _, _ in ages(DAY)}


def test_games_that_are_not_over_have_no_score_and_no_box_score(directory: Path) -> None:
    games = source(directory, EVENING).read(SCHEDULE, DAYS).to_pylist()
    over = {g["game_id"] for g in games if g["home_pts"] is not None}
    assert 0 < len(over) < len(games)
    assert all(g["game_datetime_utc"] <= EVENING - timedelta(hours=3) for g in games if g["game_id"] in over)
    for feed in (PLAYER_BOXSCORES, SHOTS):
        assert set(source(directory, EVENING).read(feed, DAYS)["game_id"].to_pylist()) == over


@pytest.mark.parametrize(
    ("feed", "column"), [(PROP_LINES, "first_seen_utc"), (PROP_LINES, "last_seen_utc"), (GAME_LINES, "snapshot_utc")]
)
def test_no_quote_of_the_future_is_known(directory: Path, feed, column: str) -> None:
    now = [t for t in source(directory, EVENING).read(feed, DAYS)[column].to_pylist() if t is not None]
    later = [t for t in source(directory, datetime(2025, 7, 1, tzinfo=UTC)).read(feed, DAYS)[column].to_pylist() if t]
    assert now
    assert max(now) <= EVENING < max(later)


def test_no_report_of_the_future_is_known(directory: Path) -> None:
    rows = source(directory, EVENING).read(INJURIES, DAYS).to_pylist()
    assert all(r["report_utc"] is None or r["report_utc"] <= EVENING for r in rows)
    assert all(r["report_date"] < DAY for r in rows if r["report_utc"] is None)


def test_past_days_do_not_depend_on_the_moment(directory: Path) -> None:
    past = [DAY - timedelta(days=7)]
    for feed in FEEDS.values():
        assert source(directory, EVENING).read(feed, past).equals(source(directory).read(feed, past)), feed.name
