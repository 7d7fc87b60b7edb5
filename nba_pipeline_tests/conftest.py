"""What many tests share and start once: servers, emulators, Google's analyser of SQL, and a home with published tables."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from nba_pipeline.common.environment import READ, SECRET_FILES
from nba_pipeline.common.locking import file_lock
from nba_pipeline.domain.calendar import EPOCH, set_days

pytest_plugins = ["nba_pipeline_tests.support.tiers"]

# What these modules import takes seconds, in every process that runs tests: they are imported where they are used.
if TYPE_CHECKING:
    from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
    from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
    from nba_pipeline_tests.support.bigquery_service import Rules
    from nba_pipeline_tests.support.googlesql import GoogleSQL
    from nba_pipeline_tests.support.homes import Home
    from nba_pipeline_tests.support.postgres import Postgres
    from nba_pipeline_tests.support.storage_emulator import StorageService


def pytest_configure(config: pytest.Config) -> None:
    """Hide the caller's variables and home from the tests: the home of `make demo` begins on a day of its own."""
    for name in READ | SECRET_FILES.keys():
        os.environ.pop(name, None)
    nothing = TemporaryDirectory()
    config.add_cleanup(nothing.cleanup)
    os.environ["NBA_PIPELINE_HOME"] = nothing.name
    without_time_limit()


def without_time_limit() -> None:
    """Let examples of hypothesis take the time that a busy machine takes; what a test costs is limited in processor time."""
    from hypothesis import settings  # deferred: takes a quarter of a second to load

    settings.register_profile("without_time_limit", settings(deadline=None))
    settings.load_profile("without_time_limit")


@pytest.fixture(autouse=True)
def _days_of_no_home() -> None:
    """Forget the days of the home that an earlier test opened."""
    set_days(EPOCH, None)


# The lock of what the workers of a run share is held while one of them makes it.
MAKING_SECONDS = 900.0


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all workers of this run of the tests share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[str]:
    """The address of a BigQuery emulator without a proxy."""
    from nba_pipeline_tests.support.bigquery_emulator import running_emulator

    with running_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def bigquery_service(emulator_process: str, googlesql: "GoogleSQL") -> "Iterator[tuple[str, Rules]]":
    """A BigQuery emulator behind a proxy that refuses what the service refuses: its address and its rules."""
    from nba_pipeline_tests.support.bigquery_service import strict_service

    with strict_service(emulator_process, googlesql) as strict:
        yield strict


@pytest.fixture
def emulator(bigquery_service: "tuple[str, Rules]") -> str:
    """The address of the BigQuery emulator."""
    return bigquery_service[0]


@pytest.fixture
def bigquery_rules(bigquery_service: "tuple[str, Rules]") -> "Rules":
    """What the BigQuery service of these tests was sent, and what it refused."""
    return bigquery_service[1]


@pytest.fixture(scope="session")
def googlesql(request: pytest.FixtureRequest, run_directory: Path) -> "GoogleSQL":
    """Google's analyser, which all tests share; half a minute of compiling is kept in pytest's own cache, or for this run."""
    from nba_pipeline_tests.support.googlesql import GoogleSQL

    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    kept = cache.mkdir("googlesql") if cache is not None else run_directory / "googlesql"
    kept.mkdir(exist_ok=True)
    with file_lock(kept / "lock", exclusive=True, timeout=MAKING_SECONDS):
        return GoogleSQL(kept)


@pytest.fixture
def bigquery_warehouse(emulator: str) -> "BigQueryWarehouse":
    """An empty warehouse on the emulator. It does not wait long before it tries again."""
    from nba_pipeline_tests.support.bigquery_emulator import warehouse_at

    return warehouse_at(emulator)


@pytest.fixture
def unanalysed_warehouse(emulator_process: str) -> "Iterator[BigQueryWarehouse]":
    """The same behind all rules of the proxy but Google's analyser, which takes long to start."""
    from nba_pipeline_tests.support.bigquery_emulator import warehouse_at
    from nba_pipeline_tests.support.bigquery_service import strict_service
    from nba_pipeline_tests.support.googlesql import NoAnalyser

    with strict_service(emulator_process, NoAnalyser()) as (address, _):
        yield warehouse_at(address)


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """A Postgres server; tests that ask for it are skipped where none is installed."""
    from nba_pipeline_tests.support.postgres import running_postgres

    with running_postgres() as running:
        yield running


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> "Iterator[StorageService]":
    """A storage service with an empty bucket, to which Google's clients of this process are pointed."""
    from nba_pipeline_tests.support.storage_emulator import storage_service

    with storage_service() as running:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.address)
        yield running


@pytest.fixture(scope="session")
def finished_home(run_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> "Home":
    """A home with the first two weeks of a simulated season in every table, only to be read or copied.

    The first worker that asks builds it, and each has a copy of its own.
    """
    from nba_pipeline_tests.support.homes import FIRST, LAST, Home

    built = run_directory / "finished_home"
    with file_lock(run_directory / "finished_home.lock", exclusive=True, timeout=MAKING_SECONDS):
        if not built.exists():
            begun = Home(tmp_path_factory.mktemp("begun") / "home")
            assert begun.materialize(FIRST, LAST).success
            begun.path.rename(built)
    home = Home(tmp_path_factory.mktemp("graph") / "home")
    shutil.copytree(built, home.path)
    return home


@pytest.fixture
def home(finished_home: "Home", tmp_path: Path) -> "Home":
    """A copy that the test may change."""
    from nba_pipeline_tests.support.homes import Home

    shutil.copytree(finished_home.path, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def public_home(tmp_path: Path) -> "Iterator[tuple[DuckDBWarehouse, Path]]":
    """A warehouse that everybody may reach, and another one to warm up with."""
    from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
    from nba_pipeline_tests.support.results import days, write

    warm = DuckDBWarehouse(tmp_path / "warm.duckdb")
    write(warm, days(0))
    with TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        warehouse = DuckDBWarehouse(Path(directory) / "nba.duckdb")
        write(warehouse, days(0))
        yield warehouse, warm.path
