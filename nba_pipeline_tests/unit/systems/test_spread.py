"""Sums over many rows are those of plain linear algebra, whatever the number of rows is divided into."""

import numpy as np
import pytest

from nba_pipeline.systems.spread import ROWS_AT_ONCE, gram, triangle

NUMBERS = [1, 3, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 10 * ROWS_AT_ONCE, 5_003]


@pytest.mark.parametrize("n", NUMBERS)
def test_products_of_columns_are_those_of_all_rows(n: int) -> None:
    rows = np.random.default_rng(3).normal(2, 1, (n, 5))
    products, with_wanted = gram(rows[:, :4], rows[:, 4])
    assert products == pytest.approx(rows[:, :4].T @ rows[:, :4])
    assert with_wanted == pytest.approx(rows[:, :4].T @ rows[:, 4])


@pytest.mark.parametrize("n", NUMBERS)
def test_a_few_rows_stand_for_all(n: int) -> None:
    rows = np.random.default_rng(3).normal(2, 1, (n, 5))
    few = triangle(rows)
    assert len(few) <= 5
    assert few.T @ few == pytest.approx(rows.T @ rows)
