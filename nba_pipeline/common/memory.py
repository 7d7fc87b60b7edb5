"""The memory of the process."""

import ctypes

import duckdb
import pyarrow as pa


def give_back() -> None:
    """Give free memory back to the system: the libraries keep what long work has freed, and long work comes next.

    DuckDB gives back what all its databases have freed when one of them is closed.
    """
    duckdb.connect().close()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(0)
