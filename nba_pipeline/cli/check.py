"""The command `check`."""

from datetime import date

import click

from nba_pipeline.automation.book_alerts import count_books, sentences
from nba_pipeline.automation.quote_alerts import quote_notes, quoted_without_forecast
from nba_pipeline.cli.status import current_waivers, read_statuses, waived_days
from nba_pipeline.common.errors import MissingHistoryError, PipelineError, SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import describe_days, latest_day
from nba_pipeline.domain.declared_books import read_books
from nba_pipeline.engine import coverage
from nba_pipeline.engine.waivers import Waivers
from nba_pipeline.orchestration.preflight import preflight
from nba_pipeline.orchestration.schedule_review import review
from nba_pipeline.tables.catalog import all_tables
from nba_pipeline.warehouse import Warehouse


def run_check(start: date | None, end: date | None) -> bool:
    """Check that start..end can run, is complete, and still hashes to what was published; True when all is well.

    Without both days only what was ever run is checked.
    """
    settings = Settings.from_environment()
    waivers = current_waivers(settings)
    ready = True
    if start and end:
        ready = _can_run(settings, start, end, waivers)
    warehouse = settings.open_warehouse()
    status = read_statuses(warehouse, start, end, waivers)
    if status is None:
        raise MissingHistoryError("nothing was ever published", "run `nba-pipeline backfill START END`")
    altered = _altered(warehouse, status.first, status.last)
    verdicts: dict[tuple[str, str], list[str]] = {}
    for s in status.statuses:
        for sentence in waived_days(s):
            click.echo(f"waived   {s.table}: {sentence}")
        verdicts.setdefault(_verdict(s, altered.get(s.table, []), status.first), []).append(s.table)
    for (sentence, fix), tables in verdicts.items():
        click.echo(f"{'PROBLEM ' if fix else 'ok      '} {', '.join(tables)}: {sentence}")
        if fix:
            click.echo(f"         Fix: {fix}")
    declared = read_books(settings.home)
    for _, sentence in sentences(count_books(warehouse, status.first, status.last), declared):
        click.echo(f"note     {sentence}")
    for sentence in quote_notes(quoted_without_forecast(warehouse, status.first, status.last)):
        click.echo(f"note     {sentence}")
    reviewed = _review(settings, warehouse, status.first, status.last, waivers)
    return ready and reviewed and not any(fix for _, fix in verdicts)


def _review(settings: Settings, warehouse: Warehouse, first: date, last: date, waivers: Waivers) -> bool:
    """Print unknown game states and gaps in the frames of the seasons; False where something is wrong."""
    try:
        source = settings.open_source()
    except PipelineError as e:
        click.echo(f"PROBLEM  source: {e.what}\n         Fix: {e.remedy}")
        return False
    fine = True
    for finding in review(warehouse, source, first, last, waivers, latest_day()):
        click.echo(f"{'ok      ' if finding.fine else 'PROBLEM '} {finding.what}: {finding.said}")
        if not finding.fine:
            fine = False
            click.echo(f"         Fix: {finding.fix}")
    return fine


def _can_run(settings: Settings, start: date, end: date, waivers: Waivers) -> bool:
    """Print the prerequisites of a run of the range; False where one is not met."""
    try:
        source = settings.open_source()
    except SourceError as e:
        click.echo(f"CANNOT RUN  source: {e.what}\n            Fix: {e.remedy}")
        return False
    ready = True
    for finding in preflight(settings.home, source, settings.open_warehouse().ledger(), start, end, waivers):
        click.echo(f"{'can run ' if finding.fine else 'CANNOT RUN'}  {finding.what}: {finding.said}")
        if not finding.fine:
            ready = False
            click.echo(f"            Fix: {finding.fix}")
    return ready


def _verdict(s: coverage.TableStatus, changed: list[date], first: date) -> tuple[str, str]:
    """Describe the state of a table and the command that fixes it; an empty command where it is complete."""
    problems = coverage.problems(s)
    if changed:
        problems.append(f"the content of {describe_days(changed)} differs from what was published")
    if not problems:
        return f"{s.days_published} days, {s.rows} rows", ""
    days = sorted({*coverage.affected_days(s), *changed}) or [first]
    return "; ".join(problems), f"nba-pipeline backfill {days[0]} {days[-1]}{'' if changed else ' --missing'}"


def _altered(warehouse: Warehouse, first: date, last: date) -> dict[str, list[date]]:
    """Find days whose rows no longer hash to the published content hash."""
    contents = warehouse.contents(all_tables(), first, last, hashes=True)
    content_hashes = {(r["table_id"], r["day"]): r["content_hash"] for r in contents.to_pylist()}
    altered: dict[str, list[date]] = {}
    for e in warehouse.ledger(start=first, end=last).to_pylist():
        if e["state"] == "published" and content_hashes.get((e["table_id"], e["day"]), "") != e["content_hash"]:
            altered.setdefault(e["table_id"], []).append(e["day"])
    return altered
