"""Markets: each is a sum of counts, and rows of several markets go through the function of one."""

import numpy as np

from nba_pipeline.domain.markets import MARKETS, by_market
from nba_pipeline.reporting.reasons import NOTED_ALLOWED
from nba_pipeline.sources.parsing.odds import PROP_MARKETS
from nba_pipeline.systems.distribution import SHIFT
from nba_pipeline.systems.zone_matchup_v1 import ZONE_WEIGHTS
from nba_pipeline.tables.raw.player_prop_lines import MARKETS as QUOTED
from nba_pipeline.tables.shared.quote_bounds import HIGHEST_LINES


def test_every_forecast_market_is_quoted_by_books() -> None:
    assert set(MARKETS) <= set(QUOTED)
    assert set(MARKETS) <= set(PROP_MARKETS.values())
    assert set(MARKETS) <= set(HIGHEST_LINES)


def test_every_constant_by_market_has_every_market() -> None:
    assert set(ZONE_WEIGHTS) == set(NOTED_ALLOWED) == set(SHIFT) == set(MARKETS)


def test_rows_come_back_in_their_order() -> None:
    market, value = np.array(["b", "a", "b", "a"]), np.array([1.0, 2.0, 3.0, 4.0])

    def scaled(x: np.ndarray, *, market: str) -> dict[str, np.ndarray]:
        return {"y": x * (10 if market == "a" else 100)}

    assert by_market(scaled, market, value)["y"].tolist() == [100, 20, 300, 40]
    assert by_market(scaled, market[:0], value[:0]) == {}
