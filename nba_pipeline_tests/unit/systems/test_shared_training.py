"""Months share the trainings on the same rows, and no others."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import count
from threading import Event

import pandas as pd
import pytest

from nba_pipeline.systems.shared_training import SharedTraining
from nba_pipeline.systems.training import Trained

FRAME = pd.DataFrame({"value": range(10)})


class Counting:
    """Stands in for training: tells each one by its number."""

    def __init__(self) -> None:
        self.numbers: Iterator[int] = count(1)

    def __call__(self, rows: pd.DataFrame, market: str) -> dict[str, Trained]:
        return {market: Trained(None, {"number": next(self.numbers), "rows": rows["value"].tolist()})}


def number(made: dict[str, Trained]) -> int:
    (trained,) = made.values()
    return trained.facts["number"]


@pytest.fixture
def workers() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_the_same_rows_are_trained_on_once_by_market(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    assert [number(train(FRAME[2:6], m)) for m in ("points", "points", "assists", "points")] == [1, 1, 2, 1]


def test_other_rows_are_trained_on_anew_where_first_or_last_row_or_a_row_between_differs(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    for rows in (FRAME[2:6], FRAME[2:7], FRAME[1:6], FRAME[3:7], FRAME.loc[[2, 3, 5]], FRAME.loc[[2, 4, 5]], FRAME[:0]):
        (made,) = train(rows, "points").values()
        assert made.facts["rows"] == rows["value"].tolist()


def test_only_the_latest_are_kept(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers, kept=2)
    assert [number(train(FRAME[:n], "points")) for n in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 4]


def test_what_was_begun_is_trained_once_and_before_it_is_asked_for(workers: Executor) -> None:
    trained = Event()

    def told(rows: pd.DataFrame, market: str) -> dict[str, Trained]:
        trained.set()
        return counting(rows, market)

    counting = Counting()
    train = SharedTraining(told, workers)
    train.begin(FRAME, "points")
    assert trained.wait(timeout=10)
    assert [number(train(FRAME, "points")), number(train(FRAME, "points"))] == [1, 1]


@pytest.mark.parametrize("rows", [FRAME.loc[[2, 3, 5]], FRAME[:0]])
def test_rows_that_are_not_shared_are_not_begun(workers: Executor, rows: pd.DataFrame) -> None:
    train = SharedTraining(Counting(), workers)
    train.begin(rows, "points")
    assert number(train(rows, "points")) == 1
