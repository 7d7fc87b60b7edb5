"""Children forked from a process that has everything imported, so that a thousand of them cost minutes."""

import os
import signal
import sys
import traceback
from collections.abc import Callable


def forked(work: Callable[[], object]) -> int:
    """The id of a child that does the work and ends with 0, or with 1 and a traceback where it fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        raise
    finally:
        os._exit(code)


def reaped(child: int, signal_first: int | None = None) -> int:
    """How the child ended, as `os.waitpid` tells, after it was sent a signal."""
    if signal_first is not None:
        os.kill(child, signal_first)
    return os.waitpid(child, 0)[1]


def killed(status: int) -> bool:
    """Whether the child was killed by SIGKILL; False when it ended well before. Raises AssertionError when it failed."""
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, f"the child died of signal {os.WTERMSIG(status)}"
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed by itself"
    return False
