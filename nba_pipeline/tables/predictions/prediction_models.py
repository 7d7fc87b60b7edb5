"""nba_predictions.prediction_models: the registry of trained models, and their training rows."""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from nba_pipeline import asof
from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ending import raise_if_ending
from nba_pipeline.common.frames import beside, rows_where
from nba_pipeline.common.ibis_relations import equal, union
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.domain.calendar import first_day, training_day
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.transform import FinishContext, Transform
from nba_pipeline.systems import SYSTEM_IDS, VERSIONS
from nba_pipeline.systems.shared_training import SharedTraining
from nba_pipeline.systems.training import Trained, train
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.promotion import (
    CHALLENGER,
    CHAMPION,
    TRAINING_DAYS,
    begin_trainings,
    models_of_the_month,
)
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.shared.consensus_lines import consensus, side_by_side
from nba_pipeline.tables.shared.keys import GAME

if TYPE_CHECKING:
    import pandas as pd

# What the systems read of the market: columns of the consensus (`systems.protocol.Quotes`).
QUOTED = ("line", "market_line", "market_over")
WORKERS = 2
# Months whose trainings are begun before an earlier one is judged.
AHEAD = 3


class PredictionModels(Rows):
    """Models trained on the first day of a month for that month, on rows of earlier days only: location of the artifact,
    training data and accuracy. A month before which no game came since the month before, in the same quarter from August,
    November, February or May on, has the models of the month before. A system that could not be trained has a row with the
    reason. One row per training day, market and system."""

    trained_on: date = column("first day of the month that the model serves, or the first partition")
    market: str = column("statistic that is forecast", isin=list(MARKETS))
    system_id: str = column("system", isin=list(SYSTEM_IDS))
    model_version: str = column("version of the system")
    feature_version: str = column("version of the features that the system read")
    rows: int = column("played player-days that it was trained on", unit="rows", ge=0)
    first_day: date = column("first of these days; NULL without rows", nullable=True)
    last_day: date = column("last of these days, before the training day; NULL without rows", nullable=True)
    features: str = column("names of the features it reads, as JSON", nullable=True)
    hyperparameters: str = column("as JSON", nullable=True)
    library_versions: str = column("libraries that trained it, as JSON", nullable=True, hashed=False)
    holdout_rows: int = column(
        "rows of the last 15 game days, forecast by the challenger fitted on earlier days alone; NULL where these are too few",
        unit="rows",
        nullable=True,
        ge=0,
    )
    holdout_mae: float = column("mean absolute error on them", unit="market", nullable=True, ge=0)
    holdout_bias: float = column("mean of forecast minus actual on them", unit="market", nullable=True)
    holdout_crps: float = column("mean continuous ranked probability score", unit="market", nullable=True, ge=0)
    champion_crps: float = column(
        "the same of the champion, which was the challenger of the month before; NULL without any, and in rows of earlier"
        " releases",
        unit="market",
        nullable=True,
        hashed=False,
        ge=0,
    )
    served_by: str = column(
        "challenger: the models trained on all rows; champion: the challenger of the month before, trained on the rows before the"
        " 15 game days that ended then, where the challenger's ensemble was worse on the hold-out rows; NULL without a model, and"
        " in rows of earlier releases",
        nullable=True,
        hashed=False,
        isin=[CHALLENGER, CHAMPION],
    )
    artifact_location: str = column("location of the artifact in the store; NULL without a model", nullable=True)
    artifact_sha256: str = column("SHA-256 of the artifact", nullable=True, str_matches=r"^[0-9a-f]{64}$")
    artifact_bytes: int = column("size of the artifact", unit="bytes", nullable=True, gt=0)
    reason: str = column("why there is no model; NULL where there is one", nullable=True)


PREDICTION_MODELS = Table(
    model=PredictionModels,
    name="prediction_models",
    dataset="nba_predictions",
    key=("trained_on", "market", "system_id"),
    partition="trained_on",
    cluster=("market", "system_id"),
    rules={
        "neither an artifact nor a reason": lambda t: t.artifact_sha256.notnull() != t.reason.notnull(),
        "trained on days that are not before the training day": lambda t: t.last_day < t.trained_on,
        "not a training day": lambda t: (t.trained_on.day() == 1) | (t.trained_on == ibis.literal(first_day())),
    },
)

REGISTRY_COLUMNS = (
    "trained_on",
    "market",
    "system_id",
    "model_version",
    "artifact_location",
    "artifact_sha256",
    "reason",
)


def build(features: ir.Table, facts: ir.Table, context: ir.Table, quotes: ir.Table, markets: ir.Table) -> ir.Table:
    """Return the training rows: features of listed players who played, their actual statistics, and the lines at the cut-off of
    the markets asked for."""
    slate = context.select("game_date", "game_id", "player_id", "cutoff_at")
    asked = quotes.filter(quotes.market.isin(markets.market))
    market = side_by_side(consensus(asked, slate), QUOTED, tuple(MARKETS))
    mine = model_rows(features, ("game_id", "game_date", "season", "player_id", "team", "games_played_season"))
    joined = mine.inner_join(facts, equal(mine, facts, *GAME, "player_id")).left_join(
        market, [mine.game_date == market.game_date, mine.player_id == market.player_id]
    )
    return joined.select(
        mine,
        minutes_played=facts.minutes_played,
        **{f"actual_{m.name}": m.actual(facts) for m in MARKETS.values()},
        **{f"{c}_{m}": market[f"{c}_{m}"] for m in MARKETS for c in QUOTED},
    )


