"""What a BigQuery client sends, request by request: to count jobs, to read statements, and to cut the line at any place."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from google.cloud.bigquery import SchemaField

from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

When = Literal["before", "after"]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any

    @property
    def job(self) -> str:
        """`query` or `load` where the request starts a job, else nothing."""
        if self.method != "POST" or not self.path.endswith("/jobs"):
            return ""
        return next(iter(set(self.body["configuration"]) & {"query", "load", "copy", "extract"}))

    @property
    def statement(self) -> str:
        return self.body["configuration"]["query"]["query"] if self.job == "query" else ""

    @property
    def labels(self) -> dict[str, str]:
        return self.body["configuration"].get("labels", {}) if self.job else {}

    @property
    def created_table(self) -> tuple[str, list[SchemaField]] | None:
        if self.method != "POST" or not self.path.endswith("/tables"):
            return None
        at = self.body["tableReference"]
        columns = [SchemaField.from_api_repr(f) for f in self.body["schema"]["fields"]]
        return f"{at['projectId']}.{at['datasetId']}.{at['tableId']}", columns


@dataclass
class Wire:
    """All requests of one client, in order. `fault(number, when)` is called around the number-th one and may raise."""

    sent: list[Request] = field(default_factory=list)
    fault: Callable[[int, When], None] | None = None

    @property
    def jobs(self) -> list[Request]:
        return [r for r in self.sent if r.job]

    @property
    def statements(self) -> list[str]:
        return [r.statement for r in self.sent if r.statement]


def tapped(warehouse: BigQueryWarehouse) -> Wire:
    """Listen to everything that this warehouse's client sends from now on."""
    wire = Wire()
    session = warehouse.connection.client._http
    send = session.request

    def request(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        body = options.get("data", arguments[0] if arguments else None)
        wire.sent.append(Request(method, urlsplit(url).path, _json(body)))
        number = len(wire.sent)
        if wire.fault:
            wire.fault(number, "before")
        answer = send(method, url, *arguments, **options)
        if wire.fault:
            wire.fault(number, "after")
        return answer

    session.request = request
    return wire


def _json(body: Any) -> Any:
    try:
        return json.loads(body) if isinstance(body, str | bytes) else None
    except ValueError:
        return None


def cut(at: int, when: When, *, for_good: bool) -> Callable[[int, When], None]:
    """The line is cut before or after the given request: its answer is lost, and for good, those of all later ones."""

    def fault(number: int, moment: When) -> None:
        if moment == when and (number == at or (for_good and number > at)):
            raise requests.exceptions.ConnectionError("cut")
        if for_good and number > at:
            raise requests.exceptions.ConnectionError("still cut")

    return fault


def killed(at: int, when: When) -> Callable[[int, When], None]:
    """The process dies there, with no chance to tidy up."""

    def fault(number: int, moment: When) -> None:
        if (number, moment) == (at, when):
            os.kill(os.getpid(), signal.SIGKILL)

    return fault
