"""What programs may ask for: rows of a day of one table, filtered, as of a time, and in pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.contracts.table import Table
from nba_pipeline.tables.grading.call_grades import CALL_GRADES
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.predictions.calls import CALLS
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.warehouse import Days, Warehouse

FORECAST = ("game_date", "player_id", "market", "system_id")
MOST_ROWS = 5000
ROWS = 500


@dataclass(frozen=True)
class Resource:
    """A table that is offered.

    Attributes:
        name: Its name in the path.
        table: The table.
        filters: The columns that filter it.
        known_at: The column with the time at which a row became known; empty where none has it, and `as_of` is refused.
        of_forecast: Whether a row is known no earlier than the forecast that it was computed from.
    """

    name: str
    table: Table
    filters: tuple[str, ...]
    known_at: str = ""
    of_forecast: bool = False

    @property
    def summary(self) -> str:
        """The first sentence of the table's description."""
        return " ".join(self.table.description.split()).split(". ")[0] + "."


RESOURCES: Mapping[str, Resource] = {
    r.name: r
    for r in (
        Resource(
            "forecasts", PLAYER_PROP_PREDICTIONS, ("market", "system_id", "player_id", "team", "game_id"), "as_of"
        ),
        Resource(
            "prices", PROP_PRICES, ("market", "system_id", "player_id", "bookmaker"), "quoted_at", of_forecast=True
        ),
        Resource("calls", CALLS, ("market", "player_id", "snapshot", "team"), "as_of"),
        Resource("grades", PREDICTION_ACCURACY, ("market", "system_id", "player_id", "team")),
        Resource("call_grades", CALL_GRADES, ("market", "player_id", "snapshot", "bookmaker")),
    )
}


@dataclass(frozen=True)
class Question:
    """A question about a day: filters by column, the time that rows must be known at, and the page of the answer."""

    resource: Resource
    day: date
    filters: Mapping[str, str]
    as_of: datetime | None
    limit: int
    offset: int


def question(resource: Resource, parameters: Mapping[str, str]) -> Question:
    """Read the parameters of a question. Raises ConfigurationError for an unknown one or a wrong value."""
    known = {"day", "as_of", "limit", "offset", *resource.filters}
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise ConfigurationError(f"{', '.join(unknown)}: no such parameter", f"use {', '.join(sorted(known))}")
    if "day" not in parameters:
        raise ConfigurationError("day is missing", "give day=YYYY-MM-DD")
    as_of = parameters.get("as_of")
    try:
        moment = datetime.fromisoformat(as_of.replace(" ", "+")) if as_of is not None else None
        found = Question(
            resource=resource,
            day=date.fromisoformat(parameters["day"]),
            filters={n: parameters[n] for n in resource.filters if n in parameters},
            as_of=moment,
            limit=int(parameters.get("limit", ROWS)),
            offset=int(parameters.get("offset", 0)),
        )
        if "player_id" in found.filters:
            pa.scalar(int(found.filters["player_id"]), pa.int64())
        if moment is not None and moment.tzinfo is not None:
            moment.astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise ConfigurationError(
            f"a parameter has a wrong value: {e}",
            "days are YYYY-MM-DD, times ISO 8601, player_id, limit and offset whole numbers",
        ) from e
    if moment is not None and moment.tzinfo is None:
        raise ConfigurationError("as_of has no time zone", "give as_of=2024-11-06T23:00:00Z")
    if moment is not None and not resource.known_at:
        raise ConfigurationError(
            f"{resource.name} have no as_of: no column tells when an outcome became known", "leave it out"
        )
    if not 1 <= found.limit <= MOST_ROWS or found.offset < 0:
        raise ConfigurationError("limit or offset is out of range", f"limit is 1 to {MOST_ROWS}, offset at least 0")
    return found


def answer(warehouse: Warehouse, asked: Question) -> dict[str, Any]:
    """Return the rows of one page in the order of the table's key, how many there are, and the offset of the next page."""
    table = asked.resource.table
    wanted = {"rows": (table, Days(asked.day, asked.day))}
    if asked.as_of is not None and asked.resource.of_forecast:
        wanted["forecasts"] = (PLAYER_PROP_PREDICTIONS, Days(asked.day, asked.day, (*FORECAST, "as_of")))
    found = warehouse.read(wanted)
    rows = _known(_filtered(found["rows"], asked), found.get("forecasts"), asked)
    rows = rows.sort_by([(c, "ascending") for c in table.key])
    page = rows.slice(asked.offset, asked.limit)
    following = asked.offset + asked.limit
    return {
        "day": asked.day,
        "table": table.id,
        "total": rows.num_rows,
        "offset": asked.offset,
        "next_offset": following if following < rows.num_rows else None,
        "rows": page.to_pylist(),
    }


def _filtered(rows: pa.Table, asked: Question) -> pa.Table:
    for name, text in asked.filters.items():
        rows = rows.filter(pc.field(name) == (int(text) if name == "player_id" else text))
    return rows


def _known(rows: pa.Table, forecasts: pa.Table | None, asked: Question) -> pa.Table:
    """Select the rows that were known: from the later of their own time and that of the forecast that they follow from."""
    if asked.as_of is None:
        return rows
    then = pa.scalar(asked.as_of, pa.timestamp("us", "UTC"))
    rows = rows.filter(pc.field(asked.resource.known_at) <= then)
    if forecasts is None:
        return rows
    made = forecasts.filter(pc.field("as_of") <= then).select(list(FORECAST))
    return rows.join(made, list(FORECAST), join_type="left semi")
