"""nba_predictions.player_prop_predictions: every system's forecast for every listed player, and its call against the line."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared, union
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.calendar import training_day
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.transform import FinishContext, Transform
from nba_pipeline.systems import SYSTEM_IDS, VERSIONS, Forecast, ensemble_v1, line_aware_v1
from nba_pipeline.systems.distribution import Law, decided
from nba_pipeline.systems.forecasting import forecast
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.prediction_models import (
    PREDICTION_MODELS,
    QUOTED,
    REGISTRY_COLUMNS,
    ModelRegistry,
    model_rows,
    of_market,
)
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.consensus_lines import consensus, side_by_side
from nba_pipeline.tables.shared.keys import GAME

if TYPE_CHECKING:
    import pandas as pd

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute

OVER, UNDER, PASS, NO_LINE = "OVER", "UNDER", "PASS", "NO_LINE"
CALL_PROBABILITY = 0.55
OUT = "out"
RETIRED = "NULL; in rows of earlier releases the"
LISTED_LATER = "listed only after the forecasts of his game were made, before it started"
IDENTITY = ("game_date", "player_id", "feature_version", "game_id", "season", "season_type", "player_name", "player_lookup",
            "team", "opponent", "early_season_flag", "games_played_season")  # fmt: skip
FORECAST_OF = [*GAME, "market", "system_id"]
LINE_COLUMNS = (*QUOTED, "line_source", "books", "captured_at", "best_over_odds", "best_under_odds")


class PlayerPropPredictions(Rows):
    """Forecasts from information up to `as_of`, with the call against the consensus line; a listed
    player without a forecast has a row with the reason. A forecast made before the cut-off of its game is final once the
    cut-off has passed. One row per listed player, market and system."""

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    market: str = column("statistic that is forecast", isin=list(MARKETS))
    system_id: str = column("system that made the forecast", isin=list(SYSTEM_IDS))
    model_version: str = column("version of the system")
    trained_on: date = column(
        "training day of the models of the month, the key of their rows in prediction_models, which say whose models served it"
    )
    feature_version: str = column("version of the features that the system read")
    game_id: str = columns.GAME_ID
    season: str = column("season label")
    season_type: str = columns.SEASON_TYPE
    player_name: str = column("display name")
    player_lookup: str = columns.PLAYER_LOOKUP
    team: str = tricode("tricode of the player's team")
    opponent: str = tricode("tricode of the opponent")
    prior_games: int = column("games the player has finished this season before the day", unit="games", ge=0, le=130)
    season_average: float = column(
        "the player's mean of the market this season before the day", unit="market", nullable=True, ge=0, le=130
    )
    injury_status: str = column("status in force at the cut-off; NULL without any statement", nullable=True)
    predicted_mean: float = column("forecast mean; NULL with a reason", unit="market", nullable=True, ge=0, le=130)
    predicted_sd: float = column("forecast standard deviation", unit="market", nullable=True, gt=0, le=40)
    predicted_skewness: float = column(
        "skewness of the law, a gamma law with this mean, standard deviation and skewness, of which what is below ½ counts as 0;"
        " NULL in rows of earlier releases, whose law has the skewness 2·sd / (mean + the market's shift)",
        nullable=True,
        gt=0,
        hashed=False,
    )
    q10: float = column("10 % quantile of the forecast", unit="market", nullable=True, ge=0)
    q25: float = column("25 % quantile of the forecast", unit="market", nullable=True, ge=0)
    q50: float = column("median of the forecast", unit="market", nullable=True, ge=0)
    q75: float = column("75 % quantile of the forecast", unit="market", nullable=True, ge=0)
    q90: float = column("90 % quantile of the forecast", unit="market", nullable=True, ge=0)
    point_forecast: int = column(
        "the outcome with the smallest expected absolute error: the median of the law of whole numbers; NULL without a forecast,"
        " and in rows of earlier releases",
        unit="market",
        formula="q50 rounded, halves down",
        nullable=True,
        hashed=False,
        ge=0,
    )
    line: float = column("consensus line in force at the cut-off", unit="market", precision=2, nullable=True, gt=0)
    line_source: str = column("actual: quoted by books and captured in time; none: no line", isin=["actual", "none"])
    line_book_kind: str = column("sportsbook or dfs", nullable=True, isin=["sportsbook", "dfs"])
    line_books: int = column("books behind the consensus", nullable=True, ge=1)
    line_captured_at: Instant = column("when the newest of these quotes was last known (UTC)", nullable=True)
    best_over_odds: float = column(
        "best American price of a sportsbook on the over at the line", precision=1, nullable=True
    )
    best_under_odds: float = column(
        "best American price of a sportsbook on the under at the line", precision=1, nullable=True
    )
    over_shift: float = column(f"{RETIRED} shift of the calibration of the over", nullable=True)
    over_slope: float = column(f"{RETIRED} slope of the calibration of the over", nullable=True, ge=0)
    p_over: float = column(
        "probability that the outcome exceeds the line",
        formula="by the gamma law with predicted_mean, predicted_sd and predicted_skewness",
        nullable=True,
        ge=0,
        le=1,
    )
    p_push: float = column("probability that the outcome equals the line", nullable=True, ge=0, le=1)
    calibration_rows: int = column(
        "past rows with a line that the probability at the line was calibrated on, of line_aware_v1 beside a price those with a"
        " price; 0: uncalibrated, fewer than 300, and no call",
        unit="rows",
        nullable=True,
        ge=0,
        hashed=False,
    )
    is_pricing_system: bool = column(
        "true for the system whose prices and calls lead: line_aware_v1 where it has a forecast, else ensemble_v1; NULL in rows"
        " of earlier releases",
        nullable=True,
        hashed=False,
    )
    edge: float = column(
        "median of the forecast minus the line: positive where the over is the likelier side; the mean minus the line in rows of"
        " earlier releases",
        formula="q50 - line",
        unit="market",
        nullable=True,
    )
    recommendation: str = column(
        "call against the line",
        formula=f"OVER/UNDER: confidence of at least {CALL_PROBABILITY} in that side; "
        "PASS otherwise, for players reported out, without a forecast, without calibration, and in rows of the feature store"
        " that are not ready for production; NO_LINE without a line",
        isin=[OVER, UNDER, PASS, NO_LINE],
    )
    confidence: float = column(
        "calibrated probability of the more likely side, pushes aside",
        formula="max(p, 1 - p), p = p_over / (1 - p_push)",
        nullable=True,
        ge=0.5,
        le=1,
    )
    components: str = column("terms that add up to the mean, as JSON", nullable=True)
    insufficient_data_reason: str = column("reason for the missing forecast; NULL if there is one", nullable=True)
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


def build(features: ir.Table, context: ir.Table, quotes: ir.Table, clock: ir.Table, markets: ir.Table) -> ir.Table:
    """Return one row per listed player: features, line of every market asked for, and the time of the latest information used."""
    slate = shared(
        context.cross_join(clock).select(
            *[context[c] for c in ("game_date", "game_id", "player_id", "injury_status")],
            cutoff_at=ibis.least(context.cutoff_at, clock.now),
        )
    )
    asked = quotes.filter(quotes.market.isin(markets.market))
    market = side_by_side(consensus(asked, slate), LINE_COLUMNS, tuple(MARKETS))
    mine = model_rows(features, (*IDENTITY, "is_production_ready"))
    on = [*GAME, "player_id"]
    joined = mine.inner_join(slate, on).left_join(
        market, [mine.game_date == market.game_date, mine.player_id == market.player_id]
    )
    priced = [market[f"{c}_{m}"] for m in MARKETS for c in LINE_COLUMNS]
    return joined.select(mine, *priced, injury_status=slate.injury_status, as_of=slate.cutoff_at)


def kept(made: ir.Table, context: ir.Table, clock: ir.Table) -> ir.Table:
    """Select published rows that are final.

    They were made before the cut-off of their game, which has passed, or are of players who are not listed any more because
    their game was called off. Rows of a backfill use information up to the cut-off itself, and may be computed again.
    """
    games = shared(context.select("game_date", "game_id", "cutoff_at").distinct().cross_join(clock))
    over = games.filter(games.cutoff_at <= games.now)
    joined = made.inner_join(over, GAME)
    columns = PLAYER_PROP_PREDICTIONS.computed_columns
    in_time = joined.filter(made.as_of < over.cutoff_at).select(*[made[c] for c in columns])
    slate = context.select(*GAME).distinct()
    off = made.anti_join(slate, GAME).anti_join(context, ["game_date", "player_id"])
    return in_time.union(off.select(*columns))


def models_of_the_month(models: ir.Table) -> ir.Table:
    """The registry rows that serve the days asked for."""
    return models.select(*REGISTRY_COLUMNS)


def forecasts(inputs: pa.Table, context: FinishContext) -> pa.Table:
    """All systems over all rows of `build`, in every market asked for, each month with its own models; where a system's
    forecasts of a game's market are among the `kept`, these instead."""
    registry = ModelRegistry(context.side_inputs["models"], context.store)
    served_by = {d: training_day(d) for d in pc.unique(inputs["game_date"]).to_pylist()}
    made = []
    for trained_on in sorted(set(served_by.values())):
        days = pa.array([d for d, served in served_by.items() if served == trained_on], pa.date32())
        month = inputs.filter(pc.is_in(inputs["game_date"], days))
        rows = month.to_pandas()
        for market in context.markets:
            seen = of_market(rows, market)
            found = forecast(seen, market, registry.artifacts(trained_on, market), trained_on)
            leads = pricing_system(found)
            made += [_rows(month, seen, market, trained_on, s, f, leads == s) for s, f in found.items()]
    fresh = pa.concat_tables(made) if made else PLAYER_PROP_PREDICTIONS.computed_schema.empty_table()
    stay = context.side_inputs["kept"]
    if not stay.num_rows:
        return fresh
    final_games = stay.select(FORECAST_OF).group_by(FORECAST_OF).aggregate([])
    fresh = fresh.join(final_games, FORECAST_OF, join_type="left anti")
    return pa.concat_tables([fresh, stay.select(fresh.column_names).cast(fresh.schema)])


