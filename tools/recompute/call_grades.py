"""nba_predictions.call_grades, graded a second time: the home's calls beside the box scores of the landing files."""

import numpy as np
import pandas as pd

from tools.recompute import law, prediction_accuracy, quotes
from tools.recompute.league import League

TABLE = "nba_predictions.call_grades"
CALLS = "nba_predictions.calls"
LEFT_OUT: dict[str, str] = {}


def recompute(league: League) -> pd.DataFrame:
    """Grade every call of a finished game at its price, and hold it against the close. One row per call."""
    rows = league.home(CALLS)
    finished = league.games[league.games.home_points.notna()][["game_id", "cutoff_at"]]
    rows = rows.merge(finished, on="game_id", validate="m:1")
    facts = prediction_accuracy.actuals(league.box_scores)
    rows = rows.merge(facts, on=["game_id", "player_id", "market"], how="left", validate="m:1")
    close = quotes.consensus(
        quotes.in_force(league.home(quotes.QUOTES), rows.drop_duplicates(["game_date", "player_id"]), closes=True)
    )
    names = {"line": "closing_line", "market_line": "market_line", "market_over": "market_over"}
    rows = rows.merge(
        close[[*quotes.PLAYER, *names]].rename(columns=names), on=quotes.PLAYER, how="left", validate="m:1"
    )
    over = rows.side == "OVER"
    value = (rows.closing_line - rows.line).where(over, rows.line - rows.closing_line)
    carried = rows.assign(predicted_mean=law.mean_with_chance(rows, rows.market_line, rows.market_over))
    above, push = law.over_and_push(carried, rows.line)
    decided = above / (1 - push)
    chance = decided.where(over, 1 - decided)
    rows = rows.assign(outcome=_outcome(rows, league), closing_value_points=value, closing_p_side=chance)
    return rows.assign(closing_value=chance - 1 / quotes.decimal(rows.odds), profit=prediction_accuracy.profit(rows))


def _outcome(rows: pd.DataFrame, league: League) -> pd.Series:
    appeared = pd.MultiIndex.from_frame(league.box_scores[["game_date", "player_id"]])
    that_day = pd.MultiIndex.from_frame(rows[["game_date", "player_id"]]).isin(appeared)
    over = rows.side == "OVER"
    won = np.where(over, rows.actual_value > rows.line, rows.actual_value < rows.line)
    absent = rows.actual_value.isna()
    rules = [absent & that_day, absent, rows.actual_value == rows.line, won]
    return pd.Series(np.select(rules, ["played_elsewhere", "void", "push", "win"], "loss"), rows.index, dtype="object")
