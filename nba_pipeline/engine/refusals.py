"""Reason codes of refused days, in verdicts and in the ledger.

The ledger stores each reason as one text, `code: sentence`. Decisions read the code; the sentence is for people.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from nba_pipeline.contracts.checks import BUSINESS, CONTRACT, COVERAGE, HASHES


class ReasonCode(StrEnum):
    """Why a day was refused: an upstream day is not published, or the check of this name failed."""

    UPSTREAM_MISSING = "upstream_missing"
    CONTRACT = CONTRACT
    HASH_FIELDS = HASHES
    COVERAGE = COVERAGE
    BUSINESS_RULES = BUSINESS


# Releases before reason codes recorded a missing upstream day as a failed coverage check.
OLD_UPSTREAM_MISSING = "coverage: needs "


@dataclass(frozen=True)
class Reason:
    """One reason of a refusal: its code, None for a code that this release does not define, and the sentence."""

    code: ReasonCode | None
    text: str

    def __str__(self) -> str:
        return self.text if self.code is None else f"{self.code}: {self.text}"


def parse_reason(stored: str) -> Reason:
    """Parse one reason as stored in the ledger."""
    if stored.startswith(OLD_UPSTREAM_MISSING):
        return Reason(ReasonCode.UPSTREAM_MISSING, stored.removeprefix("coverage: "))
    code, separator, text = stored.partition(": ")
    return Reason(ReasonCode(code), text) if separator and code in list(ReasonCode) else Reason(None, stored)


def ledger_reasons(entry: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Parse the reasons of a ledger row, in order; empty for a published day without a failed check."""
    return tuple(parse_reason(text) for text in json.loads(entry["reasons"]))


def lacks_only_upstream(entry: Mapping[str, Any]) -> bool:
    """Whether a ledger row records a day that was not computed because upstream days are not published."""
    reasons = ledger_reasons(entry)
    return bool(reasons) and all(r.code is ReasonCode.UPSTREAM_MISSING for r in reasons)
