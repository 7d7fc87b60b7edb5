"""What the commands do that judge: `verify`, `corrections`, `leaderboard` and `models`."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import click
import pandas as pd
import pyarrow as pa
import pyarrow.compute
from rich.progress import track

from nba_pipeline import backfill as runs
from nba_pipeline import clock
from nba_pipeline.commands import load_definitions
from nba_pipeline.console import console, models_grid
from nba_pipeline.errors import ArtifactError, ConfigurationError
from nba_pipeline.evaluation.leaderboard import RowSet
from nba_pipeline.markets import MARKETS
from nba_pipeline.seasons import EPOCH, days_between, ranges
from nba_pipeline.settings import Settings
from nba_pipeline.systems import SYSTEM_IDS
from nba_pipeline.table_asset import REGISTRY
from nba_pipeline.warehouse import Days

MODELS = "nba_predictions.prediction_models"


def run_verify(start: date, end: date, n: int, seed: int) -> bool:
    """Replay a sample of game days; False when a cell differs, or when there is nothing to replay."""
    runs.check_range(start, end, runs.latest_day())
    settings = Settings.from_environment()
    load_definitions()
    from nba_pipeline.raw.schedule import SLATE
    from nba_pipeline.transform import Run
    from nba_pipeline.verification.replay import game_days, replay, sample

    warehouse, source = settings.open_warehouse(), settings.open_source()
    chosen = sample(game_days(warehouse, start, end), n, seed)
    if not chosen:
        click.echo(f"error: no game day with features is published on {start}..{end}", err=True)
        click.echo(f"  What to do: run `nba-pipeline backfill {start} {end}` first", err=True)
        return False
    run = Run("verify", clock.now(), settings.markets, settings.open_artifacts())
    found = []
    for day in track(chosen, description="replaying", console=console, disable=not console.is_terminal):
        found.append(replay(day, warehouse, source, SLATE, run))
        for difference in found[-1].differences:
            click.echo(f"PROBLEM  {difference}")
    cells, wrong = sum(r.cells for r in found), sum(bool(r.differences) for r in found)
    click.echo(
        f"{len(found)} days replayed, {sum(r.tables for r in found)} tables' days, {cells:,} cells: {wrong} days differ"
    )
    if wrong:
        click.echo(
            "  What to do: a table of these days knew more than it may, or its code or inputs changed since. If they\n"
            f"  changed, run `nba-pipeline backfill {start} {end}` and verify again",
            err=True,
        )
    return not wrong


def show_corrections(start: date | None, end: date | None, hours: float | None, as_json: bool) -> bool:
    """Print where the source differs from published facts; False where it does, with what takes the differences in."""
    load_definitions()
    from nba_pipeline.asof import CORRECTED_FOR
    from nba_pipeline.transform import Run
    from nba_pipeline.verification.corrections import REPAIRED, corrections, days_within

    if start:
        end = end or start
        runs.check_range(start, end, runs.latest_day())
    now = clock.now()
    span = timedelta(hours=hours) if hours else CORRECTED_FOR
    days = days_between(start, end) if start and end else days_within(span, now)
    settings = Settings.from_environment()
    run = Run("corrections", now, settings.markets, settings.open_artifacts())
    found = corrections(settings.open_warehouse(), settings.open_source(), days, run)
    if as_json:
        click.echo(json.dumps([c.as_json() for c in found], indent=2))
        return not found
    for correction in found:
        click.echo(str(correction))
    touched = sorted({c.day for c in found})
    click.echo(f"{len(found)} differences on {len(touched)} of the days {days[0]}..{days[-1]}")
    if found:
        selects = " ".join(f"--select {t.split('.')[1]}" for t in REPAIRED)
        click.echo(
            "  What to do: publish facts and grades of these days again; forecasts made before stay as they were:"
        )
        for first, last in ranges(touched):
            click.echo(f"  nba-pipeline backfill {first} {last} {selects}")
    return not found


def show_leaderboard(rows: RowSet, reliability_of: str | None, as_json: bool) -> bool:
    """Print the leaderboard of the graded forecasts; False when a figure is too good to be honest."""
    from nba_pipeline.evaluation import grids
    from nba_pipeline.evaluation.alarms import too_good
    from nba_pipeline.evaluation.leaderboard import leaderboard, reliabilities, tiers

    _require_known("--market", rows.market, MARKETS)
    if reliability_of is not None:
        _require_known("--reliability", reliability_of, SYSTEM_IDS)
    selected = rows.select(_graded(rows))
    if selected.empty:
        click.echo(f"error: no graded forecast of: {rows.words}", err=True)
        click.echo(
            "  What to do: run `nba-pipeline backfill START END` over such days, or ask for fewer conditions", err=True
        )
        return False
    board, by_tier, bins = leaderboard(selected), tiers(selected), reliabilities(selected)
    invented = Settings.from_environment().source == "simulator"
    alarms = [] if invented else too_good(board, rows)
    if as_json:
        tables = {"systems": board, "tiers": by_tier, "reliability": bins}
        shown = {n: json.loads(t.to_json(orient="records")) for n, t in tables.items()}
        click.echo(json.dumps({"rows": rows.words, "alarms": alarms, **shown}, indent=2))
    else:
        console.print(grids.error_grid(board, rows.words))
        console.print(grids.chance_grid(board))
        console.print(grids.tiers_grid(by_tier))
        if reliability_of:
            console.print(grids.reliability_grid(bins, reliability_of))
        if invented:
            console.print(
                "An invented league: its market is easier to beat than a real one, and no figure of it is an alarm."
            )
    for sentence in alarms:
        click.echo(f"ALARM    suspected leakage: {sentence}", err=True)
    if alarms:
        click.echo(f"         features closest to the outcome: {', '.join(_suspects(selected))}", err=True)
        click.echo("  What to do: look for rows of the day itself, or of later days, in these features", err=True)
    return not alarms


def _require_known(option: str, given: str, known: Iterable[str]) -> None:
    if given not in known:
        raise ConfigurationError(f"{option} is {given!r}", f"use one of: {', '.join(known)}")


def _graded(rows: RowSet) -> pd.DataFrame:
    """Graded forecasts with the columns of the leaderboard; filtered while they are still Arrow, to be quick."""
    from nba_pipeline.evaluation.leaderboard import COLUMNS

    graded = whole_table("nba_predictions.prediction_accuracy", COLUMNS)
    for name, value in (("season", rows.season), ("season_type", rows.season_type), ("market", rows.market)):
        if value:
            graded = graded.filter(pyarrow.compute.field(name) == value)
    return graded.to_pandas()


def _suspects(selected: pd.DataFrame) -> list[str]:
    from nba_pipeline.evaluation.alarms import suspects
    from nba_pipeline.predictions.versions import MODEL_FEATURES

    columns = ("game_date", "player_id", "feature_version", *MODEL_FEATURES.names)
    features = whole_table("nba_predictions.ml_feature_store_v2", columns)
    features = features.filter(pyarrow.compute.field("feature_version") == MODEL_FEATURES.name).to_pandas()
    played = selected.drop_duplicates(["game_date", "player_id"])[["game_date", "player_id", "actual_value"]]
    joined = played.merge(features, on=["game_date", "player_id"])
    return suspects(joined, joined["actual_value"], MODEL_FEATURES.names)


def whole_table(table_id: str, columns: Sequence[str]) -> pa.Table:
    load_definitions()
    days = Days(EPOCH, runs.latest_day(), tuple(columns))
    return Settings.from_environment().open_warehouse().read({"rows": (REGISTRY[table_id].table, days)})["rows"]


def show_models(as_json: bool) -> bool:
    """Print the registry of trained models; False when an artifact is missing or altered."""
    columns = ("trained_on", "market", "system_id", "model_version", "rows", "last_day", "holdout_mae", "holdout_bias",
               "artifact_location", "artifact_sha256", "artifact_bytes", "reason")  # fmt: skip
    rows = whole_table(MODELS, columns).sort_by([(c, "ascending") for c in columns[:3]]).to_pylist()
    store = Settings.from_environment().open_artifacts()
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
        click.echo("no model was ever trained; run `nba-pipeline backfill START END`")
    else:
        console.print(models_grid(rows))
    for sentence in wrong:
        click.echo(f"error: {sentence}", err=True)
    return not wrong
