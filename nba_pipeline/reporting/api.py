"""A read-only HTTP API over the warehouse: rows of a day, the state of days, and its own description (OpenAPI)."""

import gzip
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from threading import Lock
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nba_pipeline.common.errors import ConfigurationError, PipelineError
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.reporting.overview_pages import checks
from nba_pipeline.reporting.resources import MOST_ROWS, RESOURCES, ROWS, Resource, answer, question
from nba_pipeline.warehouse import Warehouse

KEPT_ANSWERS = 200
LONGEST_STATUS_DAYS = 400
# Names the published content: equal while nothing was published.
Version = Callable[[], str]


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer, the same compressed, and its ETag."""

    body: bytes
    compressed: bytes
    tag: str


class Answers:
    """Answers of the current content of the warehouse; each is computed once, however many ask at the same time."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._kept: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._lock = Lock()

    def kept(self, key: str) -> Answer | None:
        """Return the answer of a question that was answered since the last publication."""
        return self._kept.get((self._version(), key))

    def get(self, key: str, compute: Callable[[], Any]) -> Answer:
        """Return the answer of a question.

        Args:
            key: Names the question.
            compute: Answers it.
        """
        with self._lock:
            place = (self._version(), key)
            if place not in self._kept:
                body = json.dumps(compute(), default=str).encode()
                tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
                self._kept[place] = Answer(body, gzip.compress(body, compresslevel=6, mtime=0), tag)
                while len(self._kept) > KEPT_ANSWERS:
                    self._kept.popitem(last=False)
            return self._kept[place]


def application(warehouse: Warehouse, version: Version) -> Starlette:
    """Build the application.

    Args:
        warehouse: The warehouse to read from.
        version: Names the published content, so that answers are kept until something is published.
    """
    answers = Answers(version)

    async def reply(request: Request, compute: Callable[[], Any]) -> Response:
        key = f"{request.url.path}?{sorted(request.query_params.items())}"
        try:
            found = answers.kept(key) or await run_in_threadpool(answers.get, key, compute)
        except ConfigurationError as e:
            return JSONResponse({"error": e.what, "fix": e.remedy}, status_code=HTTPStatus.BAD_REQUEST)
        except PipelineError as e:
            return JSONResponse({"error": e.what, "fix": e.remedy}, status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if found.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                found.compressed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"}
            )
        return Response(found.body, media_type="application/json", headers=headers)

    def rows_of(resource: Resource) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await reply(request, lambda: answer(warehouse, question(resource, request.query_params)))

        return endpoint

    async def status(request: Request) -> Response:
        return await reply(request, lambda: _status(warehouse, request.query_params))

    async def description(_: Request) -> Response:
        return JSONResponse(openapi())

    routes = [Route(f"/{r.name}", rows_of(r)) for r in RESOURCES.values()]
    return Starlette(routes=[*routes, Route("/status", status), Route("/openapi.json", description)])


def _status(warehouse: Warehouse, parameters: Mapping[str, str]) -> dict[str, Any]:
    try:
        start = date.fromisoformat(parameters["start"])
        end = date.fromisoformat(parameters.get("end", parameters["start"]))
    except (KeyError, ValueError) as e:
        raise ConfigurationError(
            f"start or end is missing or no date: {e}", "give start=YYYY-MM-DD&end=YYYY-MM-DD"
        ) from e
    if not 0 <= (end - start).days < LONGEST_STATUS_DAYS:
        raise ConfigurationError(
            "the range is reversed or too long", f"give start before end, at most {LONGEST_STATUS_DAYS} days"
        )
    return checks(warehouse.ledger(start=start, end=end).to_pylist(), days_between(start, end), ()).as_json()


def openapi() -> dict[str, Any]:
    """Describe the API by OpenAPI 3.1; schemas of rows follow from the contracts of the tables."""
    paths = {f"/{r.name}": {"get": _operation(r)} for r in RESOURCES.values()}
    days = [
        _parameter("start", "first day", required=True, format_="date"),
        _parameter("end", "last day", format_="date"),
    ]
    status = {
        "summary": "State of every table on every day, with the checks that failed and the repair.",
        "parameters": days,
        "responses": _responses({"type": "object"}),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "nba_pipeline", "version": "1", "description": "Read only."},
        "paths": paths | {"/status": {"get": status}},
        "components": {"schemas": {r.name: _schema(r) for r in RESOURCES.values()}},
    }


def _operation(resource: Resource) -> dict[str, Any]:
    columns = resource.table.columns
    parameters = [_parameter("day", "the day (Eastern)", required=True, format_="date")]
    parameters += [_parameter(n, columns[n].description) for n in resource.filters]
    if resource.known_at:
        parameters.append(
            _parameter("as_of", f"only rows with {resource.known_at} at or before it", format_="date-time")
        )
    parameters += [
        _parameter("limit", f"rows of the page, {ROWS} by default, at most {MOST_ROWS}"),
        _parameter("offset", "rows to skip; next_offset of the answer before"),
    ]
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{resource.name}"}}
    body = {
        "type": "object",
        "properties": {"total": {"type": "integer"}, "next_offset": {"type": ["integer", "null"]}, "rows": rows},
    }
    return {"summary": resource.summary, "parameters": parameters, "responses": _responses(body)}


def _parameter(name: str, text: str, *, required: bool = False, format_: str = "") -> dict[str, Any]:
    schema = {"type": "string"} | ({"format": format_} if format_ else {})
    return {"name": name, "in": "query", "required": required, "description": text, "schema": schema}


def _responses(schema: dict[str, Any]) -> dict[str, Any]:
    wrong = {"description": "A parameter is wrong; `error` and `fix` name it."}
    return {
        "200": {"description": "The answer, with an ETag.", "content": {"application/json": {"schema": schema}}},
        "304": {"description": "Unchanged since the ETag of If-None-Match."},
        "400": wrong,
    }


def _schema(resource: Resource) -> dict[str, Any]:
    columns = resource.table.columns.values()
    return {"type": "object", "properties": {c.name: {"description": c.description} for c in columns}}
