"""Writes events as `serialize_value` does, character by character, in a fraction of the time.

The events of a run come in long rows that differ in little: of the materializations of a table in their day, its numbers and
tags, of the results of a check in their day, description and numbers. What surrounds these values is serialised by Dagster,
once, with nothing in their places; what stands there is written here. Everything that is not a plain value of the kinds below
is serialised by Dagster as it is.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation, DagsterEvent, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData
from dagster._serdes import serialize_value

_escaped = json.encoder.encode_basestring_ascii
_PLAIN = (dg.IntMetadataValue, dg.FloatMetadataValue, dg.BoolMetadataValue, dg.TextMetadataValue)
_ENTRY_PARTS = re.compile(r'"@@(data|message|timestamp|user_message)@@"')
_PARTS_IN_ORDER = ["data", "message", "timestamp", "user_message"]
_fixed_in_entry = attrgetter(*sorted(set(EventLogEntry._fields) - {"dagster_event", "timestamp", "user_message"}))
_fixed_in_event = attrgetter(*sorted(set(DagsterEvent._fields) - {"event_specific_data", "message"}))
_EMPTY = re.compile(r'"(?P<name>\w+)": (?P<value>null|\[\]|\{\})')


def scalar(value: str | float | None) -> str:
    """Return a plain value as JSON."""
    if type(value) is str:
        return _escaped(value)
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    return json.dumps(value)


def without_metadata(entry: EventLogEntry) -> EventLogEntry:
    """Return a materialization without its metadata, most of its text; any other event as it is."""
    event = entry.dagster_event
    data = event.event_specific_data if event else None
    if event is None or type(data) is not StepMaterializationData:
        return entry
    plain = StepMaterializationData(data.materialization._replace(metadata={}), data.asset_lineage)
    return entry._replace(dagster_event=event._replace(event_specific_data=plain))


class Texts:
    """Writes one event after the other; remembers what surrounds the values of the last of each kind."""

    def __init__(self) -> None:
        self._fixed: tuple[Any, ...] | None = None
        self._around_parts: list[str] | None = None
        self._last: dict[type, tuple[Any, ...]] = {}
        self._around: dict[type, list[str] | None] = {}
        self._last_tags: tuple[Mapping[str, str], str] = {}, "{}"

    def __call__(self, entry: EventLogEntry) -> str:
        event = entry.dagster_event
        if event is None:
            return serialize_value(entry)
        fixed = _fixed_in_entry(entry), _fixed_in_event(event)
        if fixed != self._fixed:
            self._fixed, self._around_parts = fixed, _around_parts(entry, event)
        if self._around_parts is None:
            return serialize_value(entry)
        data, message = self._data(event.event_specific_data), scalar(event.message)
        user_message = message if entry.user_message is event.message else scalar(entry.user_message)
        return _joined(self._around_parts, (data, message, scalar(entry.timestamp), user_message))

    def _data(self, data: Any) -> str:
        if type(data) is AssetCheckEvaluation:
            return self._evaluation(data)
        if type(data) is StepMaterializationData:
            return self._materialization(data)
        if type(data) is AssetMaterializationPlannedData:
            return self._planned(data)
        return serialize_value(data)

    def _evaluation(self, data: AssetCheckEvaluation) -> str:
        key, name, passed = data.asset_key, data.check_name, data.passed
        severity, blocking = data.severity, data.blocking
        target = data.target_materialization_data
        return self._framed(
            data,
            (key, name, passed, severity, blocking, target is None),
            lambda: AssetCheckEvaluation(key, name, passed, severity=severity, blocking=blocking),
            lambda: {
                "description": scalar(data.description),
                "metadata": _metadata(data.metadata),
                "partition": scalar(data.partition),
                "target_materialization_data": "null" if target is None else _target(target),
            },
        )

    def _materialization(self, data: StepMaterializationData) -> str:
        made = data.materialization
        if type(made.partition) is not str or type(made.tags) is not dict or data.asset_lineage:
            return serialize_value(data)
        return self._framed(
            data,
            (made.asset_key, made.description, not made.metadata),
            lambda: StepMaterializationData(made._replace(metadata={}, partition=None, tags=None)),
            lambda: {
                "metadata_entries": _entries(made.metadata),
                "partition": scalar(made.partition),
                "tags": self._tags(made.tags or {}),
            },
        )

    def _tags(self, tags: Mapping[str, str]) -> str:
        """Those of the materializations of a step are the same."""
        if tags != self._last_tags[0]:
            written = ", ".join([f"{_escaped(key)}: {_escaped(tags[key])}" for key in sorted(tags)])
            self._last_tags = tags, f"{{{written}}}"
        return self._last_tags[1]

    def _planned(self, data: AssetMaterializationPlannedData) -> str:
        if data.partitions_subset is not None:
            return serialize_value(data)
        key = data.asset_key
        return self._framed(
            data, (key,), lambda: AssetMaterializationPlannedData(key), lambda: {"partition": scalar(data.partition)}
        )

    def _framed(
        self, data: Any, fixed: tuple[Any, ...], empty: Callable[[], Any], written: Callable[[], Mapping[str, str]]
    ) -> str:
        """Return the text of data that differ from those before in some fields at most.

        The first of a kind are written by Dagster; so are the second, which prove that the text is put together rightly.
        Where it is not, because this Dagster writes a class otherwise, all are.

        Args:
            data: What to write.
            fixed: The other fields of it.
            empty: Makes the same data with nothing in these fields.
            written: Makes the text of the value of each of these fields, in the order of the alphabet.
        """
        kind = type(data)
        if self._last.get(kind) != fixed:
            self._last[kind] = fixed
            self._around.pop(kind, None)
            return serialize_value(data)
        values = written()
        if kind not in self._around:
            pieces, whole = _cut(serialize_value(empty()), tuple(values)), serialize_value(data)
            self._around[kind] = pieces if pieces and _joined(pieces, values.values()) == whole else None
            return whole
        pieces = self._around[kind]
        return serialize_value(data) if pieces is None else _joined(pieces, values.values())


def _cut(text: str, names: Sequence[str]) -> list[str] | None:
    """Cut a text at the empty values of these fields, which are named in its order; None where it has not all of them."""
    pieces, start = [], 0
    for found in _EMPTY.finditer(text):
        if len(pieces) < len(names) and found["name"] == names[len(pieces)]:
            pieces.append(text[start : found.start("value")])
            start = found.end("value")
    return [*pieces, text[start:]] if len(pieces) == len(names) else None


def _joined(pieces: Sequence[str], between: Iterable[str]) -> str:
    """Put the texts between the pieces."""
    whole = [""] * (2 * len(pieces) - 1)
    whole[::2], whole[1::2] = pieces, between
    return "".join(whole)


def _around_parts(entry: EventLogEntry, event: DagsterEvent) -> list[str] | None:
    """What surrounds the parts of such entries that differ; None where this Dagster writes other parts, or in another order."""
    inner: Any = {"event_specific_data": "@@data@@", "message": "@@message@@"}
    outer: Any = {"user_message": "@@user_message@@", "timestamp": "@@timestamp@@"}
    pieces = _ENTRY_PARTS.split(serialize_value(entry._replace(dagster_event=event._replace(**inner), **outer)))
    return pieces[::2] if pieces[1::2] == _PARTS_IN_ORDER else None


def _metadata(metadata: Mapping[str, Any]) -> str:
    return "{" + ", ".join([f"{_escaped(label)}: {_value(metadata[label])}" for label in sorted(metadata)]) + "}"


def _entries(metadata: Mapping[str, Any]) -> str:
    before, between, after = _around_entry()
    texts = [f"{before}{_value(value)}{between}{_escaped(label)}{after}" for label, value in metadata.items()]
    return "[" + ", ".join(texts) + "]"


def _target(target: AssetCheckEvaluationTargetMaterializationData) -> str:
    run_id, number, time = _around_target()
    return f"{run_id}{scalar(target.run_id)}{number}{scalar(target.storage_id)}{time}{scalar(target.timestamp)}}}"


def _value(value: Any) -> str:
    before = _before_value(type(value)) if type(value) in _PLAIN else None
    if before is None:
        return serialize_value(value)
    return f"{before}{scalar(value.text if type(value) is dg.TextMetadataValue else value.value)}}}"


@cache
def _before_value(kind: type) -> str | None:
    """What stands before the value of metadata of a class; None where more than the value may follow."""
    text = serialize_value(kind(None))
    return text.removesuffix("null}") if text.endswith(('"value": null}', '"text": null}')) else None


@cache
def _around_entry() -> tuple[str, str, str]:
    """What stands before, between and after the value and the label of an entry of the metadata of a materialization."""
    nothing = dg.IntMetadataValue(None)
    with_one = dg.AssetMaterialization("asset", metadata={"@@label@@": nothing})
    _, _, entry = serialize_value(with_one).partition('"metadata_entries": [')
    before, _, rest = entry.partition("], ")[0].partition(serialize_value(nothing))
    between, _, after = rest.partition('"@@label@@"')
    return before, between, after


@cache
def _around_target() -> tuple[str, str, str]:
    """What stands before the run, the number and the time of the materialization that a result is about."""
    text = serialize_value(AssetCheckEvaluationTargetMaterializationData(storage_id=0, run_id="", timestamp=0.5))
    before_run, _, rest = text.partition('""')
    before_number, _, rest = rest.partition("0,")
    return before_run, before_number, "," + rest.removesuffix("0.5}")
