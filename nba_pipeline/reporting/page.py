"""Render the page of a day: data in, one self-contained HTML text out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import jinja2

from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.reporting.data import Forecast, ReportData
from nba_pipeline.reporting.svg import histogram, strip

CALLS_IN_SIGHT = 12


def page(data: ReportData) -> str:
    """Render a page as HTML that needs no other file, no network and no script."""
    calls = data.calls
    markets = sorted({f.market for f in data.forecasts} | {r.market for r in data.records})
    return _template().render(
        r=data,
        lined=sum(f.line is not None for f in data.forecasts),
        shown_calls=calls[:CALLS_IN_SIGHT],
        more_calls=calls[CALLS_IN_SIGHT:],
        tops={m: max((f.q90 for f in data.forecasts if f.market == m), default=1.0) for m in markets},
        markets=len(markets),
        state_words=_states(data),
    )


def _states(data: ReportData) -> str:
    """Count tables by state, such as `20 tables: 18 published, 2 never run`."""
    counted = Counter(t.state for t in data.tables)
    return f"{len(data.tables)} tables: {', '.join(f'{n} {state}' for state, n in sorted(counted.items()))}"


@cache
def _template() -> jinja2.Template:
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
        "strip": strip,
        "histogram": histogram,
        "by_market": _by_market,
    }
    return environment.get_template("day.html.j2")


def _weekday(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _eastern(moment: datetime | None) -> str:
    return "time unknown" if moment is None else f"{moment.astimezone(ZoneInfo(ZONE)):%H:%M} ET"


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


def _by_market(groups: Iterable[Any]) -> Sequence[tuple[str, Sequence[Forecast]]]:
    order = list(MARKETS)
    return sorted(((m, list(rows)) for m, rows in groups), key=lambda group: order.index(group[0]))
