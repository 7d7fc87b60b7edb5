"""The command `reconcile`."""

import click

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import reconciliation
from nba_pipeline.orchestration.instance import opened, prepare


def reconcile(dry_run: bool) -> bool:
    """Report to Dagster what only the ledger says; False where Dagster knows days that were never published.

    Args:
        dry_run: Print the differences, and report nothing.
    """
    settings = Settings.from_environment()
    if not dry_run:
        prepare(settings)
    ledger = settings.open_warehouse().ledger().to_pylist()
    with opened(settings, to_change=not dry_run) as instance:
        differences = reconciliation.observe(instance, ledger)
        if not dry_run:
            reconciliation.record(instance, differences)
    verb = "not recorded in Dagster" if dry_run else "reported to Dagster"
    click.echo(f"{len(differences.unrecorded):,} published table-days {verb}")
    problems = list(reconciliation.errors(differences))
    for problem in problems:
        click.echo(f"PROBLEM  {problem}", err=True)
    return not problems
