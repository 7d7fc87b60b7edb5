"""Frames with further columns or fewer rows are what pandas makes of them, and share what they need not copy."""

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.common.frames import beside, rows_where

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [5.0, 6.0, 7.0, 8.0], "name": list("wxyz")})


def test_columns_stand_beside_the_others_and_the_frame_stays_as_it_is() -> None:
    before = FRAME.copy()
    wider = beside(FRAME, b=np.zeros(4), c=np.ones(4))
    pd.testing.assert_frame_equal(wider, FRAME.assign(b=0.0, c=1.0))
    pd.testing.assert_frame_equal(FRAME, before)
    assert np.shares_memory(wider["a"].to_numpy(), FRAME["a"].to_numpy())


@pytest.mark.parametrize("use", [[0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]])
def test_rows_are_selected_with_their_labels(use: list[int]) -> None:
    labelled = FRAME.set_axis([7, 8, 9, 10])
    chosen = np.array(use, dtype=bool)
    pd.testing.assert_frame_equal(rows_where(labelled, chosen), labelled[chosen])
    pd.testing.assert_frame_equal(rows_where(labelled, pd.Series(chosen, labelled.index)), labelled[chosen])


def test_rows_that_follow_on_each_other_are_not_copied() -> None:
    chosen = rows_where(FRAME, FRAME["a"].to_numpy() > 2)
    assert np.shares_memory(chosen["a"].to_numpy(), FRAME["a"].to_numpy())
