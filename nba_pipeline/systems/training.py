"""Trains every system for a market and a month from the rows before it: pure, deterministic, in any order of rows.

The model is fitted on all rows. Then every row is forecast by a model that had not seen it: each of three blocks of consecutive
days by one of the other two or, where the training goes on from one on earlier rows, those since by its models, which costs no
fit. From these forecasts come the weights of the ensemble, and the level, spread and law beside lines of every system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.common.frames import rows_where
from nba_pipeline.systems import (
    BASELINE_IDS,
    LEARNERS,
    LINE_SYSTEM_IDS,
    RULES,
    VERSIONS,
    ensemble_v1,
    line_aware_v1,
)
from nba_pipeline.systems.artifact import encode, installed_versions
from nba_pipeline.systems.calibration import Calibration, Level
from nba_pipeline.systems.inputs import form_of, rule_rows, system_features
from nba_pipeline.systems.learned import Learner, Training
from nba_pipeline.systems.protocol import Floats, Quotes

if TYPE_CHECKING:
    import pandas as pd

BLOCKS = 3
RECENT_DAYS = 45
MINIMUM_ROWS = 3_000
MINIMUM_LINED = 500
EARLIER_GAMES = 10


@dataclass(frozen=True)
class Trained:
    """The artifact of a system, or the reason why there is none, and what the registry tells of it."""

    artifact: bytes | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class Models:
    """What a training gives: every system, and what a training on further rows goes on from."""

    systems: Mapping[str, Trained]
    bodies: Mapping[str, dict[str, object]] = field(default_factory=dict)
    """What each learner has learned; empty where no system was trained."""
    unseen: Mapping[str, Floats] = field(default_factory=dict)
    """By learner, its forecast of each row by a model that had not seen it, before it was levelled."""
    days: NDArray[np.datetime64] = field(default_factory=lambda: np.empty(0, dtype="datetime64[ns]"))
    """The day of each of these rows: those with a game in the year before them, in order of day and player."""
    players: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """The player of each of them."""


@dataclass(frozen=True)
class _Fitted:
    """What a system learned (`body`, without its calibration), and its forecasts of rows that it had not seen, levelled."""

    mean: Floats
    level: Level
    body: Mapping[str, Any] = field(default_factory=dict)
    libraries: Sequence[str] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rows:
    """The training rows of a market, in order of day, with what is asked of them again and again."""

    frame: pd.DataFrame
    market: str
    actual: Floats
    quotes: Quotes
    own_sd: Floats
    season_average: Floats
    block: NDArray[np.int64]
    recent: NDArray[np.bool_]
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, frame: pd.DataFrame, market: str) -> _Rows:
        import pandas as pd  # deferred: takes most of a second to load, and only training needs it

        days = _dates(frame)
        late = (days > days.max() - pd.Timedelta(days=RECENT_DAYS)).to_numpy()
        return cls(
            frame,
            market,
            frame["actual"].to_numpy(dtype=float),
            Quotes.of(frame),
            form_of(frame, market, "std_last_10"),
            form_of(frame, market, "season_average"),
            day_blocks(days, BLOCKS),
            late & (frame["playoff_game"].to_numpy(dtype=float) == 0),
            _seen(frame),
        )


def train(rows: pd.DataFrame, market: str, earlier: Callable[[], Models] | None = None) -> Models:
    """Train every system for the market.

    Args:
        rows: Listed players who played, of days before the month, with the features of version 2, `game_date`, `player_id`,
            `games_played_season`, `actual` (the market's value), and `line`, `market_line` and `market_over` as
            `protocol.Quotes` has them.
        market: The market.
        earlier: Gives the models to go on from, if there are any: those of the first of these rows, up to the end of a day, and
            of rows before these. Called after the fits on all rows, which do not need them.

    Returns:
        The models. Below 3,000 rows of players with ten earlier games in the season no system is trained, below 500 rows with a
        line none that knows the line; the reason states it.

    Raises:
        ValueError: The earlier models are of other rows, or of part of a day.
    """
    rows = _sorted(rows)
    seasoned = int((rows["games_played_season"].to_numpy(dtype=float) >= EARLIER_GAMES).sum())
    if seasoned < MINIMUM_ROWS:
        reason = f"{seasoned:,} rows of players with {EARLIER_GAMES} earlier games, {MINIMUM_ROWS:,} are needed"
        seen = _seen(rows)
        return Models({s: Trained(None, seen, reason) for s in VERSIONS})
    known = _Rows.of(rows_where(rows, rows[f"{market}_form"].notna().to_numpy()), market)
    trainings = {learner.system_id: learner.training(known.frame, market, known.actual) for learner in LEARNERS}
    bodies = {s: training.body() for s, training in trainings.items()}
    unseen = _unseen(known, trainings, earlier() if earlier else None)
    fitted = _fitted(known, bodies, unseen)
    made = {s: _trained(s, f, known) for s, f in fitted.items()}
    lined = int((~np.isnan(known.quotes.line)).sum())
    if lined < MINIMUM_LINED:
        reason = f"{lined:,} rows with a line, {MINIMUM_LINED:,} are needed"
        made |= {s: Trained(None, known.facts, reason) for s in LINE_SYSTEM_IDS}
    return Models({s: made[s] for s in VERSIONS}, bodies, unseen, *_keys(known.frame))


def _dates(rows: pd.DataFrame) -> pd.Series:
    """The days of the rows, which are dates or timestamps; a cast takes a tenth of the time of `to_datetime`."""
    return rows["game_date"].astype("datetime64[ns]")


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows by day and player; copied only where they are in another order."""
    day, player = rows["game_date"].to_numpy(), rows["player_id"].to_numpy()
    later, same = day[1:] > day[:-1], day[1:] == day[:-1]
    if (later | (same & (player[1:] > player[:-1]))).all():
        return rows
    return rows.sort_values(["game_date", "player_id"], ignore_index=True)


def day_blocks(days: pd.Series, blocks: int) -> NDArray[np.int64]:
    """The block, from 0, of each row: consecutive whole days, about as many rows in each. Rows are in order of day."""
    import pandas as pd  # deferred: takes most of a second to load, and only training needs it

    number = pd.factorize(days)[0]
    first_row = np.searchsorted(number, number)
    return np.minimum(first_row * blocks // max(len(number), 1), blocks - 1)


def _unseen(rows: _Rows, trainings: Mapping[str, Training], earlier: Models | None) -> dict[str, Floats]:
    """By learner, the forecast of every row by a model that had not seen it, before it is levelled."""
    if earlier is None or not earlier.bodies:
        found = {s: _forecast_blocks(training, rows.block) for s, training in trainings.items()}
    else:
        before = _without_days_before(earlier, rows.frame)
        _require_first(before, rows.frame)
        found = {learner.system_id: _forecast_since(learner, rows, before) for learner in LEARNERS}
    return {s: np.maximum(mean, 0) for s, mean in found.items()}


def _fitted(rows: _Rows, bodies: Mapping[str, Mapping[str, Any]], unseen: Mapping[str, Floats]) -> dict[str, _Fitted]:
    """Every system, by what the learners have learned and their forecasts of rows that they had not seen."""
    found, unlevelled = {}, dict(unseen)
    seen = rule_rows(rows.frame, rows.market)
    for rule in RULES:
        mean = unlevelled[rule.system_id] = rule.predict(seen, rows.market).mean
        plain = rule.system_id in BASELINE_IDS
        level = Level() if plain else Level.of_rule(mean, rows.season_average, rows.actual)
        found[rule.system_id] = _Fitted(level.apply(mean, rows.season_average), level)
    for learner in LEARNERS:
        mean = unseen[learner.system_id]
        level = Level.of_recent(mean, rows.actual, rows.recent)
        found[learner.system_id] = _Fitted(
            level.apply(mean, rows.season_average),
            level,
            bodies[learner.system_id],
            learner.libraries,
            learner.hyperparameters(),
        )
    return found | _combinations(rows, unlevelled)


def _combinations(rows: _Rows, unlevelled: Mapping[str, Floats]) -> dict[str, _Fitted]:
    """The ensemble, and the same beside the market: the system that knows lines and prices."""
    weights = ensemble_v1.fit_weights(unlevelled, rows.actual)
    combined, _ = ensemble_v1.combine(unlevelled, weights)
    level = Level.of_recent(combined, rows.actual, rows.recent)
    combined = level.apply(combined, rows.season_average)
    return {
        ensemble_v1.SYSTEM_ID: _Fitted(combined, level, {"weights": weights}),
        line_aware_v1.SYSTEM_ID: _Fitted(combined, Level()),
    }


def _forecast_blocks(training: Training, block: NDArray[np.int64]) -> Floats:
    """Forecast every block by a model of the others."""
    mean = np.full(len(block), np.nan)
    for b in range(BLOCKS):
        inside = block == b
        mean[inside] = training.unseen(inside)
    return mean


def _forecast_since(learner: Learner, rows: _Rows, earlier: Models) -> Floats:
    """Forecast the rows since an earlier training by its model; those that it was trained on have their forecasts."""
    known = earlier.unseen[learner.system_id]
    since, _ = learner.predict(rows.frame.iloc[len(known) :], rows.market, earlier.bodies[learner.system_id])
    return np.concatenate([known, since])


def _without_days_before(earlier: Models, rows: pd.DataFrame) -> Models:
    """Leave out what the models forecast of days before the first of the rows."""
    first = int(np.searchsorted(earlier.days, _dates(rows).to_numpy()[0])) if len(rows) else 0
    unseen = {s: forecasts[first:] for s, forecasts in earlier.unseen.items()}
    return replace(earlier, unseen=unseen, days=earlier.days[first:], players=earlier.players[first:])


def _require_first(earlier: Models, rows: pd.DataFrame) -> None:
    """Refuse models that were trained on anything else than the first days of the rows, and days before these."""
    days, players = _keys(rows)
    n = len(earlier.days)
    same = np.array_equal(days[:n], earlier.days) and np.array_equal(players[:n], earlier.players)
    if not same or (0 < n < len(days) and days[n] == days[n - 1]):
        raise ValueError("models to go on from were trained on other rows than the first days of these")


def _keys(rows: pd.DataFrame) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
    return _dates(rows).to_numpy(), rows["player_id"].to_numpy()


def _trained(system_id: str, fitted: _Fitted, rows: _Rows) -> Trained:
    calibration = Calibration.fit(
        fitted.level,
        fitted.mean,
        rows.own_sd,
        rows.actual,
        None if system_id in BASELINE_IDS else rows.quotes,
        rows.market,
        knows_prices=system_id in LINE_SYSTEM_IDS,
    )
    features = system_features(system_id, rows.market)
    body = {**fitted.body, "calibration": calibration.to_dict()}
    artifact = encode(system_id, VERSIONS[system_id], rows.market, features, fitted.libraries, body)
    facts = {
        **rows.facts,
        "features": list(features),
        "hyperparameters": {**fitted.hyperparameters, **_small(fitted.body)},
        "library_versions": installed_versions(fitted.libraries),
    }
    return Trained(artifact, facts)


def _small(body: Mapping[str, Any]) -> dict[str, Any]:
    """What was learned that fits into a line: weights, not trees and coefficients."""
    return {k: v for k, v in body.items() if k == "weights"}


def _seen(rows: pd.DataFrame) -> dict[str, Any]:
    days = _dates(rows)
    known = {"first_day": days.min().date(), "last_day": days.max().date()} if len(rows) else {}
    return {"rows": len(rows), **known}
