"""What every source of raw data can do."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import pyarrow as pa

from nba_pipeline.sources.landing import Feed


class Source(Protocol):
    """A place that raw data comes from."""

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        """The feed's rows of these days (all rows of a feed that is not daily), typed as the landing layout says.

        The extra column `landing_problems` says which values could not be typed, NULL where all could. Rows whose day
        cannot be read, or cannot be a day of a game, are always included. An optional feed that is missing is empty.
        """
        ...

    def describe(self) -> dict[str, str]:
        """Feed name -> where it comes from, or why it is missing; for people."""
        ...
