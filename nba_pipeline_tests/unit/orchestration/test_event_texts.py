"""Events written by `Texts` are, character by character, those that Dagster writes."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData
from dagster._serdes import serialize_value

from nba_pipeline.orchestration.event_log import texts
from nba_pipeline.orchestration.event_log.texts import Texts

ODD = 'a "quoted": null, \\ and é\n'
METADATA: tuple[Mapping[str, Any], ...] = (
    {},
    {"rows": 3, "a": 0, "ratio": 0.25, "none": True, "why": ODD, ODD: "text"},
    {"rows": 3.0, "zero": -0.0, "huge": 1e300, "tiny": 5e-324, "unknown": math.nan, "all": math.inf, "empty": ""},
    {
        "nothing": dg.IntMetadataValue(None),
        "no text": dg.TextMetadataValue(None),
        "no ratio": dg.FloatMetadataValue(None),
    },
    {"list": [1, "two"], "json": {"b": 1, "a": None}, "page": dg.MetadataValue.url("https://example.org"), "rows": 1},
)
TARGET = AssetCheckEvaluationTargetMaterializationData(storage_id=7, run_id="run", timestamp=1730000000.123)


def _evaluations() -> Iterator[dg.AssetCheckEvaluation]:
    for key in (dg.AssetKey(["a", ODD]), dg.AssetKey("b")):
        for passed in (True, False):
            for number, metadata in enumerate(METADATA * 2):
                partition = f"2024-01-{number + 1:02d}" if number % 4 else None
                yield dg.AssetCheckEvaluation(
                    key,
                    "contract",
                    passed,
                    metadata=metadata,
                    description=ODD if number % 3 else None,
                    partition=partition,
                    target_materialization_data=TARGET if number > 4 else None,
                    severity=dg.AssetCheckSeverity.WARN if number % 2 else dg.AssetCheckSeverity.ERROR,
                )


def _materializations() -> Iterator[StepMaterializationData]:
    for description in (None, ODD):
        for tags in ({}, {"dagster/b": "2", "dagster/a": "1"}, None):
            for number, metadata in enumerate(METADATA * 2):
                partition = f"2024-01-{number + 1:02d}" if number != 3 else None
                yield StepMaterializationData(
                    dg.AssetMaterialization(["a", ODD], description, metadata, partition, tags=tags)
                )


def _plans() -> Iterator[AssetMaterializationPlannedData]:
    for key in ("a", "b"):
        for partition in ("2024-01-01", "2024-01-02", None, ODD):
            yield AssetMaterializationPlannedData(dg.AssetKey(key), partition)


def _entries() -> list[dg.EventLogEntry]:
    kinds = dg.DagsterEventType
    of_kind = {
        kinds.ASSET_CHECK_EVALUATION: _evaluations(),
        kinds.ASSET_MATERIALIZATION: _materializations(),
        kinds.ASSET_MATERIALIZATION_PLANNED: _plans(),
        kinds.STEP_START: iter([None, None]),
    }
    entries = [
        dg.EventLogEntry(
            error_info=None,
            level=10,
            user_message=ODD,
            run_id="run",
            timestamp=1730000000.0 + number / 7,
            dagster_event=dg.DagsterEvent(kind.value, "job", event_specific_data=data, message=f"{ODD} {number}"),
        )
        for kind, all_data in of_kind.items()
        for number, data in enumerate(all_data)
    ]
    return [*entries, entries[0]._replace(dagster_event=None), entries[0]]


@pytest.mark.parametrize("order", [1, -1])
def test_every_event_has_the_text_that_dagster_writes(order: int) -> None:
    entries, write = _entries()[::order], Texts()
    # Three times each: the first two of a kind are written by Dagster.
    for entry in (entry for entry in entries for _ in range(3)):
        assert write(entry) == serialize_value(entry)


def test_a_kind_that_dagster_writes_otherwise_is_left_to_dagster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_around_target", lambda: ("wrong", "wrong", "wrong"))
    write = Texts()
    for data in _evaluations():
        for _ in range(3):
            event = dg.DagsterEvent("ASSET_CHECK_EVALUATION", "job", event_specific_data=data)
            entry = dg.EventLogEntry(None, 10, "", "run", 1730000000.5, dagster_event=event)
            assert write(entry) == serialize_value(entry)
