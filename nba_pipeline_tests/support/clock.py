"""A clock for tests of waiting."""

from collections.abc import Callable


class Clock:
    """Time that passes only while somebody sleeps, so that a busy machine changes nothing."""

    def __init__(self) -> None:
        self.now, self.naps = 100.0, list[float]()
        self.at_nap: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps.append(seconds)
        self.at_nap()
