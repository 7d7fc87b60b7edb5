"""Blocks: the days of a run that are computed, audited and published at once, so that memory does not grow with history.

A block holds whole seasons: the windows of a season begin anew with the next one, so that only windows of a year are read a
second time.
"""

from collections.abc import Iterable
from datetime import date
from itertools import chain, groupby

import pyarrow as pa

from nba_pipeline.domain.calendar import reading_bound

# Days up to which memory is not worth a thought.
SHORT = 31


def blocks(days: Iterable[date], seasons: int, parts: int = 1, least: int = 1) -> list[list[date]]:
    """Cut days into blocks, in order, of about equally many seasons each.

    Args:
        days: The days.
        seasons: Seasons of a block, at most.
        parts: Into how many blocks of about equally many days each of these is cut, where windows are of a day.
        least: How many blocks there are at least, where there are as many seasons: so many are computed at once.
    """
    by_season = [list(of_season) for _, of_season in groupby(sorted(set(days)), reading_bound)]
    number = max(-(-len(by_season) // seasons), min(least, len(by_season)))
    size = -(-len(by_season) // max(number, 1))
    whole = [list(chain.from_iterable(by_season[i * size : (i + 1) * size])) for i in range(number)]
    return [piece for block in whole for piece in _cut(block, parts)]


def _cut(block: list[date], parts: int) -> list[list[date]]:
    size = -(-len(block) // parts)
    return [block[i : i + size] for i in range(0, len(block), size)]


def without_day(rejects: pa.Table) -> pa.Table:
    """The rejected rows that do not say to which day they belong."""
    return rejects.filter(rejects["day"].is_null())


def not_among(known: pa.Table, rejects: pa.Table) -> pa.Table:
    """The rejected rows that are not among those without a day that an earlier block met: a file of all days is read for each."""
    seen = set(zip(known["reason"].to_pylist(), known["row"].to_pylist(), strict=True))
    if not seen:
        return rejects
    rows = zip(*(rejects[c].to_pylist() for c in ("day", "reason", "row")), strict=True)
    return rejects.filter(pa.array([d is not None or (reason, row) not in seen for d, reason, row in rows], pa.bool_()))
