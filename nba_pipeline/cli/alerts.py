"""The command `alerts`: open alerts, and a test message through the configured channels."""

from collections.abc import Callable
from functools import partial

import click

from nba_pipeline.automation.alert_store import AlertStore
from nba_pipeline.automation.heartbeat import beat
from nba_pipeline.automation.notifiers import notifiers
from nba_pipeline.cli.console import print_json
from nba_pipeline.common import clock
from nba_pipeline.common.errors import AlertError
from nba_pipeline.config.settings import Settings


def show_alerts(as_json: bool) -> bool:
    """Print the open alerts; True when there are none."""
    alerts = AlertStore(Settings.from_environment().open_state()).open_alerts()
    if as_json:
        print_json([vars(a) for a in alerts])
        return not alerts
    for a in alerts:
        suffix = "" if a.sent_at else "  (not sent yet)"
        click.echo(f"{a.opened_at[:16]}  {a.kind:<9}  {a.text}{suffix}")
    click.echo(f"{len(alerts)} open alerts")
    return not alerts


def send_test(as_json: bool) -> bool:
    """Send a test message through every configured channel, and a sign of life; False when one was not accepted.

    Args:
        as_json: Print JSON.
    """
    settings = Settings.from_environment().alerts
    text = f"A test of the alerts, sent at {clock.now():%Y-%m-%d %H:%M} UTC."
    sends = {c.name: partial(c.send, "nba_pipeline: test", [text]) for c in notifiers(settings)}
    if settings.heartbeat is not None:
        sends["monitor"] = partial(beat, settings.heartbeat)
    outcomes = [(name, _why_not_delivered(send)) for name, send in sends.items()]
    if as_json:
        print_json([{"channel": name, "delivered": not why, "error": why} for name, why in outcomes])
    for name, why in () if as_json else outcomes:
        click.echo(f"{name}: {f'NOT delivered: {why}' if why else 'delivered'}", err=bool(why))
    return not any(why for _, why in outcomes)


def _why_not_delivered(send: Callable[[], None]) -> str:
    try:
        send()
    except AlertError as e:
        return str(e)
    return ""
