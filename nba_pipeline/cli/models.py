"""The command `models`."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from nba_pipeline.cli.console import print_grid, print_json
from nba_pipeline.cli.rows import read_table
from nba_pipeline.common.errors import ArtifactError
from nba_pipeline.config.settings import Settings

MODELS = "nba_predictions.prediction_models"


def show_models(as_json: bool) -> bool:
    """Print the registry of trained models; False when an artifact is missing or altered."""
    columns = ("trained_on", "market", "system_id", "model_version", "rows", "last_day", "holdout_mae", "holdout_bias",
               "holdout_crps", "champion_crps", "served_by",
               "artifact_location", "artifact_sha256", "artifact_bytes", "reason")  # fmt: skip
    settings = Settings.from_environment()
    rows = read_table(settings, MODELS, columns).sort_by([(c, "ascending") for c in columns[:3]]).to_pylist()
    store = settings.open_artifacts()
    wrong: list[str] = []
    for row in rows:
        row["artifact"] = "none"
        if row["artifact_sha256"]:
            try:
                store.get(row["artifact_location"], row["artifact_sha256"])
                row["artifact"] = "intact"
            except ArtifactError as e:
                row["artifact"] = "missing or altered"
                wrong.append(f"{row['trained_on']} {row['market']} {row['system_id']}: {e}")
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo("no trained model; run `nba-pipeline backfill START END`")
    else:
        print_grid(models_grid(rows))
    for error in wrong:
        click.echo(f"error: {error}", err=True)
    return not wrong


def models_grid(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Lay out the registry of trained models: training rows and days, hold-out error, which models serve, and artifact."""
    grid = Grid(title="Trained models", title_justify="left", box=SIMPLE_HEAD)
    for name in ("trained on", "market", "system", "version"):
        grid.add_column(name, no_wrap=True)
    for name in ("rows", "until", "hold-out MAE", "bias", "CRPS", "champion's", "bytes"):
        grid.add_column(name, justify="right", no_wrap=True)
    for name in ("served by", "artifact"):
        grid.add_column(name)
    for r in rows:
        mae, bias, *scores = (r[c] for c in ("holdout_mae", "holdout_bias", "holdout_crps", "champion_crps"))
        grid.add_row(
            f"{r['trained_on']}",
            r["market"],
            r["system_id"],
            r["model_version"],
            f"{r['rows']:,}",
            f"{r['last_day'] or '-'}",
            "-" if mae is None else f"{mae:.3f}",
            "-" if bias is None else f"{bias:+.2f}",
            *("-" if score is None else f"{score:.3f}" for score in scores),
            f"{r['artifact_bytes'] or 0:,}",
            r["served_by"] or "-",
            r["reason"] or r["artifact"],
        )
    return grid
