"""What a page shows does not depend on the order in which rows were read."""

import pandas as pd
import pytest

from nba_pipeline.reporting.forecasts import absences

PLAYERS = pd.DataFrame(
    [
        {
            "player_id": i,
            "player_name": n,
            "team": "BOS",
            "injury_status": "out",
            "injury_reported_on": None,
            "points_avg_season": a,
        }
        for i, (n, a) in enumerate((("A. Ant", None), ("B. Bee", None), ("C. Cat", 12.0)))
    ]
)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_absent_players_without_an_average_stand_in_the_order_of_their_names(order: list[int]) -> None:
    assert [a.player for a in absences(PLAYERS.iloc[order], {})] == ["C. Cat", "A. Ant", "B. Bee"]