def of_market(rows: "pd.DataFrame", market: str) -> "pd.DataFrame":
    """Name what the market says of each row as the systems read it, from columns `<name>_<market>`."""
    return beside(rows, **{c: rows[f"{c}_{market}"].to_numpy(dtype=float) for c in QUOTED})


def model_rows(features: ir.Table, identity: Sequence[str]) -> ir.Table:
    """The rows of the version that models read: these columns and the features."""
    mine = features.filter(features.feature_version == MODEL_FEATURES.name)
    return mine.select(*identity, *MODEL_FEATURES.names)


def registered(rows: pa.Table, context: FinishContext) -> pa.Table:
    """Train every system of every market on each training day asked for, store the artifacts, and register them.

    Raises EndedError, between two months, if the thread is requested to stop.
    """
    wanted = [(d, m) for d in context.days if d == training_day(d) for m in context.markets]
    workers = ThreadPoolExecutor(max_workers=WORKERS)
    shared = SharedTraining(train, workers)
    try:
        entries = list[dict]()
        for day, market, seen in _begun(_training_frame(rows), wanted, shared):
            raise_if_ending()
            trained = models_of_the_month(seen, market, day, shared)
            entries += [_entry(day, market, system, t, context.store) for system, t in trained.items()]
    finally:
        workers.shutdown(cancel_futures=True)
    return pa.Table.from_pylist(entries, schema=PREDICTION_MODELS.computed_schema)


def _begun(
    frame: "pd.DataFrame", wanted: Sequence[tuple[date, str]], shared: SharedTraining
) -> "Iterator[tuple[date, str, pd.DataFrame]]":
    """The rows that each month and market reads, in turn; trainings of the next ones are begun by then, so that no worker waits
    while a month is judged and stored."""
    waiting: deque[tuple[date, str, pd.DataFrame]] = deque()
    for day, market in wanted:
        read_days = (day - asof.learned_from(day, TRAINING_DAYS)).days
        seen = rows_where(frame, asof.training_window(frame["game_date"], day, read_days))
        seen = beside(of_market(seen, market), actual=seen[f"actual_{market}"].to_numpy(dtype=float))
        begin_trainings(seen, market, day, shared)
        waiting.append((day, market, seen))
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    yield from waiting


def _training_frame(rows: pa.Table) -> "pd.DataFrame":
    """The rows in order of day and player, labelled 0, 1, 2, ..."""
    frame = rows.to_pandas()
    dated = frame.assign(game_date=frame["game_date"].astype("datetime64[ns]"))
    return dated.sort_values(["game_date", "player_id"], ignore_index=True)


def _entry(day: date, market: str, system: str, trained: Trained, store: ArtifactStore) -> dict:
    entry = {
        "trained_on": day,
        "market": market,
        "system_id": system,
        "model_version": VERSIONS[system],
        "feature_version": MODEL_FEATURES.name,
        "reason": trained.reason,
        **trained.facts,
    }
    for name in ("features", "hyperparameters", "library_versions"):
        if name in entry:
            entry[name] = json.dumps(entry[name], sort_keys=True)
    if trained.artifact is None:
        return entry
    stored = store.put("models", f"{day}/{market}-{system}", trained.artifact)
    return entry | {
        "artifact_location": stored.location,
        "artifact_sha256": stored.sha256,
        "artifact_bytes": stored.bytes,
    }


class ModelRegistry:
    """The artifacts that registry rows point to."""

    def __init__(self, rows: pa.Table, store: ArtifactStore) -> None:
        self._store = store
        self._rows: dict[tuple[date, str], list[Mapping]] = {}
        for row in rows.to_pylist():
            self._rows.setdefault((row["trained_on"], row["market"]), []).append(row)

    def artifacts(self, trained_on: date, market: str) -> dict[str, bytes | None]:
        """By system, the artifact of the month; None where the registry gives a reason for having none.

        Raises ArtifactError where one is missing or altered.
        """
        return {
            r["system_id"]: self._store.get(r["artifact_location"], r["artifact_sha256"])
            if r["artifact_sha256"]
            else None
            for r in self._rows.get((trained_on, market), ())
        }


def expected(days: ir.Table, markets: ir.Table) -> ir.Table:
    """Every system and market asked for, on every training day."""
    training = days.filter((days.day.day() == 1) | (days.day == ibis.literal(first_day())))
    wanted = training.cross_join(markets).select(trained_on=training.day, market=markets.market)
    systems = union(*[wanted.mutate(system_id=ibis.literal(s)) for s in SYSTEM_IDS])
    return systems.mutate(reason=ibis.null("string"))


TRANSFORM = Transform(
    PREDICTION_MODELS,
    build,
    reads={
        "features": asof.before_training(ML_FEATURE_STORE, TRAINING_DAYS),
        "facts": asof.before_training(PLAYER_GAME_SUMMARY, TRAINING_DAYS),
        "context": asof.before_training(UPCOMING_PLAYER_GAME_CONTEXT, TRAINING_DAYS),
        "quotes": asof.before_training(PLAYER_PROP_LINES, TRAINING_DAYS),
    },
    expected=expected,
    apply=registered,
    watched=("holdout_mae",),
)
