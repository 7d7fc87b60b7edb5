"""The one way to BigQuery: how jobs and calls are sent, labelled, bounded and retried, and how their errors read."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet
import requests
from dagster_gcp import BigQueryResource
from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound, RetryError
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

PARALLEL_JOBS = 4
REQUEST_SECONDS = 60.0
REQUEST_RETRY_SECONDS = 30.0
RETRY_SECONDS = 300.0

TRANSIENT_STATUS = frozenset({408, 500, 502, 503, 504})
TRANSIENT_REASONS = frozenset(
    {
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
        "rateLimitExceeded",
        "jobRateLimitExceeded",
    }
)
QUOTA_REASON, BYTES_BILLED_REASON = "quotaExceeded", "bytesBilledLimitExceeded"
# BigQuery reports a conflict of transactions with the reason of a wrong statement (invalidQuery): only its text tells them apart.
CONCURRENT_UPDATE = "aborted due to concurrent update"


class BigQueryClientResource(BigQueryResource):
    """dagster-gcp's resource, which can also speak to another endpoint; without credentials only on this machine.

    Attributes:
        endpoint: Another address of the API.
        anonymous: Send no credentials.
        max_bytes_billed: A query that would bill more is refused.
    """

    endpoint: str | None = None
    anonymous: bool = False
    max_bytes_billed: int | None = None

    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        if self.endpoint is None:
            with super().get_client() as client:
                yield self._bounded(client)
        else:
            client = bigquery.Client(
                project=self.project,
                location=self.location,
                credentials=AnonymousCredentials() if self.anonymous else None,  # pyright: ignore[reportArgumentType]
                client_options={"api_endpoint": self.endpoint},
            )
            yield self._bounded(client)

    def _bounded(self, client: bigquery.Client) -> bigquery.Client:
        if self.max_bytes_billed is not None:
            client.default_query_job_config = bigquery.QueryJobConfig(maximum_bytes_billed=self.max_bytes_billed)
        return client


def is_lost(error: BaseException) -> bool:
    """The request or its answer did not get through."""
    lost = requests.exceptions.ConnectionError | requests.exceptions.Timeout | TransportError
    return isinstance(error, lost) or (isinstance(error, GoogleAPICallError) and error.code in TRANSIENT_STATUS)


def is_transient(error: BaseException) -> bool:
    """Worth another try: a failure of the service or of the way to it, or a conflict with another transaction.

    A quota is not: it does not come back within seconds, and every further try counts against it as well.
    """
    error = _last_failure(error)
    if is_lost(error):
        return True
    if not isinstance(error, GoogleAPICallError):
        return False
    reasons = _reasons(error)
    if QUOTA_REASON in reasons:
        return False
    return bool(reasons & TRANSIENT_REASONS) or CONCURRENT_UPDATE in str(error)


def _reasons(error: BaseException) -> set[str]:
    """The reason codes that the service gave."""
    details = error.errors if isinstance(error, GoogleAPICallError) else ()
    return {str(e.get("reason", "")) for e in details if isinstance(e, Mapping)}


def default_retry() -> Retry:
    """Exponential back-off with full jitter, for up to five minutes; every failure that is tried again is logged."""
    return Retry(
        predicate=is_transient, initial=1.0, maximum=30.0, multiplier=2.0, timeout=RETRY_SECONDS, on_error=_tell
    )


def _tell(error: Exception) -> None:
    logger.warning("BigQuery: %s; trying again", _said(_last_failure(error)))


@dataclass(frozen=True)
class JobLabels:
    """Labels of a job and its staging tables: the table it works for and the run it belongs to."""

    table: str
    run: str = ""

    def as_dict(self, **more: str) -> dict[str, str]:
        given = {"product": "nba_pipeline", "table": self.table, "run": self.run, **more}
        return {k: label_value(v) for k, v in given.items() if v}


def label_value(text: str) -> str:
    """The text as a label's value: small letters, digits, dashes and underscores, at most 63. A run's id stays as it is."""
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


@dataclass(frozen=True)
class Connection:
    """Sends jobs and calls to one BigQuery location: bounded in time, retried if transient, with named errors."""

    location: BigQueryLocation
    retry: Retry = field(default_factory=default_retry, compare=False)

    @cached_property
    def client(self) -> bigquery.Client:
        location = self.location
        resource = BigQueryClientResource(
            project=location.project,
            location=location.region,
            endpoint=location.endpoint,
            anonymous=location.is_loopback,
        )
        with named_errors("connecting to BigQuery"), resource.get_client() as client:
            return client

    @cached_property
    def _patience(self) -> Retry:
        """For a request about a job, which is repeated only if it was lost; a job that failed is another matter."""
        return self.retry.with_predicate(is_lost).with_timeout(min(REQUEST_RETRY_SECONDS, self.retry.timeout or 0.0))

    def call(self, what: str, function: Callable[..., Result], *arguments: object, **options: object) -> Result:
        """One call of the API that is not a job, such as reading a table's schema."""
        with named_errors(what):
            return self.retry(function)(*arguments, retry=None, timeout=REQUEST_SECONDS, **options)

    def query(
        self,
        what: str,
        statement: str | Callable[[], str],
        labels: JobLabels,
        parameters: Sequence[bigquery.ArrayQueryParameter | bigquery.ScalarQueryParameter] = (),
    ) -> RowIterator:
        """Run a statement or script to its end; a job that failed is sent anew, and made anew if given as a function.

        A request whose answer was lost is repeated under the id of its job: a job of unknown fate is never sent twice.
        """
        config = bigquery.QueryJobConfig(labels=labels.as_dict(), query_parameters=list(parameters))
        if self.location.max_bytes_billed is not None:
            config.maximum_bytes_billed = self.location.max_bytes_billed
        submission = QuerySubmission(self.client, statement, config, self._patience)
        with named_errors(what):
            return self.retry(submission.result)()

    def persist(self, what: str, work: Callable[[], Result]) -> Result:
        """Do several steps again, from the first one, when one of them fails for a passing reason."""
        with named_errors(what):
            return self.retry.with_predicate(lambda e: is_transient(e.__cause__ or e))(work)()

    def arrow(
        self, what: str, statement: str, labels: JobLabels, schema: pa.Schema, parameters: Sequence = ()
    ) -> pa.Table:
        """The rows of a query, in this schema. A large result comes through the Storage Read API, whose address is Google's own.

        With another endpoint all rows come from that one: what is meant to stay in a private network does.
        """
        found = self.query(what, statement, labels, parameters)
        with named_errors(what):
            rows = found.to_arrow(create_bqstorage_client=self.location.endpoint is None)
            return rows.select(schema.names).cast(schema)

    def load(self, what: str, rows: pa.Table, destination: bigquery.Table, labels: JobLabels) -> None:
        """One load job into a table that is there and empty; all rows or none."""
        buffer = BytesIO()
        pyarrow.parquet.write_table(rows, buffer, compression="zstd")
        buffer.seek(0)
        lists = bigquery.ParquetOptions()
        lists.enable_list_inference = True
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            schema=destination.schema,
            write_disposition=bigquery.WriteDisposition.WRITE_EMPTY,
            parquet_options=lists,
            labels=labels.as_dict(),
        )
        with named_errors(what):
            job = self.client.load_table_from_file(
                buffer, destination.reference, job_config=config, num_retries=0, timeout=REQUEST_SECONDS
            )
            job.result(retry=self._patience)
        if job.output_rows != rows.num_rows:
            raise WarehouseError(
                f"{what}: {job.output_rows} of {rows.num_rows} rows arrived", "run the same range again"
            )


