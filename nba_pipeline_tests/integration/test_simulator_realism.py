"""The invented league looks like recorded seasons: within the bounds of docs/simulator.md, and the page says what is measured."""

from pathlib import Path

import pytest

from benchmarks.recorded_figures import RECORDED, outside, table
from benchmarks.simulator_realism import mean_figures

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def rows_of_page() -> dict[str, list[float]]:
    """The table of the page: simulated, recorded and allowed distance by figure."""
    cells = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {name: [float(v) for v in values] for name, *values in cells if name in RECORDED}


def test_the_page_has_every_figure_with_the_bounds_that_the_benchmark_holds() -> None:
    page = rows_of_page()
    assert {name: values[1:] for name, values in page.items()} == {
        name: [recorded.mean, recorded.within] for name, recorded in RECORDED.items()
    }
    assert outside({name: values[0] for name, values in page.items()}) == {}


@pytest.fixture(scope="module")
def simulated() -> dict[str, float]:
    return mean_figures("2023-24", [7, 8])


def test_simulated_seasons_are_within_the_bounds_of_recorded_ones(simulated: dict[str, float]) -> None:
    assert outside(simulated) == {}


def test_a_figure_beyond_its_bound_is_named(simulated: dict[str, float]) -> None:
    assert outside(simulated | {"over %": 40.0}) == {"over %": 40.0}
    assert "| over % | 40.00 | 48.8 | 1.3 |" in table(simulated | {"over %": 40.0})
