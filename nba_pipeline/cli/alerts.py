"""`nba-pipeline alerts`: what is open, and a drill through the configured channels."""

import json
import os

import click

from nba_pipeline.automation.alert_store import Desk
from nba_pipeline.automation.notifiers import notifiers
from nba_pipeline.common import clock
from nba_pipeline.common.errors import AlertError
from nba_pipeline.config.settings import Settings
from nba_pipeline.sources.state_db import State


def show_alerts(as_json: bool) -> bool:
    """Print the open alerts; False when there are some."""
    found = Desk(State(Settings.from_environment().home), []).open_alerts()
    if as_json:
        click.echo(json.dumps([vars(a) for a in found], indent=2))
        return not found
    for a in found:
        said = "" if a.sent_at else "  (not sent yet)"
        click.echo(f"{a.opened_at[:16]}  {a.kind:<9}  {a.text}{said}")
    click.echo(f"{len(found)} open alerts")
    return not found


def drill() -> bool:
    """Send a drill through every configured channel; False when one did not take it."""
    fine = True
    for channel in notifiers(os.environ):
        try:
            channel.send("nba_pipeline: drill", [f"A drill of the alerts, sent at {clock.now():%Y-%m-%d %H:%M} UTC."])
        except AlertError as e:
            fine = False
            click.echo(f"{channel.name}: NOT delivered: {e}", err=True)
        else:
            click.echo(f"{channel.name}: delivered")
    return fine
