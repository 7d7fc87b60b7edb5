"""Events of one asset have times of their own, since the UI pages through them by the millisecond."""

import dagster as dg
from dagster._core.events import StepMaterializationData

from nba_pipeline.orchestration.event_log.batching import distinct_times


def materialization(asset: str, seconds: float) -> dg.EventLogEntry:
    event = dg.DagsterEvent(
        "ASSET_MATERIALIZATION",
        "job",
        event_specific_data=StepMaterializationData(dg.AssetMaterialization(asset)),
    )
    return dg.EventLogEntry(None, 20, "", "run", seconds, dagster_event=event)


def milliseconds(events: list[dg.EventLogEntry]) -> list[int]:
    return [int(event.timestamp * 1000) for event in events]


def test_events_of_one_asset_that_share_a_millisecond_are_spread_also_over_batches() -> None:
    latest: dict[str, int] = {}
    first = distinct_times(
        [materialization("a", 100.0), materialization("a", 100.0), materialization("b", 100.0)], latest
    )
    later = distinct_times([materialization("a", 100.0), materialization("a", 200.0)], latest)
    assert milliseconds(first) == [100_000, 100_001, 100_000]
    assert milliseconds(later) == [100_002, 200_000]
