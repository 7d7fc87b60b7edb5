"""The time left counts the training of models, and each table of a run, as what they take."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from nba_pipeline.cli.backfill_preview import work_an_hour
from nba_pipeline.cli.console import table_days
from nba_pipeline.common import progress
from nba_pipeline.orchestration.backfill_plan import Plan, Step
from nba_pipeline.orchestration.run_history import RangeRun, TableEnd
from nba_pipeline.orchestration.work import TABLE_OF_A_RUN, TRAINING_DAY, work

MODELS, FORM = "nba_predictions.prediction_models", "nba_precompute.player_daily_cache"
OCTOBER, DECEMBER = date(2024, 10, 22), date(2024, 12, 1)
DAYS = 41


def test_a_table_is_work_in_every_run_and_by_its_days_and_models_by_the_days_on_which_they_are_trained() -> None:
    assert work(FORM, OCTOBER, DECEMBER) == TABLE_OF_A_RUN + DAYS
    assert work(MODELS, OCTOBER, DECEMBER) == TABLE_OF_A_RUN + DAYS + 2 * TRAINING_DAY
    assert work(MODELS, date(2024, 11, 2), date(2024, 11, 30)) == TABLE_OF_A_RUN + 29


def test_a_plan_has_the_work_of_each_table_run_by_run() -> None:
    history = Step((FORM,), date(2024, 10, 1), date(2024, 10, 21), "history")
    plan = Plan((history,), (Step((FORM, MODELS), OCTOBER, DECEMBER, "requested"),))
    in_range = TABLE_OF_A_RUN + DAYS
    assert plan.work == {FORM: [TABLE_OF_A_RUN + 21, in_range], MODELS: [in_range + 2 * TRAINING_DAY]}
    assert plan.table_days == 21 + 2 * DAYS


def test_the_time_left_is_that_of_the_work_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 10.0, 100.0])
    monkeypatch.setattr("nba_pipeline.cli.console.time.monotonic", lambda: next(times))
    with table_days(2 * DAYS, work={FORM: [DAYS], MODELS: [9 * DAYS]}):
        progress.announce(FORM, progress.DONE, DAYS)
        progress.announce(MODELS, progress.DONE, DAYS)
    first, second = [line for line in capsys.readouterr().out.splitlines() if line]
    assert first.endswith("41/82 table-days, 4/s, ETA 2 min")  # 90 s by its work, 10 s by its days
    assert second.endswith("ETA 0 s")


def test_the_rate_of_earlier_runs_is_in_work_and_leaves_out_what_failed() -> None:
    began = datetime(2024, 12, 2, tzinfo=UTC)
    at = began + timedelta(hours=2)
    ends = tuple(TableEnd(at, failed, t.replace(".", "__", 1)) for t, failed in ((FORM, 0), (MODELS, 0), (FORM, 3)))
    run = RangeRun("a", "backfill", "success", OCTOBER, DECEMBER, 2, began, at, ends)
    assert work_an_hour([run], at) == (2 * TABLE_OF_A_RUN + 2 * DAYS + 2 * TRAINING_DAY) / 2
    begun = replace(run, group="b", state="started", ends=ends[:1])
    nothing_done = replace(run, group="c", ends=())
    assert work_an_hour([run, begun, nothing_done], at) == work_an_hour([run], at)
    assert work_an_hour([], at) is None
