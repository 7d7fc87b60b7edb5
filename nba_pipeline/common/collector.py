"""The collector of garbage of Python, in processes whose many objects stay until the end."""

import atexit
import gc

# Thresholds of the three generations; Python's own of the first is 700.
RARELY = 50_000, 20, 20


def collect_rarely() -> None:
    """Let the collector look at the objects of this process rarely, and not at its end.

    Half a million objects of definitions, or the expressions of all tables, stay for as long as the process: looking through them
    took a tenth of the time of a day, and of compiling all statements.
    """
    gc.set_threshold(*RARELY)
    atexit.register(gc.freeze)
