"""What a step reports at its end is stored with its end, in one transaction, in its order."""

import os
from collections.abc import Sequence
from contextlib import suppress

import dagster as dg
import pytest

from nba_pipeline.orchestration.event_log.held import HeldEvents

KINDS = dg.DagsterEventType
MOST = 6
BURST = (KINDS.STEP_OUTPUT, KINDS.ASSET_MATERIALIZATION, KINDS.ASSET_CHECK_EVALUATION)


class Log:
    """Takes the events of each transaction, or fails."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.broken = False

    def store(self, events: Sequence[dg.EventLogEntry]) -> None:
        if self.broken:
            raise OSError("the disk is full")
        self.transactions.append([e.dagster_event.event_type_value if e.dagster_event else "log" for e in events])


def entry(kind: dg.DagsterEventType | None) -> dg.EventLogEntry:
    plain = dg.DagsterEvent(KINDS.STEP_START.value, "job", message="")
    event = plain._replace(event_type_value=kind.value) if kind else None
    return dg.EventLogEntry(
        error_info=None, level=10, user_message="", run_id="run", timestamp=1.0, dagster_event=event
    )


def add(held: HeldEvents, *kinds: dg.DagsterEventType | None) -> None:
    for kind in kinds:
        held.add([entry(kind)])


def values(*kinds: dg.DagsterEventType) -> list[str]:
    return [kind.value for kind in kinds]


@pytest.mark.parametrize("end", [KINDS.STEP_SUCCESS, KINDS.STEP_FAILURE, KINDS.RUN_FAILURE])
def test_what_a_step_reports_is_stored_with_its_end(end: dg.DagsterEventType) -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, KINDS.STEP_START, *BURST)
        assert log.transactions == [values(KINDS.STEP_START)]
        add(held, end)
    assert log.transactions == [values(KINDS.STEP_START), values(*BURST, end)]


def test_a_line_of_the_log_is_seen_at_once_after_what_came_before_it() -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, KINDS.STEP_OUTPUT, None)
        assert log.transactions == [["STEP_OUTPUT", "log"]]


def test_outside_of_a_block_every_event_is_stored_at_once() -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, KINDS.STEP_SUCCESS)
    add(held, *BURST)
    assert log.transactions[1:] == [values(kind) for kind in BURST]


def test_a_block_that_fails_stores_what_it_held() -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with suppress(KeyboardInterrupt), held.holding():
        add(held, *BURST)
        raise KeyboardInterrupt
    assert log.transactions == [values(*BURST)]


def test_the_burst_of_many_days_is_stored_in_parts() -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, *BURST, *BURST, *BURST)
        assert log.transactions == [values(*BURST, *BURST)]
        add(held, KINDS.STEP_SUCCESS)
    assert log.transactions[1:] == [values(*BURST, KINDS.STEP_SUCCESS)]


def test_a_reader_that_cannot_store_what_is_held_costs_the_step_nothing() -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, *BURST)
        log.broken = True
        with pytest.raises(OSError, match="disk is full"):
            held.release()
        log.broken = False
        add(held, KINDS.STEP_SUCCESS)
    assert log.transactions == [values(*BURST, KINDS.STEP_SUCCESS)]


def test_what_cannot_be_stored_does_not_stand_in_the_way_of_the_failure_of_its_run() -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, *BURST)
        log.broken = True
        with pytest.raises(OSError, match="disk is full"):
            add(held, KINDS.STEP_SUCCESS)
        log.broken = False
        add(held, KINDS.RUN_FAILURE)
    assert log.transactions == [values(KINDS.RUN_FAILURE)]


def test_a_forked_process_stores_nothing_of_what_its_parent_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    held = HeldEvents(log.store, MOST)
    with held.holding():
        add(held, *BURST)
        with monkeypatch.context() as forked:
            forked.setattr(os, "getpid", lambda: -1)
            held.release()
    assert log.transactions == []
