"""Something done at the n-th call of the storage: every statement on a DuckDB connection is a call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nba_pipeline.common import duckdb as duck

Act = Callable[[int, str], None]
WATCHED = ("execute", "register", "close")


class _Watched:
    """A connection that tells before and after each call."""

    def __init__(self, db: Any, before: Act, after: Act, counter: list[int]) -> None:
        self._db, self._before, self._after, self._counter = db, before, after, counter

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._db, name)
        if name not in WATCHED:
            return real

        def call(*arguments: Any) -> Any:
            self._counter[0] += 1
            number, said = self._counter[0], f"{name} {str(arguments[0]).split(chr(10))[0][:60] if arguments else ''}"
            self._before(number, said)
            answer = real(*arguments)
            self._after(number, said)
            return answer

        return call


def _nothing(number: int, said: str) -> None: ...


@contextmanager
def watched(before: Act = _nothing, after: Act = _nothing) -> Iterator[list[int]]:
    """Within the block, connections of the warehouse tell of each call; the list holds how many there were."""
    real, counter = duck.connect, [0]

    def connect(path: Path | None = None, *, read_only: bool = False, threads: int | None = None) -> Any:
        return _Watched(real(path, read_only=read_only, threads=threads), before, after, counter)

    with patch("nba_pipeline.warehouse.duckdb.duck.connect", connect):
        yield counter
