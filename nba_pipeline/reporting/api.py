"""A read-only HTTP API over the warehouse: rows of a day, the state of days, and its own description (OpenAPI).

Whatever reads the warehouse or the home runs in a thread, so that one slow answer holds up no other request.
"""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock, Semaphore
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nba_pipeline.common.errors import ConfigurationError, PipelineError
from nba_pipeline.common.json_text import json_text
from nba_pipeline.reporting.day_states import STATUS_SUMMARY, status_of
from nba_pipeline.reporting.overview_pages import Context
from nba_pipeline.reporting.resources import MOST_ROWS, RESOURCES, ROWS, Resource, answer, question
from nba_pipeline.warehouse import Warehouse

KEPT_BYTES = 64_000_000
COMPUTED_AT_ONCE = 4
# Names the published content: equal while nothing was published.
Version = Callable[[], str]
ReadContext = Callable[[], Context]


@dataclass(frozen=True)
class Answer:
    """The JSON of an answer, the same compressed, and its ETag."""

    body: bytes
    compressed: bytes
    tag: str

    @property
    def size(self) -> int:
        """Bytes that the answer takes."""
        return len(self.body) + len(self.compressed)


class Answers:
    """Answers of the current content of the warehouse; each is computed once, however many ask at the same time.

    Args:
        version: Names the published content; answers of another one are dropped.
        most_bytes: Bytes of all kept answers; the ones asked for least recently are dropped first.
    """

    def __init__(self, version: Version, most_bytes: int = KEPT_BYTES) -> None:
        self._version = version
        self._most_bytes = most_bytes
        self._of = ""
        self._kept: OrderedDict[str, Answer] = OrderedDict()
        self._computing: dict[str, Lock] = {}
        self._lock = Lock()
        self._slots = Semaphore(COMPUTED_AT_ONCE)

    @property
    def bytes(self) -> int:
        """Bytes of the kept answers."""
        return sum(a.size for a in self._kept.values())

    def get(self, key: str, compute: Callable[[], Any]) -> Answer:
        """Return the answer of a question.

        Args:
            key: Names the question.
            compute: Answers it.
        """
        version = self._version()
        with self._lock:
            found = self._find(version, key)
            if found is not None:
                return found
            own = self._computing.setdefault(key, Lock())
        try:
            with own, self._slots:
                with self._lock:
                    found = self._find(version, key)
                if found is None:
                    found = _answer(compute())
                    self._keep(version, key, found)
                return found
        finally:
            self._computing.pop(key, None)

    def _find(self, version: str, key: str) -> Answer | None:
        if version != self._of:
            self._kept.clear()
            self._of = version
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def _keep(self, version: str, key: str, found: Answer) -> None:
        with self._lock:
            if version != self._of:
                return
            self._kept[key] = found
            while self.bytes > self._most_bytes:
                self._kept.popitem(last=False)


def _answer(value: Any) -> Answer:
    body = json_text(value).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return Answer(body, gzip.compress(body, compresslevel=6, mtime=0), tag)


def application(warehouse: Warehouse, version: Version, context: ReadContext) -> Starlette:
    """Build the application.

    Args:
        warehouse: The warehouse to read from.
        version: Names the published content, so that answers are kept until something is published.
        context: Reads the accepted gaps and open alerts, which change without a publication.
    """
    answers = Answers(version)

    async def reply(request: Request, find: Callable[[], Answer]) -> Response:
        try:
            found = await run_in_threadpool(find)
        except ConfigurationError as e:
            return _refusal(e, HTTPStatus.BAD_REQUEST)
        except PipelineError as e:
            return _refusal(e, HTTPStatus.SERVICE_UNAVAILABLE)
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
            parameters = request.query_params
            return await reply(
                request,
                lambda: answers.get(_key(request), lambda: answer(warehouse, question(resource, parameters))),
            )

        return endpoint

    async def status(request: Request) -> Response:
        def find() -> Answer:
            now = context()
            key = f"{_key(request)} {now.waivers} {now.alerts}"
            return answers.get(key, lambda: status_of(warehouse, request.query_params, now).as_json())

        return await reply(request, find)

    async def index(_: Request) -> Response:
        paths = {f"/{r.name}": r.summary for r in RESOURCES.values()} | {"/status": STATUS_SUMMARY}
        return JSONResponse({"description": "/openapi.json", "paths": paths})

    async def no_path(_: Request, __: Exception) -> Response:
        return _refusal(ConfigurationError("there is no such path", "GET / lists the paths"), HTTPStatus.NOT_FOUND)

    async def description(_: Request) -> Response:
        return JSONResponse(openapi())

    routes = [Route(f"/{r.name}", rows_of(r)) for r in RESOURCES.values()]
    routes += [Route("/status", status), Route("/openapi.json", description), Route("/", index)]
    return Starlette(routes=routes, exception_handlers={HTTPStatus.NOT_FOUND: no_path})


def _refusal(error: PipelineError, status: HTTPStatus) -> Response:
    return JSONResponse({"error": error.what, "fix": error.remedy}, status_code=status)


def _key(request: Request) -> str:
    return f"{request.url.path}?{sorted(request.query_params.items())}"


def openapi() -> dict[str, Any]:
    """Describe the API by OpenAPI 3.1; schemas of rows follow from the contracts of the tables."""
    paths = {f"/{r.name}": {"get": _operation(r)} for r in RESOURCES.values()}
    days = [
        _parameter("start", "first day", required=True, format_="date"),
        _parameter("end", "last day", format_="date"),
    ]
    status = {
        "summary": STATUS_SUMMARY,
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
            _parameter("as_of", f"only rows with {_known_at(resource)} at or before it", format_="date-time")
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


def _known_at(resource: Resource) -> str:
    return resource.known_at + (" and as_of of their forecast" if resource.of_forecast else "")


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
