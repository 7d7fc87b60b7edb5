"""Reasons of refused days: decisions read the code, in entries of this release and of earlier ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.common.errors import SourceError, WarehouseBusyError, WarehouseError
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.engine.refusals import Reason, ReasonCode, lacks_only_upstream, ledger_reasons, parse_reason
from nba_pipeline.sources.client import Unreachable


@given(st.sampled_from(ReasonCode), st.text().filter(lambda text: not text.startswith("needs ")))
def test_a_reason_read_from_the_ledger_is_the_one_that_was_written(code: ReasonCode, text: str) -> None:
    assert parse_reason(str(Reason(code, text))) == Reason(code, text)


def test_every_check_has_a_reason_code() -> None:
    assert set(CHECKS) == set(ReasonCode) - {ReasonCode.UPSTREAM_MISSING}


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["upstream_missing: needs the day itself of nba_raw.games"], True),
        (["coverage: needs the day itself of nba_raw.games"], True),  # as releases before reason codes wrote it
        (["coverage: 2 of 9 expected rows are absent without a reason"], False),
        (["upstream_missing: needs x", "contract: 1 rows repeat a key"], False),
        (["something else"], False),
        ([], False),
    ],
)
def test_only_days_that_were_not_computed_for_lack_of_upstream_days_count_as_blocked(
    reasons: list[str], expected: bool
) -> None:
    assert lacks_only_upstream({"reasons": json.dumps(reasons)}) is expected


def test_a_code_of_another_release_is_kept_as_text() -> None:
    (reason,) = ledger_reasons({"reasons": '["later_code: x"]'})
    assert (reason.code, str(reason)) == (None, "later_code: x")


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (WarehouseBusyError("held", "wait"), True),
        (Unreachable("no answer", "later"), True),
        (WarehouseError("failed", "look"), False),
        (WarehouseError("failed", "look", transient=True), True),
        (SourceError("no such file"), False),
    ],
)
def test_an_error_tells_whether_it_may_pass_by_itself(error: WarehouseError, transient: bool) -> None:
    assert error.transient is transient
