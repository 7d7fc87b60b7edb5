"""Define the interface of a source of raw data."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import pyarrow as pa

from nba_pipeline.sources.landing import Feed


class Source(Protocol):
    """A source of raw data."""

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        """Read a feed's rows of days in the types of the landing layout.

        Args:
            feed: the feed.
            days: the days to read; all rows of a feed that is not daily.

        Returns:
            The rows. The extra column `landing_problems` names values that could not be cast, NULL without any. Rows whose day
            is unreadable, or impossible for a game, are always included. A missing optional feed is empty.

        Raises:
            SourceError: a required file is missing or cannot be read.
        """
        ...

    def describe(self) -> dict[str, str]:
        """Describe the origin of each feed, by name, or why it is missing."""
        ...
