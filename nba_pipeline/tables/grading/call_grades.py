"""nba_predictions.call_grades: each recorded call against the result and against the closing market."""

from datetime import date

import ibis
import numpy as np
import pyarrow as pa

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal, shared
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.domain.game_states import FINAL, PENDING, absence, void_reason
from nba_pipeline.domain.markets import MARKETS, by_market
from nba_pipeline.engine.transform import Transform
from nba_pipeline.systems import SYSTEM_IDS
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.pricing import decimal_odds
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.grading.prediction_accuracy import LOSS, PLAYED_ELSEWHERE, PUSH, VOID, WIN, outcomes, profit
from nba_pipeline.tables.predictions.calls import CALLS, LAW, SNAPSHOTS
from nba_pipeline.tables.predictions.player_prop_predictions import OVER, UNDER
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.consensus_lines import closing
from nba_pipeline.tables.shared.keys import GAME


class CallGrades(Rows):
    """Grades of the recorded calls at the line and the price at which they were made, with the value of both at the close.
    One row per call of a finished game, or of one that was called off or suspended."""

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    market: str = column("statistic that was bet on", isin=list(MARKETS))
    snapshot: str = column("part of the day in which the call was made", isin=list(SNAPSHOTS))
    system_id: str = column("pricing system that made the call", isin=list(SYSTEM_IDS))
    game_id: str = columns.GAME_ID
    season: str = column("season label")
    season_type: str = columns.SEASON_TYPE
    side: str = column("side that was recommended", isin=[OVER, UNDER])
    bookmaker: str = column("book of the price; NULL without a price", nullable=True)
    line_book_kind: str = column("books behind the consensus line: sportsbook or dfs", isin=["sportsbook", "dfs"])
    line: float = column("line of the call", unit="market", precision=2, gt=0)
    odds: float = column("American price of the call; NULL without a price", precision=1, nullable=True)
    p_side: float = column("probability of the side at the line when the call was made", ge=0, le=1)
    expected_value: float = column("value of one unit when the call was made", unit="units", nullable=True, ge=-1)
    backfilled: bool = column("true if the call was computed after the cut-off of its game")
    actual_value: int = column("what happened; NULL if the player did not play", unit="market", nullable=True, ge=0)
    outcome: str = column(
        "win, loss or push at the line of the call; void if the player did not play or the game was called off;"
        " played_elsewhere if he took part in another game of the day",
        isin=[WIN, LOSS, PUSH, VOID, PLAYED_ELSEWHERE],
    )
    profit: float = column(
        "profit of one unit at the price of the call; 0 on a push; NULL without a decided bet or a price",
        unit="units",
        nullable=True,
        ge=-1,
    )
    closing_line: float = column(
        "consensus line at the close: of quotes in force at the cut-off, and of documented closes captured after the scheduled"
        " tip-off, before the real one",
        unit="market",
        precision=2,
        nullable=True,
        gt=0,
    )
    closing_p_side: float = column(
        "the market's probability of the side at the line of the call, pushes aside, by the close",
        formula="the books' mean probability without margin at their mean line at the close, carried to the line of the call"
        " by the law of the call; NULL where no sportsbook gives both prices",
        nullable=True,
        ge=0,
        le=1,
    )
    closing_value_points: float = column(
        "how much better the line of the call was than the closing line; positive: better",
        formula="over: closing_line - line; under: line - closing_line",
        unit="market",
        precision=2,
        nullable=True,
    )
    closing_value: float = column(
        "closing line value in probability; positive: the close is worth more than the price of the call",
        formula="closing_p_side - 1 / decimal odds of the call",
        nullable=True,
        ge=-1,
        le=1,
    )


CALL_GRADES = Table(
    model=CallGrades,
    name="call_grades",
    dataset="nba_predictions",
    key=("game_date", "player_id", "market", "snapshot"),
    partition="game_date",
    cluster=("player_id", "market"),
    rules={
        "a profit without a price": lambda t: t.profit.isnull() | t.odds.notnull(),
        "profit and outcome contradict each other": lambda t: (t.profit > 0) == (t.outcome == WIN),
        "a void row has an actual value": lambda t: ~t.outcome.isin([VOID, PLAYED_ELSEWHERE]) | t.actual_value.isnull(),
    },
)

_COPIED = (
    *("game_date", "player_id", "market", "snapshot", "system_id", "game_id", "season", "season_type", "side"),
    *("bookmaker", "line_book_kind", "line", "odds", "p_side", "expected_value", "backfilled"),
)


