"""What the sensors see of runs that failed, and of days that are refused, in a home."""

from datetime import UTC, date, datetime, time, timedelta

import duckdb
import pytest

from nba_pipeline.automation import observations, sensors
from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore
from nba_pipeline.automation.price_alerts import BookPrices
from nba_pipeline.automation.retries import FailedRun
from nba_pipeline.automation.selections import GRADES
from nba_pipeline.cli import check
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.waivers import COLUMNS
from nba_pipeline.state.home import HomeState
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline_tests.support import SilentSource
from nba_pipeline_tests.support.homes import FIRST, LAST, Home

TABLES = tuple(graph_order())


def test_a_run_that_failed_is_seen_with_the_names_of_its_errors_and_what_the_first_one_said(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "open_source", lambda _: SilentSource())
    assert not home.materialize(LAST, LAST).success
    with home.instance() as instance:
        (failed,) = observations.observe_runs(instance, datetime.now(UTC)).failed
    assert (failed.start, failed.end, failed.tables, failed.refused) == (LAST, LAST, TABLES, False)
    assert failed.errors == {"SourceError"}
    assert failed.message.startswith("nba_raw.schedule: SourceError: schedule: no answer for 1 days Fix: wait")


def test_a_failed_run_is_done_with_once_a_later_one_has_published_all_of_its_days(finished_home: Home) -> None:
    entries = finished_home.warehouse.ledger(TABLES, FIRST, LAST).to_pylist()
    first, last = min(e["recorded_at"] for e in entries), max(e["recorded_at"] for e in entries)
    ended = {"before": first - timedelta(seconds=1), "meanwhile": last, "after": last + timedelta(seconds=1)}
    runs = {n: FailedRun(n, at, TABLES, FIRST, LAST, frozenset(), False, False, n, 0) for n, at in ended.items()}
    left = observations.not_published_since([*runs.values()], finished_home.settings)
    assert left == [runs["meanwhile"], runs["after"]]
    assert observations.not_published_since([], finished_home.settings) == []


