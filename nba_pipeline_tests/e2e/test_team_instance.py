"""The team's `dagster.yaml` on a real Postgres and a bucket: runs are recorded as on one machine, their logs are kept."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster_gcp.gcs.compute_log_manager import GCSComputeLogManager

from nba_pipeline.contracts.checks import CHECKS, COVERAGE
from nba_pipeline.definitions import ASSETS
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration.event_log.postgres import BatchedPostgresEventLogStorage
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.homes import FIRST, Home, check_statuses, partitions
from nba_pipeline_tests.support.postgres import Postgres
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

CONFIG = Path(__file__).parents[2] / "deploy" / "dagster.yaml"
LAST = FIRST + timedelta(days=3)
BARE = LAST + timedelta(days=1)
BOXES, FACTS = "nba_raw.player_boxscores", "nba_analytics.player_game_summary"


@pytest.fixture
def home(tmp_path: Path, postgres: Postgres, service: StorageService, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose Dagster instance is the team's."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", service.address)
    monkeypatch.setenv("NBA_PIPELINE_LOG_BUCKET", BUCKET)
    for name, value in postgres.environment(postgres.new_database()).items():
        monkeypatch.setenv(name, value)
    made = Home(tmp_path / "home")
    (made.path / "dagster").mkdir(parents=True)
    shutil.copy(CONFIG, made.path / "dagster" / "dagster.yaml")
    return made


def by_day(value: str, first: date, last: date) -> dict[date, str]:
    return dict.fromkeys(days_between(first, last), value)


def test_a_range_and_a_refused_day_are_recorded_as_on_one_machine_and_their_logs_are_in_the_bucket(
    home: Home, service: StorageService
) -> None:
    with home.instance() as instance:
        assert isinstance(instance.event_log_storage, BatchedPostgresEventLogStorage)
        assert isinstance(instance.compute_log_manager, GCSComputeLogManager)
        built = ["nba_raw.schedule", *(t.id for t in CATALOG[FACTS].upstream()), FACTS]
        done = home.materialize(FIRST, LAST, [a for a in ASSETS if ".".join(a.key.path) in built])
        assert done.success
        for table in (BOXES, FACTS):
            assert partitions(instance, table) == (set(days_between(FIRST, LAST)), set())
            for check in CHECKS:
                assert check_statuses(instance, table, check) == by_day("SUCCEEDED", FIRST, LAST)

        only_facts = [a for a in ASSETS if a.key == dg.AssetKey(FACTS.split("."))]
        assert not home.materialize(LAST, BARE, only_facts).success
        assert partitions(instance, FACTS) == (set(days_between(FIRST, LAST)), {BARE})
        verdicts = check_statuses(instance, FACTS, COVERAGE)
        assert verdicts == by_day("SUCCEEDED", FIRST, LAST) | {BARE: "FAILED"}

        logs = [n for n in service.names if n.startswith(f"compute_logs/storage/{done.run_id}/")]
        assert {n.rsplit(".", 1)[1] for n in logs} == {"out", "err"}
