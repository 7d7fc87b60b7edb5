"""Forecasts of all systems for a market, from the features of a day and the artifacts of its month. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.common.errors import ModelError
from nba_pipeline.systems import LEARNERS, RULES, VERSIONS, ensemble_v1, line_aware_v1
from nba_pipeline.systems.artifact import decode, retrain
from nba_pipeline.systems.calibration import Calibration, Level
from nba_pipeline.systems.inputs import form_of, rule_rows, system_features
from nba_pipeline.systems.protocol import Floats, Forecast, Quotes

if TYPE_CHECKING:
    import pandas as pd

NO_MODEL = "no model this month: too few rows before it, as prediction_models says"
NOT_TRAINED = "no model this month: the system was added after its models were trained"
NO_FORM = "no game in the 365 days before the day"
NO_LINE = "no line"


def forecast(
    rows: pd.DataFrame, market: str, artifacts: Mapping[str, bytes | None], trained_on: date
) -> dict[str, Forecast]:
    """Forecast every row by every system.

    Args:
        rows: Listed players with the features of version 2, `games_played_season`, and `line`, `market_line` and `market_over` as
            `protocol.Quotes` has them.
        market: The market.
        artifacts: By system, what `training.train` made for the month; None where it made none. A system without one, or
            absent because it was added after the training, has no forecast, and its rows say why.
        trained_on: The training day of the month, for the remedies of errors.

    Returns:
        The forecasts by system.

    Raises:
        ModelError: No system has an entry, or an artifact was made for another version, feature list, market or library.
    """
    if not artifacts:
        raise ModelError(f"no models for {market} were trained on {trained_on}", retrain(trained_on))
    bodies = {
        s: _body(s, market, data, trained_on) for s, data in artifacts.items() if s in VERSIONS and data is not None
    }
    made = _forecasts(rows, market, bodies)
    return {s: made.get(s) or _nothing(len(rows), NO_MODEL if s in artifacts else NOT_TRAINED) for s in VERSIONS}


def _forecasts(rows: pd.DataFrame, market: str, bodies: Mapping[str, dict]) -> dict[str, Forecast]:
    calibrated = partial(_calibrated, rows=rows, market=market)
    raw = _members(rows, market, bodies)
    learned = {learner.system_id for learner in LEARNERS}
    made = {
        s: calibrated(f, bodies[s]["calibration"], may_be_floored=s in learned) for s, f in raw.items() if s in bodies
    }
    return made | _combinations(rows, market, bodies, raw)


def _combinations(
    rows: pd.DataFrame, market: str, bodies: Mapping[str, dict], raw: Mapping[str, Forecast]
) -> dict[str, Forecast]:
    """The ensemble, and the same beside the market; neither where the ensemble or one of its members has no model."""
    ensemble, aware = ensemble_v1.SYSTEM_ID, line_aware_v1.SYSTEM_ID
    weights = bodies[ensemble]["weights"] if ensemble in bodies else {ensemble: 1.0}
    lacking = [m for m in weights if m not in raw]
    if lacking:
        reason = f"no model of its member {lacking[0]} this month"
        return {s: _nothing(len(rows), reason) for s in (ensemble, aware) if s in bodies}
    combined, parts = ensemble_v1.combine({s: f.mean for s, f in raw.items()}, weights)
    stored = bodies[ensemble]["calibration"]
    made = {ensemble: _calibrated(_made(combined, parts, NO_FORM), stored, rows=rows, market=market)}
    if aware in bodies:
        line = rows["line"].to_numpy(dtype=float)
        levelled = Calibration.from_dict(stored).level.apply(combined, form_of(rows, market, "season_average"))
        reason = np.where(np.isnan(line), NO_LINE, NO_FORM)
        beside = _made(np.where(np.isnan(line), np.nan, levelled), {"ensemble": levelled}, reason)
        made[aware] = _calibrated(beside, bodies[aware]["calibration"], rows=rows, market=market)
    return made


def _members(rows: pd.DataFrame, market: str, bodies: Mapping[str, dict]) -> dict[str, Forecast]:
    """Rules and trained systems before calibration; trained ones only where they have a model."""
    seen = rule_rows(rows, market)
    found = {rule.system_id: rule.predict(seen, market) for rule in RULES}
    has_form = rows[f"{market}_form"].notna().to_numpy(dtype=bool)
    for learner in LEARNERS:
        if learner.system_id not in bodies:
            continue
        mean, parts = learner.predict(rows, market, bodies[learner.system_id])
        found[learner.system_id] = _made(np.where(has_form, np.maximum(mean, 0), np.nan), parts, NO_FORM)
    return found


def _calibrated(
    made: Forecast, stored: Mapping, *, rows: pd.DataFrame, market: str, may_be_floored: bool = False
) -> Forecast:
    """Apply what a system's errors have taught: level, spread, and the law of rows with a line.

    The component `level` is what the level moved the mean by, the floor at 0 included; `line` what the line did. Whether a
    forecast has them depends on its system and model alone, never on the rows that are forecast with it.
    """
    calibration = Calibration.from_dict(stored)
    own_sd = form_of(rows, market, "std_last_10")
    mean = calibration.level.apply(made.mean, form_of(rows, market, "season_average"))
    components = dict(made.components)
    if may_be_floored or calibration.level != Level():
        components["level"] = mean - np.nansum([*components.values(), np.zeros(len(mean))], axis=0)
    quotes = Quotes.of(rows)
    law = calibration.law(mean, own_sd, quotes, market)
    if calibration.lines:
        components["line"] = np.where(np.isnan(quotes.line), np.nan, law.mean - mean)
    calibrated_on = calibration.lines.calibrated_on(quotes) if calibration.lines else 0
    return Forecast(law.mean, law.sd, made.reason, components, law.skewness, calibrated_on)


def _made(mean: Floats, components: Mapping[str, Floats], reason: str | NDArray) -> Forecast:
    why = np.where(np.isnan(mean), reason, "").astype(object)
    return Forecast(mean, np.full(len(mean), np.nan), why, components)


def _nothing(n: int, reason: str) -> Forecast:
    unknown = np.full(n, np.nan)
    return Forecast(unknown, unknown, np.full(n, reason, dtype=object), skewness=unknown)


def _body(system_id: str, market: str, data: bytes, trained_on: date) -> dict:
    return decode(data, system_id, VERSIONS[system_id], market, system_features(system_id, market), trained_on)
