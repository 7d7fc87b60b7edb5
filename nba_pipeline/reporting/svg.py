"""Draw a forecast as a histogram and earlier games as bars, with the line, as inline SVG; colours are CSS classes of the page."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from nba_pipeline.reporting.data import Forecast, PastGame

RECENT = 20
PLOT_WIDTH, PLOT_HEIGHT, AXIS = 300, 56, 13
VISIBLE = 0.004


def recent(games: Sequence[PastGame], line: float) -> Markup:
    """Draw the outcomes of earlier games as bars, oldest first, with the line across; colours tell over, under and push."""
    shown = tuple(reversed(games))
    top = max(*(g.actual for g in shown), line) * 1.08 or 1.0
    step = PLOT_WIDTH / RECENT

    def bar(place: int, actual: int) -> str:
        name = "over" if actual > line else "under" if actual < line else "pushed"
        height = max(PLOT_HEIGHT * actual / top, 1)
        x = PLOT_WIDTH - (len(shown) - place) * step
        return f'<path class="{name}" d="M{x:.1f} {PLOT_HEIGHT}v-{height:.1f}h{step - 2:.1f}V{PLOT_HEIGHT}z"/>'

    y = PLOT_HEIGHT * (1 - line / top)
    parts = [bar(i, g.actual) for i, g in enumerate(shown)]
    parts.append(f'<path class="tick" d="M0 {y:.1f}H{PLOT_WIDTH}"/>')
    outcomes = ", ".join(str(g.actual) for g in shown)
    return _svg(
        "plot", PLOT_WIDTH, PLOT_HEIGHT + 1, f"last {len(shown)} games, oldest first: {outcomes}; line {line:g}", *parts
    )


def histogram(f: Forecast, line: float) -> Markup:
    """Draw the probability of every outcome, over and under the line in different colours."""
    first, last = _span(f.outcomes)
    first, last = min(first, int(line)), max(last, int(line) + 1)
    shown = [f.outcomes[k] if k < len(f.outcomes) else 0.0 for k in range(first, last + 1)]
    step = PLOT_WIDTH / len(shown)
    scale = (PLOT_HEIGHT - 4) / max(shown)

    def bars(name: str, outcomes: Sequence[int]) -> str:
        width = max(step - 1, 0.6)
        path = "".join(
            f"M{(k - first) * step:.1f} {PLOT_HEIGHT}v-{shown[k - first] * scale:.1f}h{width:.1f}V{PLOT_HEIGHT}z"
            for k in outcomes
        )
        return f'<path class="{name}" d="{path}"/>' if path else ""

    def label(value: float, text: str, name: str = "") -> str:
        at = min(max((value - first + 0.5) * step, 8), PLOT_WIDTH - 8)
        return f'<text class="{name}" x="{at:.1f}" y="{PLOT_HEIGHT + 11}" text-anchor="middle">{text}</text>'

    drawn = range(first, last + 1)
    at = (line - first + 0.5) * step
    parts = [
        bars("under", [k for k in drawn if k < line]),
        bars("pushed", [k for k in drawn if k == line]),
        bars("over", [k for k in drawn if k > line]),
        f'<path class="tick" d="M{at:.1f} 0V{PLOT_HEIGHT}"/>',
        label(line, f"{line:g}", "at-line"),
    ]
    parts += [label(v, str(v)) for v in (first, last) if abs(v - line) * step > 28]
    over = f"over {line:g} with {100 * (f.p_over or 0):.0f} %"
    description = f"distribution of {f.player}'s {f.market}: mean {f.mean:.1f}, {over}"
    return _svg("plot", PLOT_WIDTH, PLOT_HEIGHT + AXIS, description, *parts)


def _span(outcomes: Sequence[float]) -> tuple[int, int]:
    """Return the first and last outcome with a visible probability."""
    visible = [k for k, p in enumerate(outcomes) if p >= VISIBLE]
    return (visible[0], visible[-1]) if visible else (0, len(outcomes) - 1)


def _svg(name: str, width: int, height: int, label: str, *parts: str) -> Markup:
    """Wrap parts in an SVG element; `label` is escaped."""
    head = f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")
