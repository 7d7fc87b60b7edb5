"""Trains once what several months train alike: the champion of a month was the challenger of the month before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Protocol

from nba_pipeline.systems.training import Models

if TYPE_CHECKING:
    import pandas as pd

# What a month and the next ones look back for, in five markets; an entry is 1 MB.
KEPT = 40

Earlier = Callable[[], Models]
TrainFrom = Callable[["pd.DataFrame", str, Earlier | None], Models]


class Train(Protocol):
    """Trains every system for a market on rows after rows, each time going on from the training before; returns the last."""

    def __call__(self, trainings: Sequence[pd.DataFrame], market: str, /) -> Models: ...


class SharedTraining:
    """Trainings on runs of consecutive rows of one frame, kept by market and places of the runs; one thread asks for them.

    Rows that are no run of consecutive labels are trained on each time.
    """

    def __init__(self, train: TrainFrom, workers: Executor, kept: int = KEPT) -> None:
        """Share the results of `train`.

        Args:
            train: Trains on rows of a frame that is labelled 0, 1, 2, ..., going on from earlier models, if given.
            workers: Does the trainings, in the order in which they were begun. One that goes on from another waits for it once
                its own fits are done, and the other was begun before it.
            kept: How many of them are kept, the latest.
        """
        self._train = train
        self._workers = workers
        self._kept = kept
        self._begun: OrderedDict[tuple[str | tuple[int, int], ...], Future[Models]] = OrderedDict()

    def __call__(self, trainings: Sequence[pd.DataFrame], market: str) -> Models:
        """Return what `train` gives for the last rows, trained now or before.

        Args:
            trainings: The rows of one training or several, each of which goes on from the one before it.
            market: The market.
        """
        if all(map(_is_run, trainings)):
            return self._of(trainings, market).result()
        *before, rows = trainings
        return self._train(rows, market, (lambda: self(before, market)) if before else None)

    def begin(self, trainings: Sequence[pd.DataFrame], market: str) -> None:
        """Let the workers train on rows that will be asked for, if all are runs and were not begun before."""
        if all(map(_is_run, trainings)):
            self._of(trainings, market)

    def _of(self, trainings: Sequence[pd.DataFrame], market: str) -> Future[Models]:
        *before, rows = trainings
        place = market, *((int(r.index[0]), len(r)) for r in trainings)
        earlier = self._of(before, market).result if before else None
        if place not in self._begun:
            self._begun[place] = self._workers.submit(self._train, rows, market, earlier)
        self._begun.move_to_end(place)
        if len(self._begun) > self._kept:
            self._begun.popitem(last=False)
        return self._begun[place]


def _is_run(rows: pd.DataFrame) -> bool:
    labels = rows.index.to_numpy()
    return len(labels) > 0 and bool((labels[1:] - labels[:-1] == 1).all())
