"""The command `export`."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from nba_pipeline.cli.console import errors, print_json, table_days
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.export import Format, file_name, write_rows
from nba_pipeline.tables.catalog import find_table


def run_export(start: date, end: date, name: str, kind: Format, directory: Path | None, as_json: bool) -> None:
    """Write days of a table to a file in the directory, or among the artifacts, and print its location."""
    table = find_table(name)
    settings = Settings.from_environment()
    warehouse, file = settings.open_warehouse(), file_name(table, start, end, kind)
    with table_days((end - start).days + 1, errors), TemporaryDirectory() as scratch:
        path = (directory or Path(scratch)) / file
        rows = write_rows(warehouse, table, start, end, kind, path)
        if directory is None:
            store = settings.open_artifacts()
            where = store.address(store.publish("exports", file, path.read_bytes()).location)
        else:
            where = str(path.absolute())
    if as_json:
        print_json({"table": table.id, "start": start, "end": end, "format": kind, "path": where, "rows": rows})
    else:
        click.echo(f"{where} ({rows:,} rows)")