@pytest.mark.parametrize(("later", "found"), [(sensors.REPAIR_DAYS, [(LAST, LAST)]), (sensors.REPAIR_DAYS + 1, [])])
def test_a_day_that_lacked_upstream_days_is_run_once_they_are_there_for_as_long_as_days_are_repaired(
    home: Home, monkeypatch: pytest.MonkeyPatch, later: int, found: list[tuple[date, date]]
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_NOW", f"{LAST + timedelta(days=later)}T17:00:00Z")
    assert sensors.plan_repairs(home.settings) == []
    lacking = "state = 'refused', reasons = '[\"upstream_missing: no schedule\"]'"
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE nba_ops.ledger SET {lacking} WHERE table_id = '{SHOTS}' AND day = DATE '{LAST}'")
    plans = sensors.plan_repairs(home.settings)
    assert [(p.start, p.end) for p in plans] == found
    assert all(SHOTS in p.tables for p in plans)


# --- alerts of days ---------------------------------------------------------------------------------------------------

SHOTS, LINEUPS, LONG_AFTER = "nba_raw.shots", "nba_raw.lineups", datetime(2021, 12, 24, tzinfo=UTC)
OPEN = Alert(AlertKind.REFUSED, f"refused {SHOTS} {LAST}", "shots were refused")


def refusals(home: Home, at: datetime = LONG_AFTER) -> list[str]:
    with home.instance() as instance:
        observed = observations.observe_alerts(home.settings, instance, at)
    assert AlertKind.REFUSED in observed.kinds
    return [a.key for a in observed.alerts if a.kind == AlertKind.REFUSED]


def refuse(home: Home) -> None:
    with duckdb.connect(str(home.settings.database)) as db:
        refused = "state = 'refused', reasons = '[\"contract: pts is missing\"]'"
        db.execute(f"UPDATE nba_ops.ledger SET {refused} WHERE table_id = '{SHOTS}' AND day = DATE '{LAST}'")


def test_once_a_week_the_whole_history_is_looked_at(home: Home) -> None:
    refuse(home)
    assert refusals(home) == [OPEN.key]
    noted(home, LONG_AFTER)
    assert refusals(home, LONG_AFTER + timedelta(days=6)) == []
    assert refusals(home, LONG_AFTER + timedelta(days=7)) == [OPEN.key]


def noted(home: Home, at: datetime) -> dict[str, str]:
    """What is to be noted of an evaluation, noted as the sensor does once its alerts are reported."""
    with home.instance() as instance:
        notes = observations.observe_alerts(home.settings, instance, at).notes
    for name, value in notes.items():
        AlertStore(HomeState(home.path)).put_note(name, value)
    return notes


def test_a_look_at_the_whole_history_counts_once_its_alerts_are_reported_and_the_source_answered(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(home)
    assert refusals(home) == refusals(home) == [OPEN.key]
    with monkeypatch.context() as down:
        down.setattr(Settings, "open_source", lambda _: SilentSource())
        assert noted(home, LONG_AFTER) == {}
    assert refusals(home) == [OPEN.key]
    assert noted(home, LONG_AFTER) == {observations.WHOLE_HISTORY: str(LONG_AFTER.date() - timedelta(days=1))}
    assert refusals(home) == []


def test_a_refused_day_of_which_an_alert_is_open_is_not_over_until_it_is_mended_or_waived(home: Home) -> None:
    refuse(home)
    AlertStore(HomeState(home.path)).put_note(observations.WHOLE_HISTORY, str(LONG_AFTER.date()))
    assert refusals(home) == []
    AlertStore(HomeState(home.path)).report([AlertKind.REFUSED], [OPEN], LONG_AFTER)
    assert refusals(home) == [OPEN.key]
    line = f"{LAST},{SHOTS},{LAST},{LAST},,me,the log is lost"
    (home.path / "waivers.csv").write_text(f"{','.join(COLUMNS)}\n{line}\n")
    assert refusals(home) == []
    (home.path / "waivers.csv").unlink()
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute("UPDATE nba_ops.ledger SET state = 'published'")
    assert refusals(home) == []


def test_line_ups_of_the_day_are_missed_once_the_home_has_had_some_of_the_season(home: Home) -> None:
    evening = datetime.combine(LAST + timedelta(days=1), time(3), UTC)

    def missed() -> int:
        with home.instance() as instance:
            observed = observations.observe_alerts(home.settings, instance, evening)
        assert AlertKind.LINEUPS in observed.kinds
        return sum(a.kind == AlertKind.LINEUPS for a in observed.alerts)

    assert missed() == 0
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE nba_ops.ledger SET rows = 1 WHERE table_id = '{LINEUPS}' AND day = DATE '{FIRST}'")
        (games,) = db.execute(f"SELECT count(*) FROM nba_raw.schedule WHERE game_date = DATE '{LAST}'").fetchone() or (
            0,
        )
    assert missed() == games > 0


# --- grades -----------------------------------------------------------------------------------------------------------


def test_grades_are_held_against_the_alarm_lines_once_and_again_when_further_ones_are_published(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "open_source", lambda _: SilentSource())
    monkeypatch.setattr(Settings, "is_simulated", False)
    now = datetime.combine(LAST + timedelta(days=1), time(18), UTC)

    def judged() -> tuple[bool, str | None]:
        with home.instance() as instance:
            observed = observations.observe_alerts(home.settings, instance, now)
        for name, value in observed.notes.items():
            AlertStore(HomeState(home.path)).put_note(name, value)
        return {AlertKind.ALARM, AlertKind.DRIFT} <= set(observed.kinds), observed.notes.get(observations.JUDGED)

    recorded = {e["day"]: e["recorded_at"] for e in home.warehouse.ledger([GRADES], FIRST, LAST).to_pylist()}
    assert judged() == (True, str(max(recorded.values())))
    assert judged() == (False, None)
    with duckdb.connect(str(home.settings.database)) as db:
        later = f"recorded_at = recorded_at + INTERVAL 1 HOUR WHERE table_id = '{GRADES}' AND day = DATE '{LAST}'"
        db.execute(f"UPDATE nba_ops.ledger SET {later}")
    assert judged() == (True, str(recorded[LAST] + timedelta(hours=1)))


def test_a_book_whose_prices_contradict_the_others_is_an_alert_with_new_grades_and_a_note_of_the_check(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Settings, "open_source", lambda _: SilentSource())
    monkeypatch.setattr(Settings, "is_simulated", False)
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    found = [BookPrices("betrivers", 40, {LAST: 9})]  # this home has no models, and so no prices
    for module in (observations, check):
        monkeypatch.setattr(module, "contradicted_books", lambda *_: found)
    with home.instance() as instance:
        now = datetime.combine(LAST + timedelta(days=1), time(18), UTC)
        observed = observations.observe_alerts(home.settings, instance, now)
    (alert,) = (a for a in observed.alerts if a.kind == AlertKind.PRICE)
    assert AlertKind.PRICE in observed.kinds
    check.run_check(FIRST, LAST)
    assert alert.text.startswith("9 of 40 prices of betrivers contradict the other books")
    assert f"note     {alert.text}" in capsys.readouterr().out


def test_figures_of_an_invented_market_are_not_judged(home: Home) -> None:
    with home.instance() as instance:
        observed = observations.observe_alerts(home.settings, instance, LONG_AFTER)
    assert (AlertKind.ALARM in observed.kinds, observations.JUDGED in observed.notes) == (False, False)