def pricing_system(found: Mapping[str, Forecast]) -> np.ndarray:
    """Return the system whose prices lead in each row: line_aware_v1 where it has a forecast, else the ensemble."""
    aware = ~np.isnan(found[line_aware_v1.SYSTEM_ID].mean)
    return np.where(aware, line_aware_v1.SYSTEM_ID, ensemble_v1.SYSTEM_ID)


def _rows(
    inputs: pa.Table,
    rows: "pd.DataFrame",
    market: str,
    trained_on: date,
    system: str,
    made: Forecast,
    leads: np.ndarray,
) -> pa.Table:
    line = rows["line"].to_numpy(dtype=float)
    known = ~np.isnan(made.mean)
    law = Law(made.mean, made.sd, made.skewness)
    over, push = law.probability_over(line)
    sure = decided(over, push)
    barred = (rows["injury_status"] == OUT).to_numpy(dtype=bool) | ~rows["is_production_ready"].to_numpy(dtype=bool)
    values = {c: inputs[c] for c in (*(i for i in IDENTITY if i != "games_played_season"), "injury_status", "as_of")}
    values |= {
        "market": _constant(market, len(rows)),
        "system_id": _constant(system, len(rows)),
        "model_version": _constant(VERSIONS[system], len(rows)),
        "trained_on": pa.repeat(pa.scalar(trained_on, pa.date32()), len(rows)),
        "prior_games": inputs["games_played_season"],
        "season_average": inputs[f"{market}_avg_season"],
        "predicted_mean": _numbers(made.mean),
        "predicted_sd": _numbers(np.where(known, made.sd, np.nan)),
        "predicted_skewness": _numbers(np.where(known, made.skewness, np.nan)),
        **{f"q{round(100 * q)}": _numbers(v) for q, v in law.quantiles().items()},
        "point_forecast": _numbers(law.point(PLAYER_PROP_PREDICTIONS.columns["q50"].precision)).cast(pa.int64()),
        "line": inputs[f"line_{market}"],
        "line_source": _one_of(("actual", "none"), np.isnan(line)),
        "line_book_kind": inputs[f"line_source_{market}"],
        "line_books": inputs[f"books_{market}"],
        "line_captured_at": inputs[f"captured_at_{market}"],
        "best_over_odds": inputs[f"best_over_odds_{market}"],
        "best_under_odds": inputs[f"best_under_odds_{market}"],
        "over_shift": pa.nulls(len(rows), pa.float64()),
        "over_slope": pa.nulls(len(rows), pa.float64()),
        "calibration_rows": pa.array(np.full(len(rows), made.calibration_rows), pa.int64(), mask=~known),
        "p_over": _numbers(over),
        "p_push": _numbers(np.where(known, push, np.nan)),
        "is_pricing_system": pa.array(leads),
        "edge": _numbers(law.quantile(0.5) - line),
        "recommendation": pa.array(call(sure, line, barred | (made.calibration_rows == 0))),
        "confidence": _numbers(np.maximum(sure, 1 - sure)),
        "components": _as_json(made.components, known),
        "insufficient_data_reason": pa.array(made.reason, pa.string(), mask=known),
    }
    return pa.table(values)


