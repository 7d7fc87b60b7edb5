"""The command `leaderboard`."""

import json
from collections.abc import Iterable

import click
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from nba_pipeline.cli.console import console, print_grid, print_json
from nba_pipeline.cli.rows import read_table
from nba_pipeline.common.errors import ConfigurationError, MissingHistoryError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, SEASON_TYPES, is_season
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.evaluation.leaderboard import RowSet
from nba_pipeline.systems import SYSTEM_IDS

PLAYER_GAME = ["game_date", "player_id"]


class NoGradedForecastsError(MissingHistoryError):
    """No graded forecast belongs to the rows of a leaderboard."""


def show_leaderboard(rows: RowSet, reliability_of: str | None, as_json: bool) -> bool:
    """Print the leaderboard of the graded forecasts.

    Args:
        rows: The graded rows to rank the systems on.
        reliability_of: System whose calibration is printed too; None: none.
        as_json: Print JSON instead of tables.

    Returns:
        False if a figure suggests leakage.

    Raises:
        ConfigurationError: The market, season, type of game or system does not exist.
        NoGradedForecastsError: No graded forecast belongs to these rows.
    """
    from nba_pipeline.cli import leaderboard_tables as grids
    from nba_pipeline.cli import market_tables
    from nba_pipeline.cli.market_chances import market_chances
    from nba_pipeline.evaluation.alarms import too_good
    from nba_pipeline.evaluation.call_results import call_results
    from nba_pipeline.evaluation.clean_seasons import with_clean_seasons
    from nba_pipeline.evaluation.leaderboard import leaderboard, reliabilities, tiers
    from nba_pipeline.evaluation.market_rival import calibration_by, market_table, with_market
    from nba_pipeline.tables.predictions.calls import SNAPSHOTS

    _require_choice("--market", rows.market, MARKETS)
    if rows.season is not None and not is_season(rows.season):
        raise ConfigurationError(f"--season is {rows.season!r}", "name a season such as 2024-25")
    if rows.season_type is not None:
        _require_choice("--season-type", rows.season_type, [SEASON_TYPES[p] for p in COUNTABLE_PREFIXES])
    if reliability_of is not None:
        _require_choice("--reliability", reliability_of, SYSTEM_IDS)
    settings = Settings.from_environment()
    graded = _graded(settings, rows)
    selected = rows.select(graded)
    if selected.empty:
        raise NoGradedForecastsError(
            f"no graded forecast of: {rows.words}",
            "run `nba-pipeline backfill START END` over more days of a season, or drop options",
        )
    board, by_tier, bins = with_clean_seasons(leaderboard(selected)), tiers(selected), reliabilities(selected)
    beside = with_market(selected, market_chances(settings, selected))
    market, buckets = market_table(beside), calibration_by(beside)
    results = call_results(*_calls(settings, rows, graded), SNAPSHOTS)
    simulated = settings.is_simulated
    alarms = [] if simulated else [str(alarm) for alarm in too_good(board, rows)]
    if as_json:
        tables = {"systems": board, "tiers": by_tier, "reliability": bins}
        tables |= {"market": market, "market_buckets": buckets, "calls": results}
        shown = {n: json.loads(t.to_json(orient="records")) for n, t in tables.items()}
        print_json({"rows": rows.words, "alarms": alarms, **shown})
    else:
        print_grid(grids.error_grid(board, rows.words))
        print_grid(grids.difference_grid(board))
        print_grid(grids.chance_grid(board))
        if len(market):
            print_grid(market_tables.market_grid(market))
        print_grid(grids.call_grid(board))
        if len(results):
            print_grid(market_tables.recorded_calls_grid(results))
        print_grid(grids.tiers_grid(by_tier))
        if not simulated:
            print_grid(grids.clean_grid(board, sorted(selected["season"].unique())))
        if reliability_of:
            print_grid(grids.reliability_grid(bins, reliability_of))
            print_grid(market_tables.bucket_grid(buckets, reliability_of))
        if simulated:
            console.print("Simulated league: figures of an invented market are no evidence, so none raises an alarm.")
    for sentence in alarms:
        click.echo(f"ALARM    suspected leakage: {sentence}", err=True)
    if alarms:
        click.echo(f"         features closest to the outcome: {', '.join(_suspects(settings, selected))}", err=True)
        click.echo("  Fix: look for data of the same day, or of later days, in these features", err=True)
    return not alarms


def _require_choice(option: str, given: str, choices: Iterable[str]) -> None:
    if given not in choices:
        raise ConfigurationError(f"{option} is {given!r}", f"use one of: {', '.join(choices)}")


def _graded(settings: Settings, rows: RowSet) -> pd.DataFrame:
    """Read graded forecasts with the columns of the leaderboard; filtered in Arrow, before the conversion to pandas."""
    from nba_pipeline.evaluation.leaderboard import COLUMNS

    return _of(read_table(settings, "nba_predictions.prediction_accuracy", COLUMNS), rows)


def _of(table: pa.Table, rows: RowSet) -> pd.DataFrame:
    """The rows of a leaderboard's market, season and kind of season."""
    for name, value in (("season", rows.season), ("season_type", rows.season_type), ("market", rows.market)):
        if value:
            table = table.filter(pyarrow.compute.field(name) == value)
    return table.to_pandas()


def _calls(settings: Settings, rows: RowSet, graded: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Read the graded calls of the leaderboard's players and games, whatever systems forecast, with their season averages."""
    from nba_pipeline.evaluation.call_results import COLUMNS

    return calls_of(_of(read_table(settings, "nba_predictions.call_grades", COLUMNS), rows), rows, graded)


def calls_of(calls: pd.DataFrame, rows: RowSet, graded: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Select the calls of the players and games of a leaderboard, with the players' season averages.

    Args:
        calls: Graded calls.
        rows: The rows of the leaderboard.
        graded: Graded forecasts, of any system.
    """
    known = graded.drop_duplicates(PLAYER_GAME)[[*PLAYER_GAME, "season_average", "prior_games"]]
    joined = calls.merge(known, on=PLAYER_GAME, how="left")
    kept = joined[rows.covers(joined)].reset_index(drop=True)
    return kept, kept["season_average"]


def _suspects(settings: Settings, selected: pd.DataFrame) -> list[str]:
    from nba_pipeline.evaluation.alarms import suspects
    from nba_pipeline.tables.predictions.versions import MODEL_FEATURES

    columns = ("game_date", "player_id", "feature_version", *MODEL_FEATURES.names)
    features = read_table(settings, "nba_predictions.ml_feature_store_v2", columns)
    features = features.filter(pyarrow.compute.field("feature_version") == MODEL_FEATURES.name).to_pandas()
    played = selected.drop_duplicates(["game_date", "player_id"])[["game_date", "player_id", "actual_value"]]
    joined = played.merge(features, on=["game_date", "player_id"])
    return suspects(joined, joined["actual_value"], MODEL_FEATURES.names)
