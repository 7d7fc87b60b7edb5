"""The memory of the process."""

import ctypes

import pyarrow as pa


def give_back() -> None:
    """Give free memory back to the system: the C library of Linux keeps what long work has freed, and long work comes next."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(0)
