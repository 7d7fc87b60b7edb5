"""Draw a forecast as a strip and as a histogram with the line, as inline SVG; colours are CSS classes of the page."""

from collections.abc import Sequence

from markupsafe import Markup, escape

from nba_pipeline.reporting.data import Forecast

STRIP_WIDTH, STRIP_HEIGHT = 150, 16
PLOT_WIDTH, PLOT_HEIGHT, AXIS = 300, 56, 13
VISIBLE = 0.004


def strip(f: Forecast, top: float) -> Markup:
    """Draw 10-90 % as a thin bar, 25-75 % as a thick bar, the mean as a dot, the line as a tick, up to `top`."""

    def x(value: float) -> str:
        return f"{STRIP_WIDTH * min(max(value, 0), top) / top:.1f}"

    def bar(low: float, high: float, height: int, name: str) -> str:
        width = STRIP_WIDTH * (min(high, top) - max(low, 0)) / top
        y = (STRIP_HEIGHT - height) / 2
        return f'<rect class="{name}" x="{x(low)}" y="{y:g}" width="{max(width, 1):.1f}" height="{height}" rx="2"/>'

    tick = "" if f.line is None else f'<path class="tick" d="M{x(f.line)} 0V{STRIP_HEIGHT}"/>'
    label = f"mean {f.mean:.1f}, 80 % between {f.q10:.1f} and {f.q90:.1f}" + (
        "" if f.line is None else f", line {f.line:g}"
    )
    return _svg(
        "strip",
        STRIP_WIDTH,
        STRIP_HEIGHT,
        label,
        bar(f.q10, f.q90, 4, "wide"),
        bar(f.q25, f.q75, 8, "half"),
        tick,
        f'<circle class="mean" cx="{x(f.mean)}" cy="{STRIP_HEIGHT / 2:g}" r="3.2"/>',
    )


def histogram(f: Forecast) -> Markup:
    """Draw the probability of every outcome, over and under the line in different colours."""
    first, last = _span(f.outcomes)
    if f.line is not None:
        first, last = min(first, int(f.line)), max(last, int(f.line) + 1)
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
    if f.line is None:
        parts = [bars("pushed", list(drawn)), label(first, str(first)), label(last, str(last))]
    else:
        at = (f.line - first + 0.5) * step
        parts = [
            bars("under", [k for k in drawn if k < f.line]),
            bars("pushed", [k for k in drawn if k == f.line]),
            bars("over", [k for k in drawn if k > f.line]),
            f'<path class="tick" d="M{at:.1f} 0V{PLOT_HEIGHT}"/>',
            label(f.line, f"{f.line:g}", "at-line"),
        ]
        parts += [label(v, str(v)) for v in (first, last) if abs(v - f.line) * step > 28]
    description = f"distribution of {f.player}'s {f.market}: mean {f.mean:.1f}" + (
        "" if f.line is None else f", over {f.line:g} with {100 * (f.p_over or 0):.0f} %"
    )
    return _svg("plot", PLOT_WIDTH, PLOT_HEIGHT + AXIS, description, *parts)


def _span(outcomes: Sequence[float]) -> tuple[int, int]:
    """Return the first and last outcome with a visible probability."""
    visible = [k for k, p in enumerate(outcomes) if p >= VISIBLE]
    return (visible[0], visible[-1]) if visible else (0, len(outcomes) - 1)


def _svg(name: str, width: int, height: int, label: str, *parts: str) -> Markup:
    """Wrap parts in an SVG element; `label` is escaped."""
    head = f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")
