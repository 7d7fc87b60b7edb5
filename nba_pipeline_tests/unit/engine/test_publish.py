"""Compute, audit, publish: a bad day is refused and keeps its rows, the others are published; one answer on every path."""

import json
import random
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import ContractError, SourceError
from nba_pipeline.common.ibis_relations import union
from nba_pipeline.contracts.table import FloatArray, Rows, Table, column
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.publish import Publication, publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources.landing import Feed, LandingColumn
from nba_pipeline.tables.raw.columns import when
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.support import HandMadeSource, day
from nba_pipeline_tests.support.open_warehouse import OpenWarehouse

Row = dict[str, Any]
AT = datetime(2024, 2, 1, tzinfo=UTC)


# --- three tiny tables: games, their scores, and the form that follows from them ---------------------------------------


class Games(Rows):
    """Games. One row per game."""

    game_id: str = column("id", str_matches=r"^00[1-6][0-9]{7}$")
    game_date: date = column("day")
    points: int = column("points of both teams", nullable=True)


class Scores(Rows):
    """Scores. One row per game and team."""

    game_id: str = column("id")
    game_date: date = column("day")
    team: str = column("team", isin=["A", "B", "C", "D"])
    points: int = column("points", ge=0, le=200)
    threes: int = column("points of threes", nullable=True)
    share: float = column("a share", nullable=True, ge=0, le=1)
    features: FloatArray = column("a list", nullable=True)


class Form(Rows):
    """Form before the day. One row per game and team."""

    game_id: str = column("id")
    game_date: date = column("day")
    team: str = column("team")
    mean_points: float = column("mean of earlier points", nullable=True)
    mean_share: float = column("mean of earlier shares", nullable=True)
    spread: float = column("their spread", nullable=True)
    games: int = column("earlier games")


def landing(*columns: LandingColumn, name: str) -> Feed:
    return Feed(name, "One row per row.", "game_date", (LandingColumn("game_date", "date", "day"), *columns))


ID = LandingColumn("game_id", "text", "id")
GAMES_FEED = landing(ID, LandingColumn("points", "integer", "points"), name="games")
SCORES_FEED = landing(
    ID,
    LandingColumn("team", "text", "team"),
    LandingColumn("points", "integer", "points"),
    LandingColumn("threes", "integer", "points of threes"),
    LandingColumn("share", "number", "a share"),
    LandingColumn("note", "text", "faults to plant"),
    name="scores",
)
GAMES = Table(
    model=Games, name="games", dataset="nba_raw", key=("game_id",), partition="game_date", on_bad_row="quarantine"
)


def scores_table(on_bad_row: Any) -> Table:
    return Table(
        model=Scores,
        name="scores",
        dataset="nba_analytics",
        key=("game_id", "team"),
        partition="game_date",
        rules={"threes are more than points": lambda t: t.threes <= t.points},
        group_rules={"a game has a number of teams other than two": (("game_id",), lambda t: t.count() == 2)},
        on_bad_row=on_bad_row,
    )


def games_build(landing: ir.Table) -> ir.Table:
    return landing.select("game_id", "game_date", "points")


def scores_build(landing: ir.Table) -> ir.Table:
    features = ibis.cases(
        (landing.note == "inf in list", ibis.array([1.0, float("inf")])),
        (landing.note == "null in list", ibis.array([1.0, ibis.null("float64")])),
        else_=ibis.array([1.0, float("nan")]),
    )
    share = ibis.cases(
        (landing.note == "inf", float("inf")), (landing.note == "nan", float("nan")), else_=landing.share
    )
    return landing.select(
        "game_id",
        "game_date",
        "team",
        "points",
        "threes",
        share=share,
        features=features,
        reject_reason=when(landing.note == "reject", "the source said so"),
    )


def expected(games: ir.Table) -> ir.Table:
    """Both teams of every game in which anybody scored; the others are explained."""
    sides = [games.select("game_date", "game_id", "points", team=ibis.literal(t)) for t in ("A", "B")]
    both = union(*sides)
    return both.select("game_date", "game_id", "team", reason=when(both.points.isnull(), "not played"))


