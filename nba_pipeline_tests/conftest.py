"""What many tests share and start once: servers, emulators, Google's analyser of SQL, and a home with published tables."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from nba_pipeline.warehouse.bigquery.client import Connection, default_retry
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline_tests.support.bigquery_emulator import PROJECT, running_emulator
from nba_pipeline_tests.support.bigquery_service import Rules, strict_service
from nba_pipeline_tests.support.googlesql import GoogleSQL
from nba_pipeline_tests.support.postgres import Postgres, running_postgres
from nba_pipeline_tests.support.storage_emulator import StorageService, storage_service

pytest_plugins = ["nba_pipeline_tests.support.tiers"]

if TYPE_CHECKING:
    from nba_pipeline_tests.support.homes import Home


@pytest.fixture(scope="session")
def bigquery_service(googlesql: GoogleSQL) -> Iterator[tuple[str, Rules]]:
    """A BigQuery emulator behind a proxy that refuses what the service refuses: its address and its rules."""
    with running_emulator() as emulator, strict_service(emulator, googlesql) as strict:
        yield strict


@pytest.fixture
def emulator(bigquery_service: tuple[str, Rules]) -> str:
    """The address of the BigQuery emulator."""
    return bigquery_service[0]


@pytest.fixture
def bigquery_rules(bigquery_service: tuple[str, Rules]) -> Rules:
    """What the BigQuery service of these tests was sent, and what it refused."""
    return bigquery_service[1]


@pytest.fixture(scope="session")
def googlesql() -> GoogleSQL:
    """Google's analyser; its first answer takes long and needs a gigabyte, so all tests share it."""
    return GoogleSQL()


@pytest.fixture
def bigquery_warehouse(emulator: str) -> BigQueryWarehouse:
    """An empty warehouse on the emulator. It does not wait long before it tries again."""
    location = BigQueryLocation(PROJECT, prefix=f"t{uuid4().hex[:8]}_", endpoint=emulator)
    return BigQueryWarehouse(Connection(location, default_retry().with_delay(0.01, 0.1).with_timeout(20)))


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


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> "Home":
    """A home with the first two weeks of a simulated season in every table, built once; only to be read or copied."""
    from nba_pipeline_tests.support.homes import FIRST, LAST, Home

    home = Home(tmp_path_factory.mktemp("graph") / "home")
    result = home.materialize(FIRST, LAST)
    assert result.success
    return home


@pytest.fixture
def home(finished_home: "Home", tmp_path: Path) -> "Home":
    """A copy that the test may change."""
    from nba_pipeline_tests.support.homes import Home

    shutil.copytree(finished_home.path, tmp_path / "home")
    return Home(tmp_path / "home")
