"""Markets: each is a sum of counts, and rows of several markets go through the function of one."""

import numpy as np

from nba_pipeline.markets import MARKETS, by_market
from nba_pipeline.raw.player_prop_lines import MARKETS as QUOTED


def test_every_forecast_market_is_quoted_by_books() -> None:
    assert set(MARKETS) <= set(QUOTED)


def test_rows_come_back_in_their_order() -> None:
    market, value = np.array(["b", "a", "b", "a"]), np.array([1.0, 2.0, 3.0, 4.0])

    def scaled(x: np.ndarray, *, market: str) -> dict[str, np.ndarray]:
        return {"y": x * (10 if market == "a" else 100)}

    assert by_market(scaled, market, value)["y"].tolist() == [100, 20, 300, 40]
    assert by_market(scaled, market[:0], value[:0]) == {}
