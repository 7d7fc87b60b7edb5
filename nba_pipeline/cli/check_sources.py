"""The option `--sources` of the command `check`."""

import click

from nba_pipeline.cli.console import print_json
from nba_pipeline.config.settings import Settings
from nba_pipeline.sources.call_log import CallLog
from nba_pipeline.sources.probes import Probe, probe_all


def check_sources(as_json: bool) -> bool:
    """Probe the live services and print what each does; False where one does not answer."""
    settings = Settings.from_environment()
    probes = probe_all(settings.live, CallLog(settings.open_state()))
    if as_json:
        print_json([p.as_json() for p in probes])
        return all(p.fine for p in probes)
    for probe in probes:
        click.echo(f"{'ok      ' if probe.fine else 'PROBLEM '} {probe.source}: {probe.state} ({_details(probe)})")
        if probe.fix and not probe.fine:
            click.echo(f"         Fix: {probe.fix}")
    return all(p.fine for p in probes)


def _details(probe: Probe) -> str:
    parts = [probe.detail, f"{probe.seconds:.1f} s"]
    if probe.credits_left is not None:
        parts.append(f"{probe.credits_left:,} credits left")
    if probe.credits_spent:
        cap = "" if probe.credits_cap is None else f" of {probe.credits_cap:,}"
        parts.append(f"{probe.credits_spent:,}{cap} credits spent this month")
    return ", ".join(parts)
