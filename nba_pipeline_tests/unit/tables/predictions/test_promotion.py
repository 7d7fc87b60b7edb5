"""A month is served by its own models, unless those of the month before are better on days that neither was fitted on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.asof import learned_from, training_window
from nba_pipeline.domain.calendar import EPOCH, set_days
from nba_pipeline.systems import SYSTEM_IDS, Forecast, ensemble_v1
from nba_pipeline.systems.shared_training import Earlier, SharedTraining
from nba_pipeline.systems.training import Models, Trained, train
from nba_pipeline.tables.predictions import promotion
from nba_pipeline.tables.predictions.promotion import (
    CHALLENGER,
    CHAMPION,
    HOLDOUT_DAYS,
    TRAINING_DAYS,
    begin_trainings,
    first_on_the_same_games,
    held_out,
    is_worse,
    models_of_the_month,
    month_before,
    trainings_of_challenger,
)
from nba_pipeline_tests.support.seasons import season

MARCH = date(2024, 3, 1)


def rows(last: str = "2024-02-29") -> pd.DataFrame:
    """A season from November 1 to a day."""
    found = season(days=121, players=50)
    return found[found["game_date"] <= last].reset_index(drop=True)


def spoiled() -> pd.DataFrame:
    """The season, with outcomes of the first two weeks of February that are ten times too high."""
    found = rows()
    bad = (found["game_date"] >= "2024-02-01") & (found["game_date"] < "2024-02-15")
    return found.assign(actual=found["actual"].where(~bad, 10 * found["actual"]))


@cache
def served(*, spoil: bool) -> dict[str, Trained]:
    return of_march(spoiled() if spoil else rows())


def of_march(seen: pd.DataFrame, trained_on: date = MARCH) -> dict[str, Trained]:
    with ThreadPoolExecutor(1) as workers:
        return models_of_the_month(seen, "points", trained_on, SharedTraining(train, workers))


def last_days(trainings: Sequence[pd.DataFrame]) -> list[str]:
    return [str(of_one["game_date"].max().date()) for of_one in trainings]


def played_days() -> pd.DataFrame:
    """Three seasons from October to June."""
    days = pd.date_range("2021-10-18", "2025-04-13").to_series()
    return pd.DataFrame({"game_date": days[~days.dt.month.isin([7, 8, 9]) & (days.dt.dayofyear % 5 > 0)]})


def read(played: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    days = (month.date() - learned_from(month.date(), TRAINING_DAYS)).days
    return played[training_window(played["game_date"], month.date(), days)]


MONTHS = pd.date_range("2023-06-01", "2025-05-01", freq="MS")


def test_the_hold_out_is_the_last_game_days_and_the_challenger_saw_none_of_them() -> None:
    held, trainings = held_out(rows(), MARCH), trainings_of_challenger(rows(), MARCH)
    assert held["game_date"].nunique() == HOLDOUT_DAYS
    assert held["game_date"].min() == pd.Timestamp("2024-02-15")
    assert last_days(trainings) == ["2024-01-16", "2024-02-14"]


def test_a_challenger_goes_on_from_those_of_its_quarter_each_of_which_has_its_whole_window() -> None:
    played = played_days()
    for month in MONTHS[~MONTHS.month.isin([9, 10])]:
        trainings = trainings_of_challenger(read(played, month), month.date())
        assert len(trainings) == (month.month - 2) % 3 + 1
        for ago, mine in enumerate(reversed(trainings)):
            assert mine["game_date"].tolist() == before_the_hold_out(played, month - pd.DateOffset(months=ago))


@pytest.mark.parametrize("month", ["2023-09-01", "2023-10-01"])
def test_before_the_season_a_challenger_is_that_of_august(month: str) -> None:
    played = played_days()
    (found,) = trainings_of_challenger(read(played, pd.Timestamp(month)), date.fromisoformat(month))
    assert found["game_date"].tolist() == before_the_hold_out(played, pd.Timestamp("2023-08-01"))


def before_the_hold_out(played: pd.DataFrame, month: pd.Timestamp) -> list[pd.Timestamp]:
    window = played[training_window(played["game_date"], month.date(), TRAINING_DAYS)]["game_date"]
    return window[window < np.unique(window)[-HOLDOUT_DAYS]].tolist()


def test_the_champion_was_the_challenger_of_the_month_before() -> None:
    played = played_days()
    for month in MONTHS[~MONTHS.month.isin([8, 9, 10])]:
        before = month_before(month.date())
        champion = trainings_of_challenger(read(played, month), before)
        challenger = trainings_of_challenger(read(played, pd.Timestamp(before)), before)
        assert [mine["game_date"].tolist() for mine in champion] == [mine["game_date"].tolist() for mine in challenger]


@pytest.mark.parametrize(
    ("last", "month", "expected"),
    [
        ("2024-02-29", "2024-03-01", "2024-03-01"),
        ("2024-02-01", "2024-03-01", "2024-03-01"),
        ("2024-01-31", "2024-03-01", "2024-02-01"),
        ("2024-01-31", "2024-04-01", "2024-02-01"),
        ("2024-02-29", "2024-04-01", "2024-03-01"),
        ("2023-12-31", "2024-03-01", "2024-02-01"),
        ("2024-01-31", "2024-05-01", "2024-05-01"),
        ("2023-10-31", "2024-03-01", "2024-02-01"),
    ],
)
def test_a_month_has_the_models_of_the_first_of_its_quarter_that_is_trained_on_the_same_games(
    last: str, month: str, expected: str
) -> None:
    assert first_on_the_same_games(rows(last), date.fromisoformat(month)) == date.fromisoformat(expected)


@pytest.fixture
def first_partition() -> Iterator[date]:
    first = date(2024, 2, 20)
    set_days(first, None)
    yield first
    set_days(EPOCH, None)


def test_before_the_first_partition_there_is_no_challenger_to_go_on_from(first_partition: date) -> None:
    assert last_days(trainings_of_challenger(rows(), first_partition)) == ["2024-02-04"]
    assert last_days(trainings_of_challenger(rows(), MARCH)) == ["2024-02-04", "2024-02-14"]


@pytest.mark.parametrize(
    ("last", "go_on"),
    [
        # The challengers of February and March, then what serves March.
        ("2024-02-29", [False, True, True]),
        # As in February, whose models March has: those of December and January, that of February, what serves.
        ("2024-01-31", [False, True, False, True]),
    ],
)
def test_all_trainings_of_an_ordinary_month_are_begun_before_it_asks_for_them(
    last: str, go_on: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(seen: pd.DataFrame, market: str, earlier: Earlier | None) -> Models:  # noqa: ARG001
        done.append((seen.index[0], len(seen), earlier is not None))
        return Models({system: Trained(b"", {}) for system in SYSTEM_IDS})

    def forecasts(held: pd.DataFrame, *_: object) -> dict[str, Forecast]:
        return {system: forecast_of(np.full(len(held), 12.0)) for system in SYSTEM_IDS}

    done: list[tuple[int, int, bool]] = []
    monkeypatch.setattr(promotion, "_forecasts", forecasts)
    with ThreadPoolExecutor(1) as workers:
        shared = SharedTraining(trained, workers)
        begin_trainings(rows(last), "points", MARCH, shared)
        assert len(shared._begun) == len(go_on)
        models_of_the_month(rows(last), "points", MARCH, shared)
    assert [goes_on for _, _, goes_on in done] == go_on


@pytest.mark.integration
def test_an_ordinary_month_is_served_by_its_own_models() -> None:
    for made in served(spoil=False).values():
        assert (made.facts["served_by"], made.facts["last_day"]) == (CHALLENGER, date(2024, 2, 29))
    ensemble = served(spoil=False)[ensemble_v1.SYSTEM_ID].facts
    assert ensemble["holdout_crps"] == pytest.approx(ensemble["champion_crps"], abs=0.1)


@pytest.mark.guard
def test_a_challenger_that_the_last_month_spoiled_is_not_promoted() -> None:
    found = served(spoil=True)
    for made in found.values():
        assert made.facts["served_by"] == CHAMPION
        assert made.facts["last_day"] == date(2024, 1, 16)
    ensemble = found[ensemble_v1.SYSTEM_ID].facts
    assert ensemble["holdout_crps"] > ensemble["champion_crps"]


@pytest.mark.integration
def test_what_the_hold_out_tells_is_of_models_that_saw_none_of_it() -> None:
    """Other outcomes on the hold-out days change the figures, and not the forecasts that they are of."""
    other = rows()
    other["actual"] += np.where(other["game_date"] >= "2024-02-15", 5.0, 0.0)
    found, moved = served(spoil=False), of_march(other)
    for system in SYSTEM_IDS:
        before, after = found[system].facts, moved[system].facts
        assert after["holdout_bias"] == pytest.approx(before["holdout_bias"] - 5)
        assert 0 < before["holdout_crps"] < before["holdout_mae"]
        assert before["holdout_rows"] > 0


@pytest.mark.integration
def test_a_month_since_whose_last_training_day_no_game_came_has_the_models_of_that_day() -> None:
    last = rows("2024-01-31")
    assert of_march(last) == of_march(last, date(2024, 2, 1))


def test_too_few_rows_are_no_model_and_are_served_by_none() -> None:
    for made in of_march(rows("2023-11-20"), date(2023, 12, 1)).values():
        assert made.artifact is None
        assert "served_by" not in made.facts
    assert all(t.artifact is None for t in of_march(rows().iloc[:0]).values())


def forecast_of(mean: np.ndarray) -> Forecast:
    n = len(mean)
    return Forecast(mean, np.full(n, 5.0), np.full(n, "", dtype=object), skewness=np.full(n, 0.5))


def test_a_difference_that_chance_makes_costs_no_promotion() -> None:
    rng = np.random.default_rng(4)
    actual = rng.gamma(4, 3, 2_000)
    played = pd.DataFrame(
        {"game_date": np.repeat(pd.date_range("2024-02-15", periods=15), 134)[:2_000], "actual": actual}
    )
    champion = forecast_of(np.full(2_000, 12.0))
    same = forecast_of(12 + rng.normal(0, 0.3, 2_000))
    assert not is_worse(same, champion, played)
    assert not is_worse(champion, champion, played)
    assert is_worse(forecast_of(np.full(2_000, 15.0)), champion, played)
    assert not is_worse(champion, forecast_of(np.full(2_000, 15.0)), played)
