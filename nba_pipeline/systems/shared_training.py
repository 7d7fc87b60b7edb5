"""Trains once what several months train alike: the champion of a month was the challenger of the month before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Protocol

from nba_pipeline.systems.training import Models

if TYPE_CHECKING:
    import pandas as pd

# What a month and two further ones look back for, in five markets; an entry is 1 MB.
KEPT = 40


Training = Callable[["pd.DataFrame", str, Models | None], Models]


class Train(Protocol):
    """Gives the training of every system on rows of a market, going on from the one on the first of the rows, if given."""

    def __call__(self, rows: pd.DataFrame, market: str, first: pd.DataFrame | None = None, /) -> Models: ...


class SharedTraining:
    """Trainings on runs of consecutive rows of one frame, kept by market and place of the run; one thread asks for them.

    Rows that are no run of consecutive labels are trained on each time.
    """

    def __init__(self, train: Training, workers: Executor, kept: int = KEPT) -> None:
        """Share the results of `train`.

        Args:
            train: Trains on rows of a frame that is labelled 0, 1, 2, ..., going on from earlier models, if given.
            workers: Does the trainings, in the order in which they are begun.
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
            first: The first of the rows, if the training goes on from the one on these.
        """
        if _is_run(rows):
            return self._of(rows, market, first).result()
        return self._train(rows, market, None if first is None else self(first, market))

    def begin(self, rows: pd.DataFrame, market: str, first: pd.DataFrame | None = None) -> None:
        """Let the workers train on rows that will be asked for, if these are a run and it was not begun before.

        Args:
            rows: The rows.
            market: The market.
            first: The first of the rows, if the training goes on from the one on these.
        """
        if _is_run(rows):
            self._of(rows, market, first)

    def _of(self, rows: pd.DataFrame, market: str, first: pd.DataFrame | None) -> Future[Models]:
        place = market, int(rows.index[0]), len(rows), 0 if first is None else len(first)
        if place not in self._begun:
            self._begun[place] = self._workers.submit(self._train_on, rows, market, self._earlier(first, market))
        self._begun.move_to_end(place)
        if len(self._begun) > self._kept:
            self._begun.popitem(last=False)
        return self._begun[place]

    def _earlier(self, first: pd.DataFrame | None, market: str) -> Future[Models] | None:
        return self._of(first, market, None) if first is not None and len(first) else None

    def _train_on(self, rows: pd.DataFrame, market: str, earlier: Future[Models] | None) -> Models:
        """Train in a worker; the earlier training was begun before, so that it is done or another worker's."""
        return self._train(rows, market, earlier.result() if earlier else None)


def _is_run(rows: pd.DataFrame) -> bool:
    labels = rows.index.to_numpy()
    return len(labels) > 0 and bool((labels[1:] - labels[:-1] == 1).all())
