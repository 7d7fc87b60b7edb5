"""Verdicts of checks and partitions."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

Metadata = Mapping[str, int | float | str | bool]


@dataclass(frozen=True)
class CheckVerdict:
    """What one check says about one day."""

    passed: bool
    description: str
    metadata: Metadata


@dataclass(frozen=True)
class PartitionVerdict:
    """What became of one day: published or refused, how many rows, and why.

    A refused day keeps the content it had. Numbers in `metadata` are plotted over the partitions.
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
        """The first failed check in one line."""
        failed = ((name, check) for name, check in self.checks.items() if not check.passed)
        return next((f"{name}: {check.description}" for name, check in failed), "no check failed")
