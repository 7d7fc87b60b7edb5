"""`ridge_v1`: a linear model of form, minutes, role and game, trained every month on the Gram matrix of its features.

Features are standardised and clipped to five standard deviations; an unknown one counts as its mean in the training rows, which
the artifact records. The squares of four features, on each side of their mean, let the line bend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.systems.learned import EXPECTED_BY_FORM, EXPECTED_BY_ROTATION, matrix, stored
from nba_pipeline.systems.protocol import Floats
from nba_pipeline.systems.spread import gram, rounded

if TYPE_CHECKING:
    import pandas as pd

PENALTY = 100.0
CLIP = 5.0

# What each feature belongs to: the groups are the components of a forecast.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "form": (
        *("{m}_avg_last_5", "{m}_avg_last_10", "{m}_form", "{m}_avg_season", "{m}_per_minute"),
        *("shots_ewma", "free_throws_ewma"),
    ),
    "minutes": (
        *(EXPECTED_BY_FORM, EXPECTED_BY_ROTATION, "minutes_last_game", "minutes_avg_last_3"),
        *("minutes_form", "minutes_expected"),
    ),
    "role": (
        *("minutes_vacated", "minutes_newly_out", "starter_last_game", "appearance_share", "rotation_rank"),
        "team_games_missed",
    ),
    "game": (
        *("spread_size", "implied_team_total", "home_away", "back_to_back", "opponent_def_rating", "opponent_pace"),
        "opponent_{m}_allowed",
    ),
}
BENT = ("{m}_form", EXPECTED_BY_FORM, EXPECTED_BY_ROTATION, "minutes_expected")


def _columns(market: str) -> list[str]:
    return [c.format(m=market) for group in GROUPS.values() for c in group]


def _group_of() -> list[str]:
    groups = [name for name, columns in GROUPS.items() for _ in columns]
    bent = [groups[_columns("points").index(c.format(m="points"))] for c in BENT]
    return [*groups, *bent, *bent]


class RidgeV1:
    """Least squares with a quadratic penalty on all coefficients but the intercept."""

    system_id = "ridge_v1"
    version = "5"
    libraries = ("numpy",)

    def features(self, market: str) -> tuple[str, ...]:
        return stored(_columns(market), market)

    def hyperparameters(self) -> dict[str, object]:
        return {"penalty": PENALTY, "clip": CLIP}

    def training(self, rows: pd.DataFrame, market: str, actual: Floats) -> RidgeTraining:
        return RidgeTraining(matrix(rows, market, _columns(market)), actual)

    def predict(self, rows: pd.DataFrame, market: str, body: dict) -> tuple[Floats, dict[str, Floats]]:
        return _predicted(matrix(rows, market, _columns(market)), body)


@dataclass(frozen=True)
class RidgeTraining:
    """The model matrix of training rows, and their outcomes."""

    values: Floats
    actual: Floats

    def body(self) -> dict[str, object]:
        return _fit(self.values, self.actual)

    def unseen(self, inside: NDArray[np.bool_]) -> Floats:
        return _predicted(self.values[inside], _fit(self.values[~inside], self.actual[~inside]))[0]


def _fit(values: Floats, actual: Floats) -> dict[str, Any]:
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0).sum(axis=0) / count
    scale = np.sqrt((np.where(known, values - centre, 0) ** 2).sum(axis=0) / count)
    centre, scale = np.array(rounded(centre)), np.array(rounded(np.where(scale > 0, scale, 1.0)))
    basis = _basis(values, centre, scale)
    products, with_actual = gram(np.column_stack([np.ones(len(basis)), basis]), actual)
    penalty = PENALTY * np.diag([0.0] + [1.0] * basis.shape[1])
    solved = np.linalg.solve(products + penalty, with_actual)
    return {
        "centre": centre.tolist(),
        "scale": scale.tolist(),
        "intercept": rounded(solved[:1])[0],
        "coefficients": rounded(solved[1:]),
    }


def _predicted(values: Floats, body: Mapping[str, Any]) -> tuple[Floats, dict[str, Floats]]:
    basis = _basis(values, np.array(body["centre"]), np.array(body["scale"]))
    terms = basis * np.array(body["coefficients"])
    groups = np.array(_group_of())
    parts = {name: terms[:, groups == name].sum(axis=1) for name in GROUPS}
    parts = {"mean_of_all": np.full(len(values), float(body["intercept"])), **parts}
    return np.sum(list(parts.values()), axis=0), parts


def _basis(values: Floats, centre: Floats, scale: Floats) -> Floats:
    standard = np.nan_to_num(np.clip((values - centre) / scale, -CLIP, CLIP))
    bent = standard[:, [_columns("points").index(c.format(m="points")) for c in BENT]]
    return np.hstack([standard, np.maximum(bent, 0) ** 2, np.maximum(-bent, 0) ** 2])