@dataclass
class QuerySubmission:
    """A statement on its way to a result, across the tries of a retry.

    Attributes:
        statement: The text, or a function that makes it anew for each new job.
        patience: The retry of a single request about a job.
    """

    client: bigquery.Client
    statement: str | Callable[[], str]
    config: bigquery.QueryJobConfig
    patience: Retry
    _job_id: str | None = None
    _sql: str = ""

    def result(self) -> RowIterator:
        """Wait for the rows of the current job. A new job replaces one that failed, never one whose fate is unknown."""
        if self._job_id is None:
            self._sql = self.statement if isinstance(self.statement, str) else self.statement()
            self._job_id = str(uuid4())
        try:
            job = self._job(self._job_id)
            if job.error_result is not None:
                self._job_id = None
            return job.result(retry=self.patience, job_retry=None)
        except GoogleAPICallError as e:
            if not is_lost(e):
                self._job_id = None
            raise

    def _job(self, job_id: str) -> bigquery.QueryJob:
        """Insert the job, or find the one that an earlier request with the same id has started."""
        try:
            return self.client.query(
                self._sql,
                job_config=self.config,
                job_id=job_id,
                retry=self.patience,
                job_retry=None,
                timeout=REQUEST_SECONDS,
            )
        except Conflict:
            # Just after it answers that the id is taken the service may not find the job yet.
            found = self.patience.with_predicate(lambda e: is_lost(e) or isinstance(e, NotFound))
            job = self.client.get_job(job_id, retry=found, timeout=REQUEST_SECONDS)
            if not isinstance(job, bigquery.QueryJob):
                raise
            return job


@contextmanager
def named_errors(what: str) -> Iterator[None]:
    """Failures of BigQuery as WarehouseError: what was done, what the service says, no addresses, no credentials."""
    try:
        yield
    except RetryError as e:
        last = _last_failure(e)
        if isinstance(last, WarehouseError):
            raise last from last.__cause__
        raise WarehouseError(f"{what}: {_said(last)}", _remedy(last), transient=is_transient(last)) from e
    except (GoogleAPICallError, GoogleAuthError, requests.exceptions.RequestException) as e:
        raise WarehouseError(f"{what}: {_said(e)}", _remedy(e), transient=is_transient(e)) from e


def _last_failure(error: BaseException) -> BaseException:
    """What the last of all tries, and of the tries within it, failed with."""
    while isinstance(error, RetryError) and error.cause is not None:
        error = error.cause
    return error


def _said(error: BaseException) -> str:
    if isinstance(error, GoogleAuthError):
        return "no usable application default credentials"
    if isinstance(error, requests.exceptions.RequestException):
        return "the service cannot be reached"
    said = str(getattr(error, "message", error))
    said = said.split("; reason: ")[0]
    said = re.sub(r"(GET|POST|PUT|PATCH|DELETE) https?://\S+:? ?", "", said)
    return re.sub(r"https?://\S+", "", said).strip().split("\n")[0] or type(error).__name__


def _remedy(error: BaseException) -> str:
    if isinstance(error, GoogleAuthError):
        return "run `gcloud auth application-default login`, or attach a service account to the machine"
    if isinstance(error, requests.exceptions.RequestException):
        return "check the network, or whether the emulator runs, then run the same range again"
    reasons = _reasons(error)
    if QUOTA_REASON in reasons:
        return "a quota is used up: see docs/bigquery.md for what a run needs, and run the range again when it is back"
    if BYTES_BILLED_REASON in reasons:
        return "run a shorter range, or raise NBA_PIPELINE_BIGQUERY_MAX_BYTES_BILLED"
    if getattr(error, "code", None) in (401, 403):
        return "grant the roles that docs/bigquery.md lists to the account of the run"
    return "nothing of the failed operation was published; remove the cause, then run the same range again"
