"""Trains once what several months train alike: the champion of a month has often seen exactly the rows of the month before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from nba_pipeline.systems.training import Trained

if TYPE_CHECKING:
    import pandas as pd

Train = Callable[["pd.DataFrame", str], dict[str, Trained]]

# What two months at once look back for, in five markets; an entry is 0.3 MB.
KEPT = 32


class SharedTraining:
    """Trainings on runs of consecutive rows of one frame, kept by market and place of the run.

    Rows that are no run of consecutive labels are trained on each time. Threads that ask for the same run at once wait for one
    of them to train.
    """

    def __init__(self, train: Train, kept: int = KEPT) -> None:
        """Share the results of `train` for rows of a frame that is labelled 0, 1, 2, ...; keep the latest `kept`."""
        self._train = train
        self._kept = kept
        self._lock = Lock()
        self._entries: OrderedDict[tuple[str, int, int], _Entry] = OrderedDict()

    def __call__(self, rows: pd.DataFrame, market: str) -> dict[str, Trained]:
        """Return what `train` gives for the rows, trained now or before."""
        labels = rows.index.to_numpy()
        if not len(labels) or (labels[1:] - labels[:-1] != 1).any():
            return self._train(rows, market)
        entry = self._entry((market, int(labels[0]), len(labels)))
        with entry.lock:
            if entry.made is None:
                entry.made = self._train(rows, market)
            return entry.made

    def _entry(self, place: tuple[str, int, int]) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(place, _Entry())
            self._entries.move_to_end(place)
            if len(self._entries) > self._kept:
                self._entries.popitem(last=False)
            return entry


class _Entry:
    def __init__(self) -> None:
        self.lock = Lock()
        self.made: dict[str, Trained] | None = None