def call(over: np.ndarray, line: np.ndarray, barred: np.ndarray) -> np.ndarray:
    """Return OVER, UNDER, PASS or NO_LINE.

    Args:
        over: Calibrated probability of the over, pushes excluded; NaN without a forecast or a line.
        line: Lines; NaN where there is none.
        barred: True where no side may be called: the player is reported out, the row is not ready for production, or the law
            is not calibrated.
    """
    with np.errstate(invalid="ignore"):
        is_over, is_under = (over >= CALL_PROBABILITY) & ~barred, (1 - over >= CALL_PROBABILITY) & ~barred
    return np.select([np.isnan(line), is_over, is_under], [NO_LINE, OVER, UNDER], PASS)


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _constant(value: str, n: int) -> pa.Array:
    return _one_of((value,), np.zeros(n))


def _one_of(values: Sequence[str], places: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(values)).cast(pa.string())


def _as_json(components: Mapping[str, np.ndarray], known: np.ndarray) -> pa.Array:
    """{"form": 21.3, "venue": 0.15}: rounded to two decimals, unknown terms as null."""
    if not components:
        return pa.nulls(len(known), pa.string())
    pieces = []
    for i, (name, values) in enumerate(components.items()):
        pieces += [("{" if i == 0 else ", ") + f'"{name}": ', *_with_two_decimals(values)]
    text = pc.binary_join_element_wise(*pieces, "}", "")
    return pc.if_else(pa.array(known), text, None)


