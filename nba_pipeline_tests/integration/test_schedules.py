"""What schedules decide on a home whose source is silent, and what their runs contain."""

from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest

from nba_pipeline.automation import selections
from nba_pipeline.automation.run_requests import run_request
from nba_pipeline.automation.schedule_rules import RunPlan, Skip
from nba_pipeline.automation.schedules import decide_overnight
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.readiness import PENDING
from nba_pipeline.reporting.asset import KEY as REPORT_KEY
from nba_pipeline_tests.support import SilentSource
from nba_pipeline_tests.support.homes import LAST, Home


def test_the_night_asks_a_silent_source_only_for_results_that_are_not_in(
    finished_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "open_source", lambda _: SilentSource())
    the_day_after, two_days_after = (
        datetime(LAST.year, LAST.month, LAST.day + n, 6, 30, tzinfo=ZoneInfo(ZONE)) for n in (1, 2)
    )
    assert isinstance(decide_overnight(finished_home.settings, the_day_after), Skip)
    decision = decide_overnight(finished_home.settings, two_days_after)
    assert not isinstance(decision, Skip)
    assert [(a.start, a.end) for a in decision] == [(the_day_after.date(),) * 2]


@pytest.mark.parametrize("told", [f"absent = '{{\"{PENDING}\": 2}}'", "state = 'refused'"], ids=["waiting", "refused"])
def test_results_that_wait_for_games_or_were_refused_are_not_in(
    home: Home, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setattr(Settings, "open_source", lambda _: SilentSource())
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE nba_ops.ledger SET {told} WHERE table_id = '{selections.GRADES}' AND day = DATE '{LAST}'")
    the_day_after = datetime(LAST.year, LAST.month, LAST.day + 1, 6, 30, tzinfo=ZoneInfo(ZONE))
    assert not isinstance(decide_overnight(home.settings, the_day_after), Skip)


@pytest.mark.parametrize(
    ("tables", "with_page"),
    [
        ((selections.MODELS,), False),
        ((selections.SCHEDULE,), False),
        ((selections.MODELS, selections.FORECASTS), True),
        ((selections.GRADES,), True),
    ],
)
def test_the_page_of_a_day_is_written_with_its_forecasts_or_grades_and_not_with_models_alone(
    tables: tuple[str, ...], *, with_page: bool
) -> None:
    request = run_request(RunPlan(tables, LAST, LAST, "why", "key"), "monthly_training")
    assert (REPORT_KEY in (request.asset_selection or [])) == with_page
