"""The features as data: meaning, source and NULL rule of each; and the 25 of the first version.

The order of a version's list is the order of the array `features` and never changes; another set of features is another
version beside it (`versions.py`). No feature is ever filled with a default: an unknown one is NULL in its column and NaN in
the array.
"""

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nba_pipeline.contracts.table import Rows, column

PLAYER_CACHE = "nba_precompute.player_daily_cache"
FACTORS = "nba_precompute.player_composite_factors"
SHOT_ZONES = "nba_precompute.player_shot_zone_analysis"
DEFENSE_ZONES = "nba_precompute.team_defense_zone_analysis"
CONTEXT = "nba_analytics.upcoming_player_game_context"
PLAYER_GAMES = "nba_analytics.player_game_summary"
TEAM_GAMES = "nba_analytics.team_offense_game_summary"

DAY = "the day"
LAST_5, LAST_10, LAST_15 = "last 5 games of the season", "last 10 games of the season", "last 15 games of the season"
SEASON = "season up to the day before"
WEEK = "7 days before the day"
FORM_WEIGHT, ALWAYS_KNOWN = 3, 0


@dataclass(frozen=True)
class Feature:
    """A feature: name, unit, meaning, the table and window it comes from, and when it is unknown.

    `missing` says when it is NULL; empty: never NULL for a listed player. `weight` is its part in
    feature_quality_score: 0 for features that are never NULL. `bounds` are its lowest and
    highest plausible value.
    """

    name: str
    unit: str
    description: str
    source: str
    window: str
    missing: str
    bounds: tuple[float, float]
    weight: int = 1

    def column(self) -> Any:
        """Its column in the contract of the feature store."""
        when = f"; NULL {self.missing}" if self.missing else ""
        return column(
            f"{self.description}{when}",
            unit=self.unit,
            formula=f"{self.source}, {self.window}",
            nullable=bool(self.missing),
            ge=self.bounds[0],
            le=self.bounds[1],
        )


@dataclass(frozen=True)
class FeatureVersion:
    """A named list of features in contractual order."""

    name: str
    features: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.features)

    @property
    def weight(self) -> int:
        return sum(f.weight for f in self.features)


