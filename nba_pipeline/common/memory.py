"""The memory of the process."""

import ctypes

import duckdb
import psutil
import pyarrow as pa

# What a process may keep: work that comes next would ask the system for it again, page by page.
KEPT_BYTES = 2**30


def give_back() -> None:
    """Give free memory back to the system where the process has more than it may keep: the libraries keep what they have freed.

    DuckDB gives back what all its databases have freed when one of them is closed.
    """
    if psutil.Process().memory_info().rss < KEPT_BYTES:
        return
    duckdb.connect().close()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(0)
