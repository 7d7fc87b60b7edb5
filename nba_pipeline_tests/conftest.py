"""Servers that several tests share."""

from collections.abc import Iterator

import pytest

from nba_pipeline_tests.postgres import Postgres, running_postgres
from nba_pipeline_tests.storage_emulator import StorageService, storage_service


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server; tests that ask for it are skipped where none is installed."""
    with running_postgres() as running:
        yield running


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageService]:
    """A storage service with an empty bucket, to which Google's clients of this process are pointed."""
    with storage_service() as running:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.address)
        yield running
