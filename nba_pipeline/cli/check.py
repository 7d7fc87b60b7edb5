"""The command `check`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

import click

from nba_pipeline.automation.book_alerts import count_books, sentences
from nba_pipeline.automation.price_alerts import contradicted_books, price_notes
from nba_pipeline.automation.quote_alerts import quote_notes, quoted_without_forecast
from nba_pipeline.cli.console import print_json
from nba_pipeline.cli.status import current_waivers, read_statuses, waived_days
from nba_pipeline.common.errors import MissingHistoryError, PipelineError, SourceError
from nba_pipeline.common.extras import required_extra
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import describe_days, latest_day
from nba_pipeline.domain.declared_books import read_books
from nba_pipeline.engine import coverage
from nba_pipeline.engine.waivers import Waivers
from nba_pipeline.orchestration.live_ingest import LIVE
from nba_pipeline.orchestration.preflight import preflight
from nba_pipeline.orchestration.schedule_review import review
from nba_pipeline.sources.call_log import CallLog
from nba_pipeline.tables.catalog import all_tables
from nba_pipeline.warehouse import Warehouse

Kind = Literal["ok", "note", "waived", "can run", "PROBLEM", "CANNOT RUN"]
PROBLEM: Kind = "PROBLEM"
CANNOT_RUN: Kind = "CANNOT RUN"


@dataclass(frozen=True)
class Line:
    """One line of a check: its kind, what it is about, what was measured, and the fix of a problem."""

    kind: Kind
    what: str
    said: str
    fix: str = ""

    @property
    def fine(self) -> bool:
        """Whether it is no problem."""
        return self.kind not in (PROBLEM, CANNOT_RUN)

    def text(self) -> str:
        """Return the lines that a person reads."""
        about = f"{self.what}: " if self.what else ""
        fix = f"\n{'':{len(self.kind.ljust(8)) + 1}}Fix: {self.fix}" if self.fix else ""
        return f"{self.kind:<8} {about}{self.said}{fix}"


def run_check(start: date | None, end: date | None, as_json: bool = False) -> bool:
    """Check that start..end can run, is complete, and still hashes to what was published; True when all is well.

    Without both days only what was ever run is checked.
    """
    settings = Settings.from_environment()
    waivers = current_waivers(settings)
    lines: list[Line] = []
    for line in _lines(settings, start, end, waivers):
        lines.append(line)
        if not as_json:
            click.echo(line.text())
    complete = all(line.fine for line in lines)
    if as_json:
        print_json({"start": start, "end": end, "complete": complete, "findings": [asdict(line) for line in lines]})
    return complete


def _lines(settings: Settings, start: date | None, end: date | None, waivers: Waivers) -> Iterator[Line]:
    if start and end:
        yield from _can_run(settings, start, end, waivers)
    warehouse = settings.open_warehouse()
    status = read_statuses(warehouse, start, end, waivers)
    if status is None:
        raise MissingHistoryError("nothing was ever published", "run `nba-pipeline backfill START END`")
    altered = _altered(warehouse, status.first, status.last)
    verdicts: dict[tuple[str, str], list[str]] = {}
    for s in status.statuses:
        for sentence in waived_days(s):
            yield Line("waived", s.table, sentence)
        verdicts.setdefault(_verdict(s, altered.get(s.table, []), status.first), []).append(s.table)
    for (sentence, fix), tables in verdicts.items():
        yield Line(PROBLEM if fix else "ok", ", ".join(tables), sentence, fix)
    declared = read_books(settings.open_state().declarations())
    for _, sentence in sentences(count_books(warehouse, status.first, status.last), declared):
        yield Line("note", "", sentence)
    for sentence in price_notes(contradicted_books(warehouse, status.first, status.last)):
        yield Line("note", "", sentence)
    for sentence in quote_notes(quoted_without_forecast(warehouse, status.first, status.last)):
        yield Line("note", "", sentence)
    yield from _review(settings, warehouse, status.first, status.last, waivers)


def _review(settings: Settings, warehouse: Warehouse, first: date, last: date, waivers: Waivers) -> Iterator[Line]:
    """List unknown game states and gaps in the frames of the seasons."""
    try:
        source = settings.open_source()
    except PipelineError as e:
        yield Line(PROBLEM, "source", e.what, e.remedy)
        return
    for finding in review(warehouse, source, first, last, waivers, latest_day()):
        yield Line("ok" if finding.fine else PROBLEM, finding.what, finding.said, "" if finding.fine else finding.fix)


def _can_run(settings: Settings, start: date, end: date, waivers: Waivers) -> Iterator[Line]:
    """List the prerequisites of a run of the range."""
    try:
        source = settings.open_source()
    except SourceError as e:
        yield Line(CANNOT_RUN, "source", e.what, e.remedy)
        return
    for finding in preflight(settings.home, source, settings.open_warehouse().ledger(), start, end, waivers):
        kind = "can run" if finding.fine else CANNOT_RUN
        yield Line(kind, finding.what, finding.said, "" if finding.fine else finding.fix)
    if settings.source == LIVE:
        yield from _services(settings)


def _services(settings: Settings) -> Iterator[Line]:
    """Note what each live service does: a run reads landing files, and needs them only for what is still to be fetched."""
    with required_extra("live", "the source nba_stats"):
        from nba_pipeline.sources.probes import probe_all

    for probe in probe_all(settings.live, CallLog(settings.open_state())):
        yield Line("note", probe.source, f"{probe.state} ({probe.detail})", "" if probe.fine else probe.fix)


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
