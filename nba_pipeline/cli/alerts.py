"""The command `alerts`: open alerts, and a test message through the configured channels."""

import json

import click

from nba_pipeline.automation.alert_store import AlertStore
from nba_pipeline.automation.notifiers import notifiers
from nba_pipeline.common import clock
from nba_pipeline.common.errors import AlertError
from nba_pipeline.config.settings import Settings


def show_alerts(as_json: bool) -> bool:
    """Print the open alerts; True when there are none."""
    alerts = AlertStore(Settings.from_environment().home).open_alerts()
    if as_json:
        click.echo(json.dumps([vars(a) for a in alerts], indent=2))
        return not alerts
    for a in alerts:
        suffix = "" if a.sent_at else "  (not sent yet)"
        click.echo(f"{a.opened_at[:16]}  {a.kind:<9}  {a.text}{suffix}")
    click.echo(f"{len(alerts)} open alerts")
    return not alerts


def send_test() -> bool:
    """Send a test message through every configured channel; False when one did not accept it."""
    delivered = True
    for channel in notifiers(Settings.from_environment().alerts):
        try:
            channel.send("nba_pipeline: test", [f"A test of the alerts, sent at {clock.now():%Y-%m-%d %H:%M} UTC."])
        except AlertError as e:
            delivered = False
            click.echo(f"{channel.name}: NOT delivered: {e}", err=True)
        else:
            click.echo(f"{channel.name}: delivered")
    return delivered
