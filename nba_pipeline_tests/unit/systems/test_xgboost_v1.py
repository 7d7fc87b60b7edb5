"""The bins of the trees: all values of a column that has few, quantiles of one that has many; and how the library reads rows."""

import numpy as np
import pytest

from nba_pipeline.systems.xgboost_v1 import BINS, _edges, _quick_to_read


@pytest.mark.parametrize("values", [1, 2, BINS - 1, BINS])
def test_every_value_of_a_column_with_few_is_an_edge(values: int) -> None:
    column = np.repeat(np.arange(values), 3).astype(np.float32)
    assert set(_edges(np.append(column, np.nan))) == set(column)


def test_between_the_edges_of_a_column_with_many_values_lie_as_many_rows() -> None:
    column = np.random.default_rng(5).gamma(2, 3, 10_000).astype(np.float32)
    rows, _ = np.histogram(column, _edges(column))
    assert rows.max() - rows.min() <= 2
    assert (_edges(column)[0], _edges(column)[-1]) == (column.min(), column.max())


def test_edges_do_not_depend_on_the_order_of_rows() -> None:
    column = np.random.default_rng(5).normal(0, 1, 500).astype(np.float32)
    assert (_edges(column) == _edges(column[::-1])).all()


def test_a_column_that_is_unknown_throughout_has_edges_nevertheless() -> None:
    assert (_edges(np.full(5, np.nan, dtype=np.float32)) == np.zeros(BINS)).all()


def test_rows_have_the_same_values_and_the_same_unknown_ones_as_the_library_reads_them() -> None:
    import xgboost

    values = np.random.default_rng(5).normal(0, 1, (200, 3)).astype(np.float32)
    values[::7, 1], values[:, 2] = np.nan, 0
    read, plain = (xgboost.QuantileDMatrix(v, max_bin=BINS).get_data() for v in (_quick_to_read(values), values))
    assert read.nnz == np.isfinite(values).sum()
    assert (read.toarray() == plain.toarray()).all()
