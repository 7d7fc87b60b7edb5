"""The commands below `import`: history that others have collected."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nba_pipeline.cli.console import console, errors, print_json
from nba_pipeline.common.errors import ConfigurationError, StateBusyError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import is_season
from nba_pipeline.sources.imports.runs import (
    RELEASES,
    Imported,
    import_directory,
    import_season,
    import_shot_charts,
)

SHOWN = 20
SHOT_FILES = ("shotdetail*.csv", "shotdetail*.csv.gz", "shotdetail*.parquet")


def run_seasons(seasons: Sequence[str], place: str | None, replace: bool, as_json: bool) -> bool:
    """Import seasons of sportsdataverse-data; False where rows were set aside."""
    wrong = [s for s in seasons if not is_season(s)]
    if wrong:
        raise ConfigurationError(f"{', '.join(wrong)} is no season", "name seasons such as 2023-24")
    settings, began, results = Settings.from_environment(), time.monotonic(), {}
    for season in seasons:
        with _landing(settings) as landing:
            results[season] = import_season(
                season,
                place or RELEASES,
                landing,
                settings.home / "imports",
                replace=replace,
                pace=settings.live.pace,
                tell=_tell,
            )
    return _show(results, settings, time.monotonic() - began, as_json)


def run_directory(directory: Path, replace: bool, as_json: bool) -> bool:
    """Import a directory in the landing layout; False where rows were set aside."""
    settings, began = Settings.from_environment(), time.monotonic()
    with _landing(settings) as landing:
        done = import_directory(directory, landing, replace=replace, tell=_tell)
    return _show({str(directory): done}, settings, time.monotonic() - began, as_json)


def run_shot_charts(paths: Sequence[Path], replace: bool, as_json: bool) -> bool:
    """Import files of shot charts, or those of directories; False where rows were set aside."""
    settings, began = Settings.from_environment(), time.monotonic()
    files = [f for p in paths for f in ([p] if p.is_file() else sorted(x for g in SHOT_FILES for x in p.glob(g)))]
    if not files:
        raise ConfigurationError(
            f"no shot charts in {', '.join(map(str, paths))}",
            f"name files, or a directory with {', '.join(SHOT_FILES)}",
        )
    with _landing(settings) as landing:
        done = import_shot_charts(files, landing, replace=replace, tell=_tell)
    return _show({"shot charts": done}, settings, time.monotonic() - began, as_json)


@contextmanager
def _landing(settings: Settings) -> Iterator[Path]:
    """Yield the directory of the landing files, and hand out what was written. Raises StateBusyError."""
    directory = settings.open_state().directory("landing")
    directory.pull()
    yield directory.path
    if not directory.push():
        raise StateBusyError("others wrote the same landing files meanwhile", "run the same command again")


def _show(results: dict[str, Imported], settings: Settings, seconds: float, as_json: bool) -> bool:
    if as_json:
        print_json({what: done.as_json() for what, done in results.items()})
    else:
        for what, done in results.items():
            _print(what, done)
        console.print(f"{settings.landing}, in {seconds:.1f} s", highlight=False)
    return not any(done.set_aside for done in results.values())


def _print(what: str, done: Imported) -> None:
    console.print(what, highlight=False)
    for feed in sorted({*done.rows, *done.kept}):
        kept = f"; {done.kept[feed]:,} days had rows and are as before (--replace)" if done.kept.get(feed) else ""
        console.print(f"  {feed}: {done.rows[feed]:,} rows of {done.days[feed]:,} days{kept}", highlight=False)
    for name in done.unchanged:
        console.print(f"  {name}: imported before with the same sha256", highlight=False)
    for name in done.missing:
        console.print(f"  {name}: not there, so its rows are missing", highlight=False)
    for row in done.set_aside[:SHOWN]:
        console.print(f"  set aside: {row}", highlight=False, markup=False)
    if len(done.set_aside) > SHOWN:
        console.print(f"  set aside: and {len(done.set_aside) - SHOWN} more (--json lists all)", highlight=False)


def _tell(text: str) -> None:
    errors.print(text, highlight=False, markup=False)
