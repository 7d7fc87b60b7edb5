"""The commands `status` and `check`: what is published beside what the schedule demands, and whether a range can run."""

import json
from dataclasses import dataclass
from datetime import date
from itertools import chain

import click

from nba_pipeline.cli.console import absences, console, status_grid
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, describe_days
from nba_pipeline.engine import coverage
from nba_pipeline.engine.waivers import Waivers, read_waivers
from nba_pipeline.orchestration import backfill as runs
from nba_pipeline.orchestration.preflight import preflight
from nba_pipeline.tables.catalog import CATALOG, all_tables, graph_order
from nba_pipeline.warehouse import Warehouse

SCHEDULE = "nba_raw.schedule"


@dataclass(frozen=True)
class Found:
    """The status of every table over first..last."""

    statuses: tuple[coverage.TableStatus, ...]
    first: date
    last: date


def read_statuses(warehouse: Warehouse, start: date | None, end: date | None, waivers: Waivers) -> Found | None:
    """Status of every table; None where nothing was ever run.

    Days that are not given: up to the last day that anything recorded, and for each table from the first day that it
    recorded, since the history that a backfill brings is facts only.
    """
    entries = coverage.by_table(warehouse.ledger(start=start, end=end))
    found = coverage.span(chain.from_iterable(entries.values())) or ((start, end) if start and end else None)
    if found is None:
        return None
    first, last = start or found[0], end or found[1]
    counts = _rows_by_day(warehouse, first, last)
    games = {e["day"]: e["games"] for e in entries.get(SCHEDULE, ()) if e["state"] == "published"}
    statuses = []
    for table in all_tables():
        own = entries.get(table.id, [])
        began = coverage.span(own)
        days = days_between(first if start or began is None else began[0], last)
        held, unit = counts.get(table.id, {}), CATALOG[table.id].unit
        statuses.append(coverage.table_status(table, unit, days, own, held, games, waivers.of(table.id)))
    return Found(tuple(statuses), first, last)


def _rows_by_day(warehouse: Warehouse, first: date, last: date) -> dict[str, dict[date, int]]:
    counts: dict[str, dict[date, int]] = {}
    for row in warehouse.contents(all_tables(), first, last, hashes=False).to_pylist():
        counts.setdefault(row["table_id"], {})[row["day"]] = row["rows"]
    return counts


def _waivers(settings: Settings) -> Waivers:
    return read_waivers(settings.home, graph_order(), runs.latest_day())


def show_status(start: date | None, end: date | None, as_json: bool) -> bool:
    """Print the status; False when a table is not complete over the days."""
    if start and end:
        runs.check_range(start, end, runs.latest_day())
    settings = Settings.from_environment()
    found = read_statuses(settings.open_warehouse(), start, end, _waivers(settings))
    if found is None:
        message = f"{settings.warehouse_name}: nothing was ever published; run `nba-pipeline backfill START END`"
        click.echo(json.dumps({"tables": [], "complete": False, "message": message}) if as_json else message)
        return False
    complete = all(s.complete for s in found.statuses)
    if as_json:
        head = {"start": found.first.isoformat(), "end": found.last.isoformat(), "complete": complete}
        click.echo(json.dumps(head | {"tables": [s.as_json() for s in found.statuses]}, indent=2))
        return complete
    console.print(status_grid(found.statuses, found.first, found.last))
    for sentence in absences(found.statuses):
        console.print(sentence, highlight=False, markup=False)
    for s in found.statuses:
        for sentence in [*coverage.problems(s), *_waived(s)]:
            console.print(f"{s.table}: {sentence}", highlight=False, markup=False)
    return complete


def run_check(start: date | None, end: date | None) -> bool:
    """Whether start..end can run, is complete, and still hashes to what was published; False when anything is wrong.

    Without both days only what was ever run is looked at, since nothing says what should run.
    """
    settings = Settings.from_environment()
    waivers = _waivers(settings)
    ready = True
    if start and end:
        runs.check_range(start, end, runs.latest_day())
        ready = _can_run(settings, start, end, waivers)
    warehouse = settings.open_warehouse()
    found = read_statuses(warehouse, start, end, waivers)
    if found is None:
        click.echo("nothing was ever published\n  Fix: run `nba-pipeline backfill START END`", err=True)
        return False
    altered = _altered(warehouse, found.first, found.last)
    said: dict[tuple[str, str], list[str]] = {}
    for s in found.statuses:
        for sentence in _waived(s):
            click.echo(f"waived   {s.table}: {sentence}")
        said.setdefault(_verdict(s, altered.get(s.table, []), found.first), []).append(s.table)
    for (sentence, mend), tables in said.items():
        click.echo(f"{'PROBLEM ' if mend else 'ok      '} {', '.join(tables)}: {sentence}")
        if mend:
            click.echo(f"         mend: {mend}")
    return ready and not any(mend for _, mend in said)


def _can_run(settings: Settings, start: date, end: date, waivers: Waivers) -> bool:
    """Print what a run of the range needs; False where something is lacking."""
    try:
        source = settings.open_source()
    except SourceError as e:
        click.echo(f"CANNOT RUN  source: {e.what}\n            mend: {e.remedy}")
        return False
    ready = True
    for finding in preflight(settings.home, source, settings.open_warehouse().ledger(), start, end, waivers):
        click.echo(f"{'can run ' if finding.fine else 'CANNOT RUN'}  {finding.what}: {finding.said}")
        if not finding.fine:
            ready = False
            click.echo(f"            mend: {finding.mend}")
    return ready


def _verdict(s: coverage.TableStatus, changed: list[date], first: date) -> tuple[str, str]:
    """What is to be said of a table, and the command that mends it; no command where it is complete."""
    said = coverage.problems(s)
    if changed:
        said.append(f"the content of {describe_days(changed)} is not what was published")
    if not said:
        return f"{s.days_published} days, {s.rows} rows", ""
    days = sorted({*coverage.affected_days(s), *changed}) or [first]
    return "; ".join(said), f"nba-pipeline backfill {days[0]} {days[-1]}{'' if changed else ' --missing'}"


def _waived(s: coverage.TableStatus) -> list[str]:
    return [f"{day}: {why}" for day, why in s.waived.items()]


def _altered(warehouse: Warehouse, first: date, last: date) -> dict[str, list[date]]:
    """Days whose rows no longer hash to the published content hash, or whose rows' hashes do not recompute."""
    contents = warehouse.contents(all_tables(), first, last, hashes=True)
    held = {(r["table_id"], r["day"]): r["content_hash"] for r in contents.to_pylist()}
    wrong: dict[str, list[date]] = {}
    for e in warehouse.ledger(start=first, end=last).to_pylist():
        if e["state"] == "published" and held.get((e["table_id"], e["day"]), "") != e["content_hash"]:
            wrong.setdefault(e["table_id"], []).append(e["day"])
    return wrong
