"""The commands below `import`, with their arguments, options and help."""

from pathlib import Path

import click

from nba_pipeline.cli.options import Commands, as_json, exits
from nba_pipeline.common.extras import required_extra


@click.group(name="import", cls=Commands)
def import_group() -> None:
    """Bring history that others have collected into the landing files; repeated, it goes on where it stopped."""


replace_option = click.option("--replace", is_flag=True, help="Replace days that have rows already.")


@import_group.command()
@click.argument("seasons", nargs=-1, required=True, metavar="SEASON...")
@click.option("--from", "place", metavar="PLACE", help="Directory or address of the files (default: the releases).")
@replace_option
@as_json
@exits
def sportsdataverse(seasons: tuple[str, ...], place: str | None, replace: bool, as_json: bool) -> bool:
    """Import the season files of sportsdataverse-data: schedule, box scores, shots, rosters (SEASON such as 2023-24)."""
    with required_extra("live", "import"):
        from nba_pipeline.cli.import_data import run_seasons

    return run_seasons(seasons, place, replace, as_json)


@import_group.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@replace_option
@as_json
@exits
def directory(directory: Path, replace: bool, as_json: bool) -> bool:
    """Import DIRECTORY, files of the landing layout (docs/landing.md)."""
    with required_extra("live", "import"):
        from nba_pipeline.cli.import_data import run_directory

    return run_directory(directory, replace, as_json)


@import_group.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@replace_option
@as_json
@exits
def nba_data(paths: tuple[Path, ...], replace: bool, as_json: bool) -> bool:
    """Import shot charts in bulk: files, or directories of files, with the columns of shotchartdetail."""
    with required_extra("live", "import"):
        from nba_pipeline.cli.import_data import run_shot_charts

    return run_shot_charts(paths, replace, as_json)
