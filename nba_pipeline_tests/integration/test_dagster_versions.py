"""A Dagster without a private part of the batched event log gets its own storage, with a warning, and can go back."""

from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import instance as instances
from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage
from nba_pipeline.orchestration.event_log.surface import STORAGE, missing_parts


def test_the_installed_dagster_has_every_private_part() -> None:
    assert missing_parts() == []


def test_a_part_that_is_gone_is_named() -> None:
    parts = {
        STORAGE: ("_store_asset_event", "_gone"),
        "dagster._core.gone": ("Anything",),
        "dagster._serdes": ("gone",),
    }
    assert missing_parts(parts) == [f"{STORAGE}._gone", "dagster._core.gone.Anything", "dagster._serdes.gone"]


def test_without_a_part_a_home_has_dagsters_own_storage_until_the_part_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)})
    home = instances.prepare(settings)
    batched = (home / instances.CONFIG).read_text()
    monkeypatch.setattr(instances, "missing_parts", lambda: [f"{STORAGE}._gone"])
    with pytest.warns(UserWarning, match=r"lacks .*_gone.*Dagster's own event log"):
        instances.prepare(settings)
    with dg.DagsterInstance.get() as instance:
        assert not isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
        instance.report_runless_asset_event(dg.AssetMaterialization("a"))
    instances.prepare(settings)
    monkeypatch.undo()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    instances.prepare(settings)
    assert (home / instances.CONFIG).read_text() == batched
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
