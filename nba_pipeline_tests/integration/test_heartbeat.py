"""A monitor elsewhere hears of every look at the alerts that ended well, and of no other."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from nba_pipeline.automation import observations, sensors
from nba_pipeline.automation.alert_delivery import MESSAGES_AN_HOUR
from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.automation.observations import AlertObservations
from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import WarehouseError
from nba_pipeline_tests.support import moment
from nba_pipeline_tests.support.channels import Webhook, webhook

GAP = Alert(AlertKind.GAP, "gap 2024-11-05", "2024-11-05 is not complete")
NOON, LOOK = moment("2024-11-06 12:00"), timedelta(minutes=5)


@pytest.fixture
def chat() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def monitor(chat: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as found:
        monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
        monkeypatch.setenv("NBA_PIPELINE_ALERT_WEBHOOK", chat.url)
        monkeypatch.setenv("NBA_PIPELINE_HEARTBEAT_URL", found.url)
        yield found


def look(monkeypatch: pytest.MonkeyPatch, *alerts: Alert) -> str:
    """One evaluation of the sensor, and what it says."""
    seen = AlertObservations(list(alerts), [AlertKind.GAP], {})
    monkeypatch.setattr(observations, "observe_alerts", lambda *_: seen)
    with dg.DagsterInstance.ephemeral() as instance:
        answer = sensors.alerts(dg.build_sensor_context(instance))
    assert isinstance(answer, dg.SkipReason)
    return answer.skip_message or ""


def test_the_monitor_is_told_after_each_look_with_and_without_alerts(
    monitor: Webhook, chat: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(monkeypatch).endswith("the monitor was told")
    look(monkeypatch, GAP)
    assert (monitor.asked, len(chat.texts)) == (2, 1)


def test_a_message_that_is_rejected_and_a_look_that_fails_leave_the_monitor_in_silence(
    monitor: Webhook, chat: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.answer = 503
    assert "no sign of life" in look(monkeypatch, GAP)

    def fail(*_: object) -> AlertObservations:
        raise WarehouseError("the file is damaged")

    monkeypatch.setattr(observations, "observe_alerts", fail)
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(WarehouseError):
        sensors.alerts(dg.build_sensor_context(instance))
    assert monitor.asked == 0


def test_a_channel_that_is_down_for_an_hour_is_tried_at_each_look_and_the_monitor_hears_of_none(
    monitor: Webhook, chat: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat.answer = 503
    for n in range(13):
        monkeypatch.setenv("NBA_PIPELINE_NOW", f"{NOON + n * LOOK:%Y-%m-%dT%H:%M:%SZ}")
        said = look(monkeypatch, GAP)
        assert "status 503\n  Fix: create a new webhook" in said
        assert "no sign of life" in said
    assert monitor.asked == 0
    chat.answer = 200
    assert look(monkeypatch, GAP).endswith("the monitor was told")
    assert (monitor.asked, len(chat.texts)) == (1, 1)


def test_a_message_that_waits_for_the_next_hour_leaves_the_monitor_in_silence(
    monitor: Webhook, chat: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = [Alert(AlertKind.GAP, f"gap 2024-11-{n:02d}", f"day {n} is not complete") for n in range(1, 8)]
    said = []
    for n in range(len(gaps)):
        monkeypatch.setenv("NBA_PIPELINE_NOW", f"{NOON + n * LOOK:%Y-%m-%dT%H:%M:%SZ}")
        said.append(look(monkeypatch, *gaps[: n + 1]))
    assert "no sign of life" in said[-1]
    assert (monitor.asked, len(chat.texts)) == (MESSAGES_AN_HOUR, MESSAGES_AN_HOUR)


@pytest.mark.parametrize("answer", [404, 500])
def test_a_monitor_that_is_down_stops_no_alert_and_is_named_without_its_address(
    monitor: Webhook, chat: Webhook, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    monitor.answer = answer
    said = look(monkeypatch, GAP)
    assert f"the monitor returned status {answer}\n  Fix: set NBA_PIPELINE_HEARTBEAT_URL" in said
    assert "secret-part" not in said
    assert len(chat.texts) == 1


def test_a_monitor_that_speaks_no_http_stops_no_alert_and_the_drill_names_it_without_its_address(
    monitor: Webhook, chat: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor.answer = 0
    assert "the monitor cannot be reached (BadStatusLine)" in look(monkeypatch, GAP)
    assert len(chat.texts) == 1
    done = CliRunner().invoke(main, ["alerts", "test"])
    assert (done.exit_code, "monitor: NOT delivered" in done.output, "secret" in done.output) == (1, True, False)


@pytest.mark.usefixtures("chat")
def test_the_drill_includes_the_monitor(monitor: Webhook) -> None:
    done = CliRunner().invoke(main, ["alerts", "test"])
    assert (done.exit_code, done.output) == (0, "webhook: delivered\nmonitor: delivered\n")
    monitor.answer = 404
    done = CliRunner().invoke(main, ["alerts", "test"])
    assert done.exit_code == 1
    assert "monitor: NOT delivered: the monitor returned status 404" in done.output
