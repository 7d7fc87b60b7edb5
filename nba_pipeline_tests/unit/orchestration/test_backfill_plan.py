"""The plan of a backfill: what runs, and what a dry run shows, are the same steps."""

from datetime import date

from nba_pipeline.orchestration.backfill_plan import Step, plan
from nba_pipeline.warehouse.protocol import ENTRY_SCHEMA

FIRST, LAST = date(2021, 10, 21), date(2021, 10, 22)
NOTHING = ENTRY_SCHEMA.empty_table()


def test_missing_history_comes_before_the_range_and_is_counted() -> None:
    found = plan(["nba_raw.schedule"], FIRST, LAST, NOTHING, missing=False)
    assert found.requested == (Step(("nba_raw.schedule",), FIRST, LAST, "requested"),)
    assert found.steps == [*found.history, *found.requested]
    assert found.table_days == sum(s.days * len(s.tables) for s in found.steps)
    assert all(s.end < FIRST for s in found.history)


def test_only_missing_days_are_the_whole_range_where_nothing_was_published() -> None:
    found = plan(["nba_raw.schedule"], FIRST, LAST, NOTHING, missing=True)
    assert [(s.start, s.end) for s in found.requested] == [(FIRST, LAST)]
