"""Months share the trainings on the same rows, and no others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pandas as pd

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


def test_the_same_rows_are_trained_on_once_by_market() -> None:
    train = SharedTraining(Counting())
    assert [number(train(FRAME[2:6], m)) for m in ("points", "points", "assists", "points")] == [1, 1, 2, 1]


def test_other_rows_are_trained_on_anew_where_first_or_last_row_or_a_row_between_differs() -> None:
    train = SharedTraining(Counting())
    for rows in (FRAME[2:6], FRAME[2:7], FRAME[1:6], FRAME[3:7], FRAME.loc[[2, 3, 5]], FRAME.loc[[2, 4, 5]], FRAME[:0]):
        (made,) = train(rows, "points").values()
        assert made.facts["rows"] == rows["value"].tolist()


def test_only_the_latest_are_kept() -> None:
    train = SharedTraining(Counting(), kept=2)
    assert [number(train(FRAME[:n], "points")) for n in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 4]


def test_two_months_that_ask_at_once_train_once() -> None:
    train, together = SharedTraining(Counting()), Barrier(2)

    def ask(_: int) -> int:
        together.wait(timeout=10)
        return number(train(FRAME, "points"))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, range(2))) == [1, 1]
