"""Draw the states of a table over a season and the calibration of a system, as inline SVG."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from markupsafe import Markup, escape

from nba_pipeline.reporting.overview import DAY_STATES, DayState, stretches

SIDE = 100


def heat(states: Sequence[DayState], table: str) -> Markup:
    """Draw the days of a table as one strip, a colour for each state."""
    rects = "".join(
        f'<rect class="{s.state.replace(" ", "-")}" x="{s.first}" y="0" width="{s.days}" height="10"/>'
        for s in stretches(states)
    )
    label = escape(f"{table}: {counted(states)}")
    head = f'<svg viewBox="0 0 {len(states)} 10" preserveAspectRatio="none" role="img" aria-label="{label}">'
    return Markup(f"{head}{rects}</svg>")


def counted(states: Sequence[DayState]) -> str:
    """Count days by state, such as `163 published, 2 refused`."""
    return ", ".join(f"{n} {s}" for s in DAY_STATES if (n := states.count(s)))


def weeks(days: Sequence[tuple[date, DayState]]) -> list[list[tuple[date, DayState] | None]]:
    """Lay the days of a month out in weeks from Monday to Sunday; None where the month has no such day."""
    rows: dict[date, list[tuple[date, DayState] | None]] = {}
    for day, state in days:
        monday = date.fromordinal(day.toordinal() - day.weekday())
        rows.setdefault(monday, [None] * 7)[day.weekday()] = (day, state)
    return list(rows.values())


def diagram(bins: Sequence[Any], system: str) -> Markup:
    """Draw the share that went over against the forecast probability, from 0 to 100 %; a dot's area is its number of rows."""
    most = max(b.n for b in bins)
    dots = "".join(
        f'<circle cx="{SIDE * b.forecast:.1f}" cy="{SIDE * (1 - b.observed):.1f}" r="{max(1.0, 4 * (b.n / most) ** 0.5):.1f}"/>'
        for b in bins
    )
    label = escape(f"calibration of {system}: {len(bins)} groups; figures below")
    frame = f'<path class="axis" d="M0 {SIDE}V0M0 {SIDE}H{SIDE}M0 {SIDE}L{SIDE} 0"/>'
    ends = f'<text x="2" y="4">100 %</text><text x="{SIDE}" y="{SIDE + 8}" text-anchor="end">100 %</text>'
    return Markup(
        f'<svg class="diagram" viewBox="-3 -4 107 114" role="img" aria-label="{label}">{frame}{ends}{dots}</svg>'
    )