BASELINE_25 = FeatureVersion(
    "v1_baseline_25",
    (
        Feature(
            "points_avg_last_5",
            "points",
            "mean points of the player's last 5 games",
            PLAYER_CACHE,
            LAST_5,
            "with fewer than 5",
            bounds=(0, 100),
            weight=FORM_WEIGHT,
        ),
        Feature(
            "points_avg_last_10",
            "points",
            "mean points of the player's last 10 games",
            PLAYER_CACHE,
            LAST_10,
            "with fewer than 10",
            bounds=(0, 100),
            weight=FORM_WEIGHT,
        ),
        Feature(
            "points_avg_season",
            "points",
            "mean points of the season",
            PLAYER_CACHE,
            SEASON,
            "before the player's first game",
            bounds=(0, 100),
            weight=FORM_WEIGHT,
        ),
        Feature(
            "points_std_last_10",
            "points",
            "sample standard deviation of the player's points",
            PLAYER_CACHE,
            LAST_10,
            "with fewer than 5 games",
            bounds=(0, 60),
            weight=FORM_WEIGHT,
        ),
        Feature(
            "games_in_last_7_days",
            "games",
            "the player's games in [D - 7, D - 1]",
            PLAYER_CACHE,
            WEEK,
            "",
            bounds=(0, 7),
            weight=ALWAYS_KNOWN,
        ),
        Feature(
            "fatigue_score",
            "index",
            "index of freshness; 100 is fresh",
            FACTORS,
            "14 days before the day",
            "if the workload is unknown, or on the return from 10 or more days without a game",
            bounds=(0, 100),
        ),
        Feature(
            "shot_zone_mismatch_score",
            "index",
            "index of the matchup of the player's zone with the opponent's defence; positive: favourable",
            FACTORS,
            LAST_10,
            "without shot data of player or opponent",
            bounds=(-10, 10),
        ),
        Feature(
            "pace_score",
            "index",
            "index of the opponent's pace; positive: faster than the league",
            FACTORS,
            LAST_10,
            "before the opponent's fifth game",
            bounds=(-3, 3),
        ),
        Feature(
            "usage_spike_score",
            "index",
            "index of the usage that known absences add",
            FACTORS,
            "last 7 games of the season",
            "without injury statements or with fewer than 3 games",
            bounds=(-3, 3),
        ),
        Feature(
            "rest_advantage",
            "days",
            "the player's days of rest, at most the team's, minus the opponent's, clamped to ±2: games missed are no rest",
            CONTEXT,
            SEASON,
            "before either's first game of the season",
            bounds=(-2, 2),
        ),
        Feature(
            "injury_risk",
            "grade",
            "out 3, doubtful 3, questionable 2, probable 1, available 0; 0 if the source reports injuries but none of the player",
            CONTEXT,
            "statements in force at the cut-off",
            "if the source reports on no player, or in wording that matches no status",
            bounds=(0, 3),
        ),
        Feature(
            "recent_trend",
            "grade",
            "mean points of games 1-3 minus games 4-5, counted back: from +5 on 2, from +2 on 1, down to -2 and -5 likewise;"
            " positive: rising",
            PLAYER_GAMES,
            LAST_5,
            "with fewer than 5",
            bounds=(-2, 2),
        ),
        Feature(
            "minutes_change",
            "grade",
            "last-10 minutes against the season's: from +20 % on 2, from +10 % on 1, down to -10 % and -20 % likewise",
            PLAYER_CACHE,
            SEASON,
            "with 10 games or fewer, which are the season",
            bounds=(-2, 2),
        ),
        Feature(
            "opponent_def_rating",
            "points per 100 possessions",
            "the opponent's defensive rating",
            DEFENSE_ZONES,
            LAST_15,
            "before the opponent's fifth game",
            bounds=(50, 170),
        ),
        Feature(
            "opponent_pace",
            "possessions per 48 minutes",
            "pace that the opponent's defence allows",
            DEFENSE_ZONES,
            LAST_15,
            "before the opponent's fifth game",
            bounds=(60, 140),
        ),
        Feature(
            "home_away",
            "flag",
            "1 at home, 0 away, 0.5 on a neutral site, where neither team has the advantage",
            CONTEXT,
            DAY,
            "",
            bounds=(0, 1),
            weight=ALWAYS_KNOWN,
        ),
        Feature(
            "back_to_back",
            "flag",
            "1 where the player played the day before",
            CONTEXT,
            "the day before",
            "",
            bounds=(0, 1),
            weight=ALWAYS_KNOWN,
        ),
        Feature(
            "playoff_game",
            "flag",
            "1 in the play-offs (game id 004), 0 in all other games, play-in included",
            CONTEXT,
            DAY,
            "",
            bounds=(0, 1),
            weight=ALWAYS_KNOWN,
        ),
        Feature(
            "pct_paint",
            "fraction",
            "share of the player's shots in the paint",
            SHOT_ZONES,
            LAST_10,
            "with fewer than 5 games with shot data",
            bounds=(0, 1),
        ),
        Feature(
            "pct_mid_range",
            "fraction",
            "share of the player's shots from mid-range",
            SHOT_ZONES,
            LAST_10,
            "with fewer than 5 games with shot data",
            bounds=(0, 1),
        ),
        Feature(
            "pct_three",
            "fraction",
            "share of the player's shots behind the arc",
            SHOT_ZONES,
            LAST_10,
            "with fewer than 5 games with shot data",
            bounds=(0, 1),
        ),
        Feature(
            "pct_free_throw",
            "fraction",
            "free throws made / points, at most 0.5",
            PLAYER_GAMES,
            LAST_10,
            "with fewer than 5 games or without a point",
            bounds=(0, 0.5),
        ),
        Feature(
            "team_pace",
            "possessions per 48 minutes",
            "the team's pace",
            PLAYER_CACHE,
            LAST_10,
            "before its fifth game",
            bounds=(60, 140),
        ),
        Feature(
            "team_off_rating",
            "points per 100 possessions",
            "the team's offensive rating",
            PLAYER_CACHE,
            LAST_10,
            "before its fifth game",
            bounds=(50, 170),
        ),
        Feature(
            "team_win_pct",
            "fraction",
            "the team's wins / games",
            TEAM_GAMES,
            SEASON,
            "before its fifth game",
            bounds=(0, 1),
        ),
    ),
)


def feature_columns(features: Sequence[Feature]) -> Any:
    """A part of a contract with one column per feature, to be inherited from."""

    def fill(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = __name__
        namespace["__doc__"] = "One column per feature."
        namespace["__annotations__"] = {f.name: float for f in features}
        namespace.update({f.name: f.column() for f in features})

    return types.new_class("FeatureColumns", (Rows,), exec_body=fill)
