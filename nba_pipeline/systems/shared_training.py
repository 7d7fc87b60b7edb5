"""Trains once what several months train alike: the champion of a month was the challenger of the month before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Protocol

from nba_pipeline.systems.training import Models

if TYPE_CHECKING:
    import pandas as pd

# What a month and three further ones look back for, in five markets; an entry is 1 MB.
KEPT = 40

TrainFrom = Callable[["pd.DataFrame", str, Models | None], Models]


class Train(Protocol):
    """Gives the training of every system on rows of a market, going on from the one on the first of the rows, if given."""

    def __call__(self, rows: pd.DataFrame, market: str, first: pd.DataFrame | None = None, /) -> Models: ...


class SharedTraining:
    """Trainings on runs of consecutive rows of one frame, kept by market and place of the run; one thread asks for them.

    Rows that are no run of consecutive labels are trained on each time.
    """

    def __init__(self, train: TrainFrom, workers: Executor, kept: int = KEPT) -> None:
        """Share the results of `train`.

        Args:
            train: Trains on rows of a frame that is labelled 0, 1, 2, ..., going on from earlier models, if given.
            workers: Does the trainings.
            kept: How many of them are kept, the latest.
        """
        self._train = train
        self._workers = workers
        self._kept = kept
        self._begun: OrderedDict[tuple[str, int, int, int], Future[Models]] = OrderedDict()

    def __call__(self, rows: pd.DataFrame, market: str, first: pd.DataFrame | None = None) -> Models:
        """Return what `train` gives for the rows, trained now or before.

        Args:
            rows: The rows.
            market: The market.
            first: The first of the rows, if the training goes on from the one on these; the caller waits for it, no worker does.
        """
        if _is_run(rows):
            return self._of(rows, market, first).result()
        return self._train(rows, market, self._earlier(first, market))

    def begin(self, rows: pd.DataFrame, market: str) -> None:
        """Let the workers train on rows that will be asked for, if these are a run and it was not begun before."""
        if _is_run(rows):
            self._of(rows, market, None)

    def _of(self, rows: pd.DataFrame, market: str, first: pd.DataFrame | None) -> Future[Models]:
        place = market, int(rows.index[0]), len(rows), 0 if first is None else len(first)
        if place not in self._begun:
            self._begun[place] = self._workers.submit(self._train, rows, market, self._earlier(first, market))
        self._begun.move_to_end(place)
        if len(self._begun) > self._kept:
            self._begun.popitem(last=False)
        return self._begun[place]

    def _earlier(self, first: pd.DataFrame | None, market: str) -> Models | None:
        return None if first is None or first.empty else self(first, market)


def _is_run(rows: pd.DataFrame) -> bool:
    labels = rows.index.to_numpy()
    return len(labels) > 0 and bool((labels[1:] - labels[:-1] == 1).all())
