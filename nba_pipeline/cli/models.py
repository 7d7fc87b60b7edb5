"""The command `models`."""

import json

import click

from nba_pipeline.cli.console import console, models_grid
from nba_pipeline.cli.rows import read_table
from nba_pipeline.common.errors import ArtifactError
from nba_pipeline.config.settings import Settings

MODELS = "nba_predictions.prediction_models"


def show_models(as_json: bool) -> bool:
    """Print the registry of trained models; False when an artifact is missing or altered."""
    columns = ("trained_on", "market", "system_id", "model_version", "rows", "last_day", "holdout_mae", "holdout_bias",
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
        click.echo(json.dumps(rows, default=str, indent=2))
    elif not rows:
        click.echo("no trained model; run `nba-pipeline backfill START END`")
    else:
        console.print(models_grid(rows))
    for error in wrong:
        click.echo(f"error: {error}", err=True)
    return not wrong
