"""Trains once what several months train alike: the champion of a month has often seen exactly the rows of the month before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING

from nba_pipeline.systems.training import Trained

if TYPE_CHECKING:
    import pandas as pd

Train = Callable[["pd.DataFrame", str], dict[str, Trained]]

# What a month and two further ones look back for, in five markets; an entry is 0.3 MB.
KEPT = 32


class SharedTraining:
    """Trainings on runs of consecutive rows of one frame, kept by market and place of the run; one thread asks for them.

    Rows that are no run of consecutive labels are trained on each time.
    """

    def __init__(self, train: Train, workers: Executor, kept: int = KEPT) -> None:
        """Share the results of `train`.

        Args:
            train: Trains every system on rows of a frame that is labelled 0, 1, 2, ...
            workers: Does the trainings.
            kept: How many of them are kept, the latest.
        """
        self._train = train
        self._workers = workers
        self._kept = kept
        self._begun: OrderedDict[tuple[str, int, int], Future[dict[str, Trained]]] = OrderedDict()

    def __call__(self, rows: pd.DataFrame, market: str) -> dict[str, Trained]:
        """Return what `train` gives for the rows, trained now or before."""
        return self._of(rows, market).result() if _is_run(rows) else self._train(rows, market)

    def begin(self, rows: pd.DataFrame, market: str) -> None:
        """Let the workers train on rows that will be asked for, if these are a run and it was not begun before."""
        if _is_run(rows):
            self._of(rows, market)

    def _of(self, rows: pd.DataFrame, market: str) -> Future[dict[str, Trained]]:
        place = market, int(rows.index[0]), len(rows)
        if place not in self._begun:
            self._begun[place] = self._workers.submit(self._train, rows, market)
        self._begun.move_to_end(place)
        if len(self._begun) > self._kept:
            self._begun.popitem(last=False)
        return self._begun[place]


def _is_run(rows: pd.DataFrame) -> bool:
    labels = rows.index.to_numpy()
    return len(labels) > 0 and bool((labels[1:] - labels[:-1] == 1).all())
