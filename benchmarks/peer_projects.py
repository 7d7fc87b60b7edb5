"""The projects of the other tools: SQLMesh models and Dagster assets that compute the tables of specifications."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from nba_pipeline.common import duckdb as duck

Specification = Mapping[str, Any]
SCHEMA = "peer"


def name_of(table: str) -> str:
    """The table's name in the schema of the other tools."""
    return f"{SCHEMA}.{table.split('.')[1]}"


def write_sqlmesh(directory: Path, database: Path, specs: Sequence[Specification]) -> None:
    """Write a SQLMesh project that computes the tables in a DuckDB file, which has their inputs."""
    connection = {"type": "duckdb", "database": str(database)}
    config = {"gateways": {"local": {"connection": connection}}, "model_defaults": {"dialect": "duckdb"}}
    (directory / "models").mkdir(parents=True)
    (directory / "config.yaml").write_text(json.dumps(config | {"disable_anonymized_analytics": True}))
    for spec in specs:
        (directory / "models" / f"{spec['table']}.sql").write_text(model(spec, [s["table"] for s in specs]))


def model(spec: Specification, computed: Sequence[str]) -> str:
    """A SQLMesh model: interval, grain and audits, and our statements as one query; `computed` are the tables of all models."""
    inputs = [(name, _rows(read, computed)) for name, read in spec["inputs"].items()]
    relations = ",\n".join(f'"{name}" AS MATERIALIZED ({sql})' for name, sql in (*inputs, *spec["steps"]))
    key = ", ".join(spec["key"])
    return f"""MODEL (
  name {name_of(spec["table"])},
  kind INCREMENTAL_BY_TIME_RANGE (time_column {spec["day"]}),
  start '{spec["start"]}', end '{spec["end"]}', cron '@daily', grain ({key}),
  audits (
    not_null(columns := ({", ".join(spec["required"])})),
    unique_combination_of_columns(columns := ({key})),
    forall(criteria := ({", ".join(spec["ranges"])}))
  )
);
WITH {relations}
{spec["select"]}
"""


def _rows(read: Mapping[str, Any], computed: Sequence[str]) -> str:
    """The rows of an input for the interval of a run; of a computed table, those before the range stand under our name."""
    back, day, columns = read["days_back"], read["day"], ", ".join(read["columns"])
    where = f"{day} >= CAST(@start_date AS DATE) - {back} AND {day} {'<' if back else '<='} @end_date"
    names = [read["table"], *([name_of(read["table"])] if read["table"] in computed else [])]
    return " UNION ALL ".join(f"SELECT {columns} FROM {name} WHERE {where}" for name in names)


def write_dagster(directory: Path, database: Path, specs: Sequence[Specification]) -> None:
    """Write a module of Dagster assets for the tables of a DuckDB file, whose types a first frame would else decide."""
    start, end = (date.fromisoformat(specs[0][bound]) for bound in ("start", "end"))
    back = max(read["days_back"] for spec in specs for read in spec["inputs"].values())
    module = ASSETS.replace("FIRST", str(start - timedelta(days=back))).replace("END", str(end + timedelta(days=1)))
    directory.mkdir()
    (directory / "assets.py").write_text(module.replace("DATABASE", str(database)))
    (directory / "tables.json").write_text(json.dumps(specs))
    with duck.connect(database) as db:
        stored = {f"{s}.{t}" for s, t in db.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()}
        db.execute(f"CREATE SCHEMA {SCHEMA}")
        for spec in specs:
            name, columns = name_of(spec["table"]), ", ".join(f"{n} {kind}" for n, kind in spec["columns"].items())
            db.execute(f"CREATE TABLE {name} ({columns})")
            if spec["table"] in stored:
                db.execute(f"INSERT INTO {name} SELECT {', '.join(spec['columns'])} FROM {spec['table']}")


ASSETS = """
import json
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
from dagster_duckdb_pandas import DuckDBPandasIOManager

SPECS = json.loads(Path(__file__).with_name("tables.json").read_text())
DAILY = dg.DailyPartitionsDefinition(start_date="FIRST", end_date="END")
COMPUTED = {s["table"] for s in SPECS}
READ = {r["table"]: r["day"] for s in SPECS for r in s["inputs"].values() if r["table"] not in COMPUTED}

def key(table):
    return dg.AssetKey(["peer", table.split(".")[1]] if table in COMPUTED else table.split("."))

def loaded(read):
    back = read["days_back"]
    window = dg.TimeWindowPartitionMapping(start_offset=-back, end_offset=-1) if back else None
    return dg.AssetIn(key(read["table"]), partition_mapping=window, metadata={"columns": list(read["columns"])})

def table_asset(spec):
    @dg.asset(
        key=key(spec["table"]),
        ins={f"rows_of_{name}": loaded(read) for name, read in spec["inputs"].items()},
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata={"partition_expr": spec["day"]},
    )
    def computed(**frames) -> pd.DataFrame:
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'UTC'")
            for name, read in spec["inputs"].items():
                typed = ", ".join(f'CAST("{c}" AS {kind}) AS "{c}"' for c, kind in read["columns"].items())
                db.register("frame", frames[f"rows_of_{name}"])
                db.execute(f'CREATE TEMP TABLE "{name}" AS SELECT {typed} FROM frame')
            for name, statement in spec["steps"]:
                db.execute(f'CREATE TEMP TABLE "{name}" AS {statement}')
            return db.execute(spec["select"]).df()

    return computed

stored = [dg.AssetSpec(key(t), partitions_def=DAILY, metadata={"partition_expr": day}) for t, day in READ.items()]
resources = {"io_manager": DuckDBPandasIOManager(database="DATABASE")}
defs = dg.Definitions(assets=[*stored, *map(table_asset, SPECS)], resources=resources)
"""
