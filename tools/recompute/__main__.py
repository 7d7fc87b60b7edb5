"""Compute tables of a home a second time from landing files, and say which cells differ."""

import sys
from datetime import datetime
from pathlib import Path

import click

from tools.recompute import RECOMPUTED
from tools.recompute.comparison import described
from tools.recompute.run import recomputed


@click.command()
@click.argument("home", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("first", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
def main(home: Path, data: Path, first: datetime, last: datetime, tables: tuple[str, ...]) -> None:
    """Compare the tables of HOME from FIRST to LAST with their second computation from the landing files in DATA."""
    if unknown := sorted(set(tables) - set(RECOMPUTED)):
        raise click.UsageError(
            f"no second computation of {', '.join(unknown)}; there is one of {', '.join(RECOMPUTED)}"
        )
    found = recomputed(home, data, first.date(), last.date(), tables or RECOMPUTED)
    click.echo(described(found))
    sys.exit(1 if any(c.differing for c in found) else 0)


if __name__ == "__main__":
    main()
