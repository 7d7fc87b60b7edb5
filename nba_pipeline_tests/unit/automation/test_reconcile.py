"""Rows that landed or changed become runs of exactly their days: once, and none is lost."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline import definitions
from nba_pipeline.automation import selections
from nba_pipeline.automation.reconcile import changes, owner, run_plans
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, season_days
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.fingerprints import FORMULA, NOTHING, FingerprintingSource, current, digests, grows
from nba_pipeline.sources.landing import FEEDS, PLAYER_BOXSCORES, PROP_LINES, SCHEDULE
from nba_pipeline.sources.resolved import ResolvedSource
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.support import HandMadeSource, day

assert definitions.defs  # every table is registered
TODAY = day("2024-11-20")
OLD = day("2024-11-10")
BEGAN = day("2024-10-22")
EVERY = {(f, d) for f in ("schedule", "player_boxscores", "shots", "prop_lines") for d in days_between(BEGAN, TODAY)}


def found(held: dict, built: dict, who: str = "landing", **more):
    seen = changes(held, built, more.get("published", EVERY), BEGAN, TODAY)
    return run_plans(seen, held, built, TODAY, who, grows=more.get("grows", False))  # pyright: ignore[reportArgumentType]


def test_a_changed_day_runs_and_no_other_day_does() -> None:
    held = {("shots", OLD): "b", ("shots", OLD + timedelta(days=1)): "x"}
    built = {("shots", OLD): ("a", "r1"), ("shots", OLD + timedelta(days=1)): ("x", "r1")}
    (ask,) = found(held, built)
    assert (ask.start, ask.end) == (OLD, OLD)
    assert ask.tables == selections.results()


def test_looking_twice_asks_once_and_what_is_built_is_silent() -> None:
    held, built = {("shots", OLD): "b"}, {("shots", OLD): ("a", "r1")}
    assert [a.key for a in found(held, built)] == [a.key for a in found(held, built)]
    assert found(held, {("shots", OLD): ("b", "r2")}) == []


def test_a_change_back_to_an_earlier_state_is_another_event() -> None:
    there = found({("shots", OLD): "b"}, {("shots", OLD): ("a", "r1")})
    back = found({("shots", OLD): "a"}, {("shots", OLD): ("b", "r2")})
    again = found({("shots", OLD): "b"}, {("shots", OLD): ("a", "r3")})
    assert len({a.key for a in (*there, *back, *again)}) == 3


def test_a_day_that_was_refused_waits_until_its_input_changes() -> None:
    built = {("shots", OLD): ("a", "r1")}
    first, same, other = (found({("shots", OLD): x}, built)[0].key for x in ("b", "b", "c"))
    assert first == same != other


def test_quotes_of_a_day_that_nobody_ran_wait_for_its_schedule() -> None:
    held = {("injuries", OLD): "a"}
    without = EVERY - {("schedule", OLD)}
    assert found(held, {}, published=without) == []
    (ask,) = found(held, {}, published=EVERY)
    assert "nba_raw.injury_reports" in ask.tables
    (ask,) = found(held | {("schedule", OLD): "b"}, {}, published=without)
    assert {"nba_raw.schedule", "nba_raw.injury_reports"} <= {*ask.tables}


@given(
    st.sampled_from(sorted(FEEDS)),
    st.integers(-10, 0).map(lambda n: TODAY + timedelta(days=n)),
    st.booleans(),
)
def test_every_change_has_exactly_one_owner(feed: str, on: date, grows: bool) -> None:
    assert owner(feed, on, TODAY, grows=grows) in ("landing", "corrections", "line_refresh")


@pytest.mark.parametrize("feed", sorted(selections.RESULT_FEEDS))
@pytest.mark.parametrize("ago", [1, 2, 3])
def test_results_of_the_last_72_hours_are_corrections_and_never_reach_a_forecast(feed: str, ago: int) -> None:
    on = TODAY - timedelta(days=ago)
    held, built = {(feed, on): "b"}, {(feed, on): ("a", "r1")}
    assert found(held, built) == []
    (ask,) = found(held, built, "corrections")
    assert (ask.start, ask.end, ask.tables) == (on, on, selections.results())
    assert selections.FORECASTS not in ask.tables


def test_lines_that_landed_for_an_old_day_reach_its_forecasts() -> None:
    (ask,) = found({("prop_lines", OLD): "b"}, {("prop_lines", OLD): ("a", "r1")})
    assert selections.FORECASTS in ask.tables
    assert selections.MODELS not in ask.tables


def test_what_a_source_says_of_today_by_itself_is_left_to_the_refreshes() -> None:
    held, built = {("prop_lines", TODAY): "b"}, {("prop_lines", TODAY): ("a", "r1")}
    assert found(held, built, grows=True) == []
    assert len(found(held, built, grows=False)) == 1


def test_days_published_before_digests_were_kept_are_taken_as_they_are() -> None:
    seen = changes({("shots", OLD): "b"}, {}, EVERY, BEGAN, TODAY)
    assert seen.by_day == {}
    assert seen.adopted == {("shots", OLD): "b"}


def test_a_new_day_runs_with_the_days_before_it_that_nobody_ran() -> None:
    published = {(f, d) for f, d in EVERY if d < OLD}
    new = OLD + timedelta(days=2)
    seen = changes({("schedule", new): "a", ("schedule", OLD): NOTHING}, {}, published, BEGAN, TODAY)
    assert sorted(seen.by_day) == days_between(OLD, new)


def test_history_before_the_first_published_day_is_counted_and_not_run() -> None:
    seen = changes({("shots", BEGAN - timedelta(days=1)): "b"}, {}, EVERY, BEGAN, TODAY)
    assert (seen.by_day, seen.older) == ({}, 1)


def schedule_rows(*games: tuple[str, date, int | None]) -> list[dict]:
    return [
        {
            "game_id": g,
            "game_date": d,
            "game_datetime_utc": f"{d} 23:30",
            "home_team": "BOS",
            "away_team": "LAL",
            "home_pts": p,
        }
        for g, d, p in games
    ]


def landed(directory: Path, rows: list[dict], name: str = "schedule.parquet") -> None:
    table = (
        HandMadeSource({"schedule": rows})
        .read(SCHEDULE, [r["game_date"] for r in rows])
        .drop_columns(["landing_problems"])
    )
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


@pytest.fixture
def source(tmp_path: Path) -> ResolvedSource:
    """A directory, opened as the settings open it."""
    (tmp_path / "in").mkdir()
    landed(tmp_path / "in", schedule_rows(("0022400001", OLD, None), ("0022400002", OLD + timedelta(days=1), None)))
    settings = Settings.from_environment(
        {
            "NBA_PIPELINE_HOME": str(tmp_path / "h"),
            "NBA_PIPELINE_SOURCE": "files",
            "NBA_PIPELINE_DATA": str(tmp_path / "in"),
        }
    )
    return settings.open_source()


def test_a_digest_does_not_depend_on_the_order_of_rows_and_changes_with_any_cell() -> None:
    rows = schedule_rows(("0022400001", OLD, None), ("0022400003", OLD, None))
    table = HandMadeSource({"schedule": rows}).read(SCHEDULE, [OLD])
    backwards = table.take(pa.array([1, 0]))
    other = HandMadeSource({"schedule": [rows[0], rows[1] | {"home_pts": 99}]}).read(SCHEDULE, [OLD])
    assert digests(SCHEDULE, table) == digests(SCHEDULE, backwards) != digests(SCHEDULE, other)


def test_a_digest_stays_that_of_earlier_releases_until_the_formula_is_another() -> None:
    seen = pa.array([datetime(2024, 1, 5, 21, 0, 0, 1500, tzinfo=UTC), None], pa.timestamp("us", "UTC"))
    rows = pa.table({"game_date": [date(2024, 1, 5)] * 2, "line": [25.5, None], "first_seen_utc": seen})
    assert (FORMULA, digests(PROP_LINES, rows)) == (2, {date(2024, 1, 5): "73f3bcd3846f1efd"})


def test_only_the_days_whose_rows_changed_differ_when_the_one_file_is_replaced(
    source: ResolvedSource, tmp_path: Path
) -> None:
    state = SourceState(HomeState(tmp_path / "home"))
    before = current(source, state, TODAY)
    landed(tmp_path / "in", schedule_rows(("0022400001", OLD, 101), ("0022400002", OLD + timedelta(days=1), None)))
    after = current(source, state, TODAY)
    assert {k for k in after if after[k] != before[k]} == {("schedule", OLD)}


def test_a_file_that_did_not_change_is_not_read_again(
    source: ResolvedSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SourceState(HomeState(tmp_path / "home"))
    before = current(source, state, TODAY)
    monkeypatch.setattr(FilesSource, "read", lambda *_: pytest.fail("read again"))
    assert current(source, SourceState(HomeState(tmp_path / "home")), TODAY) == before


def test_what_a_run_read_is_what_its_published_days_were_built_of(source: ResolvedSource, tmp_path: Path) -> None:
    state, witness = SourceState(HomeState(tmp_path / "home")), FingerprintingSource(source)
    days = days_between(OLD, OLD + timedelta(days=2))
    witness.read(SCHEDULE, days)
    witness.record(state, "run 1", days[1:])
    held = current(source, state, TODAY)
    assert state.built() == {("schedule", d): (held["schedule", d], "run 1") for d in days[1:]}
    assert held["schedule", days[2]] == NOTHING


def test_a_block_that_is_read_before_another_is_recorded_takes_nothing_from_it(
    source: ResolvedSource, tmp_path: Path
) -> None:
    state, recorder = SourceState(HomeState(tmp_path / "home")), FingerprintingSource(source)
    first, second = [OLD], [OLD + timedelta(days=1)]
    for block in (first, second):
        recorder.read(SCHEDULE, block)
    recorder.record(state, "run 1", first)
    assert state.built() == {("schedule", OLD): (current(source, state, TODAY)["schedule", OLD], "run 1")}


def test_a_directory_is_looked_at_file_by_file_and_does_not_grow_by_itself(source: ResolvedSource) -> None:
    assert not grows(source)
    invented = Settings.from_environment({"NBA_PIPELINE_HOME": str(source.home)}).open_source()
    assert grows(invented)


NEW = OLD + timedelta(days=3)


@pytest.mark.parametrize("by_day", [False, True])
def test_a_postponed_game_listed_on_another_day_changes_its_old_day_too(
    source: ResolvedSource, tmp_path: Path, by_day: bool
) -> None:
    state, inbox = SourceState(HomeState(tmp_path / "home")), tmp_path / "in"
    game, other = ("0022400001", OLD, None), ("0022400002", OLD + timedelta(days=1), None)
    moved = ("0022400001", NEW, None)
    if by_day:
        (inbox / "schedule.parquet").unlink()
        for row in (game, other):
            landed(inbox, schedule_rows(row), f"schedule/{row[1]}.parquet")
    before = current(source, state, TODAY)
    if by_day:
        landed(inbox, schedule_rows(moved), f"schedule/{NEW}.parquet")
    else:
        landed(inbox, schedule_rows(game, other, moved))
    after = current(source, state, TODAY)
    assert {k for k in after if after[k] != before.get(k, NOTHING)} == {("schedule", OLD), ("schedule", NEW)}


def test_a_run_records_the_digest_of_a_moved_game_as_the_sensors_compute_it(
    source: ResolvedSource, tmp_path: Path
) -> None:
    landed(tmp_path / "in", schedule_rows(("0022400001", OLD, None), ("0022400001", NEW, None)))
    state, recorder = SourceState(HomeState(tmp_path / "home")), FingerprintingSource(source)
    recorder.read(SCHEDULE, [OLD])
    recorder.read(SCHEDULE.as_witness(), season_days([OLD]))
    recorder.record(state, "run 1", [OLD])
    assert state.built()["schedule", OLD][0] == current(source, state, TODAY)["schedule", OLD]


# --- what the rows of a day depend on -----------------------------------------------------------------------------------

LATER = OLD + timedelta(days=1)
QUOTES = "game_date,game_id,player_id,player_name_source,player_name,market,bookmaker,line\n"


def quoted(path: Path, line: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(QUOTES + f"{OLD},0022400001,,Jo Doe,,points,draftkings,{line}\n")


def built_of(source: ResolvedSource, state: SourceState, days: list[date]) -> dict:
    recorder = FingerprintingSource(source)
    recorder.read(PROP_LINES, days)
    recorder.record(state, "run 1", days)
    return {key: digest for key, (digest, _) in state.built().items()}


def test_a_line_that_the_home_adds_changes_its_day_once(source: ResolvedSource, tmp_path: Path) -> None:
    state, key = SourceState(HomeState(tmp_path / "home")), ("prop_lines", OLD)
    before = current(source, state, TODAY)
    assert source.home is not None
    for line in (10.5, 11.5):
        quoted(source.home / "lines" / "prop_lines_live.csv", line)
        after = current(source, state, TODAY)
        assert {k for k in after if after[k] != before.get(k, NOTHING)} == {key}
        assert built_of(source, state, [OLD])[key] == after[key] == current(source, state, TODAY)[key]
        before = after
    (source.home / "lines" / "prop_lines_live.csv").unlink()
    assert current(source, state, TODAY)[key] == NOTHING


def test_a_player_who_becomes_known_later_leaves_what_was_built_as_it_is(
    source: ResolvedSource, tmp_path: Path
) -> None:
    state, key = SourceState(HomeState(tmp_path / "home")), ("prop_lines", OLD)
    quoted(tmp_path / "in" / "prop_lines.csv", 10.5)
    (tmp_path / "in" / "player_boxscores.csv").write_text(",".join(c.name for c in PLAYER_BOXSCORES.columns) + "\n")
    held = current(source, state, TODAY)
    (tmp_path / "in" / "players.csv").write_text("player_id,player_name\n7,Jo Doe\n")
    assert source.read(PROP_LINES, [OLD])["player_id"].to_pylist() == [7]
    assert built_of(source, state, [OLD])[key] == current(source, state, TODAY)[key] == held[key]


def test_an_alias_of_the_home_changes_the_days_that_quote_it_and_no_others(
    source: ResolvedSource, tmp_path: Path
) -> None:
    state, key = SourceState(HomeState(tmp_path / "home")), ("prop_lines", OLD)
    quoted(tmp_path / "in" / "prop_lines.csv", 10.5)
    before = current(source, state, TODAY)
    assert source.home is not None
    source.home.mkdir(exist_ok=True)
    (source.home / "aliases.csv").write_text("alias,player_name\nSomebody Else,John Doe\n")
    assert current(source, state, TODAY) == before
    (source.home / "aliases.csv").write_text("alias,player_name\nSomebody Else,John Doe\nJo Doe,John Doe\n")
    after = current(source, state, TODAY)
    assert {k for k in after if after[k] != before[k]} == {key}


def test_who_gave_a_row_changes_no_digest_and_what_he_gave_does() -> None:
    row = schedule_rows(("0022400001", OLD, 101))[0]
    one, other, changed = (
        digests(SCHEDULE, HandMadeSource({"schedule": [row | more]}).read(SCHEDULE, [OLD]))
        for more in ({"source": None}, {"source": "NBA live data"}, {"source": "NBA live data", "status": "Final"})
    )
    assert one == other != changed


def _as_of_the_earlier_formula(state: SourceState) -> None:
    """Change signatures and digests to what an earlier release stored."""

    def change(db: sqlite3.Connection) -> None:
        db.execute("UPDATE files SET signature = substr(signature, instr(signature, ':') + 1)")
        db.execute("UPDATE landed SET digest = 'of the earlier formula' WHERE digest <> ''")

    state.database.update(change)


def test_a_new_formula_of_digests_runs_no_day_again_but_those_that_were_out_of_date(
    source: ResolvedSource, tmp_path: Path
) -> None:
    state, later = SourceState(HomeState(tmp_path / "home")), OLD + timedelta(days=1)
    held = current(source, state, TODAY)
    state.record_built("run 1", {"schedule": {OLD: "of the earlier formula", later: "of other rows"}})
    _as_of_the_earlier_formula(state)
    assert current(source, state, TODAY) == held
    built = {day: digest for (_, day), (digest, _) in state.built().items()}
    assert built == {OLD: held["schedule", OLD], later: "of other rows"}


OWN = {
    "an alias of nobody who is quoted": ("aliases.csv", "alias,player_name\nSomebody Else,John Doe\n", set()),
    "an alias of who is quoted": ("aliases.csv", "alias,player_name\nJo Doe,John Doe\n", {OLD, LATER}),
    "a line of one day": ("lines/prop_lines_own.csv", f"{QUOTES}{LATER},0022400002,,Al Roe,,points,b,9.5\n", {LATER}),
}


@pytest.mark.parametrize("own", OWN)
def test_a_new_formula_of_digests_runs_the_days_that_the_lines_and_aliases_of_the_home_touch_and_no_other(
    source: ResolvedSource, tmp_path: Path, own: str
) -> None:
    state, (name, text, touched) = SourceState(HomeState(tmp_path / "home")), OWN[own]
    quotes = "".join(f"{d},0022400001,,Jo Doe,,points,draftkings,10.5\n" for d in (OLD, LATER))
    (tmp_path / "in" / "prop_lines.csv").write_text(QUOTES + quotes)
    current(source, state, TODAY)
    state.record_built("run 1", {"prop_lines": dict.fromkeys((OLD, LATER), "of the earlier formula")})
    _as_of_the_earlier_formula(state)
    assert source.home is not None
    (source.home / name).parent.mkdir(parents=True, exist_ok=True)
    (source.home / name).write_text(text)
    held, built = current(source, state, TODAY), state.built()
    assert {d for d in (OLD, LATER) if built["prop_lines", d][0] != held["prop_lines", d]} == touched
