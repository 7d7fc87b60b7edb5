"""Months share the trainings on the same rows, and no others."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.systems.shared_training import Earlier, SharedTraining
from nba_pipeline.systems.training import Models, Trained

FRAME = pd.DataFrame({"value": range(10)})


class Counting:
    """Stands in for training: tells each one by its number."""

    def __init__(self) -> None:
        self.numbers: Iterator[int] = count(1)

    def __call__(self, rows: pd.DataFrame, market: str, earlier: Earlier | None = None) -> Models:
        facts = {"number": next(self.numbers), "rows": rows["value"].tolist(), "earlier": earlier and told(earlier())}
        return Models({market: Trained(None, facts)})


def told(made: Models) -> Mapping[str, Any]:
    (trained,) = made.systems.values()
    return trained.facts


def number(made: Models) -> int:
    return told(made)["number"]


@pytest.fixture
def workers() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_the_same_rows_are_trained_on_once_by_market(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    assert [number(train([FRAME[2:6]], m)) for m in ("points", "points", "assists", "points")] == [1, 1, 2, 1]


def test_other_rows_are_trained_on_anew_where_first_or_last_row_or_a_row_between_differs(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    for rows in (FRAME[2:6], FRAME[2:7], FRAME[1:6], FRAME[3:7], FRAME.loc[[2, 3, 5]], FRAME.loc[[2, 4, 5]], FRAME[:0]):
        assert told(train([rows], "points"))["rows"] == rows["value"].tolist()


@pytest.mark.parametrize("begun", [True, False])
def test_a_training_goes_on_from_the_one_before_it_which_is_shared(workers: Executor, begun: bool) -> None:
    train = SharedTraining(Counting(), workers)
    if begun:
        train.begin([FRAME[2:6]], "points")
    whole, first = train([FRAME[2:6], FRAME[2:8]], "points"), train([FRAME[2:6]], "points")
    assert told(whole)["earlier"] == told(first)
    assert {number(first), number(whole)} == {1, 2}


def test_a_training_goes_on_from_all_before_it_in_turn(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    made, rows = told(train([FRAME[:2], FRAME[1:4], FRAME[1:6]], "points")), []
    while made:
        rows.append(made["rows"])
        made = made["earlier"]
    assert rows == [[1, 2, 3, 4, 5], [1, 2, 3], [0, 1]]


def test_rows_that_are_no_run_go_on_from_the_training_before_as_well(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    assert told(train([FRAME[2:6], FRAME.loc[[2, 3, 5, 7]]], "points"))["earlier"]["rows"] == [2, 3, 4, 5]


def test_a_training_of_its_own_is_not_one_that_goes_on_from_another(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers)
    assert told(train([FRAME[2:6], FRAME[2:8]], "points"))["earlier"] is not None
    assert told(train([FRAME[2:8]], "points"))["earlier"] is None
    assert told(train([FRAME[2:7], FRAME[2:8]], "points"))["earlier"]["rows"] == [2, 3, 4, 5, 6]


def test_one_worker_that_drops_what_it_did_still_ends_a_chain(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers, kept=1)
    assert number(train([FRAME[:n] for n in range(1, 6)], "points")) == 5


def test_only_the_latest_are_kept(workers: Executor) -> None:
    train = SharedTraining(Counting(), workers, kept=2)
    assert [number(train([FRAME[:n]], "points")) for n in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 4]


def test_what_was_begun_is_trained_once_and_before_it_is_asked_for(workers: Executor) -> None:
    trained = Event()

    def heard(rows: pd.DataFrame, market: str, earlier: Earlier | None) -> Models:
        trained.set()
        return counting(rows, market, earlier)

    counting = Counting()
    train = SharedTraining(heard, workers)
    train.begin([FRAME], "points")
    assert trained.wait(timeout=10)
    assert [number(train([FRAME], "points")), number(train([FRAME], "points"))] == [1, 1]


@pytest.mark.parametrize("rows", [FRAME.loc[[2, 3, 5]], FRAME[:0]])
def test_rows_that_are_not_shared_are_not_begun(workers: Executor, rows: pd.DataFrame) -> None:
    train = SharedTraining(Counting(), workers)
    train.begin([rows], "points")
    assert number(train([rows], "points")) == 1
