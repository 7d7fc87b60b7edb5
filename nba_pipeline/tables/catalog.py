"""All tables: an explicit list of the transforms, their order and their groups."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

from nba_pipeline.asof.reads import Read
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.blocks import SHORT, blocks
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics import (
    player_game_summary,
    team_defense_game_summary,
    team_offense_game_summary,
    upcoming_player_game_context,
    upcoming_team_game_context,
)
from nba_pipeline.tables.grading import call_grades, prediction_accuracy, system_daily_performance
from nba_pipeline.tables.precompute import (
    player_composite_factors,
    player_daily_cache,
    player_shot_zone_analysis,
    team_defense_zone_analysis,
)
from nba_pipeline.tables.predictions import (
    calls,
    ml_feature_store_v2,
    player_prop_predictions,
    prediction_models,
    prop_prices,
)
from nba_pipeline.tables.raw import (
    game_lines,
    injury_reports,
    lineups,
    player_boxscores,
    player_prop_lines,
    rosters,
    schedule,
    shots,
    team_boxscores,
)

TRANSFORMS: tuple[Transform, ...] = (
    schedule.TRANSFORM,
    player_boxscores.TRANSFORM,
    team_boxscores.TRANSFORM,
    shots.TRANSFORM,
    player_prop_lines.TRANSFORM,
    game_lines.TRANSFORM,
    injury_reports.TRANSFORM,
    lineups.TRANSFORM,
    rosters.TRANSFORM,
    player_game_summary.TRANSFORM,
    team_offense_game_summary.TRANSFORM,
    team_defense_game_summary.TRANSFORM,
    upcoming_team_game_context.TRANSFORM,
    upcoming_player_game_context.TRANSFORM,
    team_defense_zone_analysis.TRANSFORM,
    player_shot_zone_analysis.TRANSFORM,
    player_daily_cache.TRANSFORM,
    player_composite_factors.TRANSFORM,
    ml_feature_store_v2.TRANSFORM,
    prediction_models.TRANSFORM,
    player_prop_predictions.TRANSFORM,
    prop_prices.TRANSFORM,
    calls.TRANSFORM,
    prediction_accuracy.TRANSFORM,
    system_daily_performance.TRANSFORM,
    call_grades.TRANSFORM,
)

CATALOG: dict[str, Transform] = {t.table.id: t for t in TRANSFORMS}

GROUPS: Mapping[str, str] = {
    "nba_raw": "1_raw",
    "nba_analytics": "2_analytics",
    "nba_precompute": "3_precompute",
    "nba_predictions": "4_predictions",
}

# Of how many seasons the rows are computed at once, at most. With these four seasons need less than two gigabytes; planning the
# statements of a table takes as long for one season as for four.
SEASONS_AT_ONCE = 4
FEWER_SEASONS: Mapping[str, int] = {
    "nba_raw.player_prop_lines": 1,
    "nba_analytics.player_game_summary": 2,
    "nba_analytics.upcoming_player_game_context": 2,
    "nba_precompute.player_shot_zone_analysis": 2,
    "nba_precompute.player_composite_factors": 2,
    "nba_precompute.player_daily_cache": 2,
    "nba_predictions.ml_feature_store_v2": 1,
    "nba_predictions.prediction_models": 2,
    "nba_predictions.player_prop_predictions": 1,
    "nba_predictions.prop_prices": 1,
    "nba_predictions.prediction_accuracy": 1,
    "nba_predictions.calls": 2,
}

# How many blocks are computed at once, on two cores: also a shorter range of one market is cut into at least so many.
BLOCKS_AT_ONCE = 2

# These hold a row per market, and read only rows of the day and models of its month: their blocks may begin on any day.
BY_MARKET = frozenset(
    {
        "nba_predictions.player_prop_predictions",
        "nba_predictions.prop_prices",
        "nba_predictions.prediction_accuracy",
        "nba_predictions.calls",
        "nba_predictions.system_daily_performance",
    }
)
# Into how many blocks a market's seasons that are computed at once are cut: three are in memory, two computed and one stored.
PARTS_OF_MARKET = 2


def graph_order() -> list[str]:
    """All table ids: dataset by dataset, a table after the tables it reads, else by name."""

    @cache
    def depth(table: str) -> int:
        return 1 + max((depth(t.id) for t in CATALOG[table].upstream()), default=0)

    datasets = list(GROUPS)
    return sorted(CATALOG, key=lambda t: (datasets.index(CATALOG[t].table.dataset), depth(t), t))


def all_tables() -> list[Table]:
    """The contracts of all tables, in the order of the graph."""
    return [CATALOG[t].table for t in graph_order()]


def find_table(name: str) -> Table:
    """Return the contract of a table named with or without its dataset. Raises ConfigurationError for an unknown name."""
    tables = all_tables()
    for table in tables:
        if name in (table.id, table.name):
            return table
    raise ConfigurationError(f"{name!r} is no table", suggestion(name))


def suggestion(name: str) -> str:
    """Suggest the table whose name is nearest to a wrong one; all tables where none is near."""
    tables = all_tables()
    names = {n: t.id for t in tables for n in (t.name, t.id)}
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
    if near:
        return f"did you mean {names[near[0]]}? `nba-pipeline tables` lists all"
    return f"use one of: {', '.join(t.id for t in tables)}"


def group_of(transform: Transform) -> str:
    """The asset group in the UI: the transform's own, else that of its dataset."""
    return transform.group or GROUPS[transform.table.dataset]


def schedule_read(transform: Transform) -> Read | None:
    """The read of the day's games; None for the schedule itself."""
    return None if transform is CATALOG[schedule.SCHEDULE.id] else schedule.SLATE


def blocks_of(transform: Transform, days: Sequence[date], markets: int) -> list[list[date]]:
    """Cut the days of a run into those that are computed at once: fewer seasons where their rows are many or wide.

    Args:
        transform: What computes the table.
        days: The days.
        markets: How many markets are forecast, as many times the rows of one have tables that hold a row per market.
    """
    table = transform.table.id
    parts = PARTS_OF_MARKET * markets if table in BY_MARKET and len(days) > SHORT else 1
    least = BLOCKS_AT_ONCE if table in FEWER_SEASONS and markets == 1 else 1
    return blocks(days, FEWER_SEASONS.get(table, SEASONS_AT_ONCE), parts, least)