def totals_differ(games: ir.Table, result: ir.Table) -> ir.Table:
    sums = result.group_by("game_id", day=result.game_date).aggregate(added=result.points.sum())
    joined = sums.inner_join(games, "game_id")
    return joined.filter(sums.added != games.points).select(sums.day, entity=sums.game_id)


SCORES = scores_table("refuse")
SCHEDULE = asof.same_day(GAMES)
GAMES_OF = Transform(GAMES, games_build, feeds={"landing": GAMES_FEED})


def scores_of(table: Table) -> Transform:
    return Transform(
        table,
        scores_build,
        reads={"games": SCHEDULE},
        feeds={"landing": SCORES_FEED},
        expected=expected,
        cross_checks={"points do not add up": totals_differ},
        watched=("share",),
    )


REFUSING, QUARANTINING = scores_of(SCORES), scores_of(scores_table("quarantine"))


def form_build(scores: ir.Table, today: ir.Table) -> ir.Table:
    wanted = today.select("game_id", "game_date", "team")
    form = {
        "mean_points": asof.mean("points", last=3),
        "mean_share": asof.mean("share"),
        "spread": asof.std("share"),
        "games": asof.count(),
    }
    return asof.attach(wanted, scores, form, by=("team",), within=())


FORM = Table(model=Form, name="form", dataset="nba_precompute", key=("game_id", "team"), partition="game_date")
FORM_OF = Transform(FORM, form_build, reads={"scores": asof.season_to_date(SCORES), "today": asof.same_day(SCORES)})


# --- running them -----------------------------------------------------------------------------------------------------

DAYS = days_between(day("2021-10-19"), day("2021-10-21"))
FIRST, SECOND, THIRD = DAYS


def game_id(on: date) -> str:
    return f"00221{on:%m%d}1"


def games(of: Sequence[date]) -> list[Row]:
    return [{"game_id": game_id(d), "game_date": d, "points": 200} for d in of]


def scores(of: Sequence[date]) -> list[Row]:
    rows = [
        {"game_id": game_id(d), "game_date": d, "team": t, "points": p, "threes": 30, "share": d.day / 100}
        for d in of
        for t, p in (("A", 110), ("B", 90))
    ]
    return rows


class House:
    """A warehouse with its source; publishes and looks at what came of it."""

    def __init__(self, path: Path) -> None:
        self.warehouse = OpenWarehouse(path / "nba.duckdb")
        self.feeds: dict[str, list[Row]] = {"games": games(DAYS), "scores": scores(DAYS)}
        self.runs = 0

    def publish(self, transform: Transform, days: Sequence[date] = DAYS) -> Publication:
        self.runs += 1
        schedule = None if transform is GAMES_OF else SCHEDULE
        source = HandMadeSource(self.feeds)
        return publish(transform, days, self.warehouse, source, schedule, RunContext(f"run{self.runs}", AT))

    def rows(self, table: Table = SCORES, *columns: str) -> list[Row]:
        read = self.warehouse.read({"r": (table, Days(date(2021, 1, 1), date(2022, 12, 31), columns or None))})
        ordered = read["r"].sort_by([(k, "ascending") for k in read["r"].column_names[:3]]).to_pylist()
        return [r | {"features": str(r.get("features"))} for r in ordered]  # NaN equals nothing, not even itself

    def published_days(self, table: Table = SCORES) -> list[date]:
        return sorted({r["game_date"] for r in self.rows(table)})

    def ledger(self, table: Table = SCORES) -> dict[tuple[date, str], Row]:
        return {(e["day"], e["state"]): e for e in self.warehouse.ledger([table.id]).to_pylist()}

    def quarantine(self, table: Table = SCORES) -> list[Row]:
        return self.warehouse.quarantine([table.id]).to_pylist()

    def contents(self, table: Table) -> dict[date, str]:
        found = self.warehouse.contents([table], date(2021, 1, 1), date(2022, 12, 31), hashes=True).to_pylist()
        return {r["day"]: r["content_hash"] for r in found}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = House(tmp_path_factory.mktemp("template"))
    made.publish(GAMES_OF)
    made.warehouse.close()
    return made.warehouse.path


