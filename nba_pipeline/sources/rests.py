"""Decide how long a service that fails is left alone: rests that grow, and a limit on the time without any answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nba_pipeline.sources.live_settings import Pace

FAILURES_BEFORE_REST = 3
# A call that fails this often is left out although its service goes on answering others, or never answers again.
ROUNDS_BESIDE_ANSWERS = 3
ROUNDS = 8


@dataclass(frozen=True)
class Timer:
    """The passing of time; tests replace it."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Rests:
    """The state of one service during an ingest.

    Attributes:
        pace: First and longest rest, and the patience: seconds of rest without an answer in between.
        is_known: Whether the service answered lately; one that never did is blocked or down, and gets no rest.
        until: Time on the timer at which the rest ends.
        total: Seconds of rest in this ingest.
    """

    pace: Pace
    is_known: bool = False
    until: float = 0.0
    total: float = 0.0
    _failures: int = 0
    _rests: int = 0
    _without_answer: float = 0.0
    _gave_up: bool = field(default=False)

    @property
    def is_out(self) -> bool:
        """Whether the service is not asked any more in this ingest."""
        return self._gave_up

    @property
    def number(self) -> int:
        """Number of the current rest since the last answer."""
        return self._rests

    def answered(self) -> None:
        """Note an answer: the next failure begins anew."""
        self.is_known = True
        self._failures = self._rests = 0
        self._without_answer = 0.0

    def failed(self, now: float, requested: float | None = None) -> float | None:
        """Note a failed call.

        Args:
            now: Time on the timer.
            requested: Seconds that the service asks to wait, if it does.

        Returns:
            The seconds of the rest that begins; None where the next call may be tried at once, or the service is out.
        """
        self._failures += 1
        self.is_known = self.is_known or requested is not None
        if self._failures < (1 if self._rests else FAILURES_BEFORE_REST) and requested is None:
            return None
        rest = max(min(self.pace.first_rest * 2**self._rests, self.pace.longest_rest), requested or 0.0)
        if not self.is_known or self._without_answer + rest > self.pace.patience:
            self._gave_up = True
            return None
        self._rests += 1
        self._without_answer += rest
        self.total += rest
        self.until = now + rest
        return rest

    def turned_away(self, now: float) -> float | None:
        """Note that the service turns the machine away, which needs no further failures: rest, or give it up, as `failed`."""
        self._failures = max(self._failures, FAILURES_BEFORE_REST)
        return self.failed(now)

    def is_hopeless(self, rounds: int) -> bool:
        """Whether a call that failed in this many rounds is left out: fewer where the service answers others in between."""
        in_a_streak = self._rests or self._failures >= FAILURES_BEFORE_REST
        return rounds >= (ROUNDS if in_a_streak else ROUNDS_BESIDE_ANSWERS) and not self.is_out

    def give_up(self) -> None:
        """Ask the service nothing more in this ingest."""
        self._gave_up = True
