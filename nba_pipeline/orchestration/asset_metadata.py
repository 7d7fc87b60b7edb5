"""What the UI shows of a table beside its data: description, column schema and code references; lineage, from the expression."""

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Column, Table
from nba_pipeline.engine.lineage import Origin
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration.keys import asset_key

# The web server of Dagster fixes the number.
PLOTS = (
    "Plots cover the latest 120 partitions of the table: they are empty where all rows are older. "
    "The page of a partition has its figures, whatever its age."
)


def description(transform: Transform) -> str:
    """Return the table's description and, below it, what the table reads, from which days, and what plots show."""
    table = transform.table
    read = [f"- `{r.table.id}`: {r.window_text}" for r in dict.fromkeys(transform.reads.values())]
    fed = [f"- source feed `{f.name}`" for f in transform.feeds.values()]
    return "\n".join([table.description, "", "Reads:", *read, *fed, "", PLOTS])


def metadata(transform: Transform, settings: Settings) -> dict[str, Any]:
    """Return the definition metadata of a table: columns, storage, place in the code, key and hash fields.

    Args:
        transform: The transform of the table.
        settings: The settings, for the name and kind of the storage.
    """
    table = transform.table
    columns = [_column(table, c) for c in table.columns.values()]
    module = inspect.getmodule(transform.build)
    path, line = Path(inspect.getsourcefile(transform.build) or ""), inspect.getsourcelines(transform.build)[1]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": settings.stored_as(table),
        "dagster/storage_kind": settings.warehouse,
        "dagster/code_references": dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(
                    file_path=str(path), line_number=line, label=module.__name__ if module else None
                )
            ]
        ),
        "key": ", ".join(table.key),
        "hash_fields": ", ".join(table.hash_fields),
    }


def _column(table: Table, c: Column) -> dg.TableColumn:
    details = {"Unit": c.unit, "Formula": c.formula}
    lines = [c.description, *(f"**{name}:** {detail}" for name, detail in details.items() if detail)]
    tags = {"hash_field": ""} if c.hashed else {}
    tags |= {"key": ""} if c.name in table.key else {}
    checks = [c.range_text] if c.range_text else []
    return dg.TableColumn(
        c.name,
        str(c.type),
        description="  \n".join(lines),
        constraints=dg.TableColumnConstraints(nullable=c.nullable, unique=table.key == (c.name,), other=checks),
        tags=tags,
    )


def lineage(transform: Transform, origins: Mapping[str, Iterable[Origin]]) -> dg.TableColumnLineage:
    """Return the column lineage of the expression; of a table finished in Python, for the columns that keep their names.

    It goes with a materialization, not with the definition: loading definitions builds no expression. A table's
    own rows that it keeps are no upstream.

    Args:
        transform: The transform of the table.
        origins: For every column of its expression, the inputs and columns that it depends on.
    """
    upstream = {name: read.table for name, read in transform.reads.items() if read.kind != "kept"}
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for name, from_inputs in origins.items():
        sources = {(asset_key(upstream[t]), c) for t, c in from_inputs if t in upstream}
        if sources and name in transform.table.columns:
            deps[name] = [dg.TableColumnDep(key, c) for key, c in sorted(sources)]
    return dg.TableColumnLineage(deps)