@pytest.fixture
def house(template: Path, tmp_path: Path) -> House:
    """A house in which the games of DAYS are published, and nothing else."""
    made = House(tmp_path)
    shutil.copy(template, made.warehouse.path)
    return made


def plant(house: House, on: date, index: int = 0, **changes: Any) -> Row:
    """Change the index-th score of the day."""
    (row,) = [r for r in house.feeds["scores"] if r["game_date"] == on][index : index + 1]
    row |= changes
    return row


def twice(house: House, **changes: Any) -> None:
    house.feeds["scores"].append(plant(house, SECOND) | changes)


def leave_out(house: House) -> None:
    house.feeds["scores"] = [r for r in house.feeds["scores"] if (r["game_date"], r["team"]) != (SECOND, "B")]


# --- a clean range ----------------------------------------------------------------------------------------------------


def test_good_days_are_published_with_their_counts(house: House) -> None:
    done = house.publish(REFUSING)
    assert done.refused == []
    assert [(v.day, v.rows, v.metadata["expected_rows"], v.metadata["games"]) for v in done.verdicts] == [
        (d, 2, 2, 1) for d in DAYS
    ]
    assert house.published_days() == DAYS
    assert {k: e["rows"] for k, e in house.ledger().items()} == {(d, "published"): 2 for d in DAYS}
    assert {e["content_hash"] for e in house.ledger().values()} == set(house.contents(SCORES).values())
    assert house.quarantine() == []


def test_a_day_without_games_is_published_empty_and_says_so(house: House) -> None:
    quiet = day("2021-10-25")
    house.publish(GAMES_OF, [quiet])
    done = house.publish(REFUSING, [*DAYS, quiet])
    assert done.refused == []
    assert [v.metadata["no_games"] for v in done.verdicts] == [False, False, False, True]
    assert house.ledger()[quiet, "published"]["games"] == 0


# --- every kind of rule, with its fault planted -----------------------------------------------------------------------

