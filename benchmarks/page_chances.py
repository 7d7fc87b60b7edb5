"""How far the chances that a page prints lie from the distribution that it draws.

    NBA_PIPELINE_HOME=home python benchmarks/page_chances.py START END

Every day of the range is read as for its page. Printed: the chance of the over at the consensus line and at every book's line.
Drawn: what the bars up to that line leave of 1. Bars are rounded to five digits; they end four standard deviations above the
mean, and what lies beyond is counted apart.
"""

import argparse
from collections.abc import Iterator
from datetime import date

import numpy as np

from nba_pipeline.config.settings import Settings
from nba_pipeline.definitions import defs
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.reporting.data import Forecast
from nba_pipeline.reporting.queries import read_reports
from nba_pipeline.tables.catalog import CATALOG, graph_order

WHERE = ("consensus", "book")


def chances(forecast: Forecast) -> Iterator[tuple[str, float, float]]:
    """Yield where a chance of the over is printed, the printed one and the drawn one."""
    if forecast.line is not None and forecast.p_over is not None:
        yield WHERE[0], forecast.p_over, drawn_over(forecast, forecast.line)
    for quote in forecast.quotes:
        yield WHERE[1], quote.p_over, drawn_over(forecast, quote.line)


def drawn_over(forecast: Forecast, line: float) -> float:
    """Take the bars up to a line from 1."""
    return 1 - sum(p for outcome, p in enumerate(forecast.outcomes) if outcome <= line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=date.fromisoformat)
    parser.add_argument("end", type=date.fromisoformat)
    given = parser.parse_args()
    assert defs.assets
    units = {t: CATALOG[t].unit for t in graph_order()}
    pages = read_reports(Settings.from_environment().open_warehouse(), days_between(given.start, given.end), units)
    drawn = [f for page in pages for f in page.forecasts if f.outcomes]
    found = [c for f in drawn for c in chances(f)]
    for where in WHERE:
        pairs = np.array([(printed, drawn) for w, printed, drawn in found if w == where]).reshape(-1, 2)
        apart = np.abs(pairs[:, 0] - pairs[:, 1])
        sides = (pairs[:, 0] > 0.5) != (pairs[:, 1] > 0.5)
        print(
            f"at the {where} line: N {len(pairs):,}, greatest distance {apart.max(initial=0):.5f}, "
            f"mean {apart.mean():.6f}, on different sides of one half {sides.sum():,}"
        )
    beyond = np.array([1 - sum(f.outcomes) for f in drawn])
    print(f"beyond the last bar: N {len(beyond):,}, greatest {beyond.max(initial=0):.5f}, mean {beyond.mean():.6f}")


if __name__ == "__main__":
    main()
