"""nba_predictions.player_prop_predictions: every system's forecast for every listed player, and its call against the line."""

from collections.abc import Mapping
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from nba_pipeline import asof, lines
from nba_pipeline import ibis_types as ir
from nba_pipeline.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.contracts import Instant, Rows, Table, column
from nba_pipeline.names import LOOKUP_SQL_PATTERN
from nba_pipeline.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.predictions.versions import V2
from nba_pipeline.raw.columns import tricode
from nba_pipeline.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.relations import shared
from nba_pipeline.seasons import GAME_ID, SEASON_TYPES
from nba_pipeline.systems import RULES, System
from nba_pipeline.systems.distribution import QUANTILES, probability_over, quantile
from nba_pipeline.table_asset import table_asset
from nba_pipeline.transform import Transform

MARKET = "points"
EWMA_HALF_LIFE = 8
OVER, UNDER, PASS, NO_LINE = "OVER", "UNDER", "PASS", "NO_LINE"
CALL_EDGE = 1.5
CALL_PROBABILITY = 0.55
OUT = "out"


class PlayerPropPredictions(Rows):
    """Forecasts made from what was known by `as_of`, with the call against the consensus line; a listed
    player without a forecast has a row that says why. One row per listed player, market and system."""

    game_date: date = column("US-Eastern calendar date")
    player_id: int = column("NBA person id", gt=0)
    market: str = column("statistic that is forecast", isin=[MARKET])
    system_id: str = column("system that made the forecast", isin=[s.system_id for s in RULES])
    model_version: str = column("version of the system")
    feature_version: str = column("version of the features it saw")
    game_id: str = column("NBA game id", str_matches=GAME_ID)
    season: str = column("season label")
    season_type: str = column("kind of game", isin=list(SEASON_TYPES.values()))
    player_name: str = column("display name")
    player_lookup: str = column("normalised name", str_matches=LOOKUP_SQL_PATTERN)
    team: str = tricode("tricode of the player's team")
    opponent: str = tricode("tricode of the opponent")
    prior_games: int = column("games the player has finished this season before the day", unit="games", ge=0, le=130)
    injury_status: str = column("status in force at the cut-off; NULL without any statement", nullable=True)
    predicted_mean: float = column("forecast mean; NULL with a reason", unit="points", nullable=True, ge=0, le=80)
    predicted_sd: float = column("forecast standard deviation", unit="points", nullable=True, gt=0, le=40)
    q10: float = column("10 % quantile of the forecast", unit="points", nullable=True, ge=0)
    q25: float = column("25 % quantile of the forecast", unit="points", nullable=True, ge=0)
    q50: float = column("median of the forecast", unit="points", nullable=True, ge=0)
    q75: float = column("75 % quantile of the forecast", unit="points", nullable=True, ge=0)
    q90: float = column("90 % quantile of the forecast", unit="points", nullable=True, ge=0)
    line: float = column("consensus line in force at the cut-off", unit="points", precision=2, nullable=True, gt=0)
    line_source: str = column("actual: quoted by books and captured in time; none: no line", isin=["actual", "none"])
    line_book_kind: str = column("sportsbook or dfs", nullable=True, isin=["sportsbook", "dfs"])
    line_books: int = column("books behind the consensus", nullable=True, ge=1)
    line_captured_at: Instant = column("when the newest of these quotes was last known (UTC)", nullable=True)
    p_over: float = column("probability that the outcome exceeds the line", nullable=True, ge=0, le=1)
    p_push: float = column("probability that the outcome equals the line", nullable=True, ge=0, le=1)
    edge: float = column("forecast mean minus the line", unit="points", nullable=True)
    recommendation: str = column(
        "call against the line",
        formula=f"OVER/UNDER: edge of at least {CALL_EDGE} points and probability of at least {CALL_PROBABILITY} for that side; "
        "PASS otherwise, for players reported out and without a forecast; NO_LINE without a line",
        isin=[OVER, UNDER, PASS, NO_LINE],
    )
    confidence: float = column("probability of the more likely side, without pushes", nullable=True, ge=0.5, le=1)
    components: str = column("terms that add up to the mean, as JSON", nullable=True)
    insufficient_data_reason: str = column("why there is no forecast; NULL where there is one", nullable=True)
    early_season_flag: bool = column("true in the first 14 days of a season")
    as_of: Instant = column(
        "the forecast uses nothing that became known later (UTC)", formula="cut-off, or the run if earlier"
    )


