"""Write the pages above the days: the index, the seasons, and the dashboard of checks as HTML and JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.artifacts import ArtifactStore, Stored
from nba_pipeline.common import clock
from nba_pipeline.common.json_text import json_text
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, describe_days, last_asked
from nba_pipeline.engine.waivers import Waivers, read_waivers
from nba_pipeline.reporting.overview import DAY_STATES, STATES, Cell, SeasonCalendar, State, calendars, cells
from nba_pipeline.reporting.page import template
from nba_pipeline.reporting.pages import days_of
from nba_pipeline.reporting.season import read_season
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Warehouse

CHECKED_DAYS = 30
# The states that a waiver may accept.
UNFINISHED: tuple[State, ...] = ("refused", "waiting", "never run")


@dataclass(frozen=True)
class Context:
    """What all pages share: the time of writing, whether the league is invented, accepted gaps, and open alerts.

    An alert has `opened_at`, `kind` and `text`.
    """

    written: datetime
    simulated: bool
    waivers: Waivers
    alerts: Sequence[Mapping[str, str]] = ()


def context_of(settings: Settings, alerts: Sequence[Mapping[str, str]]) -> Context:
    """Read what all pages share from the settings."""
    waivers = read_waivers(settings.open_state().declarations(), graph_order(), clock.today())
    return Context(clock.now(), settings.is_simulated, waivers, alerts)


@dataclass(frozen=True)
class Problem:
    """A refused or waiting day of a table, with the command that repairs it."""

    table: str
    day: date
    state: State
    reasons: tuple[str, ...]
    repair: str


@dataclass(frozen=True)
class WaivedDay:
    """A day of a table that was refused, waits or was never run, and who accepted that, when and why."""

    table: str
    day: date
    state: State
    why: str


@dataclass(frozen=True)
class Checks:
    """The figures of the dashboard: a cell for every table and day, the problems, and the last published day of each table.

    Days that operators have accepted stand in `waived`, not among the problems.
    """

    days: list[date]
    rows: Mapping[str, list[Cell]]
    units: Mapping[str, str]
    fresh: Mapping[str, date | None]
    problems: list[Problem]
    waived: list[WaivedDay]
    alerts: Sequence[Mapping[str, str]]

    @property
    def counts(self) -> Counter[State]:
        """Table-days by state."""
        return Counter(c.state for row in self.rows.values() for c in row)

    def as_json(self) -> dict[str, Any]:
        """Return the same figures for programs."""
        return {
            "start": self.days[0],
            "end": self.days[-1],
            "counts": {s: self.counts[s] for s in STATES},
            "tables": {
                t: {
                    "last_published": self.fresh[t],
                    "expected_unit": self.units[t] or None,
                    "days": {str(c.day): asdict(c) | {"codes": c.codes} for c in row},
                }
                for t, row in self.rows.items()
            },
            "problems": [asdict(p) for p in self.problems],
            "waived": [asdict(w) for w in self.waived],
            "alerts": list(self.alerts),
        }


def checks(ledger: pa.Table, days: Sequence[date], context: Context) -> Checks:
    """Collect the verdicts of all tables on these days.

    Args:
        ledger: All rows of the ledger.
        days: The days of the dashboard, consecutive.
        context: The accepted gaps and the open alerts.
    """
    tables = graph_order()
    in_range = ledger.filter((pc.field("day") >= days[0]) & (pc.field("day") <= days[-1]))
    rows = cells(in_range.to_pylist(), tables, days)
    published = ledger.filter(pc.field("state") == "published").group_by("table_id").aggregate([("day", "max")])
    fresh: dict[str, date] = {r["table_id"]: r["day_max"] for r in published.to_pylist()}
    accepted = {t: context.waivers.of(t) for t in tables}
    problems = [
        Problem(t, c.day, c.state, c.reasons, f"nba-pipeline backfill {c.day} {c.day} --missing")
        for t, row in rows.items()
        for c in row
        if c.day not in accepted[t] and (c.state == "refused" or (c.state == "waiting" and c.reasons))
    ]
    waived = [
        WaivedDay(t, c.day, c.state, str(accepted[t][c.day]))
        for t, row in rows.items()
        for c in row
        if c.day in accepted[t] and c.state in UNFINISHED
    ]
    units = {t: CATALOG[t].unit for t in tables}
    return Checks(list(days), rows, units, {t: fresh.get(t) for t in tables}, problems, waived, context.alerts)


def read_checks(warehouse: Warehouse, context: Context, checked: tuple[date, date | None] | None) -> Checks | None:
    """Read the figures of the dashboard; None where nothing was ever published or refused.

    Args:
        warehouse: The warehouse to read from.
        context: What all pages share.
        checked: First and last day, None for the last with an entry; without both, the last thirty days up to that one.
    """
    ledger = warehouse.ledger()
    return checks(ledger, _checked_days(ledger, checked), context) if ledger.num_rows else None


def _checked_days(ledger: pa.Table, checked: tuple[date, date | None] | None) -> list[date]:
    latest: date = max(ledger["day"].unique().to_pylist())
    if checked is None:
        return days_between(latest - timedelta(days=CHECKED_DAYS - 1), latest)
    first, last = checked
    return days_between(first, last_asked(first, last, latest))


@dataclass(frozen=True)
class Overview:
    """The pages that were written, with the place of each, and the figures of the dashboard: None where there are none."""

    pages: Mapping[str, Stored]
    checks: Checks | None


def write_overview(
    warehouse: Warehouse,
    store: ArtifactStore,
    context: Context,
    *,
    checked: tuple[date, date | None] | None = None,
    seasons: Sequence[date] | None = None,
) -> Overview:
    """Write index.html, checks.html, checks.json and season-<label>.html below `reports`; nothing where nothing was ever run.

    Args:
        warehouse: The warehouse to read from.
        store: The artifact store to write to.
        context: What all pages share.
        checked: First and last day of the dashboard, as for `read_checks`.
        seasons: Days whose seasons are written; without it, every season. The index links the seasons that have a page.
    """
    ledger = warehouse.ledger()
    if not ledger.num_rows:
        return Overview({}, None)
    by_season = calendars(ledger.to_pylist(), graph_order())
    written: dict[str, Stored] = {}

    def publish(name: str, content: str) -> None:
        written[name] = store.publish("reports", name, content.encode())

    for season in by_season:
        if seasons is None or any(season.days[0] <= d <= season.days[-1] for d in seasons):
            publish(_season_name(season), _season_page(warehouse, season, context))
    found = checks(ledger, _checked_days(ledger, checked), context)
    names = store.names("reports")
    shared = {
        "pages": set(days_of(names)),
        "simulated": context.simulated,
        "written": context.written,
    }
    with_page = [s for s in by_season if _season_name(s) in names]
    publish("checks.html", template("checks.html.j2").render(c=found, states=STATES, **shared))
    publish("checks.json", json_text(found.as_json(), indent=1))
    page = template("index.html.j2")
    publish("index.html", page.render(seasons=by_season, with_page=with_page, states=DAY_STATES, **shared))
    return Overview(written, found)


def _season_name(season: SeasonCalendar) -> str:
    return f"season-{season.label}.html"


def _season_page(warehouse: Warehouse, season: SeasonCalendar, context: Context) -> str:
    figures = read_season(warehouse, season.label, season.days[0], season.days[-1])
    gaps = []
    for table, states in season.tables.items():
        for state in UNFINISHED:
            days = [d for d, s in zip(season.days, states, strict=True) if s == state]
            if days:
                gaps.append((table, f"{state}: {describe_days(days)}"))
    waived = [str(w) for w in context.waivers.holding if w.first <= season.days[-1] and season.days[0] <= w.last]
    return template("season.html.j2").render(
        s=figures,
        gaps=gaps,
        waived=waived,
        markets=len({r.market for r in figures.records}),
        simulated=context.simulated,
        written=context.written,
    )
