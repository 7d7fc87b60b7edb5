"""Declares the checks that the sensor `alerts` evaluates: late, missing and suspicious days, games and figures of a table.

The UI can evaluate them by its button, too. Jobs leave them out: a run checks what it has computed, and whether a table is
late or lacks days changes with time and with other runs.
"""

from dataclasses import dataclass

import dagster as dg

from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.tables.catalog import CATALOG

ON_TIME, NO_GAPS, PLAUSIBLE, STEADY = "on_time", "no_gaps", "plausible_figures", "steady_figures"
STEADY_FEATURES, KNOWN_STATES, WHOLE_SEASON = "steady_features", "known_game_states", "whole_season"
DECLARED_BOOKS, LISTED_PLAYERS, LINEUPS_CAPTURED = "declared_books", "quoted_players_listed", "lineups_captured"
AGREEING_PRICES = "agreeing_prices"


@dataclass(frozen=True)
class WatchCheck:
    """A check of a table that no run evaluates; with `warns`, the UI shows a failure as a warning, else as an error."""

    name: str
    table: str
    description: str
    warns: bool = False

    @property
    def key(self) -> dg.AssetCheckKey:
        return dg.AssetCheckKey(asset_key(CATALOG[self.table].table), self.name)

    @property
    def severity(self) -> dg.AssetCheckSeverity:
        return dg.AssetCheckSeverity.WARN if self.warns else dg.AssetCheckSeverity.ERROR


_FORECASTS, _GRADES = "nba_predictions.player_prop_predictions", "nba_predictions.prediction_accuracy"
_SCHEDULE = "nba_raw.schedule"
WATCH_CHECKS = (
    WatchCheck(ON_TIME, _FORECASTS, "The forecasts of today's games are published by noon Eastern time."),
    WatchCheck(ON_TIME, _GRADES, "The grades of yesterday's games are published by nine Eastern time."),
    WatchCheck(
        NO_GAPS,
        _GRADES,
        "Every game day that is over is complete in every table; the last two weeks, and once a week the whole history.",
    ),
    WatchCheck(
        PLAUSIBLE, _GRADES, "No system is better than honest forecasts have ever been: that is suspected leakage."
    ),
    WatchCheck(
        STEADY, _GRADES, "No system forecasts worse in the last 30 days than before, beyond chance.", warns=True
    ),
    WatchCheck(
        STEADY_FEATURES,
        "nba_predictions.ml_feature_store_v2",
        "Every feature of the last 30 days is known as often, and as high, as on the training days of the models in force.",
        warns=True,
    ),
    WatchCheck(KNOWN_STATES, _SCHEDULE, "The state of every game is known."),
    WatchCheck(WHOLE_SEASON, _SCHEDULE, "The schedule of the season has the games of a season.", warns=True),
    WatchCheck(
        DECLARED_BOOKS,
        "nba_raw.player_prop_lines",
        "Every book of the last two weeks, of players and of games, is declared, and no day of it is rejected.",
        warns=True,
    ),
    WatchCheck(
        AGREEING_PRICES,
        "nba_predictions.prop_prices",
        "No book of the last two weeks has prices that contradict the other books again and again.",
        warns=True,
    ),
    WatchCheck(
        LISTED_PLAYERS,
        "nba_analytics.upcoming_player_game_context",
        "Every player who is quoted on points today is listed by a team and so has a forecast.",
        warns=True,
    ),
    WatchCheck(
        LINEUPS_CAPTURED,
        "nba_raw.lineups",
        "Every game of today has line-ups half an hour before tip-off, where there are any of the season.",
        warns=True,
    ),
)


def watch_check_specs() -> list[dg.AssetCheckSpec]:
    """Return the declarations of all checks."""
    return [dg.AssetCheckSpec(c.name, asset=c.key.asset_key, description=c.description) for c in WATCH_CHECKS]


def all_but_watch_checks() -> dg.AssetSelection:
    """Select every asset with its checks but these."""
    return dg.AssetSelection.all() - dg.AssetSelection.checks(*(c.key for c in WATCH_CHECKS))