FAULTS: dict[str, tuple[Callable[[House], Any], str]] = {
    "out of range": (
        partial(plant, on=SECOND, points=-5, threes=-9),
        "business_rules: points is not >= 0 in 1 of 2 rows",
    ),
    "too high": (partial(plant, on=SECOND, points=201), "points is not <= 200"),
    "not one of": (partial(plant, on=SECOND, team="Z"), "team is not one of A, B, C, D"),
    "missing": (partial(plant, on=SECOND, points=None), "hash_fields_complete: points is missing in 1 of 2 rows"),
    "business rule": (partial(plant, on=SECOND, threes=150), "business_rules: threes are more than points in 1 of 2"),
    "infinite": (partial(plant, on=SECOND, note="inf"), "share is not a finite number"),
    "not a number": (partial(plant, on=SECOND, note="nan"), "share is not a finite number"),
    "repeated key": (twice, r"contract: 1 rows repeat a key \(game_id, team\)"),
    "conflicting key": (partial(twice, points=90), "contract: 1 rows repeat a key"),
    "group": (partial(twice, team="C", points=0, threes=0), "a game has a number of teams other than two: 1 times"),
    "cross check": (partial(plant, on=SECOND, points=111), "business_rules: points do not add up: 1 times"),
    "absence": (leave_out, "coverage: 1 of 2 expected rows are absent without a reason"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_day_that_breaks_a_rule_is_refused_its_rows_stay_and_the_other_days_are_published(
    house: House, fault: str
) -> None:
    house.publish(REFUSING)
    before = house.rows()
    spoil, sentence = FAULTS[fault]
    spoil(house)
    for on in (FIRST, THIRD):
        plant(house, on, threes=31)
    done = house.publish(REFUSING)
    assert [v.day for v in done.refused] == [SECOND]
    reasons = "\n".join(json.loads(house.ledger()[SECOND, "refused"]["reasons"]))
    assert re.search(sentence, reasons), reasons
    after = house.rows()
    assert [r for r in after if r["game_date"] == SECOND] == [r for r in before if r["game_date"] == SECOND]
    assert {r["threes"] for r in after if r["game_date"] != SECOND and r["team"] == "A"} == {31}
    assert house.ledger()[SECOND, "published"]["content_hash"] == house.contents(SCORES)[SECOND]


@pytest.mark.parametrize("fault", ["out of range", "repeated key"])
def test_a_refused_first_day_publishes_nothing_of_itself(house: House, fault: str) -> None:
    FAULTS[fault][0](house)
    house.publish(REFUSING)
    assert house.published_days() == [FIRST, THIRD]
    assert (SECOND, "published") not in house.ledger()


@pytest.mark.parametrize(
    "note",
    [
        pytest.param("inf in list"),
        pytest.param("null in list"),
    ],
)
def test_lists_hold_only_numbers_and_nan(house: House, note: str) -> None:
    plant(house, SECOND, note=note)
    house.publish(REFUSING)
    assert not [r["features"] for r in house.rows() if "inf" in r["features"] or "None" in r["features"]]


def test_samples_of_the_broken_rows_go_to_quarantine_with_the_rule(house: House) -> None:
    plant(house, SECOND, points=-5, threes=-9)
    house.publish(REFUSING)
    (sample,) = house.quarantine()
    assert (sample["day"], sample["reason"]) == (SECOND, "points is not >= 0")
    assert json.loads(sample["row"])["points"] == -5


def test_of_a_row_that_breaks_several_rules_all_are_named(house: House) -> None:
    plant(house, SECOND, points=-5, team="Z")
    house.publish(REFUSING)
    (sample,) = house.quarantine()
    assert set(sample["reason"].split("; ")) == {
        "points is not >= 0",
        "team is not one of A, B, C, D",
        "threes are more than points",
    }


def test_a_repaired_day_is_published_and_clears_refusal_and_quarantine(house: House) -> None:
    plant(house, SECOND, points=-5)
    house.publish(REFUSING)
    plant(house, SECOND, points=110)
    done = house.publish(REFUSING, [SECOND])
    assert done.refused == []
    assert (SECOND, "refused") not in house.ledger()
    assert house.quarantine() == []
    assert house.published_days() == DAYS


def test_a_tampered_row_is_found_by_its_hash(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = DuckDBExecutor.compute

    def tamper(executor: DuckDBExecutor, *arguments: Any) -> None:
        honest(executor, *arguments)
        executor.db.execute(f"UPDATE result SET threes = threes - 1 WHERE game_date = '{SECOND}' AND team = 'A'")

    monkeypatch.setattr(DuckDBExecutor, "compute", tamper)
    done = house.publish(REFUSING)
    assert [v.day for v in done.refused] == [SECOND]
    assert (
        "1 rows have a data_hash that does not recompute" in done.refused[0].checks["hash_fields_complete"].description
    )


def test_an_explained_absence_is_published_and_counted(house: House) -> None:
    house.feeds["games"][1]["points"] = None
    house.feeds["scores"] = scores([FIRST, THIRD])
    house.publish(GAMES_OF)
    done = house.publish(REFUSING)
    assert done.refused == []
    entry = house.ledger()[SECOND, "published"]
    assert (entry["rows"], entry["expected"], json.loads(entry["absent"]), entry["unexplained"]) == (
        0,
        2,
        {"not played": 2},
        0,
    )


def test_a_day_whose_every_row_is_gone_is_refused(house: House) -> None:
    house.publish(REFUSING)
    house.feeds["scores"] = scores([FIRST, THIRD])
    done = house.publish(REFUSING)
    assert [v.day for v in done.refused] == [SECOND]
    assert house.ledger()[SECOND, "refused"]["unexplained"] == 2
    assert house.published_days() == DAYS


def test_a_row_that_nobody_expects_is_reported(house: House) -> None:
    stranger = scores([SECOND])
    house.feeds["scores"] += [r | {"game_id": "0022199999"} for r in stranger]
    done = house.publish(REFUSING)
    assert [v.day for v in done.refused] == [SECOND]


# --- rows that are set aside ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"points": -5, "threes": None}, "points is not >= 0"),
        ({"points": None}, "points is missing"),
        ({"note": "inf"}, "share is not a finite number; share is not <= 1.0"),
        ({"note": "reject"}, "the source said so"),
    ],
)
def test_where_rows_are_quarantined_the_bad_row_goes_and_the_coverage_tells(
    house: House, changes: Row, reason: str
) -> None:
    house.publish(QUARANTINING)
    house.feeds["scores"].append(plant(house, SECOND) | {"team": "C"} | changes)
    done = house.publish(QUARANTINING)
    assert done.refused == []
    assert [(r["day"], r["reason"].replace("<= 1", "<= 1.0").replace("1.0.0", "1.0")) for r in house.quarantine()] == [
        (SECOND, reason)
    ]
    assert house.ledger()[SECOND, "published"]["rejected"] == 1
    assert len([r for r in house.rows() if r["game_date"] == SECOND]) == 2


def test_the_same_row_twice_is_kept_once(house: House) -> None:
    twice(house)
    done = house.publish(QUARANTINING)
    assert done.refused == []
    assert [r["reason"] for r in house.quarantine()] == ["the same row is there more than once; one was kept"]


def test_of_rows_that_contradict_each_other_none_is_kept(house: House) -> None:
    twice(house, points=111)
    done = house.publish(QUARANTINING)
    assert [v.day for v in done.refused] == [SECOND]
    said = "other rows have the same key (game_id, team) and other values"
    assert [r["reason"] for r in house.quarantine()] == [said] * 2


def test_a_bad_row_of_a_team_that_must_be_there_refuses_the_day(house: House) -> None:
    plant(house, SECOND, points=-5)
    done = house.publish(QUARANTINING)
    assert [v.day for v in done.refused] == [SECOND]


def test_a_row_without_a_day_is_quarantined_once_however_often_it_is_read(house: House) -> None:
    house.feeds["scores"].append(plant(house, SECOND) | {"game_date": None})
    for days in (DAYS, [FIRST], DAYS):
        house.publish(QUARANTINING, days)
    assert [(r["day"], r["reason"]) for r in house.quarantine()] == [
        (None, "its game_date is missing, or no day of a game")
    ]


def test_the_same_game_on_two_days_comes_out_alike_as_a_range_and_day_by_day(tmp_path: Path) -> None:
    ranged, daily = House(tmp_path / "a"), House(tmp_path / "b")
    for house in (ranged, daily):
        house.feeds["games"][1]["game_id"] = game_id(FIRST)
    ranged.publish(GAMES_OF)
    for d in DAYS:
        daily.publish(GAMES_OF, [d])
    assert ranged.contents(GAMES) == daily.contents(GAMES)


def test_quarantined_rows_of_what_is_published_outlive_a_later_refusal(house: House) -> None:
    house.feeds["scores"].append(plant(house, SECOND) | {"team": "C", "note": "reject"})
    house.publish(QUARANTINING)
    assert house.ledger()[SECOND, "published"]["rejected"] == len(house.quarantine()) == 1
    leave_out(house)
    house.feeds["scores"] = [r for r in house.feeds["scores"] if r["team"] != "C"]
    house.publish(QUARANTINING)
    assert house.ledger()[SECOND, "published"]["rejected"] == len(house.quarantine()) == 1


# --- days that cannot be computed --------------------------------------------------------------------------------------


def test_only_days_whose_needs_are_published_are_computed(house: House) -> None:
    later = day("2021-10-22")
    house.feeds["scores"] += scores([later])
    done = house.publish(REFUSING, [*DAYS, later])
    assert [v.day for v in done.refused] == [later]
    assert "needs the day itself of nba_raw.games, but it lacks 2021-10-22" in str(
        json.loads(house.ledger()[later, "refused"]["reasons"])
    )
    assert house.published_days() == DAYS


def test_a_refused_day_blocks_the_days_that_look_back_on_it_and_no_other(house: House) -> None:
    plant(house, SECOND, points=-5)
    house.publish(REFUSING)
    done = house.publish(FORM_OF)
    assert [v.day for v in done.refused] == [SECOND, THIRD]
    assert house.published_days(FORM) == [FIRST]
    assert "season up to the day before" in str(done.refused[1].checks["coverage"].description)


def test_a_run_in_which_every_day_is_blocked_keeps_everything(house: House) -> None:
    house.publish(REFUSING)
    house.publish(FORM_OF)
    before = house.rows(FORM)
    plant(house, FIRST, points=-5)
    house.publish(REFUSING, [FIRST])
    done = house.publish(FORM_OF)
    assert len(done.refused) == 3
    assert house.rows(FORM) == before


def test_no_days_is_nothing_to_do(house: House) -> None:
    assert house.publish(GAMES_OF, []).verdicts == []


def test_no_days_is_nothing_to_do_for_a_table_that_reads_others_too(house: House) -> None:
    assert house.publish(REFUSING, []).verdicts == []


# --- what cannot be run at all ----------------------------------------------------------------------------------------


def test_a_source_that_cannot_be_read_publishes_nothing(house: House) -> None:
    class Broken(HandMadeSource):
        def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:  # noqa: ARG002
            raise SourceError(f"{feed.name} cannot be read", "mend it")

    house.publish(REFUSING)
    before = house.rows(), house.ledger()
    with pytest.raises(SourceError):
        publish(REFUSING, DAYS, house.warehouse, Broken({}), SCHEDULE, RunContext("x", AT))
    assert (house.rows(), house.ledger()) == before


def test_a_finishing_step_that_drops_a_column_raises_and_publishes_nothing(house: House) -> None:
    """The incident: a hash field missing from the record failed whole dates, or silently stored NULL."""
    broken = Transform(
        SCORES,
        scores_build,
        reads={"games": SCHEDULE},
        feeds={"landing": SCORES_FEED},
        apply=lambda t: t.drop(["threes"]),
    )
    with pytest.raises(
        ContractError, match=r"nba_analytics\.scores, days 2021-10-19\.\.2021-10-21: hash fields missing: threes"
    ):
        house.publish(broken)
    assert house.rows() == []


# --- one answer -------------------------------------------------------------------------------------------------------

LONG = days_between(day("2021-10-19"), day("2021-10-25"))


def league(chance: random.Random) -> dict[str, list[Row]]:
    """A week of scores with shares that sum differently in another order."""
    rows = scores(LONG)
    for r in rows:
        r["share"] = None if chance.random() < 0.1 else round(chance.random(), 4)
    return {"games": games(LONG), "scores": rows}


def built(path: Path, feeds: dict[str, list[Row]], cuts: Sequence[Sequence[date]]) -> dict[date, str]:
    """Content hashes of the last table when the days are run in these cuts."""
    house = House(path)
    house.feeds = feeds
    house.publish(GAMES_OF, LONG)
    for transform in (REFUSING, FORM_OF):
        for cut in cuts:
            assert house.publish(transform, cut).refused == []
    return house.contents(FORM)


@pytest.mark.integration
def test_one_day_a_range_random_cuts_shuffled_inputs_and_a_rerun_give_the_same_content(tmp_path: Path) -> None:
    feeds = league(random.Random(11))
    whole = built(tmp_path / "range", feeds, [LONG])
    assert sorted(whole) == LONG
    assert len(set(whole.values())) == len(LONG)
    assert built(tmp_path / "days", feeds, [[d] for d in LONG]) == whole
    assert built(tmp_path / "cuts", feeds, [LONG[:3], LONG[3:4], LONG[4:]]) == whole
    assert built(tmp_path / "scattered", feeds, [LONG[::-1], [LONG[1], LONG[5]]]) == whole
    shuffled = {n: random.Random(5).sample(rows, len(rows)) for n, rows in feeds.items()}
    assert built(tmp_path / "shuffled", shuffled, [LONG]) == whole


def test_the_moment_and_the_run_are_not_part_of_the_content(house: House) -> None:
    house.publish(REFUSING)
    before = house.contents(SCORES)
    later = RunContext("another", AT + timedelta(days=9))
    publish(REFUSING, DAYS, house.warehouse, HandMadeSource(house.feeds), SCHEDULE, later)
    assert house.contents(SCORES) == before
    assert {e["run_id"] for e in house.ledger().values()} == {"another"}


def test_a_change_in_one_cell_changes_the_content_of_its_day_alone(house: House) -> None:
    house.publish(REFUSING)
    before = house.contents(SCORES)
    plant(house, SECOND, share=0.5)
    house.publish(REFUSING)
    after = house.contents(SCORES)
    assert [d for d in DAYS if before[d] != after[d]] == [SECOND]
