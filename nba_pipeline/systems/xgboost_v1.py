"""`xgboost_v1`: gradient boosted trees, trained every month. Trees read an unknown value as unknown; nothing is filled in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from nba_pipeline.systems.learned import EXPECTED_BY_FORM, EXPECTED_BY_ROTATION, matrix, stored
from nba_pipeline.systems.protocol import Floats

if TYPE_CHECKING:
    import pandas as pd
    import xgboost

Singles = NDArray[np.float32]

ROUNDS = 120
BINS = 64
PARAMETERS: Mapping[str, object] = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "max_bin": BINS,
    "max_depth": 3,
    "learning_rate": 0.08,
    "min_child_weight": 100,
    "subsample": 0.8,
    "colsample_bytree": 0.3,
    "reg_lambda": 5,
    "seed": 7,
    "nthread": 1,
}

# Models whose only task is to forecast rows that they have not seen, for weights, level, spread and law, take half the rounds.
UNSEEN_ROUNDS = 60
UNSEEN_PARAMETERS: Mapping[str, object] = {**PARAMETERS, "learning_rate": 0.15}
COLUMNS = (
    *(
        "{m}_avg_last_3",
        "{m}_avg_last_5",
        "{m}_avg_last_10",
        "{m}_avg_season",
        "{m}_ewma",
        "{m}_form",
        "{m}_std_last_10",
    ),
    *("{m}_per_minute", "{m}_per_minute_year", EXPECTED_BY_FORM, EXPECTED_BY_ROTATION),
    *("minutes_last_game", "minutes_avg_last_3", "minutes_avg_last_5", "minutes_avg_last_10", "minutes_avg_season"),
    *("minutes_form", "minutes_std_last_10", "minutes_avg_year", "minutes_expected"),
    *("team_games_missed", "appearance_share", "starter_last_game", "starter_share_last_5", "minutes_rank_last_5"),
    *("rotation_rank", "minutes_vacated", "minutes_newly_out", "shots_ewma", "free_throws_ewma", "usage_rate_season"),
    *("projected_usage_rate", "star_teammates_out", "injury_risk", "rest_advantage", "back_to_back", "home_away"),
    *(
        "game_spread",
        "spread_size",
        "implied_team_total",
        "opponent_def_rating",
        "opponent_pace",
        "opponent_{m}_allowed",
    ),
    "playoff_game",
)


def _columns(market: str) -> list[str]:
    return [c.format(m=market) for c in COLUMNS]


class XGBoostV1:
    """Squared error, shallow trees, one thread and a fixed seed: the same rows give the same trees."""

    system_id = "xgboost_v1"
    version = "6"
    libraries = ("xgboost-cpu",)

    def features(self, market: str) -> tuple[str, ...]:
        return stored(_columns(market), market)

    def hyperparameters(self) -> dict[str, object]:
        unseen = {"unseen_rounds": UNSEEN_ROUNDS, "unseen_learning_rate": UNSEEN_PARAMETERS["learning_rate"]}
        return {**PARAMETERS, "rounds": ROUNDS, **unseen}

    def training(self, rows: pd.DataFrame, market: str, actual: Floats) -> XGBoostTraining:
        return XGBoostTraining(_read(rows, market), actual.astype(np.float32))

    def predict(self, rows: pd.DataFrame, market: str, body: dict) -> tuple[Floats, dict[str, Floats]]:
        import xgboost  # deferred: takes a second to load, and only forecasting needs it

        trees = xgboost.Booster({"nthread": 1})
        trees.load_model(bytearray(base64.b64decode(body["ubjson"])))
        mean = _predicted(trees, _read(rows, market))
        return mean, {"trees": mean}


@dataclass(frozen=True)
class XGBoostTraining:
    """The model matrix of training rows, and their outcomes."""

    values: Singles
    actual: Singles

    @cached_property
    def _edges(self) -> xgboost.QuantileDMatrix:
        """A matrix of as many rows as bins, which holds their edges: found once for all fits on the rows, and in a tenth of the
        time that the library takes for each."""
        import xgboost  # deferred: takes a second to load, and only training needs it

        edges = np.column_stack([_edges(column) for column in self.values.T])
        return xgboost.QuantileDMatrix(edges, max_bin=BINS, nthread=1)

    def body(self) -> dict[str, object]:
        trees = self._fit(np.ones(len(self.values), dtype=bool), ROUNDS, PARAMETERS)
        return {"ubjson": base64.b64encode(bytes(trees.save_raw("ubj"))).decode()}

    def unseen(self, inside: NDArray[np.bool_]) -> Floats:
        return _predicted(self._fit(~inside, UNSEEN_ROUNDS, UNSEEN_PARAMETERS), self.values[inside])

    def _fit(self, use: NDArray[np.bool_], rounds: int, parameters: Mapping[str, object]) -> xgboost.Booster:
        import xgboost  # deferred: takes a second to load, and only training needs it

        rows = _quick_to_read(self.values[use])
        data = xgboost.QuantileDMatrix(rows, self.actual[use], max_bin=BINS, nthread=1, ref=self._edges)
        trees = xgboost.Booster(dict(parameters), [data])
        for done in range(rounds):
            trees.update(data, done)
        return trees


def _quick_to_read(values: Singles) -> scipy.sparse.csr_matrix:
    """The matrix in the form of which the library makes bins in three fifths of the time: as if it had few values, and all of
    them given, unknown ones as NaN."""
    rows, columns = values.shape
    places = np.tile(np.arange(columns, dtype=np.int32), rows)
    begins = np.arange(0, rows * columns + 1, columns, dtype=np.int32)
    return scipy.sparse.csr_matrix((values.ravel(), places, begins), shape=values.shape, copy=False)


def _edges(column: Singles) -> Singles:
    """As many values of the column as there are bins, in order: all that occur, or quantiles of them."""
    known = np.sort(column[~np.isnan(column)])
    if not len(known):
        return np.zeros(BINS, dtype=np.float32)
    distinct = known[np.append(True, known[1:] != known[:-1])]
    chosen = distinct if len(distinct) <= BINS else known
    return chosen[np.linspace(0, len(chosen) - 1, BINS).astype(int)]


def _read(rows: pd.DataFrame, market: str) -> Singles:
    return matrix(rows, market, _columns(market)).astype(np.float32)


def _predicted(trees: xgboost.Booster, values: Singles) -> Floats:
    return np.asarray(trees.inplace_predict(values), dtype=float) if len(values) else np.empty(0)
