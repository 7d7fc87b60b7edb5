"""Many days are published in blocks: with the same rows, verdicts and rejects, in memory that does not grow with history."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from nba_pipeline.asof.reads import kept, season_to_date
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import SourceError, WarehouseError
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine import publish as engine
from nba_pipeline.engine.blocks import blocks
from nba_pipeline.engine.prepare import Prepared, prepare
from nba_pipeline.engine.publish import Publication, publish, publish_in_blocks, store
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources.landing import Feed, LandingColumn
from nba_pipeline.tables.catalog import BY_MARKET, CATALOG, FEWER_SEASONS, blocks_of
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.support import HandMadeSource, day
from nba_pipeline_tests.support.open_warehouse import OpenWarehouse

DAYS = [day("2022-06-16"), day("2022-06-17"), day("2022-10-18"), day("2022-10-19")]
OLD, NEW = DAYS[:2], DAYS[2:]
BAD = NEW[0]
AT = datetime(2023, 2, 1, tzinfo=UTC)


class Games(Rows):
    """Games. One row per game."""

    game_id: str = column("id", str_matches=r"^00[1-6][0-9]{7}$")
    game_date: date = column("day")
    points: int = column("points of both teams", ge=0)


FEED = Feed(
    "games",
    "One row per game.",
    "game_date",
    (
        LandingColumn("game_date", "date", "day"),
        LandingColumn("game_id", "text", "id"),
        LandingColumn("points", "integer", "points"),
    ),
)
GAMES = Table(
    model=Games, name="games", dataset="nba_raw", key=("game_id",), partition="game_date", on_bad_row="quarantine"
)

OTHERS = Table(model=Games, name="others", dataset="nba_raw", key=("game_id",), partition="game_date")


def build(landing: ir.Table) -> ir.Table:
    return landing.select("game_id", "game_date", "points")


def of_others(others: ir.Table) -> ir.Table:
    return build(others)


def keeps(own: ir.Table, landing: ir.Table) -> ir.Table:
    """Return the rows that are published, and those of the feed of other games."""
    return own.select("game_id", "game_date", "points").union(build(landing).anti_join(own, "game_id"))


def expected(landing: ir.Table) -> ir.Table:
    return landing.filter(landing.game_date.notnull()).select("game_id", "game_date", reason=None)


def transform() -> Transform:
    return Transform(GAMES, build, feeds={"landing": FEED}, expected=expected)


def game(on: date | None, number: int, points: int = 200) -> dict[str, Any]:
    return {"game_id": f"00{2 * 10**7 + number:08d}", "game_date": on, "points": points}


GOOD = [game(d, n) for n, d in enumerate(DAYS)]
UNDATED = [game(None, 90), game(None, 91)]


class ByDay(HandMadeSource):
    """A directory of files by day: a row without a day comes with the other rows of its file only."""

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = super().read(feed, days)
        files = {90: OLD[0], 91: NEW[1]}
        numbers = [int(i[-2:]) for i in rows["game_id"].to_pylist()]
        return rows.filter(pa.array([files.get(n) in (None, *days) for n in numbers], pa.bool_()))


class Interrupted(HandMadeSource):
    """A source that can be read for the first season only."""

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        if NEW[0] in days:
            raise SourceError("the file of the second season cannot be read", "replace it")
        return super().read(feed, days)


class House:
    """A warehouse of its own; publishes all days at once or in blocks, and looks at what came of it."""

    def __init__(self, path: Path, source: HandMadeSource) -> None:
        self.warehouse, self.source = OpenWarehouse(path), source
        self.sizes: list[int] = []

    def at_once(self) -> Publication:
        return publish(transform(), DAYS, self.warehouse, self.source, None, RunContext("run", AT))

    def in_blocks(self, *, prepared: bool = False) -> Publication:
        """Publish the days block by block; others prepare the blocks where `prepared`."""
        done, run, cut = Publication([]), RunContext("run", AT), blocks(DAYS, 1)

        def ready(number: int) -> Prepared:
            return prepare(transform(), cut[number], self.warehouse, self.source, None, run, waits=True)

        published = publish_in_blocks(
            transform(), cut, self.warehouse, self.source, None, run, ready if prepared else None
        )
        for block in published:
            self.sizes.append(len(block.verdicts))
            done.add(block)
        return done

    def ledger(self) -> list[dict[str, Any]]:
        return self.warehouse.ledger().to_pylist()

    def rejects(self) -> list[tuple[date | None, str, str]]:
        rows = self.warehouse.quarantine().to_pylist()
        return sorted(((r["day"], r["reason"], r["row"]) for r in rows), key=str)


def test_a_block_holds_whole_seasons_and_no_more_than_allowed() -> None:
    days = days_between(day("2021-10-19"), day("2025-06-22"))
    starts = ["2021-10-19", "2022-08-01", "2023-08-01", "2024-08-01"]
    assert [str(b[0]) for b in blocks(days, 1)] == starts
    assert [str(b[0]) for b in blocks(days, 2)] == [str(b[0]) for b in blocks(days, 3)] == starts[::2]
    assert blocks(days, 4) == [days]
    assert [d for b in blocks(reversed(days), 1) for d in b] == days
    assert blocks([], 1) == []


def test_two_seasons_are_two_blocks_where_two_are_computed_at_once() -> None:
    context = CATALOG["nba_analytics.upcoming_player_game_context"]
    four = days_between(day("2021-10-19"), day("2025-06-22"))
    for first, number in (("2024-08-01", 1), ("2023-08-01", 2), ("2022-08-01", 2), ("2021-10-19", 2)):
        days = [d for d in four if d >= day(first)]
        cut = blocks_of(context, days, 1)
        assert (len(cut), [d for b in cut for d in b]) == (number, days)
    assert len(blocks_of(context, [d for d in four if d >= day("2023-08-01")], 5)) == 1, (
        "of five markets one is computed ahead"
    )


def test_no_block_is_longer_however_long_the_history_is() -> None:
    history = days_between(day("2021-10-19"), day("2041-10-19"))
    assert [len(b) > 366 for b in blocks(history, 1)].count(True) == 0
    assert max(len(b) for b in blocks(history, 4)) <= 4 * 366


@pytest.mark.parametrize("last", range(2022, 2030))
@pytest.mark.parametrize("seasons", [1, 2, 3, 4])
def test_every_day_is_in_one_block_whatever_the_number_of_seasons_is(last: int, seasons: int) -> None:
    history = days_between(day("2021-10-19"), date(last, 6, 22))
    assert [d for b in blocks(history, seasons) for d in b] == history


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("kind", [HandMadeSource, ByDay])
def test_blocks_have_the_verdicts_the_ledger_and_the_rejects_of_all_days_at_once(
    kind: type[HandMadeSource], prepared: bool, tmp_path: Path
) -> None:
    source = kind({"games": [*GOOD, *UNDATED, game(BAD, 50, points=-1)]})
    whole, cut = House(tmp_path / "whole.duckdb", source), House(tmp_path / "cut.duckdb", source)
    expected_of, found = whole.at_once(), cut.in_blocks(prepared=prepared)
    assert cut.sizes == [len(OLD), len(NEW)]
    assert found.verdicts == expected_of.verdicts
    assert [v.day for v in found.refused] == [BAD]
    assert cut.ledger() == whole.ledger()
    assert cut.rejects() == whole.rejects()
    assert [r[0] for r in cut.rejects()] == [None, None, BAD]
    assert found.rejected == expected_of.rejected == 3


@pytest.mark.parametrize("prepared", [False, True])
def test_an_error_between_blocks_leaves_the_blocks_before_it_published_and_in_the_ledger(
    prepared: bool, tmp_path: Path
) -> None:
    house = House(tmp_path / "nba.duckdb", Interrupted({"games": GOOD}))
    with pytest.raises(SourceError):
        house.in_blocks(prepared=prepared)
    assert house.sizes == [len(OLD)]
    assert [(e["day"], e["state"], e["rows"]) for e in house.ledger()] == [(d, "published", 1) for d in OLD]


def test_days_that_another_run_publishes_while_they_wait_are_computed_again(tmp_path: Path) -> None:
    house = House(tmp_path / "nba.duckdb", HandMadeSource({"games": GOOD}))
    corrected = HandMadeSource({"games": [game(d, n, points=210) for n, d in enumerate(DAYS)]})
    run = RunContext("late", AT)
    first = prepare(transform(), OLD, house.warehouse, house.source, None, run, waits=True)
    publish(transform(), OLD, house.warehouse, corrected, None, RunContext("other", AT))
    assert not first.is_current(house.warehouse)
    days = publish_in_blocks(transform(), [OLD], house.warehouse, corrected, None, run, lambda _: first)
    assert [(v.day, v.published) for block in days for v in block.verdicts] == [(d, True) for d in OLD]
    stored = house.warehouse.read({"games": (GAMES, Days(OLD[0], OLD[-1]))})["games"]
    assert stored["points"].to_pylist() == [210, 210]


def test_rows_that_another_run_publishes_while_a_table_that_keeps_its_rows_waits_are_kept(tmp_path: Path) -> None:
    house = House(tmp_path / "nba.duckdb", HandMadeSource({"games": GOOD}))
    keeping = Transform(GAMES, keeps, reads={"own": kept(GAMES)}, feeds={"landing": FEED}, expected=expected)
    run = RunContext("late", AT)
    first = prepare(keeping, OLD, house.warehouse, house.source, None, run, waits=True)
    earlier = HandMadeSource({"games": [game(d, n, points=210) for n, d in enumerate(DAYS)]})
    publish(transform(), OLD, house.warehouse, earlier, None, RunContext("other", AT))
    assert [
        b.published
        for b in publish_in_blocks(keeping, [OLD], house.warehouse, house.source, None, run, lambda _: first)
    ]
    stored = house.warehouse.read({"games": (GAMES, Days(OLD[0], OLD[-1]))})["games"]
    assert stored["points"].to_pylist() == [210, 210]


def test_a_block_of_which_the_ledger_cannot_be_read_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house, dropped = House(tmp_path / "nba.duckdb", HandMadeSource({"games": GOOD})), list[list[date]]()

    def damaged(*_: Any) -> bool:
        raise WarehouseError("the ledger is damaged", "restore it")

    monkeypatch.setattr(Prepared, "is_current", damaged)
    monkeypatch.setattr(Prepared, "close", lambda made: dropped.append(made.days))
    with pytest.raises(WarehouseError, match="damaged"):
        house.in_blocks(prepared=True)
    assert dropped == [OLD]


def test_a_later_block_that_another_run_publishes_while_it_waits_is_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, again = House(tmp_path / "nba.duckdb", HandMadeSource({"games": GOOD})), list[list[date]]()
    run, computing = RunContext("run", AT), (transform(), house.warehouse, house.source)

    def prepared(days: Sequence[date]) -> Prepared:
        return prepare(computing[0], days, *computing[1:], None, run, waits=True)

    waiting = [prepared(OLD), prepared(NEW)]

    def noted(transform: Transform, days: Sequence[date], *more: Any) -> Prepared:
        again.append(list(days))
        return prepare(transform, days, *more)

    found = publish_in_blocks(computing[0], [OLD, NEW], *computing[1:], None, run, lambda number: waiting[number])
    assert next(found).published == OLD
    publish(transform(), NEW, house.warehouse, house.source, None, RunContext("other", AT))
    monkeypatch.setattr(engine, "prepare", noted)
    assert [b.published for b in found] == [NEW]
    assert again == [NEW]


def test_what_others_publish_of_days_after_those_that_a_block_reads_does_not_make_it_stale(tmp_path: Path) -> None:
    """The tables above a block go on with their later days while it waits."""
    house = House(tmp_path / "nba.duckdb", HandMadeSource({"games": GOOD}))
    reading = Transform(GAMES, of_others, reads={"others": season_to_date(OTHERS)})
    above = Transform(OTHERS, build, feeds={"landing": FEED}, expected=expected)
    run = RunContext("run", AT)
    publish(above, NEW[:1], house.warehouse, house.source, None, run)
    made = prepare(reading, NEW[1:], house.warehouse, house.source, None, run, waits=True)
    publish(above, NEW[1:], house.warehouse, house.source, None, run)
    assert made.is_current(house.warehouse)
    publish(above, NEW[:1], house.warehouse, house.source, None, RunContext("other", AT))
    assert not made.is_current(house.warehouse)
    made.close()


def test_blocks_of_a_run_do_not_make_those_after_them_stale(tmp_path: Path) -> None:
    house = House(tmp_path / "nba.duckdb", HandMadeSource({}))
    reading = Transform(GAMES, of_others, reads={"others": season_to_date(OTHERS)})
    run = RunContext("run", AT)
    first, second = (prepare(reading, [d], house.warehouse, house.source, None, run, waits=True) for d in NEW)
    store(first, house.warehouse)
    assert second.is_current(house.warehouse)
    publish(reading, NEW[1:], house.warehouse, house.source, None, run)
    assert not second.is_current(house.warehouse)
    second.close()


def test_every_table_with_fewer_seasons_at_once_is_in_the_catalog() -> None:
    assert set(FEWER_SEASONS) <= set(CATALOG)
    assert {len(blocks_of(t, FOUR_SEASONS, 1)) for t in CATALOG.values()} == {1, 2, 4, 8}


FOUR_SEASONS = days_between(day("2021-10-19"), day("2025-06-22"))


@pytest.mark.parametrize("table", sorted(BY_MARKET))
def test_tables_with_a_row_per_market_are_cut_into_smaller_blocks_where_more_markets_are_forecast(table: str) -> None:
    transform = CATALOG[table]
    one, five = blocks_of(transform, FOUR_SEASONS, 1), blocks_of(transform, FOUR_SEASONS, 5)
    assert [d for block in five for d in block] == FOUR_SEASONS
    assert max(map(len, five)) <= max(map(len, one)) / 2.5 + 1
    assert {len(blocks_of(transform, FOUR_SEASONS[:31], markets)) for markets in (1, 5)} == {1}


def test_tables_that_are_cut_within_a_season_read_no_window_that_is_longer_than_a_month() -> None:
    """It would be read again for every block."""
    kinds = {read.kind for table in BY_MARKET for read in CATALOG[table].reads.values()}
    assert kinds == {"same_day", "month", "kept"}


def test_every_table_of_markets_that_may_be_cut_within_a_season_is_one_of_them() -> None:
    """Whole seasons of five markets took 3.9 GiB. Grades of calls are few: 0.7 GiB for four seasons."""
    able = {
        name
        for name, t in CATALOG.items()
        if t.table.dataset == "nba_predictions"
        and "market" in t.table.columns
        and {read.kind for read in t.reads.values()} <= {"same_day", "month", "kept"}
    }
    assert able - BY_MARKET == {"nba_predictions.call_grades"}


def test_every_other_table_has_the_same_blocks_however_many_markets_are_forecast() -> None:
    others = [t for name, t in CATALOG.items() if name not in BY_MARKET]
    assert all(blocks_of(t, FOUR_SEASONS, 1) == blocks_of(t, FOUR_SEASONS, 5) for t in others)
