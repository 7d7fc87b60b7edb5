"""Contracts: a wrong one cannot be declared, a build that cannot satisfy one does not load, and the audit is pandera's."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaError, SchemaErrors

from nba_pipeline import asof, definitions
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import ContractError
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.pandera_schema import pandera_schema
from nba_pipeline.contracts.rules import broken_rules, row_rules, tally
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, FloatArray, Instant, Rows, Table, column
from nba_pipeline.engine.transform import RESULT, Transform
from nba_pipeline.tables.catalog import CATALOG

assert definitions.defs  # every shipped table is registered


class Scores(Rows):
    """Scores of players. One row per day and player."""

    game_date: date = column("day")
    player: str = column("name", str_matches=r"^[a-z]{1,5}$")
    points: int = column("points", unit="points", ge=0, le=100)
    minutes: float = column("minutes", precision=3, nullable=True, gt=0, lt=70)
    result: str = column("result", nullable=True, isin=["it's a win", "loss"])
    value: int = column("value", nullable=True, isin=[2, 3])
    early_season_flag: bool = column("true in the first days")
    insufficient_data_reason: str = column("why there is too little data", nullable=True)
    tip_off: Instant = column("moment", nullable=True)
    features: FloatArray = column("list", nullable=True)
    comment: str = column("not hashed", hashed=False, nullable=True)


def declared(model: type[Rows] = Scores, **changes: Any) -> Table:
    facts: dict[str, Any] = {
        "name": "scores",
        "dataset": "nba_raw",
        "key": ("game_date", "player"),
        "partition": "game_date",
    }
    return Table(model=model, **(facts | changes))


# --- declarations -----------------------------------------------------------------------------------------------------


class NoGrain(Rows):
    """Scores of players."""

    game_date: date = column("day")
    player: str = column("name")


class NoDescription(Rows):
    """Scores. One row per day and player."""

    game_date: date = column("day")
    player: str = column("")


class NotDeclared(Rows):
    """Scores. One row per day and player."""

    game_date: date = column("day")
    player: str


class KeyNotHashed(Rows):
    """Scores. One row per day and player."""

    game_date: date = column("day")
    player: str = column("name", hashed=False)


class NoDate(Rows):
    """Scores. One row per day and player."""

    game_date: str = column("day")
    player: str = column("name")


class KeyMayBeNull(Rows):
    """Scores. One row per day and player."""

    game_date: date = column("day", nullable=True)
    player: str = column("name")


@pytest.mark.parametrize(
    ("model", "changes", "sentence"),
    [
        (Scores, {"key": ("game_date", "plaier")}, "key names columns that the model does not declare: plaier"),
        (Scores, {"partition": "date"}, "partition names columns that the model does not declare: date"),
        (Scores, {"cluster": ("team",)}, "cluster names columns that the model does not declare: team"),
        (Scores, {"key": ("game_date", "comment")}, "key columns must be hash fields: comment"),
        (Scores, {"key": ("comment", HASH_COLUMN)}, f"key columns must be hash fields: comment, {HASH_COLUMN}"),
        (KeyNotHashed, {}, "key columns must be hash fields: player"),
        (
            NoGrain,
            {},
            "the description does not end with the grain ('One row per ... .')",
        ),
        (NoDescription, {}, "column player has no description"),
        (NotDeclared, {}, "column player has no description"),
        (NoDate, {}, "the partition column game_date is not a DATE"),
    ],
)
def test_a_wrong_contract_cannot_be_declared(model: type[Rows], changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        declared(model, **changes)
    assert caught.value.what == f"nba_raw.scores: {sentence}"


def test_the_day_of_a_row_may_not_be_unknown() -> None:
    with pytest.raises(ContractError):
        declared(KeyMayBeNull)


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(ContractError) as caught:
        declared(NoGrain, key=("a", "b"), partition="c")
    assert all(word in str(caught.value) for word in ("grain", "a, b", "partition names", "NoGrain"))


def test_a_column_type_without_a_warehouse_type_is_refused_by_name() -> None:
    class Odd(Rows):
        """Odd. One row per day."""

        game_date: date = column("day")
        small: ibis.dtype("int8") = column("small")  # type: ignore[valid-type]

    with pytest.raises(ContractError, match="int8"):
        _ = declared(Odd, key=("game_date",)).arrow_schema


def test_columns_stand_in_one_order_partition_and_key_first_the_common_ones_last() -> None:
    names = list(declared(key=("player",)).columns)
    assert names[:2] == ["game_date", "player"]
    assert names[-2:] == [HASH_COLUMN, COMPUTED_AT]


def test_hash_fields_are_all_columns_but_those_declared_otherwise_and_the_common_ones() -> None:
    table = declared()
    assert set(table.computed_columns) - set(table.hash_fields) == {"comment"}
    assert HASH_COLUMN not in table.hash_fields
    assert COMPUTED_AT not in table.hash_fields


def test_ranges_read_as_one_would_write_them() -> None:
    columns = declared().columns
    assert columns["points"].range_text == ">= 0; <= 100"
    assert columns["minutes"].range_text == "> 0; < 70"
    assert columns["result"].range_text == "one of it's a win, loss"
    assert columns["player"].range_text == "matches ^[a-z]{1,5}$"


@pytest.mark.parametrize("table", [t.table for t in CATALOG.values()], ids=lambda t: t.id)
def test_every_shipped_column_says_what_it_means_and_every_float_its_precision(table: Table) -> None:
    assert len(table.columns) == len({n.lower() for n in table.columns}), "BigQuery folds case"
    assert all(c.description for c in table.columns.values())
    assert all(c.precision >= 0 for c in table.columns.values() if c.is_float)
    assert table.partition in table.hash_fields
    assert not table.columns[table.partition].nullable


# --- builds -----------------------------------------------------------------------------------------------------------

SOURCE = declared(name="source")
READS = {"rows": asof.same_day(SOURCE, visible=SOURCE.computed_columns)}


def transform(build: Any, **more: Any) -> Transform:
    return Transform(declared(), build, reads=READS, **more)


def complete(rows: ir.Table) -> ir.Table:
    return rows


def test_a_build_with_exactly_the_columns_loads() -> None:
    assert transform(complete).expression.columns == declared().computed_columns


def test_the_incident_hash_fields_missing_from_the_record_do_not_load() -> None:
    """16 days were lost to `early_season_flag`, 3 dates to `insufficient_data_reason`, one of them stored as NULL."""

    def build(rows: ir.Table) -> ir.Table:
        return rows.drop("early_season_flag", "insufficient_data_reason")

    sentence = (
        r"nba_raw\.scores, definition: hash fields missing: early_season_flag, insufficient_data_reason"
        r"\n  Fix: make the build produce exactly the columns of Scores"
    )
    with pytest.raises(ContractError, match=sentence):
        transform(build).check()


def test_a_frame_of_values_which_duckdb_computes_wrongly_with_threads_does_not_load() -> None:
    def build(rows: ir.Table) -> ir.Table:
        frame = ibis.range_window(preceding=(7, 1), group_by=rows.player, order_by=rows.points)
        return rows.mutate(points=rows.points.sum().over(frame))

    with pytest.raises(ContractError, match="windows over points have frames of values"):
        transform(build).check()


@pytest.mark.parametrize("role", ["expected", "cross_checks", "side_inputs", "witness_checks"])
def test_a_frame_of_values_in_any_other_expression_of_the_transform_does_not_load(role: str) -> None:
    def function(rows: ir.Table) -> ir.Table:
        frame = ibis.range_window(preceding=(7, 1), group_by=rows.player, order_by=rows.points)
        return rows.select(day=rows.game_date, entity=rows.player, reason=rows.points.sum().over(frame).cast("string"))

    declaration = {role: function if role == "expected" else {"hidden": function}}
    with pytest.raises(ContractError, match="windows over points have frames of values"):
        transform(complete, **declaration).check()


def test_a_frame_of_rows_or_of_peers_loads() -> None:
    def build(rows: ir.Table) -> ir.Table:
        last = ibis.window(preceding=4, following=0, group_by=rows.player, order_by=rows.points)
        peers = ibis.range_window(preceding=None, following=0, group_by=rows.player, order_by=rows.points)
        return rows.mutate(points=rows.points.max().over(last) - 0 * rows.points.max().over(peers))

    transform(build).check()


def test_surplus_and_missing_columns_are_told_apart() -> None:
    def build(rows: ir.Table) -> ir.Table:
        return rows.rename(pionts="points").drop("comment")

    with pytest.raises(ContractError) as caught:
        transform(build).check()
    said = str(caught.value)
    assert "hash fields missing: points" in said
    assert "columns missing: comment" in said
    assert "columns that the contract does not know: pionts" in said


@pytest.mark.parametrize(
    ("name", "value", "got"),
    [
        ("points", ibis.array([1]), "array<int8>"),
        ("tip_off", ibis.literal(True), "boolean"),
        ("features", 1.5, "float64"),
    ],
)
def test_a_column_of_another_type_does_not_load(name: str, value: Any, got: str) -> None:
    def build(rows: ir.Table) -> ir.Table:
        return rows.mutate(**{name: value})

    with pytest.raises(ContractError, match=rf"nba_raw\.scores, definition: {name} is {got}, the contract says"):
        transform(build).check()


def test_a_text_where_a_number_belongs_does_not_load() -> None:
    def build(rows: ir.Table) -> ir.Table:
        return rows.mutate(points=rows.player)

    with pytest.raises(ContractError, match="points is string, the contract says int64"):
        transform(build).check()


def test_a_build_that_asks_for_an_undeclared_input_does_not_load() -> None:
    def build(rows: ir.Table, shots: ir.Table) -> ir.Table:
        return rows.semi_join(shots, "player")

    with pytest.raises(ContractError, match="inputs that are not declared: shots"):
        transform(build)


def test_a_watched_column_must_exist() -> None:
    with pytest.raises(ContractError, match="watched columns are not in the contract: pionts"):
        transform(complete, watched=("pionts",))


def test_what_is_not_visible_cannot_be_used() -> None:
    def build(rows: ir.Table) -> ir.Table:
        return rows.mutate(points=rows.points)

    hidden = asof.same_day(SOURCE, visible=tuple(c for c in SOURCE.computed_columns if c != "points"))
    with pytest.raises(AttributeError, match="points"):
        Transform(declared(), build, reads={"rows": hidden}).check()


def test_require_columns_names_table_place_and_fields() -> None:
    table = declared()
    table.require_columns(table.computed_columns, "days x")
    with pytest.raises(ContractError, match=r"nba_raw\.scores, days x: hash fields missing: player"):
        table.require_columns([c for c in table.computed_columns if c != "player"], "days x")


# --- the audit and pandera agree --------------------------------------------------------------------------------------

TABLE = declared(rules={"no points without minutes": lambda t: (t.points == 0) | t.minutes.notnull()})
ROW_TABLE = declared()
GOOD: dict[str, Any] = {
    "game_date": date(2024, 1, 5),
    "player": "abc",
    "points": 10,
    "minutes": 30.5,
    "result": "loss",
    "value": 2,
    "early_season_flag": False,
    "insufficient_data_reason": None,
    "tip_off": datetime(2024, 1, 6, tzinfo=UTC),
    "features": [1.0],
    "comment": None,
    HASH_COLUMN: "0" * 16,
    COMPUTED_AT: datetime(2024, 1, 6, tzinfo=UTC),
}


def audit_says(rows: list[dict[str, Any]], table: Table = ROW_TABLE) -> dict[str, int]:
    """Rule -> rows that break it, from the SQL that is compiled from the contract."""
    rules = row_rules(table, relation(table.ibis_schema, name=RESULT))
    schema = pa.schema([f.with_nullable(True) for f in table.arrow_schema])
    with duckdb.connect() as db:
        db.register("result", pa.Table.from_pylist(rows, schema))
        (counted,) = db.execute(tally(table, rules, ())).to_arrow_table().to_pylist()
        (found,) = db.execute(broken_rules(table, rules)).to_arrow_table().to_pylist()
    broken = {r.text: found[f"v{i}"] for i, r in enumerate(rules) if found[f"v{i}"]}
    assert max(broken.values(), default=0) <= counted["broken"] <= min(sum(broken.values()), counted["n"])
    return broken


UNKNOWN_TO_PANDERA = ["tip_off", "features", COMPUTED_AT]


def pandera_says(rows: list[dict[str, Any]], leave_out: Sequence[str] = tuple(UNKNOWN_TO_PANDERA)) -> bool:
    """True if pandera accepts the rows, in the engine."""
    schema = pa.schema([f.with_nullable(True) for f in ROW_TABLE.arrow_schema])
    stored = ibis.memtable(pa.Table.from_pylist(rows, schema))
    model = pandera_schema(ROW_TABLE).remove_columns(list(leave_out))
    try:
        model.validate(stored.select(*model.columns))
    except (SchemaError, SchemaErrors):
        return False
    return True


VALUES = {
    "player": (None, "a", "abcde", "abcdef", "", "Abc", "abc\n", "é"),
    "points": (None, -1, 0, 100, 101),
    "minutes": (None, 0.0, 0.001, 69.999, 70.0),
    "result": (None, "it's a win", "LOSS", ""),
    "value": (None, 1, 2, 4),
    "early_season_flag": (None, True),
    "insufficient_data_reason": (None, ""),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_audit_refuses_exactly_the_values_that_pandera_refuses(name: str) -> None:
    for value in VALUES[name]:
        broken = audit_says([GOOD | {name: value}])
        assert bool(broken) != pandera_says([GOOD | {name: value}]), (value, broken)


CELLS = {name: st.sampled_from(values) for name, values in VALUES.items()}


@settings(max_examples=8, deadline=None, phases=[Phase.generate])
@given(st.lists(st.fixed_dictionaries({}, optional=CELLS), min_size=1, max_size=3))
def test_the_audit_refuses_exactly_the_tables_that_pandera_refuses(changes: list[dict[str, Any]]) -> None:
    rows = [GOOD | c for c in changes]
    assert bool(audit_says(rows)) != pandera_says(rows)


def test_a_good_row_breaks_nothing_and_unknown_values_break_nothing_but_required_fields() -> None:
    assert audit_says([GOOD], TABLE) == {}
    unknown = {c.name: None for c in TABLE.columns.values() if c.nullable}
    assert audit_says([GOOD | unknown | {"points": 0}], TABLE) == {}
    assert audit_says([GOOD | {"points": None}], TABLE) == {"points is missing": 1}


def test_rows_that_break_any_rule_are_counted_by_all_rules() -> None:
    for each in (TABLE, ROW_TABLE):
        rules = row_rules(each, relation(each.ibis_schema, name=RESULT))
        assert all(f"({rule.broken})" in tally(each, rules, ()) for rule in rules)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"points": -1}, "points is not >= 0"),
        ({"points": 101}, "points is not <= 100"),
        ({"minutes": 0.0}, "minutes is not > 0"),
        ({"minutes": 70.0}, "minutes is not < 70"),
        ({"minutes": math.inf}, "minutes is not a finite number"),
        ({"minutes": math.nan}, "minutes is not a finite number"),
        ({"result": "its a win"}, "result is not one of it's a win, loss"),
        ({"player": "ABC"}, "player is not matches ^[a-z]{1,5}$"),
        ({"player": None}, "player is missing"),
        ({"minutes": None}, "no points without minutes"),
    ],
)
def test_every_kind_of_rule_is_counted_under_its_name(changes: dict[str, Any], rule: str) -> None:
    assert audit_says([GOOD, GOOD | changes], TABLE)[rule] == 1
