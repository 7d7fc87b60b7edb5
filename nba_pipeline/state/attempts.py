"""Repeat what another process was faster with."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from nba_pipeline.common.bucket import Superseded
from nba_pipeline.common.errors import StateBusyError

# The service takes about one write a second of an object.
WAIT_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
T = TypeVar("T")


def repeat(attempt: Callable[[], T], address: str) -> T:
    """Repeat an attempt while it raises Superseded, with pauses in between, and return its result.

    Args:
        attempt: Reads what is there, and replaces it.
        address: Where that is.

    Raises:
        StateBusyError: Other processes were faster for WAIT_SECONDS.
    """
    deadline, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE
    while True:
        try:
            return attempt()
        except Superseded:
            if time.monotonic() >= deadline:
                raise StateBusyError(
                    f"{address}: others changed it again and again for {WAIT_SECONDS:g} s",
                    "run it again; nothing was changed",
                ) from None
        time.sleep(random.uniform(0, pause))
        pause = min(2 * pause, LONGEST_PAUSE)
