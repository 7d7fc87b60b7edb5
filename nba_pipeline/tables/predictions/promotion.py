"""Champion and challenger: whether the models that were trained for a month serve it, or the challenger of the month before.

Both forecast the last 15 game days before the training day, by models that were fitted on none of these days: neither trees nor
weights, level, spread or law. The challenger is trained on all rows before the 15 days, the champion is what was the challenger
of the month before: trained on the rows before the 15 game days that ended then. A challenger that is worse, beyond what chance
does, is not promoted: what came since has spoiled it, and the champion serves without further training. A promoted one is trained
on to the last row.

Within a quarter (`domain.calendar.training_quarter`) a challenger goes on from the one of the month before, and a month before
which no game came since then has the models of the month before; the first month begins anew. All of it follows from the rows
of the training windows, and not from stored models or what served before, so that any home decides the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nba_pipeline import asof
from nba_pipeline.common.frames import rows_where
from nba_pipeline.domain.calendar import training_day, training_quarter
from nba_pipeline.evaluation.bootstrap import DayBootstrap
from nba_pipeline.systems import Forecast, ensemble_v1
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.forecasting import forecast
from nba_pipeline.systems.protocol import Floats
from nba_pipeline.systems.shared_training import SharedTraining, Train
from nba_pipeline.systems.training import Trained

if TYPE_CHECKING:
    import pandas as pd

TRAINING_DAYS = 400
HOLDOUT_DAYS = 15
CHALLENGER, CHAMPION = "challenger", "champion"


def models_of_the_month(rows: "pd.DataFrame", market: str, trained_on: date, train: Train) -> dict[str, Trained]:
    """Train every system for the month and return what serves it, with what the registry tells of it.

    Args:
        rows: Training rows of the market, as `training.train` reads them, from `asof.learned_from` on.
        market: The market.
        trained_on: The training day.
        train: Trains every system on rows of a market.

    Returns:
        By system, the challenger, or the champion for all systems where the challenger's ensemble is worse; hold-out figures
        are of the challenger, `champion_crps` is of the champion on the same rows.
    """
    trained_on = first_on_the_same_games(rows, trained_on)
    held = held_out(rows, trained_on)
    challengers = trainings_of_challenger(rows, trained_on)
    before = month_before(trained_on)

    def promoted() -> Mapping[str, Trained]:
        return train([*challengers, _everything(rows, trained_on)], market).systems

    tried = _forecasts(held, market, train(challengers, market).systems, trained_on)
    if tried is None:
        return _with_facts(promoted(), {}, CHALLENGER)
    figures = {s: _figures(f, held) for s, f in tried.items()}
    champion = (
        train(trainings_of_challenger(rows, before), market).systems if _played_since(rows, before, trained_on) else {}
    )
    defended = _forecasts(held, market, champion, trained_on)
    if defended is None:
        return _with_facts(promoted(), figures, CHALLENGER)
    figures = {s: f | {"champion_crps": _mean(_crps(defended[s], held))} for s, f in figures.items()}
    if is_worse(tried[ensemble_v1.SYSTEM_ID], defended[ensemble_v1.SYSTEM_ID], held):
        return _with_facts(champion, figures, CHAMPION)
    return _with_facts(promoted(), figures, CHALLENGER)


def begin_trainings(rows: "pd.DataFrame", market: str, trained_on: date, shared: SharedTraining) -> None:
    """Begin the trainings that `models_of_the_month` asks for, and the one on all rows, which it uses unless the champion serves.

    Args:
        rows: As there.
        market: As there.
        trained_on: As there.
        shared: Keeps the trainings until they are asked for.
    """
    trained_on = first_on_the_same_games(rows, trained_on)
    before = month_before(trained_on)
    if _played_since(rows, before, trained_on):
        shared.begin(trainings_of_challenger(rows, before), market)
    challengers = trainings_of_challenger(rows, trained_on)
    shared.begin(challengers, market)
    shared.begin([*challengers, _everything(rows, trained_on)], market)


def _everything(rows: "pd.DataFrame", trained_on: date) -> "pd.DataFrame":
    return rows_where(rows, asof.training_window(rows["game_date"], trained_on, TRAINING_DAYS))


def first_on_the_same_games(rows: "pd.DataFrame", trained_on: date) -> date:
    """Return the first training day of the quarter since which no game came before this one.

    Args:
        rows: Training rows, with `game_date`.
        trained_on: The training day.
    """
    before = month_before(trained_on)
    if _begins_anew(trained_on) or _played_since(rows, before, trained_on):
        return trained_on
    return first_on_the_same_games(rows, before)


def _played_since(rows: "pd.DataFrame", before: date, trained_on: date) -> bool:
    days = asof.training_window(rows["game_date"], trained_on, (trained_on - before).days)
    return bool(days.any())


def month_before(trained_on: date) -> date:
    """Return the training day before this one; that of the first partition has none, and is returned itself."""
    return training_day(trained_on - timedelta(days=1))


def held_out(rows: "pd.DataFrame", trained_on: date) -> "pd.DataFrame":
    """Return the rows of the last game days before a training day.

    Args:
        rows: Training rows, with `game_date`.
        trained_on: The training day.
    """
    held, _ = _hold_out(rows, trained_on)
    return rows_where(rows, held)


def trainings_of_challenger(rows: "pd.DataFrame", trained_on: date) -> "list[pd.DataFrame]":
    """Return the rows that a month's challenger is trained on, the last, after those of the challengers that it goes on from.

    Args:
        rows: Training rows, with `game_date`.
        trained_on: The training day.
    """
    trained_on = first_on_the_same_games(rows, trained_on)
    _, before = _hold_out(rows, trained_on)
    mine = rows_where(rows, before)
    if _begins_anew(trained_on):
        return [mine]
    return [*(r for r in trainings_of_challenger(rows, month_before(trained_on)) if len(r)), mine]


def _begins_anew(trained_on: date) -> bool:
    return trained_on in (training_quarter(trained_on), month_before(trained_on))


def _hold_out(rows: "pd.DataFrame", trained_on: date) -> "tuple[NDArray[np.bool_], NDArray[np.bool_]]":
    """Return which rows are of the last game days before a training day, and which of the training window before those."""
    day = rows["game_date"]
    seen = asof.training_window(day, trained_on, TRAINING_DAYS)
    held = seen & day.isin(np.unique(day[seen])[-HOLDOUT_DAYS:])
    return held.to_numpy(), (seen & ~held).to_numpy()


def is_worse(challenger: Forecast, champion: Forecast, rows: "pd.DataFrame") -> bool:
    """Whether the challenger's continuous ranked probability score is higher, with the 95 % interval by game day above 0.

    Args:
        challenger: Its forecasts of the rows.
        champion: Those of the champion.
        rows: The rows, with `game_date` and `actual`.
    """
    difference = _crps(challenger, rows) - _crps(champion, rows)
    known = ~np.isnan(difference)
    return DayBootstrap(rows["game_date"].to_numpy()[known]).mean(difference[known]).low > 0


def _forecasts(
    rows: "pd.DataFrame", market: str, trained: Mapping[str, Trained], trained_on: date
) -> dict[str, Forecast] | None:
    """The forecasts of the rows; None without a model of the ensemble."""
    if ensemble_v1.SYSTEM_ID not in trained or trained[ensemble_v1.SYSTEM_ID].artifact is None:
        return None
    return forecast(rows, market, {s: t.artifact for s, t in trained.items()}, trained_on)


def _crps(made: Forecast, rows: "pd.DataFrame") -> Floats:
    return Law(made.mean, made.sd, made.skewness).crps(rows["actual"].to_numpy(dtype=float))


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _figures(made: Forecast, rows: "pd.DataFrame") -> dict[str, Any]:
    error = made.mean - rows["actual"].to_numpy(dtype=float)
    return {
        "holdout_rows": int((~np.isnan(error)).sum()),
        "holdout_mae": _mean(np.abs(error)),
        "holdout_bias": _mean(error),
        "holdout_crps": _mean(_crps(made, rows)),
    }


def _with_facts(
    trained: Mapping[str, Trained], figures: Mapping[str, Mapping[str, Any]], served_by: str
) -> dict[str, Trained]:
    return {
        s: t if t.artifact is None else replace(t, facts={**t.facts, **figures.get(s, {}), "served_by": served_by})
        for s, t in trained.items()
    }
