"""What `against_peers` has every tool compute: facts, a rolling cache, and the features of form as a table; and their inputs."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from nba_pipeline import asof
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.sql_types import LEDGER, OPERATIONS_DDL, duckdb_create, duckdb_type
from nba_pipeline.contracts.table import Table, column
from nba_pipeline.domain.calendar import reading_bound
from nba_pipeline.engine.duckdb_executor import typed_column
from nba_pipeline.engine.plan import compile_plan
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics import player_game_summary, upcoming_player_game_context
from nba_pipeline.tables.precompute import player_composite_factors, player_daily_cache
from nba_pipeline.tables.predictions.features import feature_columns
from nba_pipeline.tables.predictions.form_features import FORM_FEATURES, YEAR_DAYS, form_features
from nba_pipeline.tables.shared import columns

IDENTITY = ("game_date", "season", "player_id")
COMPARED = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
CONTEXT, FACTS = upcoming_player_game_context.UPCOMING_PLAYER_GAME_CONTEXT, player_game_summary.PLAYER_GAME_SUMMARY


class FormGroup(feature_columns(FORM_FEATURES)):
    """The features of form of a listed player. One row per day and listed player."""

    game_date: date = column("US-Eastern calendar date of the game")
    player_id: int = columns.PLAYER_ID
    season: str = columns.SEASON


FORM = Table(FormGroup, "form_group", "nba_predictions", ("game_date", "player_id"), "game_date", ("player_id",))


def build(context: ir.Table, year: ir.Table) -> ir.Table:
    """The features of form of every listed player."""
    return form_features(context.select(*IDENTITY), year).select(*IDENTITY, *(f.name for f in FORM_FEATURES))


READS = {"context": asof.same_day(CONTEXT), "year": asof.before(FACTS, YEAR_DAYS)}
TRANSFORMS = (
    player_game_summary.TRANSFORM,
    player_daily_cache.TRANSFORM,
    Transform(FORM, build, reads=READS, expected=player_composite_factors.expected),
)


def write_inputs(home: Path, target: Path, start: date, end: date) -> None:
    """Write a database with what a home's tables and ledger have for the range and the year before it.

    The facts, which are computed, are there up to the day before the range.
    """
    with duck.connect(target) as db:
        db.execute(f"ATTACH '{home / 'nba.duckdb'}' AS home (READ_ONLY)")
        for statement in OPERATIONS_DDL:
            db.execute(statement)
        for table in {read.table for t in TRANSFORMS for read in t.reads.values()}:
            last = start - timedelta(days=1) if table is FACTS else end
            for statement in duckdb_create(table):
                db.execute(statement)
            for name, day, which in ((table.id, table.partition, ""), (LEDGER, "day", f"AND table_id = '{table.id}'")):
                within = f"{day} BETWEEN DATE '{start - timedelta(days=YEAR_DAYS)}' AND DATE '{last}' {which}"
                db.execute(f"INSERT INTO {name} BY NAME SELECT * FROM home.{name} WHERE {within}")


def specification(transform: Transform, start: date, end: date) -> dict[str, Any]:
    """Everything that another tool needs to compute the same rows: our compiled statements, their inputs and the contract."""
    table, plan = transform.table, compile_plan(transform, "duckdb")
    computed = [table.columns[n] for n in table.computed_columns]
    inputs = {}
    for name, read in transform.reads.items():
        back = (end - reading_bound(end)).days if read.kind == "season" else read.days_back
        kinds = {c: duckdb_type(read.table.columns[c].type) for c in plan.used_columns[name]}
        inputs[name] = {"table": read.table.id, "day": read.table.partition, "days_back": back, "columns": kinds}
    return {
        "table": table.id,
        "day": table.partition,
        "key": table.key,
        "start": str(start),
        "end": str(end),
        "inputs": inputs,
        "steps": plan.rows.steps,
        "select": f"SELECT {', '.join(map(typed_column, computed))} FROM ({plan.rows.statement}) AS computed",
        "columns": {c.name: duckdb_type(c.type) for c in computed},
        "required": [c.name for c in computed if not c.nullable],
        "ranges": [f"{c.name} {COMPARED[k]} {v}" for c in computed for k, v in c.checks.items() if k in COMPARED],
    }
