"""A volume of a few megabytes, so that a full disk is a full disk."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a file system in memory of this size; the test is skipped where that is not allowed."""
    with tempfile.TemporaryDirectory() as directory:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", directory]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("mounting a file system needs the rights of root")
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", directory], check=True)


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Let nobody write below a directory; the test is skipped where that is not allowed."""
    if subprocess.run(["mount", "--bind", directory, directory], capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs the rights of root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", directory], check=True)
        yield
    finally:
        subprocess.run(["umount", directory], check=True)
