"""The asset of docs/bigquery.md runs with the resources of the definitions, and without a project there are none."""

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.google_resources import google_resources
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse.bigquery.warehouse import open_bigquery
from nba_pipeline_tests.support.bigquery_emulator import PROJECT
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

PAGE = Path(__file__).parents[2] / "docs" / "bigquery.md"


def asset_of_the_page(bucket: str) -> dg.AssetsDefinition:
    (text,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    found: dict[str, Any] = {}
    exec(text.replace("my-bucket", bucket).replace("my-project", PROJECT), found)
    return found["games_of_a_day"]


def test_an_asset_of_a_team_reads_bigquery_and_writes_to_the_bucket_by_the_resources(
    emulator: str, service: StorageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {
        "NBA_PIPELINE_WAREHOUSE": "bigquery",
        "NBA_PIPELINE_BIGQUERY_PROJECT": PROJECT,
        "NBA_PIPELINE_BIGQUERY_ENDPOINT": emulator,
        "NBA_PIPELINE_BIGQUERY_MAX_BYTES_BILLED": "1000000000",
        "NBA_PIPELINE_BUCKET": f"gs://{BUCKET}",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings.from_environment()
    assert settings.bigquery is not None
    open_bigquery(settings.bigquery).prepare(SCHEDULE)
    result = dg.materialize([asset_of_the_page(BUCKET)], resources=google_resources(settings))
    (materialized,) = result.get_asset_materialization_events()
    assert materialized.materialization.metadata["games"].value == 0
    assert service.content("games.txt") == b"0"


def test_the_embedded_default_has_none() -> None:
    assert google_resources(Settings.from_environment()) == {}
