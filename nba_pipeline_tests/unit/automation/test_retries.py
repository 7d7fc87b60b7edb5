"""Failures that may pass by themselves are tried again, a bounded number of times, ever later; refusals are not."""

from datetime import timedelta
from typing import Any

import pytest

from nba_pipeline.automation.retries import ATTEMPTS, FailedRun, Refusal, due, repaired, retries
from nba_pipeline.common.errors import WarehouseBusyError
from nba_pipeline_tests.support import day, moment

DAY, ENDED = day("2024-11-06"), moment("2024-11-07 12:00")


def failed(**more: Any) -> FailedRun:
    known: dict[str, Any] = {
        "run_id": "r0",
        "ended": ENDED,
        "tables": ("a",),
        "start": DAY,
        "end": DAY,
        "refused": False,
        "transient": True,
    }
    errors = frozenset({WarehouseBusyError.__name__})
    return FailedRun(**known | {"errors": errors, "origin": "r0", "attempt": 0} | more)


def keys(*runs: FailedRun, minutes: float = 10, over: tuple[str, ...] = ()) -> list[str]:
    return [a.key for a, _ in retries(runs, over, ENDED + timedelta(minutes=minutes))]


def test_a_transient_failure_is_tried_again_whatever_its_name_is() -> None:
    assert keys(failed(errors=frozenset({"SourceError"}))) == ["retry r0 1"]


@pytest.mark.parametrize(
    "run", [failed(refused=True), failed(transient=False), failed(transient=False, errors=frozenset())]
)
def test_a_refusal_by_contract_and_any_other_error_are_not_tried_again(run: FailedRun) -> None:
    assert keys(run) == []


def test_tries_come_after_5_15_and_45_minutes() -> None:
    waits = [due(failed(attempt=n)) - ENDED for n in range(ATTEMPTS)]
    assert waits == [timedelta(minutes=m) for m in (5, 15, 45)]
    assert keys(failed(), minutes=4.9) == []
    assert keys(failed(), minutes=5) == ["retry r0 1"]


def test_there_is_no_fourth_try_and_no_try_after_two_days() -> None:
    tries = [failed(), *(failed(run_id=f"r{n}", attempt=n) for n in range(1, ATTEMPTS + 1))]
    assert keys(*tries, minutes=600) == []
    assert keys(failed(), minutes=60 * 24 * 3) == []


def test_looking_twice_asks_for_the_same_try_and_a_later_failure_for_the_next() -> None:
    assert keys(failed()) == keys(failed(), minutes=11) == ["retry r0 1"]
    assert keys(failed(), failed(run_id="r1", attempt=1), minutes=20) == ["retry r0 2"]


def test_a_chain_of_which_a_try_waits_runs_or_has_succeeded_is_left_alone() -> None:
    assert keys(failed(), over=("r0",)) == []


def test_earlier_days_are_tried_first() -> None:
    later = failed(origin="a", start=day("2024-11-07"))
    assert keys(later, failed()) == ["retry r0 1", "retry a 1"]


def test_a_day_that_lacked_others_runs_once_they_are_published_and_not_before() -> None:
    refusals = [Refusal("a", DAY, "r"), Refusal("b", DAY, "r"), Refusal("a", day("2024-11-07"), "r")]
    assert repaired(refusals, {"a": [day("2024-11-07")], "b": []}) == {DAY: {"a", "b"}}
