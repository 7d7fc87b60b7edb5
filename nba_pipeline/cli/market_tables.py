"""The market as a rival, and the results of recorded calls, as console tables."""

import pandas as pd
from rich.table import Table as Grid

from nba_pipeline.cli.figures import Figure, figures_grid
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN

RIVALS = (
    Figure("decided overs", "n", ",.0f"),
    Figure("log-loss", "log_loss", ".4f"),
    Figure("Brier", "brier", ".4f"),
    Figure("calibration error", "calibration_error", ".3f"),
    Figure("vs market", "vs_market", "+.4f", interval="+.4f"),
    Figure("at the close", "n_close", ",.0f"),
    Figure("vs close", "vs_close", "+.4f", interval="+.4f"),
)
BUCKETS = (
    Figure("N", "n", ",.0f"),
    Figure("forecast", "forecast", ".3f"),
    Figure("market", "market", ".3f"),
    Figure("observed", "observed", ".3f", interval=".3f"),
)
RECORDED = (
    Figure("calls", "calls", ",.0f"),
    Figure("no price", "without_price", ",.0f"),
    Figure("after cut-off", "backfilled", ",.0f"),
    Figure("decided", "decided", ",.0f"),
    Figure("hit rate", "hit_rate", ".1%"),
    Figure("priced", "priced", ",.0f"),
    Figure("claimed", "claimed", "+.1%"),
    Figure("ROI", "roi", "+.1%", interval="+.1%"),
    Figure("closed", "closed", ",.0f"),
    Figure("closing value", "closing_value", "+.3f", interval="+.3f"),
    Figure("line", "closing_value_points", "+.2f"),
)


def market_grid(board: pd.DataFrame) -> Grid:
    """Lay out the chances of every system beside those of the market without its margin."""
    title = "Chances of the over beside the market without margin, on the rows that it prices; negative: better than the market"
    return figures_grid(title, board, {"system": "system_id"}, RIVALS)


def bucket_grid(buckets: pd.DataFrame, system: str) -> Grid:
    """Lay out forecast, market and outcome of one system by bucket of the line and of the market's price."""
    title = f"{system}: chance of the over by line and by the market's price; buckets of {FEWEST_SHOWN} rows and more"
    own = buckets[buckets["system_id"] == system]
    return figures_grid(title, own, {"by": "by", "bucket": "bucket"}, BUCKETS)


def recorded_calls_grid(results: pd.DataFrame) -> Grid:
    """Lay out returns and closing line value of the recorded calls."""
    title = f"Recorded calls at their own prices; figures of {FEWEST_SHOWN} priced bets and more"
    return figures_grid(title, results, {"by": "by", "": "group"}, RECORDED)
