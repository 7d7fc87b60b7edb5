"""Room for deep expressions: translating one to SQL takes several calls for each of its levels."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CALLS = 20_000


@contextmanager
def deep_calls() -> Iterator[None]:
    """Allow more nested calls than usual until the block ends."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, CALLS))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
