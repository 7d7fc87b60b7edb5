"""Two bad days of the box scores cost these days and those that look back on them, in every table below."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import wraps

import ibis
import pytest

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.refusals import lacks_only_upstream
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration.backfill_plan import downstream_closure
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline_tests.support.homes import Home, asset_of, partitions

BOX = "nba_raw.player_boxscores"
START, END = date(2021, 10, 26), date(2021, 11, 2)
BAD = (date(2021, 10, 28), date(2021, 10, 31))
DAYS = days_between(START, END)
GOOD, WAITING, REFUSED = "good", "waiting", "refused"


def without_points_on_the_bad_days() -> Transform:
    transform = CATALOG[BOX]

    @wraps(transform.build)
    def build(**inputs: ir.Table) -> ir.Table:
        rows = transform.build(**inputs)
        return rows.mutate(points=rows.game_date.isin(BAD).ifelse(ibis.null("int64"), rows.points))

    return replace(transform, build=build)


def expected_states() -> dict[tuple[str, date], str]:
    """By the windows that the tables declare: a day waits if it needs any day that is refused or waits itself."""
    below = downstream_closure({BOX}, graph_order())
    states = {(BOX, day): REFUSED if day in BAD else GOOD for day in DAYS}
    for table in below[1:]:
        reads = [r for r in CATALOG[table].reads.values() if r.kind != "kept"]
        for day in DAYS:
            needed = ((r.table.id, d) for r in reads for d in days_between(r.first_needed(day), r.last_needed(day)))
            states[table, day] = WAITING if any(states.get(key, GOOD) != GOOD for key in needed) else GOOD
    return states


def states_after(home: Home, run_id: str) -> Mapping[tuple[str, date], str]:
    entries = [e for e in home.warehouse.ledger(start=START, end=END).to_pylist() if e["run_id"] == run_id]
    refused = {(e["table_id"], e["day"]): e for e in entries if e["state"] == "refused"}
    found = {key: WAITING if lacks_only_upstream(e) else REFUSED for key, e in refused.items()}
    return {(e["table_id"], e["day"]): GOOD for e in entries if e["state"] == "published"} | found


def test_a_range_with_two_bad_days_publishes_every_other_day_and_a_second_run_the_rest(
    home: Home, finished_home: Home
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CATALOG, BOX, CATALOG[BOX])
        below = downstream_closure({BOX}, graph_order())
        assets = [asset_of(CATALOG[t]) for t in below[1:]]
        result = home.materialize(START, END, [asset_of(without_points_on_the_bad_days()), *assets])
    assert not result.success
    states, expected = states_after(home, result.run_id), expected_states()
    assert states == expected
    assert set(expected.values()) == {GOOD, WAITING, REFUSED}
    with home.instance() as instance:
        for table in below:
            _, failed = partitions(instance, table)
            assert failed == {day for day in DAYS if expected[table, day] != GOOD}
    assert home.materialize(START, END, [asset_of(CATALOG[t]) for t in below]).success
    assert all(home.refused(t) == {} for t in below)
    assert home.content() == finished_home.content()
