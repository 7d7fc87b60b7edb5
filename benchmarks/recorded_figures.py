"""What the figures of `simulator_realism` are on recorded seasons, and how far a simulated season may be from them.

The recorded seasons are not part of the repository, so their figures are constants here: means of the regular seasons
2021-22 to 2024-25, except where only one season has the feed. `python -m benchmarks.simulator_realism DIRECTORY --season 2023-24`
prints those of a season, `--table` writes the table of docs/simulator.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Recorded:
    """A figure of recorded seasons: the mean, and the greatest distance allowed of a mean over simulated seasons."""

    mean: float
    within: float


RECORDED: Mapping[str, Recorded] = {
    "points mean": Recorded(10.66, 0.5),
    "points sd": Recorded(8.84, 0.4),
    "minutes sd": Recorded(10.87, 0.6),
    "usage sd (5+ min)": Recorded(8.03, 1.0),
    "team points mean": Recorded(113.3, 3.0),
    "team points sd": Recorded(12.5, 0.8),
    "possessions": Recorded(101.0, 1.5),
    "margin sd": Recorded(15.1, 1.0),
    "margins of 20 and more %": Recorded(18.7, 4.0),
    "margins up to 5 %": Recorded(25.3, 3.0),
    "overtime %": Recorded(5.2, 1.5),
    "first five's minutes, margin up to 5": Recorded(33.8, 0.8),
    "first five's minutes, margin 20 and more": Recorded(28.9, 1.6),
    "points autocorrelation 1": Recorded(0.099, 0.03),
    "points autocorrelation 5": Recorded(0.040, 0.02),
    "points sd within a player": Recorded(6.32, 0.2),
    "minutes autocorrelation 1": Recorded(0.320, 0.06),
    "minutes autocorrelation 5": Recorded(0.129, 0.03),
    "points a minute autocorrelation 1": Recorded(0.025, 0.02),
    "MAE season average": Recorded(4.77, 0.2),
    "MAE EWM half-life 8": Recorded(4.69, 0.2),
    "MAE EWM half-life 8, rows with a line": Recorded(5.31, 0.15),
    "MAE market line": Recorded(5.15, 0.25),
    "line bias": Recorded(0.20, 0.25),
    "over %": Recorded(48.8, 1.3),
    "over %, lines up to 11.5": Recorded(48.6, 2.5),
    "over %, lines 12 to 18.5": Recorded(48.9, 2.5),
    "over %, lines 19 and more": Recorded(49.1, 3.5),
    "over %, lines above the EWM by 2": Recorded(47.4, 2.5),
    "over %, lines below the EWM by 2": Recorded(49.7, 3.0),
    "EWM beyond the line, points per point": Recorded(0.044, 0.1),
    "line sd": Recorded(6.43, 0.9),
    "vig of points %": Recorded(6.7, 0.3),
    "books' lines range": Recorded(0.42, 0.15),
    "MAE spread": Recorded(10.3, 0.8),
    "MAE total": Recorded(14.1, 0.8),
    "spread moves, mean": Recorded(1.26, 0.4),
    "total moves, mean": Recorded(2.17, 0.4),
    "games missed by regulars %": Recorded(14.7, 2.0),
    "listed per team and report day": Recorded(3.74, 0.5),
    "out of listed %": Recorded(58.8, 4.0),
}


def table(simulated: Mapping[str, float]) -> str:
    """Write simulated figures beside the recorded ones as a Markdown table, in the order of `RECORDED`."""
    lines = ["| figure | simulated | recorded | may differ by |", "|---|---|---|---|"]
    for name, recorded in RECORDED.items():
        digits = 3 if abs(recorded.mean) < 1 else 2
        lines.append(f"| {name} | {simulated[name]:.{digits}f} | {recorded.mean:g} | {recorded.within:g} |")
    return "\n".join(lines)


def outside(simulated: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are farther from the recorded ones than allowed."""
    return {n: simulated[n] for n, r in RECORDED.items() if abs(simulated[n] - r.mean) > r.within}
