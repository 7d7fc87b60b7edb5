"""What an agent may ask, as tools: rows of a day, the state of days, the meaning of columns, and the prices that look wrong.

A tool is a name, a text that says when to use it, its parameters, and a function from parameters to an answer; no protocol.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import check_range, latest_day
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.domain.named_days import named_day
from nba_pipeline.reporting.day_states import STATUS_SUMMARY, status_of
from nba_pipeline.reporting.overview import STATES, cells
from nba_pipeline.reporting.overview_pages import Context
from nba_pipeline.reporting.priced_wrong import explained, priced, records_of, wrong_prices
from nba_pipeline.reporting.queries import read_reports
from nba_pipeline.reporting.resources import RESOURCES, Resource, answer, question
from nba_pipeline.warehouse import Warehouse

Parameters = Mapping[str, str]
DAY = "the day of the games (Eastern): YYYY-MM-DD, today, yesterday, or -7 for seven days ago"
DAYS = ("day", "start", "end")
ROWS, MOST_ROWS = 50, 500
PRICES, MOST_PRICES = 20, 100
INVENTED = "An invented league: no player, line or price in this answer is real."


@dataclass(frozen=True)
class Tool:
    """A question that can be asked: the meaning of its parameters by name, which of them are required, and what answers it."""

    name: str
    description: str
    parameters: Mapping[str, str]
    required: tuple[str, ...]
    answer: Callable[[Parameters], dict[str, Any]]

    @property
    def schema(self) -> dict[str, Any]:
        """The parameters as JSON Schema."""
        properties = {n: {"type": ["string", "number"], "description": t} for n, t in self.parameters.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.required),
            "additionalProperties": False,
        }

    def ask(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a question.

        Args:
            arguments: Texts or numbers by name; null stands for an argument that is not given.

        Raises:
            PipelineError: An argument is unknown, missing or wrong, or the tables cannot answer.
        """
        given = {n: _text(n, v) for n, v in arguments.items() if v is not None}
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            raise ConfigurationError(
                f"{self.name} has no parameter {', '.join(unknown)}", f"use {', '.join(sorted(self.parameters))}"
            )
        missing = [n for n in self.required if n not in given]
        if missing:
            raise ConfigurationError(
                f"{self.name} lacks {', '.join(missing)}",
                f"give {', '.join(f'{n}: {self.parameters[n]}' for n in missing)}",
            )
        return self.answer({n: _day(v) if n in DAYS else v for n, v in given.items()})


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConfigurationError(f"{name} is neither text nor a number: {value!r}", f"give one value for {name}")
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _day(text: str) -> str:
    named = named_day(text)
    return text if named is None else named.isoformat()


def tools_of(warehouse: Warehouse, context: Callable[[], Context]) -> dict[str, Tool]:
    """Return the tools over a warehouse by name.

    Args:
        warehouse: The warehouse to read from.
        context: Reads whether the league is invented, the accepted gaps and the open alerts.
    """
    tools = (
        _priced_wrong(warehouse),
        *(_rows(warehouse, r) for r in RESOURCES.values()),
        _status(warehouse, context),
        _columns(),
    )
    return {t.name: replace(t, answer=_marked(t.answer, context)) for t in tools}


def _marked(
    ask: Callable[[Parameters], dict[str, Any]], context: Callable[[], Context]
) -> Callable[[Parameters], dict[str, Any]]:
    """Say in every answer whether its figures are invented."""

    def marked(parameters: Parameters) -> dict[str, Any]:
        mark = {"simulated": True, "note": INVENTED} if context().simulated else {"simulated": False}
        return mark | ask(parameters)

    return marked


def _rows(warehouse: Warehouse, resource: Resource) -> Tool:
    columns = resource.table.columns
    parameters = {"day": DAY} | {n: columns[n].description for n in resource.filters}
    if resource.known_at:
        parameters["as_of"] = "only what was known then: a time with a zone, such as 2024-11-06T23:00:00Z"
    parameters |= {
        "columns": "only these columns, separated by commas; the tool `columns` explains them",
        "limit": f"rows of the answer: {ROWS} if not given, at most {MOST_ROWS}",
        "offset": "rows to skip: next_offset of the answer before",
    }

    def ask(given: Parameters) -> dict[str, Any]:
        wanted = [c.strip() for c in given.get("columns", ",".join(columns)).split(",")]
        unknown = [c for c in wanted if c not in columns]
        if unknown:
            raise ConfigurationError(f"{', '.join(unknown)}: no such column", f"use {', '.join(columns)}")
        asked = question(resource, {"limit": f"{ROWS}", **{n: v for n, v in given.items() if n != "columns"}})
        if asked.limit > MOST_ROWS:
            raise ConfigurationError(f"limit {asked.limit} is too large", f"limit is 1 to {MOST_ROWS}; use offset")
        check_range(asked.day, asked.day, latest_day())
        found = answer(warehouse, asked)
        return (
            _state(warehouse, resource.table.id, asked.day)
            | found
            | {"rows": [{c: r[c] for c in wanted} for r in found["rows"]]}
        )

    return Tool(resource.name, f"{resource.summary} Rows of one day of {resource.table.id}.", parameters, ("day",), ask)


