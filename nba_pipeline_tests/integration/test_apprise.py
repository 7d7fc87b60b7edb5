"""Alerts through apprise: each address is a channel of its own, what it rejects is an error, and no log shows an address."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore
from nba_pipeline.automation.notifiers import AppriseNotifier, notifiers
from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import AlertError
from nba_pipeline.config.settings import AlertSettings
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.support import moment
from nba_pipeline_tests.support.channels import Webhook, webhook

CLOSED = "json://127.0.0.1:9/secret-part"
UNKNOWN = "nothing://127.0.0.1/secret-part"
GAP = Alert(AlertKind.GAP, "gap x", "x is not complete")


@pytest.fixture
def service() -> Iterator[Webhook]:
    pytest.importorskip("apprise", reason="pip install 'nba_pipeline[alerts]'")
    with webhook() as found:
        yield found


def address(service: Webhook) -> str:
    return service.url.replace("http://", "json://")


def names(urls: Sequence[str], webhook: str | None = None) -> list[str]:
    return [c.name for c in notifiers(AlertSettings(webhook=webhook, apprise=tuple(urls)))]


def test_a_channel_is_named_by_its_scheme_and_the_next_of_the_same_by_a_number() -> None:
    urls = ["discord://a/b", "tgram://c", "Discord://d/e"]
    assert names(urls) == ["discord", "tgram", "discord 2"]
    assert names([*urls, "discord://f/g"])[:3] == names(urls)
    assert names(["webhook://a"], webhook="https://host/x") == ["webhook", "webhook 2"]


def test_a_message_arrives_as_it_was_written(service: Webhook) -> None:
    AppriseNotifier(address(service), "json").send("1 <new> alert", ["OPEN  a & b", "OPEN  *c*"])
    (body,) = service.posted
    assert (body["title"], body["message"]) == ("1 <new> alert", "OPEN  a & b\nOPEN  *c*")
    assert body["type"] == "warning"


def test_a_message_longer_than_the_service_takes_is_split(service: Webhook) -> None:
    lines = [f"{n:05d} " + "x" * 94 for n in range(400)]
    AppriseNotifier(address(service), "json").send("long", lines)
    assert len(service.posted) > 1
    assert all(line in "".join(p["message"] for p in service.posted) for line in (lines[0], lines[-1]))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "the service of the channel x did not accept"),
        (CLOSED, "the service of the channel x did not accept"),
        (UNKNOWN, "apprise cannot read the address of the channel x"),
        ("discord://secret-part", "apprise cannot read the address of the channel x"),
    ],
    ids=["refuses", "down", "unknown", "incomplete"],
)
def test_what_is_not_delivered_is_an_error_and_the_address_is_in_no_log(
    url: str, why: str, service: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    service.answer = 500
    with caplog.at_level(logging.DEBUG), pytest.raises(AlertError, match=why) as caught:
        AppriseNotifier(url or address(service), "x").send("s", ["a line"])
    assert "NBA_PIPELINE_ALERT_APPRISE" in caught.value.remedy
    assert "secret-part" not in f"{caplog.text}{caught.value}{caught.value.__cause__}{caught.value.__context__}"


def test_the_address_is_in_no_log_of_a_delivery_and_other_requests_are_logged_as_before(
    service: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        AppriseNotifier(address(service), "x").send("s", ["a line"])
        assert caplog.text == ""
        logging.getLogger("urllib3.connectionpool").debug("later")
    assert "later" in caplog.text


def test_a_channel_that_is_down_gets_its_message_later_and_the_other_none_twice(
    service: Webhook, tmp_path: Path
) -> None:
    with webhook() as other:
        channels = notifiers(AlertSettings(apprise=(address(service), address(other))))
        store = AlertStore(HomeState(tmp_path), channels)
        service.answer = 503
        delivery = store.report([AlertKind.GAP], [GAP], moment("2024-11-06 17:00"))
        assert (len(service.posted), len(other.posted), delivery.undelivered) == (0, 1, True)
        service.answer = 200
        assert store.report([AlertKind.GAP], [GAP], moment("2024-11-06 17:05")).sent
        assert (len(service.posted), len(other.posted)) == (1, 1)


def test_the_drill_tries_every_service_and_says_which_did_not_take_it(
    service: Webhook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "apprise"
    secret.write_text(f"{address(service)}\n{CLOSED} {UNKNOWN}\n")
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NBA_PIPELINE_ALERT_APPRISE_FILE", str(secret))
    done = CliRunner().invoke(main, ["alerts", "test", "--json"])
    told = {t["channel"]: t["delivered"] for t in json.loads(done.stdout)}
    assert (done.exit_code, told) == (1, {"json": True, "json 2": False, "nothing": False})
    assert "secret-part" not in done.output


def test_without_the_library_the_error_names_the_extra_and_the_other_channels_are_served(tmp_path: Path) -> None:
    code = "import sys; sys.modules['apprise'] = None\nfrom nba_pipeline.cli import main; main()"
    with webhook() as chat:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, "alerts", "test"],
            env={
                "NBA_PIPELINE_HOME": str(tmp_path),
                "NBA_PIPELINE_ALERT_APPRISE": CLOSED,
                "NBA_PIPELINE_ALERT_WEBHOOK": chat.url,
                "PYTHONPATH": ":".join(sys.path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, len(chat.texts)) == (1, "webhook: delivered\n", 1)
    assert "the channel json needs apprise, which is not installed" in done.stderr
    assert "Fix: pip install 'nba_pipeline[alerts]'" in done.stderr