PLAYER_PROP_PREDICTIONS = Table(
    model=PlayerPropPredictions,
    name="player_prop_predictions",
    dataset="nba_predictions",
    key=("game_date", "player_id", "market", "system_id"),
    partition="game_date",
    cluster=("system_id", "player_id"),
    rules={
        "neither a forecast nor a reason": lambda t: t.predicted_mean.notnull() != t.insufficient_data_reason.notnull(),
        "quantiles are not in order": lambda t: (
            (t.q10 <= t.q25) & (t.q25 <= t.q50) & (t.q50 <= t.q75) & (t.q75 <= t.q90)
        ),
        "a line without books, or books without a line": lambda t: (t.line_source == "actual") == t.line.notnull(),
        "a call without a line": lambda t: t.line.notnull() | (t.recommendation == NO_LINE),
        "a line known only after as_of": lambda t: t.line_captured_at <= t.as_of,
    },
)


def build(features: ir.Table, context: ir.Table, games: ir.Table, quotes: ir.Table, clock: ir.Table) -> ir.Table:
    """One row per listed player: form in the market, features, line and cut-off; `forecast` turns it into forecasts."""
    known_until = ibis.least(context.cutoff_at, clock.now)
    slate = shared(
        context.cross_join(clock).select(
            *[context[c] for c in ("game_date", "player_id", "season", "injury_status")], cutoff_at=known_until
        )
    )
    form = asof.attach(
        slate,
        games,
        {
            "games": asof.count(),
            "last_5": asof.mean(MARKET, last=5, at_least=5),
            "last_10": asof.mean(MARKET, last=10, at_least=10),
            "season_average": asof.mean(MARKET),
            "ewma": asof.ewma(MARKET, half_life=EWMA_HALF_LIFE),
            "std_last_10": asof.std(MARKET, last=10, at_least=5),
        },
        by=("player_id",),
    )
    market = lines.consensus(quotes.filter(quotes.market == MARKET), slate)
    known = features.filter(features.feature_version == V2.name)
    on = ["game_date", "player_id"]
    joined = known.inner_join(form, on).left_join(
        market, [known.game_date == market.game_date, known.player_id == market.player_id]
    )
    return joined.select(
        known,
        *[form[c] for c in ("games", "last_5", "last_10", "season_average", "ewma", "std_last_10", "injury_status")],
        line=market.line,
        line_books=market.books,
        line_book_kind=market.line_source,
        line_captured_at=market.captured_at,
        as_of=form.cutoff_at,
    )


def forecast(inputs: pa.Table) -> pa.Table:
    """All systems over all rows of `build`, as rows of the contract."""
    rows = inputs.to_pandas()
    if rows.empty:
        rows = rows.astype({"games": float})
    return pa.concat_tables([_forecast(system, rows, inputs) for system in RULES])


_COPIED = (
    "game_date",
    "player_id",
    "feature_version",
    "game_id",
    "season",
    "season_type",
    "player_name",
    "player_lookup",
    "team",
    "opponent",
    "injury_status",
    "line",
    "line_book_kind",
    "line_books",
    "line_captured_at",
    "early_season_flag",
    "as_of",
)