def _state(warehouse: Warehouse, table: str, day: date) -> dict[str, Any]:
    """Tell the state of a table on a day, so that no rows are told from rows that were never computed."""
    (cell,) = cells(warehouse.ledger([table], day, day).to_pylist(), [table], [day])[table]
    return {"state": cell.state} | ({"reasons": list(cell.reasons)} if cell.reasons else {})


def _priced_wrong(warehouse: Warehouse) -> Tool:
    parameters = {
        "day": DAY,
        "market": f"one of {', '.join(MARKETS)}; all if not given",
        "least_value": "least expected profit of one unit, such as 0.05; 0 if not given",
        "limit": f"prices of the answer: {PRICES} if not given, at most {MOST_PRICES}",
        "offset": "prices to skip: next_offset of the answer before",
    }

    def ask(given: Parameters) -> dict[str, Any]:
        day, market, least = _price_question(given)
        limit, offset = _page(given)
        (data,) = read_reports(warehouse, [day], {})
        found = wrong_prices(data, market, least)
        page = found[offset : offset + limit]
        return {
            "day": day,
            **priced(data, market),
            "total": len(found),
            "next_offset": offset + limit if offset + limit < len(found) else None,
            "record_of_the_systems": records_of(data, page),
            "prices": [explained(w) for w in page],
        }

    return Tool(
        "priced_wrong",
        "Who is priced wrong on a day, and why: for each side the best price that the leading forecast values at least at "
        "`least_value` (expected profit of one unit), the best first, with chances and fair odds at its line, quotes of the "
        "other books, expected minutes, reported injuries, form and reasons in words. A value is the opinion of a system: weigh "
        "it with `record_of_the_systems`, what its bets made before, and with reasons that speak against it.",
        parameters,
        ("day",),
        ask,
    )


def _price_question(given: Parameters) -> tuple[date, str | None, float]:
    try:
        day, least = date.fromisoformat(given["day"]), float(given.get("least_value", 0))
    except ValueError as e:
        raise ConfigurationError(f"a parameter has a wrong value: {e}", f"day is {DAY}; least_value a number") from e
    if not math.isfinite(least):
        raise ConfigurationError(f"least_value {least} is no amount", "give a number such as 0.05")
    market = given.get("market")
    if market is not None and market not in MARKETS:
        raise ConfigurationError(f"{market} is no market", f"use one of {', '.join(MARKETS)}")
    check_range(day, day, latest_day())
    return day, market, least


def _page(given: Parameters) -> tuple[int, int]:
    try:
        limit, offset = int(given.get("limit", PRICES)), int(given.get("offset", 0))
    except ValueError as e:
        raise ConfigurationError(f"limit or offset is no whole number: {e}", "give whole numbers") from e
    if not 1 <= limit <= MOST_PRICES or offset < 0:
        raise ConfigurationError("limit or offset is out of range", f"limit is 1 to {MOST_PRICES}, offset at least 0")
    return limit, offset


def _status(warehouse: Warehouse, context: Callable[[], Context]) -> Tool:
    parameters = {
        "start": f"first day; {DAY}",
        "end": "last day, as start; the first if not given",
        "limit": f"problems of the answer: {PRICES} if not given, at most {MOST_PRICES}",
    }

    def ask(given: Parameters) -> dict[str, Any]:
        limit, _ = _page(given)
        found = status_of(warehouse, given, context())
        return {
            "start": found.days[0],
            "end": found.days[-1],
            "table_days": {s: found.counts[s] for s in STATES},
            "last_published": dict(found.fresh),
            "problems_in_all": len(found.problems),
            "problems": [asdict(p) for p in found.problems[:limit]],
            "waived": [asdict(w) for w in found.waived[:limit]],
            "alerts": list(found.alerts),
        }

    return Tool("status", f"{STATUS_SUMMARY} Counts, problems and open alerts.", parameters, ("start",), ask)


def _columns() -> Tool:
    def ask(given: Parameters) -> dict[str, Any]:
        if given["of"] not in RESOURCES:
            raise ConfigurationError(f"{given['of']} is no tool with rows", f"use one of {', '.join(RESOURCES)}")
        table = RESOURCES[given["of"]].table
        described = {
            c.name: {n: v for n, v in (("meaning", c.description), ("unit", c.unit), ("formula", c.formula)) if v}
            for c in table.columns.values()
        }
        return {"table": table.id, "key": list(table.key), "columns": described}

    text = "The meaning, unit and formula of the columns that a tool returns."
    return Tool("columns", text, {"of": f"the tool: {', '.join(RESOURCES)}"}, ("of",), ask)
