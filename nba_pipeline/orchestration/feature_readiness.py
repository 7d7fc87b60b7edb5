"""Refuses to learn or to forecast from stored features that lack what the models read.

A version of the features that is new has rows only on days that were computed since, and a column that is new is empty on the
others, from the first day on that is published with it. Read as they are, older days would count as days without players, or
with unknown features, and models would be trained on what is left. A row says itself what it was computed with: it names the
features that were unknown, so that an empty one without its name was not computed.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.domain.calendar import days_between, describe_days
from nba_pipeline.engine.blocks import blocks
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.warehouse import Days, Warehouse

DAY, VERSION, UNKNOWN = ML_FEATURE_STORE.partition, "feature_version", "unknown_features"


def require_model_features(
    transform: Transform, used: Mapping[str, Sequence[str]], warehouse: Warehouse, days: Sequence[date], run_id: str
) -> None:
    """Refuse to compute days from stored features of another version than the models read, or without its columns.

    Days that the run itself has published are left out: this program computed them.

    Args:
        transform: What is to be computed; one that reads no features passes.
        used: For every read, the columns that are used (`Plan.used_columns`).
        warehouse: Where the features are stored.
        days: The days to compute.
        run_id: The id of the run.

    Raises:
        MissingHistoryError: Names the days and the columns, and the command that computes them again.
    """
    for name, read in transform.reads.items():
        first, last = read.needed(days)
        if read.table is not ML_FEATURE_STORE or first > last:
            continue
        columns = tuple(dict.fromkeys((DAY, VERSION, UNKNOWN, *used[name])))
        lacking: dict[str, set[date]] = {}
        stale: set[date] = set()
        earlier = sorted(set(days_between(first, last)) - _published_by(run_id, warehouse, first, last))
        for season in blocks(earlier, seasons=1):
            read_days = Days(season[0], season[-1], columns)
            rows = warehouse.read({"features": (ML_FEATURE_STORE, read_days)})["features"]
            for column, without in days_by_uncomputed_column(rows, MODEL_FEATURES.name).items():
                lacking.setdefault(column, set()).update(without)
            stale.update(days_without_version(rows, MODEL_FEATURES.name))
        if days_lacking := sorted(stale.union(*lacking.values())):
            again = f"nba-pipeline backfill {days_lacking[0]} {days_lacking[-1]} --select {ML_FEATURE_STORE.id}"
            raise MissingHistoryError(
                f"{ML_FEATURE_STORE.id} was computed without {_missing(list(lacking))} on {describe_days(days_lacking)}",
                f"run `{again}`, then the same again",
            )


def _published_by(run_id: str, warehouse: Warehouse, first: date, last: date) -> set[date]:
    """The days of the feature store whose content a run has published."""
    ledger = warehouse.ledger([ML_FEATURE_STORE.id], first, last)
    published = (pc.field("state") == "published") & (pc.field("run_id") == run_id)
    return set(ledger.filter(published)["day"].to_pylist())


def days_by_uncomputed_column(rows: pa.Table, version: str) -> dict[str, set[date]]:
    """Return the columns that rows of this version were computed without, and their days.

    Days are published whole, so that one row of each tells.

    Args:
        rows: Rows of the feature store with the names of their unknown features, and the columns to look at.
        version: The name of the version.
    """
    place = pa.array(np.arange(rows.num_rows))
    having = rows.select([DAY, VERSION]).append_column("place", place).filter(pc.field(VERSION) == version)
    _, one_of_day = np.unique(having[DAY].to_numpy(), return_index=True)
    telling = np.zeros(rows.num_rows, dtype=bool)
    telling[having["place"].to_numpy()[one_of_day]] = True
    found: dict[str, set[date]] = {}
    for row in rows.filter(pa.array(telling)).to_pylist():
        explained = {UNKNOWN, *(row[UNKNOWN] or "").split(", ")}
        for name in (n for n, value in row.items() if value is None and n not in explained):
            found.setdefault(name, set()).add(row[DAY])
    return found


def days_without_version(rows: pa.Table, version: str) -> list[date]:
    """Return the days that have rows, but none of this version of the features, in order.

    Args:
        rows: Rows of the feature store.
        version: The name of the version.
    """
    having = rows.select([DAY, VERSION]).filter(pc.field(VERSION) == version)
    return sorted(set(rows[DAY].unique().to_pylist()) - set(having[DAY].unique().to_pylist()))


def _missing(columns: Sequence[str]) -> str:
    if not columns:
        return f"the version {MODEL_FEATURES.name} of the features, which the models read,"
    others = f" and {len(columns) - 1} more columns" if len(columns) > 1 else ""
    return f"{columns[0]}{others}"