def build(calls: ir.Table, facts: ir.Table, schedule: ir.Table, quotes: ir.Table) -> ir.Table:
    """Join calls to what happened and to the closing market; `graded` adds outcomes and values."""
    states = schedule.mutate(void=void_reason(schedule.status))
    over = states.filter(states.status == FINAL).semi_join(facts, GAME)
    games = shared(over.union(states.filter(states.void.notnull())))
    slate = calls.inner_join(games, GAME).select(calls.game_date, calls.game_id, calls.player_id, games.cutoff_at)
    close = closing(quotes, shared(slate.distinct()))
    appeared = facts.select("game_date", "player_id", appeared_in=facts.game_id)
    elsewhere = [
        calls.game_date == appeared.game_date,
        calls.player_id == appeared.player_id,
        calls.game_id != appeared.appeared_in,
        games.void.isnull(),
    ]
    at_close = equal(calls, close, "game_date", "player_id", "market")
    joined = (
        calls.inner_join(games, GAME)
        .left_join(facts, [*equal(calls, facts, *GAME, "player_id"), games.void.isnull()])
        .left_join(appeared, elsewhere)
        .left_join(close, at_close)
    )
    return joined.select(
        *[calls[c] for c in (*_COPIED, *LAW)],
        actual_value=calls.market.cases(*((m.name, m.actual(facts)) for m in MARKETS.values())),
        elsewhere=appeared.appeared_in.notnull(),
        closing_line=close.line,
        market_line=close.market_line,
        market_over=close.market_over,
    )


def graded(rows: pa.Table) -> pa.Table:
    """Add outcome, profit and closing line value."""
    actual, line, odds, closing = (_floats(rows, c) for c in ("actual_value", "line", "odds", "closing_line"))
    side = rows["side"].to_numpy(zero_copy_only=False)
    outcome = outcomes(side, actual, line, rows["elsewhere"].to_numpy(zero_copy_only=False).astype(bool))
    numbers = (_floats(rows, c) for c in (*LAW, "line", "market_line", "market_over"))
    close = by_market(_closing_over, rows["market"].to_numpy(zero_copy_only=False).astype(str), *numbers)
    over = close.get("over", line)
    p_side = np.where(side == OVER, over, 1 - over)
    values = {
        "outcome": pa.array(outcome, pa.string()),
        "profit": _numbers(profit(outcome, odds)),
        "closing_p_side": _numbers(p_side),
        "closing_value_points": _numbers(np.where(side == OVER, closing - line, line - closing)),
        "closing_value": _numbers(p_side - 1 / decimal_odds(odds)),
    }
    return pa.table({**{c: rows[c] for c in (*_COPIED, "actual_value", "closing_line")}, **values})


def _closing_over(
    mean: np.ndarray,
    sd: np.ndarray,
    skewness: np.ndarray,
    line: np.ndarray,
    market_line: np.ndarray,
    market_over: np.ndarray,
    *,
    market: str,
) -> dict[str, np.ndarray]:
    """The market's probability of the over at the line of the call, by the form of the call's law."""
    law = Law.stored(mean, sd, skewness, market)
    return {"over": Law(law.centre(market_line, market_over), law.sd, law.skewness).decided_over(line)}


def _floats(rows: pa.Table, name: str) -> np.ndarray:
    return rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False)


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def expected(calls: ir.Table, facts: ir.Table, schedule: ir.Table) -> ir.Table:
    """Every call of a countable game: graded once the game is final; void at once where it was called off."""
    played = facts.select(*GAME).distinct()
    joined = calls.left_join(schedule, GAME).left_join(played, equal(calls, played, *GAME))
    reason = ibis.cases(
        (schedule.game_id.isnull(), "its game is no longer in the schedule of the day"),
        (void_reason(schedule.status).notnull(), ibis.null("string")),
        (schedule.status != FINAL, absence(schedule.status)),
        (played.game_id.isnull(), PENDING),
    )
    return joined.select(*[calls[c] for c in CALL_GRADES.key], reason=reason)


TRANSFORM = Transform(
    CALL_GRADES,
    build,
    reads={
        "calls": asof.same_day(CALLS),
        "facts": asof.same_day(PLAYER_GAME_SUMMARY),
        "schedule": asof.same_day(SCHEDULE),
        "quotes": asof.same_day(PLAYER_PROP_LINES),
    },
    expected=expected,
    apply=graded,
    watched=("actual_value", "closing_line"),
    group="5_grading",
)