def _with_two_decimals(values: np.ndarray) -> tuple[pa.Array, pa.Array]:
    """The text of each number in two pieces, what stands before its decimal point and the rest; "null" where there is none."""
    unknown = np.isnan(values)
    hundredths = np.rint(np.nan_to_num(values) * 100).astype(np.int64)
    whole, rest = np.divmod(np.abs(hundredths), 100)
    before = pc.binary_join_element_wise(_one_of(("", "-"), hundredths < 0), pa.array(whole).cast(pa.string()), "")
    decimals = _one_of((*(f".{n:02}" for n in range(100)), ""), np.where(unknown, 100, rest))
    return pc.if_else(pa.array(unknown), "null", before), decimals


def expected(features: ir.Table, markets: ir.Table, made: ir.Table, context: ir.Table, clock: ir.Table) -> ir.Table:
    """Every listed player, market asked for, and system; of forecasts that stay, those that were made."""
    listed = features.filter(features.feature_version == MODEL_FEATURES.name)
    wanted = listed.cross_join(markets).select("game_date", "game_id", "player_id", "market")
    systems = shared(union(*[wanted.mutate(system_id=ibis.literal(s)) for s in SYSTEM_IDS]))
    stay = shared(kept(made, context, clock).select(*PLAYER_PROP_PREDICTIONS.key, "game_id"))
    final_games = stay.select(*FORECAST_OF).distinct().mutate(reason=ibis.literal(LISTED_LATER))
    asked = systems.anti_join(stay, PLAYER_PROP_PREDICTIONS.key).left_join(final_games, FORECAST_OF)
    key = [systems[c] for c in PLAYER_PROP_PREDICTIONS.key]
    return union(
        asked.select(*key, final_games.reason),
        stay.select(*PLAYER_PROP_PREDICTIONS.key, reason=ibis.null("string")),
    )


TRANSFORM = Transform(
    PLAYER_PROP_PREDICTIONS,
    build,
    reads={
        "features": asof.same_day(ML_FEATURE_STORE),
        "context": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
        "quotes": asof.same_day(PLAYER_PROP_LINES),
        "models": asof.of_the_month(PREDICTION_MODELS),
        "made": asof.kept(PLAYER_PROP_PREDICTIONS),
    },
    expected=expected,
    apply=forecasts,
    side_inputs={"models": models_of_the_month, "kept": kept},
    watched=("predicted_mean", "line"),
)
