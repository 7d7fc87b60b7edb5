"""Render the page of a day: data in, one self-contained HTML text out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import numpy as np

from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.reporting.data import Forecast, GradedCall, PastGame, ReportData
from nba_pipeline.reporting.diagrams import counted, diagram, heat, weeks
from nba_pipeline.reporting.season import GROUPS
from nba_pipeline.reporting.svg import histogram, recent
from nba_pipeline.systems.pricing import decimal_odds


@dataclass(frozen=True)
class Links:
    """The pages beside a page: the day before and the day after that have one; empty where there is none."""

    earlier: str
    later: str


@dataclass(frozen=True)
class Form:
    """How earlier games ended against a line."""

    games: int
    over: int
    under: int
    push: int
    mean: float


def page(data: ReportData, links: Links | None = None) -> str:
    """Render a page as HTML that needs no other file and no network; without scripts every detail is open."""
    lined = data.lined
    markets = {f.market for f in data.forecasts} | {r.market for r in data.records}
    return template("day.html.j2").render(
        r=data,
        links=links,
        lined=lined,
        lined_markets=[m for m in MARKETS if any(f.market == m for f in lined)],
        teams=sorted({f.team for f in lined}),
        markets=len(markets),
        state_words=_states(data),
    )


def _states(data: ReportData) -> str:
    """Count tables by state, such as `20 tables: 18 published, 2 never run`."""
    counted = Counter(t.cell.state for t in data.tables)
    return f"{len(data.tables)} tables: {', '.join(f'{n} {state}' for state, n in sorted(counted.items()))}"


@cache
def template(name: str) -> jinja2.Template:
    """Load a template of the pages."""
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nba_pipeline.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=False,
    )
    environment.filters |= {
        "weekday": _weekday,
        "eastern": _eastern,
        "number": _number,
        "signed": _signed,
        "percent": _percent,
        "share": _share,
        "shown": lambda value, kind, digits: KINDS[kind](value, digits),
        "plain": _plain,
        "moment": _moment,
        "american": _american,
        "decimal": _decimal,
        "recent": recent,
        "form": form,
        "tally": _tally,
        "histogram": histogram,
        "heat": heat,
        "counted": counted,
        "weeks": weeks,
        "diagram": diagram,
        "by_kind": _by_kind,
        "by_market": _by_market,
    }
    return environment


def _weekday(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _eastern(moment: datetime | None) -> str:
    return "time unknown" if moment is None else f"{moment.astimezone(ZoneInfo(ZONE)):%H:%M} ET"


def _moment(moment: datetime) -> str:
    eastern = moment.astimezone(ZoneInfo(ZONE))
    return f"{eastern.day} {eastern:%b %H:%M}"


def _american(odds: float | None) -> str:
    return "" if odds is None else f"{odds:+.0f}".replace("-", "−")


def _decimal(odds: float) -> float:
    return float(decimal_odds(np.asarray(odds)))


def form(games: Sequence[PastGame], line: float, n: int) -> Form:
    """Count how the latest n games, given latest first, ended against a line."""
    actuals = [g.actual for g in games[:n]]
    return Form(
        games=len(actuals),
        over=sum(a > line for a in actuals),
        under=sum(a < line for a in actuals),
        push=sum(a == line for a in actuals),
        mean=sum(actuals) / len(actuals),
    )


def _tally(calls: Sequence[GradedCall]) -> str:
    """Count calls by outcome, such as `3 win, 2 loss`."""
    counted = Counter(c.outcome for c in calls)
    return ", ".join(f"{n} {outcome}" for outcome, n in sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if float(text) == 0 else text.replace("-", "−")


def _percent(value: float | None, digits: int) -> str:
    return "" if value is None else f"{100 * value:.{digits}f} %"


def _share(value: float, digits: int = 1) -> str:
    return f"{_signed(100 * value, digits)} %"


KINDS: Mapping[str, Callable[[float, int], str]] = {
    "number": _number,
    "signed": _signed,
    "percent": _percent,
    "share": _share,
}


def _plain(value: float) -> str:
    return f"{value:g}"


def _by_kind(groups: Iterable[Any]) -> Sequence[tuple[str, Sequence[Any]]]:
    return sorted(((kind, list(rows)) for kind, rows in groups), key=lambda group: GROUPS.index(group[0]))


def _by_market(groups: Iterable[Any]) -> Sequence[tuple[str, Sequence[Forecast]]]:
    order = list(MARKETS)
    return sorted(((m, list(rows)) for m, rows in groups), key=lambda group: order.index(group[0]))
