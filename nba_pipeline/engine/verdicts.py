"""Verdicts of checks and partitions."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from nba_pipeline.engine.refusals import Reason, ReasonCode

Metadata = Mapping[str, int | float | str | bool]


@dataclass(frozen=True)
class CheckVerdict:
    """Result of one check on one day; `code` is why it failed, None where it did not or was not evaluated."""

    passed: bool
    description: str
    metadata: Metadata
    code: ReasonCode | None = None


@dataclass(frozen=True)
class PartitionVerdict:
    """Outcome of one day: published or refused, number of rows, and the results of its checks.

    A refused day keeps its earlier rows. Numbers in `metadata` are plotted over the partitions.
    """

    day: datetime.date
    published: bool
    rows: int
    checks: Mapping[str, CheckVerdict]
    metadata: Metadata

    @property
    def key(self) -> str:
        return self.day.isoformat()

    @property
    def reason(self) -> str:
        """Describe the first failed check in one line."""
        failed = ((name, check) for name, check in self.checks.items() if not check.passed)
        return next((f"{name}: {check.description}" for name, check in failed), "no check failed")

    @property
    def waits(self) -> bool:
        """Whether the day was refused only because it lacks days of other tables."""
        reasons = self.reasons
        return not self.published and bool(reasons) and all(r.code is ReasonCode.UPSTREAM_MISSING for r in reasons)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The coded reasons of the failed checks, in the order of the checks."""
        return tuple(Reason(c.code, c.description) for c in self.checks.values() if c.code is not None)
