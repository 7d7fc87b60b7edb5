"""BigQuery as strict as the documented service: a proxy before the emulator that refuses what the emulator lets pass.

Every statement that any client sends, of this process or another, is handed to Google's analyser. Beyond that the proxy
enforces what the emulator ignores: the version that an update is based on (If-Match), job ids that are used once, filters
on the partition where a table demands them, and the limits of one job and of one table a day. The emulator's time of a
table's last change does not follow DML; the proxy's does.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import sqlglot
from google.cloud.bigquery import SchemaField
from sqlglot import exp

from nba_pipeline_tests.support.googlesql import Analyser
from nba_pipeline_tests.support.serving import serving

MAX_STATEMENT_BYTES = 1024 * 1024
MAX_PARTITIONS_OF_A_JOB = 4_000
MAX_MODIFICATIONS_OF_A_TABLE = 1_500
TABLE_PATH = re.compile(r"/bigquery/v2/projects/([^/]+)/datasets/([^/]+)/tables(?:/([^/]+))?$")
JOBS_PATH = re.compile(r"(/upload)?/bigquery/v2/projects/[^/]+/jobs$")
ADD_COLUMN = re.compile(r"ALTER TABLE `([^`]+)` ADD COLUMN IF NOT EXISTS `([^`]+)` (\w+)(?:<(\w+)>)?")
CHANGED = re.compile(r"(?:INSERT INTO|DELETE FROM|ALTER TABLE) `([^`]+)`")
DAYS = re.compile(r"BETWEEN DATE '([0-9-]+)' AND DATE '([0-9-]+)'|DATE '([0-9-]+)'")
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "content-encoding", "accept-encoding"}


@dataclass(frozen=True)
class Refusal:
    """An answer of the service that is an error."""

    status: int
    reason: str
    message: str

    def body(self) -> bytes:
        error = {"reason": self.reason, "message": self.message}
        return json.dumps({"error": {"code": self.status, "message": self.message, "errors": [error]}}).encode()


@dataclass
class Stored:
    """What the service knows of a table beyond what the emulator keeps."""

    columns: list[SchemaField]
    partition: str | None
    requires_filter: bool
    version: int = 1

    @property
    def etag(self) -> str:
        return f"etag-{self.version}"


@dataclass
class Rules:
    """What the service remembers and refuses.

    Attributes:
        statements: Every statement that was sent, in order.
        refusals: Every refusal, in order.
        lost: Fragments of statements whose next answer is lost after the job was accepted.
    """

    googlesql: Analyser
    statements: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    _tables: dict[str, Stored] = field(default_factory=dict)
    _job_ids: set[str] = field(default_factory=set)
    _modifications: Counter[str] = field(default_factory=Counter)
    _changes: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def refuse(self, method: str, path: str, body: Any, if_match: str | None) -> Refusal | None:
        """Say why the service refuses this request; None where it does not."""
        with self._lock:
            refusal = self._refuse(method, path, body, if_match)
            if refusal is not None:
                self.refusals.append(refusal)
            return refusal

    def _refuse(self, method: str, path: str, body: Any, if_match: str | None) -> Refusal | None:
        table = TABLE_PATH.search(path)
        if table and method in ("PATCH", "PUT"):
            return self._refuse_update(".".join(table.groups()), if_match)
        if JOBS_PATH.search(path) and method == "POST" and isinstance(body, dict):
            return self._refuse_job(body)
        return None

    def _refuse_update(self, name: str, if_match: str | None) -> Refusal | None:
        stored = self._tables.get(name)
        if stored is not None and if_match is not None and if_match != stored.etag:
            return Refusal(412, "conditionNotMet", f"{name} is at {stored.etag}, the update is based on {if_match}")
        return self._modify(name)

    def _refuse_job(self, body: dict) -> Refusal | None:
        job_id = body.get("jobReference", {}).get("jobId")
        if job_id in self._job_ids:
            return Refusal(409, "duplicate", f"Already Exists: Job {job_id}")
        configuration = body["configuration"]
        if "load" in configuration:
            at = configuration["load"]["destinationTable"]
            refusal = self._modify(f"{at['projectId']}.{at['datasetId']}.{at['tableId']}")
        else:
            refusal = self._refuse_statement(configuration["query"]["query"])
        if refusal is None and job_id is not None:
            self._job_ids.add(job_id)
        return refusal

    def _modify(self, name: str) -> Refusal | None:
        self._modifications[name] += 1
        if self._modifications[name] > MAX_MODIFICATIONS_OF_A_TABLE:
            return Refusal(403, "quotaExceeded", f"Quota exceeded: too many table update operations for {name}")
        return None

    def _refuse_statement(self, text: str) -> Refusal | None:
        self.statements.append(text)
        if len(text.encode()) > MAX_STATEMENT_BYTES:
            return Refusal(400, "invalidQuery", "The query is too large: the limit is 1 MB of text")
        touched = max((partitions(s) for s in split(text) if s.lstrip().startswith("DELETE")), default=0)
        if touched > MAX_PARTITIONS_OF_A_JOB:
            return Refusal(400, "invalidQuery", f"Too many partitions modified by one statement: {touched}")
        wrong = self.googlesql.errors(text)
        if wrong:
            return Refusal(400, "invalidQuery", wrong[0])
        for statement in split(text):
            unfiltered = self._unfiltered(statement)
            if unfiltered:
                return Refusal(
                    400,
                    "invalidQuery",
                    f"Cannot query over table '{unfiltered}' without a filter over its partition column that can be used "
                    "for partition elimination",
                )
            self._learn_columns(statement)
        return None

    def _unfiltered(self, statement: str) -> str | None:
        """The first table that demands a filter on its partition and is read or changed without one."""
        demanding = {n: t.partition for n, t in self._tables.items() if t.requires_filter and f"`{n}`" in statement}
        if not demanding or (statement.lstrip().startswith(("INSERT", "ALTER")) and "SELECT" not in statement):
            return None
        tree = sqlglot.parse_one(statement, read="bigquery")
        target = tree.find(exp.Table) if isinstance(tree, exp.Insert) else None
        for table in tree.find_all(exp.Table):
            name = ".".join(part.name for part in table.parts)
            column = demanding.get(name)
            if column is None or table is target:
                continue
            scope = table.find_ancestor(exp.Select, exp.Delete, exp.Update)
            where = scope.args.get("where") if scope is not None else None
            if where is None or column not in {c.name for c in where.find_all(exp.Column)}:
                return name
        return None

    def _learn_columns(self, statement: str) -> None:
        for name, column, kind, element in ADD_COLUMN.findall(statement):
            stored = self._tables.get(name)
            if stored is not None and column not in {c.name for c in stored.columns}:
                added = SchemaField(column, element or kind, "REPEATED" if element else "NULLABLE")
                self._store(name, Stored([*stored.columns, added], stored.partition, stored.requires_filter))

    def remember(self, method: str, path: str, body: Any) -> None:
        """Take in a request that the emulator accepted."""
        if JOBS_PATH.search(path) and method == "POST" and isinstance(body, dict):
            with self._lock:
                self._changes.update(set(CHANGED.findall(body["configuration"].get("query", {}).get("query", ""))))
        table = TABLE_PATH.search(path)
        if not table or not isinstance(body, dict) or "schema" not in body:
            return
        project, dataset, name = table.groups()
        full = f"{project}.{dataset}.{name or body['tableReference']['tableId']}"
        with self._lock:
            partitioning = body.get("timePartitioning") or {}
            known = self._tables.get(full)
            if method == "POST" and known is not None:
                return
            self._store(
                full,
                Stored(
                    [SchemaField.from_api_repr(f) for f in body["schema"]["fields"]],
                    known.partition if known else partitioning.get("field"),
                    known.requires_filter if known else bool(body.get("requirePartitionFilter")),
                ),
            )

    def _store(self, name: str, new: Stored) -> None:
        before = self._tables.get(name)
        new.version = before.version + 1 if before else 1
        self._tables[name] = new
        self.googlesql.know(name, new.columns)

    def marked(self, path: str, answer: bytes) -> bytes:
        """The description of a table with the version and the time of its last change that the service gives it."""
        table = TABLE_PATH.search(path)
        name = ".".join(g for g in table.groups() if g) if table else ""
        stored = self._tables.get(name)
        if stored is None:
            return answer
        described = json.loads(answer)
        modified = int(described.get("lastModifiedTime", 0)) + self._changes[name]
        return json.dumps(described | {"etag": stored.etag, "lastModifiedTime": str(modified)}).encode()

    def loses(self, body: Any) -> bool:
        """Whether the answer to this request is to be lost; each planted loss happens once."""
        text = json.dumps(body) if isinstance(body, dict) else ""
        for fragment in self.lost:
            if fragment in text:
                self.lost.remove(fragment)
                return True
        return False


def split(script: str) -> list[str]:
    """The statements of a script as the client writes them."""
    return [s for s in script.split(";\n") if s.strip()]


def partitions(statement: str) -> int:
    """How many days the constant dates of a statement name."""
    number = 0
    for first, last, single in DAYS.findall(statement):
        number += 1 if single else (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    return number


@contextmanager
def strict_service(emulator: str, googlesql: Analyser) -> Iterator[tuple[str, Rules]]:
    """The address of a proxy before the emulator, and the rules that it holds requests to."""
    rules, behind = Rules(googlesql), urlsplit(emulator)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, body = urlsplit(self.path).path, _json(raw)
            refusal = rules.refuse(self.command, path, body, self.headers.get("If-Match"))
            if refusal is not None:
                self.reply(refusal.status, {"Content-Type": "application/json"}, refusal.body())
                return
            connection = HTTPConnection(behind.hostname or "", behind.port, timeout=300)
            passed = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            connection.request(self.command, self.path, raw, passed | {"Host": self.headers["Host"]})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if answer.status < 300:
                rules.remember(self.command, path, body)
                if self.command != "DELETE":
                    content = rules.marked(path, content) if content.startswith(b"{") else content
            if rules.loses(body):
                self.close_connection = True
                return
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in HOP_BY_HOP}
            self.reply(answer.status, kept, content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        def reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the output of the tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}", rules


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw.startswith(b"{") else None
    except ValueError:
        return None
