"""The command `drift`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from nba_pipeline.automation.feature_alerts import published_drift
from nba_pipeline.cli.console import print_grid, print_json
from nba_pipeline.cli.rows import last_run
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.config.settings import Settings
from nba_pipeline.evaluation.feature_drift import RECENT, FeatureDrift


def show_drift(day: date | None, as_json: bool) -> bool:
    """Print how the features of the last 30 days differ from the training days of the models in force.

    Args:
        day: The last of the 30 days; None: the last day that was run.
        as_json: Print JSON.

    Returns:
        False if a feature drifts.

    Raises:
        MissingHistoryError: No day was run, or the rows are too few to compare.
    """
    warehouse = Settings.from_environment().open_warehouse()
    last = day or last_run(warehouse)
    if last is None:
        raise MissingHistoryError("nothing was ever published", "run `nba-pipeline backfill START END`")
    features = published_drift(warehouse, last)
    if not features:
        raise MissingHistoryError(
            f"too few rows of the feature store in the {RECENT.days} days up to {last}, or in the training days of their models",
            "name a day later in a season: `nba-pipeline drift DAY`, or run `nba-pipeline backfill START END` over more days",
        )
    if as_json:
        print_json([asdict(f) | {"drifts": f.drifts} for f in features])
    else:
        print_grid(drift_grid(features, f"{last}"))
    drifting = [f for f in features if f.drifts]
    for f in drifting:
        click.echo(f"DRIFT    {f.feature}: {f}", err=True)
    return not drifting


def drift_grid(features: Sequence[FeatureDrift], last: str) -> Grid:
    """Lay out the features, those that changed most first.

    Args:
        features: The features.
        last: The last of the recent days.
    """
    title = (
        f"Features of the {RECENT.days} days up to {last} ({features[0].rows_recent:,} rows) against the training days of "
        f"their models ({features[0].rows_training:,} rows)"
    )
    grid = Grid(title=title, title_justify="left", box=SIMPLE_HEAD)
    grid.add_column("feature", no_wrap=True)
    for name in ("unknown in training", "unknown of late", "mean in training", "mean of late", "shift in sd"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("")
    for f in sorted(features, key=lambda f: (not f.drifts, -abs(f.shift or 0.0))):
        means = ["-" if m is None else f"{m:.3f}" for m in (f.mean_training, f.mean_recent)]
        shift = "-" if f.shift is None else f"{f.shift:+.2f}"
        unknown = (f"{f.unknown_training:.1%}", f"{f.unknown_recent:.1%}")
        grid.add_row(f.feature, *unknown, *means, shift, "drifts" if f.drifts else "")
    return grid
