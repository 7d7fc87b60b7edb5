"""Alerts: each thing is said once, and once more when it is over; every kind arrives; secrets do not."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nba_pipeline import definitions
from nba_pipeline.automation import alert_rules, selections
from nba_pipeline.automation.alert_delivery import LINES_A_MESSAGE, MESSAGES_AN_HOUR
from nba_pipeline.automation.alert_rules import Published
from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore
from nba_pipeline.automation.game_slate import Game
from nba_pipeline.automation.notifiers import LogNotifier, WebhookNotifier, notifiers
from nba_pipeline.automation.retries import FailedRun
from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import AlertError, ConfigurationError
from nba_pipeline.config.settings import AlertSettings, Settings
from nba_pipeline.engine.readiness import PENDING
from nba_pipeline.engine.waivers import Waiver, Waivers
from nba_pipeline.evaluation.alarms import Alarm
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.support import day, moment
from nba_pipeline_tests.support.channels import Mailbox, Webhook, mailbox, webhook

assert definitions.defs  # every table is registered
DAY, NEXT = day("2024-11-06"), day("2024-11-07")
NOON, BEFORE_NOON = moment("2024-11-06 17:00"), moment("2024-11-06 16:59")
GAMES = [Game("0022400100", moment("2024-11-06 23:59"), False)]
SLATE = {DAY - timedelta(days=1): [], DAY: GAMES, NEXT: []}
ONE = Alert(AlertKind.GAP, "gap x", "x is not complete")
Row = dict[str, Any]


@pytest.fixture
def chat() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def store(tmp_path: Path, chat: Webhook) -> AlertStore:
    return AlertStore(HomeState(tmp_path), [WebhookNotifier(chat.url)])


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_thing_is_said_once_and_once_more_when_it_is_over(store: AlertStore, chat: Webhook, tmp_path: Path) -> None:
    for minute in range(3):
        store.report([AlertKind.GAP], [ONE], at(minute))
        store = AlertStore(HomeState(tmp_path), store.channels)  # as after a restart
    store.report([AlertKind.GAP], [], at(5))
    store.report([AlertKind.GAP], [], at(6))
    assert [t.split("\n")[1].split()[0] for t in chat.texts] == ["OPEN", "RESOLVED"]
    assert store.open_alerts() == []


def test_a_thing_that_comes_back_is_said_again(store: AlertStore, chat: Webhook) -> None:
    for minute, present in enumerate(([ONE], [], [ONE])):
        store.report([AlertKind.GAP], present, at(minute))
    assert len(chat.texts) == 3


def test_kinds_that_could_not_be_judged_are_not_over(store: AlertStore, chat: Webhook) -> None:
    store.report([AlertKind.GAP], [ONE], at(0))
    store.report([AlertKind.RUN], [], at(1))
    assert len(chat.texts) == 1
    assert [a.key for a in store.open_alerts()] == [ONE.key]


def test_all_that_is_new_is_one_message_and_a_long_one_is_cut(store: AlertStore, chat: Webhook) -> None:
    store.report([AlertKind.GAP], [Alert(AlertKind.GAP, f"gap {i:02}", f"thing {i:02}") for i in range(40)], at(0))
    (text,) = chat.texts
    assert "40 new alerts" in text
    assert f"and {40 - LINES_A_MESSAGE} more" in text


def test_messages_are_limited_by_the_hour_and_what_waits_is_sent_later(store: AlertStore, chat: Webhook) -> None:
    present: list[Alert] = []
    for minute in range(20):
        present.append(Alert(AlertKind.GAP, f"gap {minute}", f"thing {minute}"))
        store.report([AlertKind.GAP], present, at(minute))
    assert len(chat.texts) == MESSAGES_AN_HOUR
    store.report([AlertKind.GAP], present, at(90))
    assert "14 new alerts" in chat.texts[-1]


def test_a_channel_that_was_down_gets_the_message_later(store: AlertStore, chat: Webhook) -> None:
    chat.answer = 503
    done = store.report([AlertKind.GAP], [ONE], at(0))
    assert (done.sent, "503" in done.why_not) == (False, True)
    chat.answer = 200
    assert store.report([AlertKind.GAP], [ONE], at(1)).sent
    assert len(chat.texts) == 1


@dataclass
class Channel:
    """A channel in this process: what it was sent, whether it is down, and what happens while it sends."""

    name: str
    down: bool = False
    subjects: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def send(self, subject: str, lines: list[str]) -> None:
        assert subject
        self.meanwhile()
        if self.down:
            raise AlertError(f"{self.name} is down")
        self.subjects.append(lines[0].split()[0])


def test_a_channel_that_is_down_for_a_day_does_not_repeat_the_messages_of_the_others(tmp_path: Path) -> None:
    up, down = Channel("chat"), Channel("e-mail", down=True)
    store = AlertStore(HomeState(tmp_path), [up, down])
    for hour in range(24):
        store.report([AlertKind.GAP], [ONE], at(60 * hour))
    assert (up.subjects, down.subjects) == (["OPEN"], [])
    down.down = False
    assert store.report([AlertKind.GAP], [ONE], at(60 * 24)).sent
    store.report([AlertKind.GAP], [], at(60 * 25))
    assert (up.subjects, down.subjects) == (["OPEN", "RESOLVED"], ["OPEN", "RESOLVED"])


def test_a_channel_that_never_heard_of_an_alert_is_not_told_that_it_is_over(tmp_path: Path) -> None:
    up, down = Channel("chat"), Channel("e-mail", down=True)
    store = AlertStore(HomeState(tmp_path), [up, down])
    store.report([AlertKind.GAP], [ONE], at(0))
    store.report([AlertKind.GAP], [], at(1))
    down.down = False
    store.report([AlertKind.GAP], [], at(2))
    assert (up.subjects, down.subjects) == (["OPEN", "RESOLVED"], [])


def test_while_a_message_is_on_its_way_others_can_write_and_do_not_send_it_again(tmp_path: Path) -> None:
    slow = Channel("e-mail")
    slow.meanwhile = lambda: AlertStore(HomeState(tmp_path), [slow]).report([AlertKind.GAP], [ONE], at(0))
    AlertStore(HomeState(tmp_path), [slow]).report([AlertKind.GAP], [ONE], at(0))
    assert slow.subjects == ["OPEN"]


def entry(table: str, on: date, state: str = "published", **more: Any) -> Row:
    known = {"games": 1, "absent": "{}", "reasons": "[]", "unexplained": 0, "recorded_at": NOON, "run_id": "r"}
    return {"table_id": table, "day": on, "state": state} | known | more


def held(*entries: Row) -> Published:
    return Published.of(entries)


def texts(alerts: Sequence[Alert]) -> list[str]:
    return [a.text for a in alerts]


def test_forecasts_are_due_by_noon_of_a_game_day() -> None:
    (late,) = alert_rules.freshness(NOON, SLATE, held())
    assert late.key == f"freshness {selections.FORECASTS} {DAY}"
    assert alert_rules.freshness(BEFORE_NOON, SLATE, held()) == []
    assert alert_rules.freshness(NOON, SLATE, held(entry(selections.FORECASTS, DAY))) == []


@pytest.mark.parametrize("made", [{"state": "refused", "reasons": '["contract: x"]'}, {"games": 0}])
def test_forecasts_that_are_refused_or_empty_are_late_too(made: Row) -> None:
    assert len(alert_rules.freshness(NOON, SLATE, held(entry(selections.FORECASTS, DAY, **made)))) == 1


def test_grades_are_due_by_nine_of_the_next_morning() -> None:
    nine = moment("2024-11-07 14:00")
    assert texts(alert_rules.freshness(nine, SLATE, held()))[0].startswith(f"no grades of {DAY}")
    assert alert_rules.freshness(nine - timedelta(minutes=1), SLATE, held()) == []
    waiting = entry(selections.GRADES, DAY, absent=json.dumps({PENDING: 9}))
    assert len(alert_rules.freshness(nine, SLATE, held(waiting))) == 1
    assert alert_rules.freshness(nine, SLATE, held(entry(selections.GRADES, DAY))) == []


def test_without_games_nothing_is_late_and_nothing_is_missing() -> None:
    empty = {d: [] for d in SLATE}
    assert alert_rules.freshness(moment("2024-11-06 23:00"), empty, held()) == []
    assert alert_rules.gaps(moment("2024-11-09 23:00"), empty, held(), selections.daily(), DAY) == []


def test_a_refused_day_is_an_alert_but_not_the_days_that_only_lack_it() -> None:
    bad = entry("nba_raw.shots", DAY, "refused", reasons='["contract: pts is missing"]')
    below = entry(
        "nba_analytics.player_game_summary", DAY, "refused", reasons='["coverage: needs the day itself of x"]'
    )
    (alert,) = alert_rules.refusals(held(bad, below))
    assert "nba_raw.shots refused 2024-11-06: contract: pts is missing" in alert.text


def test_a_game_day_that_is_over_and_not_complete_is_one_alert() -> None:
    late = moment("2024-11-07 16:00")
    entries = [entry(t, DAY) for t in selections.daily()]
    assert alert_rules.gaps(late, SLATE, held(*entries), selections.daily(), DAY) == []
    (gap,) = alert_rules.gaps(late, SLATE, held(*entries[:-2]), selections.daily(), DAY)
    unexplained = entry(selections.daily()[0], DAY, unexplained=1)
    assert len(alert_rules.gaps(late, SLATE, held(*entries[1:], unexplained), selections.daily(), DAY)) == 1
    assert f"backfill {DAY} {DAY} --missing" in gap.text
    assert alert_rules.gaps(late - timedelta(minutes=1), SLATE, held(), selections.daily(), DAY) == []


def test_what_is_waived_is_no_alert() -> None:
    bad = entry("nba_raw.shots", DAY, "refused", reasons='["contract: pts is missing"]')
    rest = [entry(t, DAY) for t in selections.daily() if t != "nba_raw.shots"]
    waived = Waivers((Waiver("nba_raw.shots", DAY, DAY, DAY, "me", "the log is lost"),))
    seen, late = held(bad, *rest), moment("2024-11-07 16:00")
    assert len(alert_rules.refusals(seen)) == len(alert_rules.gaps(late, SLATE, seen, selections.daily(), DAY)) == 1
    assert alert_rules.refusals(seen.without(waived)) == []
    assert alert_rules.gaps(late, SLATE, seen, selections.daily(), DAY, waived) == []


def failed(**more: Any) -> FailedRun:
    known: Row = {"run_id": "abcdefgh1", "ended": NOON, "tables": ("a",), "start": DAY, "end": DAY, "refused": False}
    return FailedRun(
        **known
        | {"errors": frozenset({"WarehouseError"}), "transient": False, "origin": "abcdefgh1", "attempt": 0}
        | more
    )


def test_a_failed_run_is_an_alert_until_a_later_try_succeeds_or_its_days_are_published() -> None:
    (alert,) = alert_rules.failed_runs([failed(message="nba_raw.shots: the disk is full")], set(), held())
    assert "WarehouseError: nba_raw.shots: the disk is full" in alert.text
    assert alert_rules.failed_runs([failed()], {"abcdefgh1"}, held()) == []
    assert alert_rules.failed_runs([failed()], set(), held(entry("a", DAY, recorded_at=NOON))) == []
    assert len(alert_rules.failed_runs([failed()], set(), held(entry("a", DAY, recorded_at=BEFORE_NOON)))) == 1


def test_the_tries_of_a_run_are_one_alert_and_refusals_are_alerts_of_their_own() -> None:
    tries = [failed(), failed(run_id="b", attempt=1)]
    assert len(alert_rules.failed_runs(tries, set(), held())) == 1
    assert alert_rules.failed_runs([failed(refused=True)], set(), held()) == []


def test_figures_that_are_too_good_and_sources_that_are_out_are_alerts() -> None:
    assert (
        "suspected leakage: ridge_v1: MAE"
        in alert_rules.leakage_alarms([Alarm("ridge_v1", "MAE 3.0 is under 4.35")])[0].text
    )
    two = [Alarm("ridge_v1", "MAE 3.0 is under 4.35"), Alarm("ridge_v1", "hit rate 70 %")]
    for rule in (alert_rules.leakage_alarms, alert_rules.drifts):
        (alert,) = rule(two)
        assert "ridge_v1: MAE 3.0 is under 4.35; hit rate 70 %. Fix:" in alert.text
    assert "source out: no answer" in alert_rules.outages({"lines": "no answer"})[0].text


def test_the_log_is_the_default_channel() -> None:
    assert notifiers(AlertSettings()) == [LogNotifier()]


def mail_to(box: Mailbox, **more: str) -> dict[str, str]:
    known = {
        "HOST": "127.0.0.1",
        "PORT": str(box.port),
        "SECURITY": "none",
        "FROM": "p@example.org",
        "TO": "d@example.org",
    }
    return {f"NBA_PIPELINE_ALERT_EMAIL_{k}": v for k, v in (known | more).items()}


def test_an_e_mail_arrives(mail: Mailbox) -> None:
    (channel,) = notifiers(Settings.from_environment(mail_to(mail)).alerts)
    channel.send("subject", ["one", "two"])
    (message,) = mail.messages
    assert "Subject: subject" in message
    assert "one\r\ntwo" in message


def test_what_slack_reads_as_a_mention_or_a_link_arrives_as_text(chat: Webhook) -> None:
    WebhookNotifier(chat.url).send("a & b", ["refused <!channel> <https://example.org|here>"])
    assert chat.texts == ["*a &amp; b*\nrefused &lt;!channel&gt; &lt;https://example.org|here&gt;"]


@pytest.mark.parametrize("answer", [404, 500])
def test_a_webhook_that_does_not_take_the_message_is_an_error_without_its_address(chat: Webhook, answer: int) -> None:
    chat.answer = answer
    with pytest.raises(AlertError) as caught:
        WebhookNotifier(chat.url).send("s", [])
    assert str(answer) in str(caught.value)
    assert "secret" not in f"{caught.value}{WebhookNotifier(chat.url)!r}{caught.value.__cause__}"


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.org/secret token", "http://127.0.0.1:80x0/secret", "http://[/secret", "no-scheme/secret"],
)
def test_an_address_that_cannot_be_asked_and_bytes_that_are_no_http_are_errors_without_the_address(
    chat: Webhook, url: str
) -> None:
    chat.answer = 0
    for address in (url, chat.url):
        with pytest.raises(AlertError, match="the webhook cannot be reached") as caught:
            WebhookNotifier(address).send("s", [])
        assert "secret" not in f"{caught.value}{caught.value.__cause__}"


def test_a_sender_that_no_header_may_hold_is_an_error_of_the_channel(mail: Mailbox) -> None:
    (channel,) = notifiers(Settings.from_environment(mail_to(mail, FROM="p@example.org\nx")).alerts)
    with pytest.raises(AlertError, match="ALERT_EMAIL_"):
        channel.send("s", [])


def test_a_mail_server_that_refuses_is_an_error_without_the_password(mail: Mailbox) -> None:
    mail.refuses = True
    (channel,) = notifiers(Settings.from_environment(mail_to(mail, PASSWORD="hush-hush")).alerts)
    with pytest.raises(AlertError) as caught:
        channel.send("s", [])
    assert "hush-hush" not in f"{caught.value}{channel!r}"


@pytest.mark.parametrize(
    "changes", [{"HOST": ""}, {"PORT": "many"}, {"SECURITY": "some"}, {"TO": ""}], ids=lambda c: next(iter(c))
)
def test_half_a_configuration_is_refused(changes: Row) -> None:
    with pytest.raises(ConfigurationError, match="ALERT_EMAIL_"):
        notifiers(Settings.from_environment(mail_to(Mailbox(port=25), **changes)).alerts)


def test_the_drill_goes_through_the_configured_channel_and_says_whether_it_arrived(
    chat: Webhook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("NBA_PIPELINE_ALERT_WEBHOOK", chat.url)
    done = CliRunner().invoke(main, ["alerts", "test"])
    assert (done.exit_code, done.output) == (0, "webhook: delivered\n")
    assert "A test of the alerts" in chat.texts[0]
    chat.answer = 404
    done = CliRunner().invoke(main, ["alerts", "test"])
    assert done.exit_code == 1
    assert "NOT delivered" in done.output
    assert "secret" not in done.output
    done = CliRunner().invoke(main, ["alerts", "test", "--json"])
    (told,) = json.loads(done.stdout)
    assert (done.exit_code, told["channel"], told["delivered"]) == (1, "webhook", False)
    assert "secret" not in done.output


def test_the_command_lists_what_is_open_and_its_exit_code_says_so(
    store: AlertStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    assert CliRunner().invoke(main, ["alerts"]).exit_code == 0
    store.report([AlertKind.GAP], [ONE], NOON)
    done = CliRunner().invoke(main, ["alerts"])
    assert done.exit_code == 1
    assert ONE.text in done.output
