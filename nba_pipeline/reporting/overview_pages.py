"""Write the pages above the days: the index, the seasons, and the dashboard of checks as HTML and JSON."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from nba_pipeline.artifacts import ArtifactStore, Stored
from nba_pipeline.common import clock
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, describe_days
from nba_pipeline.engine.waivers import Waivers, read_waivers
from nba_pipeline.reporting.overview import STATES, Cell, Entry, SeasonCalendar, State, calendars, cells
from nba_pipeline.reporting.page import template
from nba_pipeline.reporting.pages import pages_of
from nba_pipeline.reporting.season import read_season
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Warehouse

CHECKED_DAYS = 30


def latest_days(last: date) -> list[date]:
    """Return the days of a dashboard that was asked for none: the last thirty."""
    return days_between(last - timedelta(days=CHECKED_DAYS - 1), last)


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
    waivers = read_waivers(settings.home, graph_order(), clock.today())
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
class Checks:
    """The figures of the dashboard: a cell for every table and day, the problems, and the last published day of each table."""

    days: list[date]
    rows: Mapping[str, list[Cell]]
    units: Mapping[str, str]
    fresh: Mapping[str, date | None]
    problems: list[Problem]
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
            "alerts": list(self.alerts),
        }


def checks(entries: Sequence[Entry], days: Sequence[date], alerts: Sequence[Mapping[str, str]]) -> Checks:
    """Collect the verdicts of all tables on these days.

    Args:
        entries: all rows of the ledger.
        days: the days of the dashboard.
        alerts: the open alerts.
    """
    tables = graph_order()
    rows = cells(entries, tables, days)
    fresh: dict[str, date] = {}
    for e in entries:
        if e["state"] == "published":
            fresh[e["table_id"]] = max(e["day"], fresh.get(e["table_id"], e["day"]))
    problems = [
        Problem(t, c.day, c.state, c.reasons, f"nba-pipeline backfill {c.day} {c.day} --missing")
        for t, row in rows.items()
        for c in row
        if c.state == "refused" or (c.state == "waiting" and c.reasons)
    ]
    units = {t: CATALOG[t].unit for t in tables}
    return Checks(list(days), rows, units, {t: fresh.get(t) for t in tables}, problems, alerts)


def write_overview(
    warehouse: Warehouse,
    store: ArtifactStore,
    context: Context,
    *,
    checked: tuple[date, date] | None = None,
    seasons: Sequence[date] | None = None,
) -> dict[str, Stored]:
    """Write index.html, checks.html, checks.json and season-<label>.html below `reports`, and return where each was stored.

    Args:
        warehouse: The warehouse to read from.
        store: The artifact store to write to.
        context: What all pages share.
        checked: First and last day of the dashboard; without it, the last thirty days with an entry.
        seasons: Days whose seasons are written; without it, every season.
    """
    entries = warehouse.ledger().to_pylist()
    by_season = calendars(entries, graph_order())
    written: dict[str, Stored] = {}

    def publish(name: str, content: str) -> None:
        written[name] = store.publish("reports", name, content.encode())

    for season in by_season:
        if seasons is None or any(season.days[0] <= d <= season.days[-1] for d in seasons):
            publish(f"season-{season.label}.html", _season_page(warehouse, season, context))
    if by_season:
        latest = by_season[0].days
        days = days_between(*checked) if checked else latest_days(latest[-1])
        found = checks(entries, days, context.alerts)
        shared = {
            "states": STATES,
            "pages": set(pages_of(store)),
            "simulated": context.simulated,
            "written": context.written,
        }
        publish("checks.html", template("checks.html.j2").render(c=found, **shared))
        publish("checks.json", json.dumps(found.as_json(), default=str, indent=1))
        publish("index.html", template("index.html.j2").render(seasons=by_season, **shared))
    return written


def _season_page(warehouse: Warehouse, season: SeasonCalendar, context: Context) -> str:
    figures = read_season(warehouse, season.label, season.days[0], season.days[-1])
    gaps = []
    for table, states in season.tables.items():
        for state in ("refused", "waiting", "never run"):
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
