"""Drawings: bars for every outcome, on the right side of the line, within the frame."""

import re
from dataclasses import replace

import pytest

from nba_pipeline.reporting.svg import PLOT_HEIGHT, PLOT_WIDTH, histogram, recent
from nba_pipeline_tests.support.report_pages import FORECAST

LAW = tuple([0.05] * 20)


def bars(svg: str, name: str) -> int:
    found = re.search(rf'<path class="{name}" d="([^"]*)"', svg)
    return found.group(1).count("M") if found else 0


@pytest.mark.parametrize(("line", "under", "pushed", "over"), [(9.5, 10, 0, 10), (9.0, 9, 1, 10), (0.5, 1, 0, 19)])
def test_outcomes_under_at_and_over_the_line(line: float, under: int, pushed: int, over: int) -> None:
    svg = histogram(replace(FORECAST, outcomes=LAW), line)
    assert (bars(svg, "under"), bars(svg, "pushed"), bars(svg, "over")) == (under, pushed, over)


def test_a_line_beyond_every_likely_outcome_is_still_drawn() -> None:
    svg = histogram(replace(FORECAST, outcomes=LAW), 30.5)
    assert bars(svg, "over") == 1
    assert bars(svg, "under") == 31
    assert ">30.5<" in svg


def test_the_tallest_bar_fits_the_frame() -> None:
    svg = histogram(replace(FORECAST, outcomes=(0.01, 0.9, 0.09)), 1.5)
    assert max(float(h) for h in re.findall(r"v-([\d.]+)", svg)) <= PLOT_HEIGHT
    assert max(float(x) for x in re.findall(r"M([\d.]+) ", svg)) < PLOT_WIDTH


@pytest.mark.parametrize(("line", "over", "pushed", "under"), [(20.5, 3, 0, 3), (22.0, 2, 1, 3), (40.5, 0, 0, 6)])
def test_earlier_games_are_coloured_by_their_side_of_the_line_oldest_first(
    line: float, over: int, pushed: int, under: int
) -> None:
    svg = recent(FORECAST.recent, line)
    assert [svg.count(f'class="{name}"') for name in ("over", "pushed", "under")] == [over, pushed, under]
    assert "oldest first: 22, 19, 12, 30, 18, 25;" in svg
    assert max(float(h) for h in re.findall(r"v-([\d.]+)", svg)) <= PLOT_HEIGHT


def test_names_are_escaped_in_the_label() -> None:
    assert "&#34;&gt;" in histogram(replace(FORECAST, player='x">'), 19.5)
