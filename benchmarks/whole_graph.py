"""Measures the whole graph on real data, beside another checkout in the same run.

    python -m benchmarks.whole_graph DATA [--baseline DIRECTORY] [--python FILE] [--runs 3] [--only MEASURE ...]

DATA is a directory of landing files. Every measure is a process of its own, start included; a round makes a fresh home for each
checkout, the checkouts take turns, and the table has the median of the rounds. FILE is the interpreter of the baseline, where it
needs other libraries. Without --only all of MEASURES are taken; `day`, `features` and `models` use the home of `seasons`.
"""

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.against_peers import CHECKOUT, Cost, measure
from nba_pipeline.domain.calendar import days_between, training_day

MEASURES = ("seasons", "half", "day", "features", "models", "demo")
CODE = "from nba_pipeline.cli import main; main()"
TWICE = "from nba_pipeline.cli import main; main(standalone_mode=False); main()"
START, MIDDLE, END = date(2021, 10, 19), date(2023, 7, 31), date(2025, 6, 22)
DAY = "2025-04-02"

Figures = dict[str, float]


class Side(NamedTuple):
    """A checkout, and the interpreter that runs it."""

    checkout: Path
    python: str


def figures(side: Side, scratch: Path, variables: Mapping[str, str], only: Collection[str]) -> Figures:
    """Take the measures once, on fresh homes; returns them by the name of their row.

    Args:
        side: What is measured.
        scratch: An empty directory.
        variables: The settings of a run, without its home.
        only: Which of MEASURES are taken; the home of `seasons` is made in any case.
    """

    def run(home: str, *arguments: object, code: str = CODE) -> Cost:
        command = [side.python, "-W", "ignore", "-c", code, *map(str, arguments)]
        return measure(command, side.checkout, {**variables, "NBA_PIPELINE_HOME": str(scratch / home)})

    whole = run("whole", "backfill", START, END)
    found = {
        "four seasons, empty to graded, s": whole.wall,
        "  processor time, s": whole.cpu,
        "  peak of memory, GiB": whole.peak / 1024,
    }
    if "half" in only:
        half = run("half", "backfill", START, MIDDLE)
        found |= {"  against two seasons": whole.wall / half.wall, "  processor time": whole.cpu / half.cpu}
    if "day" in only:
        run("whole", "backfill", DAY, DAY)  # for caches
        once, twice = run("whole", "backfill", DAY, DAY), run("whole", "backfill", DAY, DAY, code=TWICE)
        found |= {
            "one day, all tables, s": once.wall,
            "  processor time, s of a day": once.cpu,
            "  again in the same process, s": twice.wall - once.wall,
        }
    days = days_between(START, END)
    if "features" in only:
        alone = run("whole", "backfill", START, END, "--select", "ml_feature_store_v2")
        found["ml_feature_store_v2 alone, days an hour"] = len(days) / alone.wall * 3600
    if "models" in only:
        alone = run("whole", "backfill", START, END, "--select", "prediction_models")
        months = sum(training_day(d) == d for d in days)
        found["prediction_models alone, s a month"] = alone.wall / months
        found["  its step, s a month"] = (
            last_step_seconds(scratch / "whole", "nba_predictions__prediction_models") / months
        )
    if "demo" in only:
        found["demo, s"] = run("demo", "demo").wall
    return found


def last_step_seconds(home: Path, step: str) -> float:
    """Return the seconds from the start to the success of the step's last run, by the event log of the home."""
    with closing(sqlite3.connect(home / "dagster" / "event_log.db")) as log:
        times = log.execute(
            "SELECT dagster_event_type, max(timestamp) FROM event_logs WHERE step_key = ? GROUP BY dagster_event_type",
            [step],
        )
        latest = {kind: datetime.fromisoformat(time) for kind, time in times}
    return (latest["STEP_SUCCESS"] - latest["STEP_START"]).total_seconds()


def lines(sides: Sequence[Sequence[Figures]]) -> list[str]:
    """Return the lines of the table: the medians of every side, and the last side's as a share of the first's.

    Args:
        sides: The rounds of each side; every round has the same rows.
    """
    heads = ["before", "now", "now/before"] if len(sides) > 1 else ["now"]
    table = [f"{'':<44}" + "".join(f"{h:>12}" for h in heads)]
    for row in sides[-1][0]:
        medians = [statistics.median(of_round[row] for of_round in rounds) for rounds in sides]
        ratio = [f"{medians[-1] / medians[0]:>12.2f}"] if len(sides) > 1 else []
        table.append(f"{row:<44}" + "".join([*(f"{_short(m):>12}" for m in medians), *ratio]))
    return table


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=MEASURES)
    given = parser.parse_args()
    before = [Side(given.baseline.absolute(), given.python)] if given.baseline else []
    sides = [*before, Side(CHECKOUT, sys.executable)]
    markets = os.environ.get("NBA_PIPELINE_MARKETS", "points")
    variables = {
        "NBA_PIPELINE_SOURCE": "files",
        "NBA_PIPELINE_DATA": str(given.data.resolve()),
        "NBA_PIPELINE_MARKETS": markets,
    }
    rounds: list[list[Figures]] = [[] for _ in sides]
    for number in range(given.runs):
        for side, taken in list(zip(sides, rounds, strict=True))[:: -1 if number % 2 else 1]:
            with tempfile.TemporaryDirectory() as scratch:
                taken.append(figures(side, Path(scratch), variables, given.only))
            print(f"round {number + 1} of {given.runs}: {side.checkout.name}: {taken[-1]}", file=sys.stderr, flush=True)
    print(f"{START} .. {END}, {markets}, {given.runs} rounds")
    print("\n".join(lines(rounds)))


if __name__ == "__main__":
    main()
