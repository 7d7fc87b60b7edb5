"""Planning: which history a range needs before it can run, through all tables, what stays to do, and how runs ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from nba_pipeline import definitions
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.engine.readiness import PENDING, unmet
from nba_pipeline.orchestration.backfill import failed_checks, select
from nba_pipeline.orchestration.backfill_plan import (
    Plan,
    Step,
    downstream_closure,
    history_steps,
    joined,
    missing_steps,
    plan,
    with_all_below,
)
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import LedgerEntry
from nba_pipeline.warehouse.protocol import entries_table
from nba_pipeline_tests.support import day

assert definitions.defs  # every table is registered
AT = datetime(2025, 1, 1, tzinfo=UTC)
FACTS, FEATURES, MODELS, FORECASTS = (
    "nba_analytics.player_game_summary",
    "nba_predictions.ml_feature_store_v2",
    "nba_predictions.prediction_models",
    "nba_predictions.player_prop_predictions",
)
EVERYTHING = tuple(graph_order())
START, END = day("2024-11-05"), day("2024-11-07")


def ledger(published: Mapping[str, list[date]], **more: Any) -> pa.Table:
    facts: dict[str, Any] = {"state": "published", "rows": 1, "expected": 1, "absent": {}, "unexplained": 0, "games": 1}
    told = {"rejected": 0, "content_hash": "", "reasons": (), "run_id": "r", "recorded_at": AT}
    entries = [(t, d) for t, days in published.items() for d in days]
    return entries_table([LedgerEntry(table=t, day=d, **facts | told | more) for t, d in entries])


NOTHING = ledger({})


def days_of(steps: list[Step], table: str) -> set[date]:
    return {d for s in steps if table in s.tables for d in days_between(s.start, s.end)}


def replayed(steps: list[Step]) -> dict[str, list[date]]:
    """Play the steps in order, table by table as a run does; whatever a step needs must be there by then."""
    done: dict[str, set[date]] = {t: set() for t in EVERYTHING}
    for step in steps:
        for table in (t for t in EVERYTHING if t in step.tables):
            days = days_between(step.start, step.end)
            reads = CATALOG[table].reads
            entries = ledger({r.table.id: sorted(done[r.table.id]) for r in reads.values()})
            assert unmet(reads, entries, days) == {}, (table, step)
            done[table].update(days)
    return {t: sorted(d) for t, d in done.items()}


def test_an_empty_home_is_given_all_history_in_an_order_in_which_every_table_finds_what_it_needs() -> None:
    steps = history_steps(EVERYTHING, START, END, NOTHING)
    assert all(s.end < START for s in steps)
    replayed([*steps, Step(EVERYTHING, START, END, "asked for")])


def test_the_models_of_the_month_are_trained_on_its_first_day_from_features_of_more_than_a_year() -> None:
    steps = history_steps(EVERYTHING, START, END, NOTHING)
    assert days_of(steps, MODELS) == set(days_between(day("2024-11-01"), day("2024-11-04")))
    assert min(days_of(steps, FEATURES)) == day("2024-08-01") - timedelta(days=400)
    assert min(days_of(steps, FACTS)) < min(days_of(steps, FEATURES))
    assert days_of(steps, FORECASTS) == set()


def test_no_table_is_left_with_a_gap_before_the_range() -> None:
    steps = history_steps(EVERYTHING, START, END, NOTHING)
    for table in {t for s in steps for t in s.tables}:
        days = days_of(steps, table)
        assert days == set(days_between(min(days), START - timedelta(days=1))), table


def test_a_range_of_facts_needs_no_history() -> None:
    assert history_steps((FACTS,), START, END, NOTHING) == []


def test_history_stops_at_the_first_partition() -> None:
    steps = history_steps(EVERYTHING, EPOCH + timedelta(days=20), EPOCH + timedelta(days=25), NOTHING)
    assert min(s.start for s in steps) == EPOCH
    assert days_of(steps, MODELS) == set(days_between(day("2021-11-01"), day("2021-11-07")))
    assert history_steps(EVERYTHING, EPOCH, EPOCH, NOTHING) == []


def test_what_is_published_is_not_run_again() -> None:
    complete = ledger(replayed(history_steps(EVERYTHING, START, END, NOTHING)))
    assert history_steps(EVERYTHING, START, END, complete) == []


def test_only_the_gap_in_the_history_is_run_and_what_waits_for_it() -> None:
    published = replayed(history_steps(EVERYTHING, START, END, NOTHING))
    gap = day("2024-03-05")
    published[FEATURES].remove(gap)
    assert history_steps(EVERYTHING, START, END, ledger(published)) == [], "the models that saw the day are published"
    del published[MODELS]
    steps = history_steps(EVERYTHING, START, END, ledger(published))
    assert [(s.tables, s.start, s.end) for s in steps] == [
        ((FEATURES,), gap, gap),
        ((MODELS,), day("2024-11-01"), day("2024-11-04")),
    ]


def test_a_later_training_day_of_the_range_needs_no_more_than_its_window() -> None:
    steps = history_steps((MODELS,), START, day("2024-12-02"), NOTHING)
    assert min(days_of(steps, FEATURES)) == day("2024-11-01") - timedelta(days=400)
    assert max(days_of(steps, FEATURES)) == START - timedelta(days=1)


# --- history and range at once ----------------------------------------------------------------------------------------


SLATE, QUOTES = "nba_raw.schedule", "nba_raw.game_lines"
BEFORE = Step((SLATE, QUOTES), day("2024-08-01"), day("2024-11-04"), "history")
ASKED = Step((SLATE, QUOTES), START, END, "requested")


def test_on_an_empty_home_a_table_runs_once_over_history_and_range() -> None:
    first, last = EPOCH + timedelta(days=20), EPOCH + timedelta(days=25)
    apart = plan(EVERYTHING, first, last, NOTHING, missing=False)
    planned = joined(apart)
    assert apart.history
    assert all(s.end == last for s in planned.history)
    assert planned.table_days == apart.table_days
    assert replayed(planned.steps) == replayed(apart.steps)
    assert not {t for s in planned.history for t in s.tables} & {t for s in planned.requested for t in s.tables}


def test_nothing_is_left_to_run_where_all_tables_lack_their_history() -> None:
    planned = joined(Plan((BEFORE,), (ASKED,)))
    assert [(s.tables, s.start, s.end) for s in planned.steps] == [(BEFORE.tables, BEFORE.start, END)]


def test_a_table_waits_for_the_range_where_what_it_reads_of_it_is_computed_later() -> None:
    planned = Plan((replace(BEFORE, tables=(QUOTES,)),), (ASKED,))
    assert joined(planned) == planned


def test_history_that_ends_before_the_range_begins_is_not_joined() -> None:
    planned = Plan((replace(BEFORE, end=day("2024-11-01")),), (ASKED,))
    assert joined(planned) == planned


def test_tables_that_were_not_selected_run_on_the_history_alone() -> None:
    planned = Plan((BEFORE,), (replace(ASKED, tables=(QUOTES,)),))
    assert joined(planned) == planned


# --- what is selected -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["nba_raw.shots", "nba_raw.player_prop_lines", "nba_predictions.prediction_accuracy"])
def test_the_selection_that_remedies_print_is_the_table_and_everything_below_it(table: str) -> None:
    assert select([with_all_below(table)], definitions.ASSETS) == list(downstream_closure({table}, EVERYTHING))


def test_what_cannot_be_selected_is_told_what_can_be() -> None:
    with pytest.raises(ConfigurationError, match="'shots\\+' is not a table") as e:
        select(["shots+"], definitions.ASSETS)
    assert """'key:"nba_raw/schedule"+'""" in e.value.remedy


# --- what stays to do -------------------------------------------------------------------------------------------------

CONTEXT = "nba_analytics.upcoming_player_game_context"
CHAIN = (FACTS, CONTEXT)
DAYS = days_between(START, END)


def missing(*entries: pa.Table) -> list[Step]:
    return missing_steps(CHAIN, START, END, pa.concat_tables(entries))


def test_of_a_range_that_is_complete_nothing_stays_to_do() -> None:
    assert missing(ledger(dict.fromkeys(CHAIN, DAYS))) == []
    explained = ledger({FACTS: DAYS}, absent={"not played": 1})
    assert missing(explained, ledger({CONTEXT: DAYS})) == []


def test_what_was_never_published_runs_with_everything_below_it_and_nothing_else() -> None:
    (step,) = missing(ledger({FACTS: DAYS, CONTEXT: DAYS[:1] + DAYS[2:]}))
    assert (step.tables, step.start, step.end) == ((CONTEXT,), DAYS[1], DAYS[1])
    (step,) = missing(ledger({FACTS: DAYS[1:], CONTEXT: DAYS}))
    assert (step.tables, step.start, step.end) == (CHAIN, DAYS[0], DAYS[0])


@pytest.mark.parametrize(
    "told",
    [{"absent": {PENDING: 2}}, {"unexplained": 1}],
    ids=["its games were not over", "rows are absent without a reason"],
)
@pytest.mark.parametrize(("whole", "lacking"), [CHAIN, CHAIN[::-1]])
def test_of_a_day_that_is_unfinished_every_table_stays_to_do(told: dict[str, Any], whole: str, lacking: str) -> None:
    found = missing(ledger({whole: DAYS, lacking: DAYS[:2]}), ledger({lacking: DAYS[2:]}, **told))
    assert [(s.tables, s.start, s.end) for s in found] == [(CHAIN, END, END)]


def test_a_day_that_is_refused_stays_to_do_with_what_is_below_it() -> None:
    refused = ledger({CONTEXT: DAYS[2:]}, state="refused", reasons=("coverage: bad",), unexplained=1)
    found = missing(ledger({FACTS: DAYS, CONTEXT: DAYS}), refused)
    assert [(s.tables, s.start, s.end) for s in found] == [((CONTEXT,), END, END)]


# --- how a run ended --------------------------------------------------------------------------------------------------


def evaluated(description: str, **more: Any) -> dg.DagsterEvent:
    """The event of a check `replay` of a table that found this."""
    facts: dict[str, Any] = {"passed": False, "severity": dg.AssetCheckSeverity.ERROR}
    found = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["nba_predictions", "prices"]),
        check_name="replay",
        metadata={},
        description=description,
        **facts | more,
    )
    return dg.DagsterEvent(dg.DagsterEventType.ASSET_CHECK_EVALUATION.value, "all_tables", event_specific_data=found)


def test_checks_of_a_whole_run_that_failed_are_told_with_what_they_found() -> None:
    found = failed_checks(
        [
            evaluated("2024-11-06: 3 cells differ"),
            evaluated("no reason to stop", severity=dg.AssetCheckSeverity.WARN),
            evaluated("none differs", passed=True),
            evaluated("a day that is refused, and told as such", partition="2024-11-06"),
        ]
    )
    assert found == ("nba_predictions.prices: replay: 2024-11-06: 3 cells differ",)