def _forecast(system: System, rows: pd.DataFrame, inputs: pa.Table) -> pa.Table:
    made = system.predict(rows)
    line = rows["line"].to_numpy(dtype=float)
    over, push = probability_over(made.mean, made.sd, line, MARKET)
    known = ~np.isnan(made.mean)
    out = (rows["injury_status"] == OUT).to_numpy(dtype=bool)
    columns = {c: inputs[c] for c in _COPIED}
    columns |= {
        "market": _constant(MARKET, len(rows)),
        "system_id": _constant(system.system_id, len(rows)),
        "model_version": _constant(system.version, len(rows)),
        "prior_games": inputs["games"],
        "predicted_mean": _numbers(made.mean),
        "predicted_sd": _numbers(np.where(known, made.sd, np.nan)),
        **{f"q{round(100 * q)}": _numbers(quantile(made.mean, made.sd, q, MARKET)) for q in QUANTILES},
        "line_source": pa.array(np.where(np.isnan(line), "none", "actual")),
        "p_over": _numbers(over),
        "p_push": _numbers(np.where(known, push, np.nan)),
        "edge": _numbers(made.mean - line),
        "recommendation": pa.array(call(made.mean, over, push, line, out)),
        "confidence": _numbers(_confidence(over, push)),
        "components": _as_json(made.components, known),
        "insufficient_data_reason": pa.array(made.reason, pa.string(), mask=known),
    }
    return pa.table(columns)


def call(mean: np.ndarray, over: np.ndarray, push: np.ndarray, line: np.ndarray, out: np.ndarray) -> np.ndarray:
    """OVER, UNDER, PASS or NO_LINE, by the stated thresholds; nobody reported out is called."""
    edge, under = mean - line, 1 - over - push
    with np.errstate(invalid="ignore"):
        is_over = (edge >= CALL_EDGE) & (over >= CALL_PROBABILITY) & ~out
        is_under = (edge <= -CALL_EDGE) & (under >= CALL_PROBABILITY) & ~out
    return np.select([np.isnan(line), is_over, is_under], [NO_LINE, OVER, UNDER], PASS)


def _confidence(over: np.ndarray, push: np.ndarray) -> np.ndarray:
    decided = over / np.where(push < 1, 1 - push, np.nan)
    return np.maximum(decided, 1 - decided)


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _constant(value: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), pa.array([value])).cast(pa.string())


def _as_json(components: Mapping[str, np.ndarray], known: np.ndarray) -> pa.Array:
    """{"form": 21.3, "venue": 0.15}: rounded to two decimals, unknown terms as null."""
    if not components:
        return pa.nulls(len(known), pa.string())
    names = list(components)
    texts = [np.char.mod("%.2f", np.round(np.nan_to_num(v), 2) + 0.0) for v in components.values()]
    texts = [np.where(np.isnan(v), "null", t) for v, t in zip(components.values(), texts, strict=True)]
    joined = np.full(len(known), "{", dtype=object)
    for i, (name, text) in enumerate(zip(names, texts, strict=True)):
        joined = joined + (", " if i else "") + f'"{name}": ' + text.astype(object)
    return pa.array(joined + "}", pa.string(), mask=~known)


def expected(features: ir.Table) -> ir.Table:
    """Every listed player and system."""
    listed = features.filter(features.feature_version == V2.name).select(
        "game_date", "player_id", market=ibis.literal(MARKET)
    )
    systems = ibis.union(*[listed.mutate(system_id=ibis.literal(s.system_id)) for s in RULES])
    return systems.mutate(reason=ibis.null("string"))


player_prop_predictions = table_asset(
    Transform(
        PLAYER_PROP_PREDICTIONS,
        build,
        reads={
            "features": asof.same_day(ML_FEATURE_STORE),
            "context": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
            "games": asof.season_to_date(PLAYER_GAME_SUMMARY),
            "quotes": asof.same_day(PLAYER_PROP_LINES),
        },
        expected=expected,
        apply=forecast,
        watched=("predicted_mean", "line"),
    )
)
