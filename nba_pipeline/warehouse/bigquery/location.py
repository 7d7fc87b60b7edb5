"""Where BigQuery's datasets live, as the environment says."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from nba_pipeline.common.errors import ConfigurationError

OPERATIONS, STAGING = "nba_ops", "nba_staging"


@dataclass(frozen=True)
class BigQueryLocation:
    """Where the datasets live, from the environment. Credentials are not part of it: Google's library finds them.

    `prefix` stands before every dataset's name; `endpoint` is another address of the API, such as an emulator's;
    `max_bytes_billed` bounds every query.
    """

    project: str
    region: str | None = None
    prefix: str = ""
    endpoint: str | None = None
    max_bytes_billed: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9:.-]{1,98}[a-z0-9]", self.project):
            raise ConfigurationError(
                "NBA_PIPELINE_BIGQUERY_PROJECT is not set to the id of a Google Cloud project",
                "set it to the project's id (small letters, digits and dashes)",
            )
        if not re.fullmatch(r"\w*", self.prefix, re.ASCII):
            raise ConfigurationError(
                f"NBA_PIPELINE_BIGQUERY_PREFIX is {self.prefix!r}", "use letters, digits and underscores only"
            )
        if self.endpoint is not None and not self.is_loopback and self._scheme_and_host[0] != "https":
            raise ConfigurationError(
                "NBA_PIPELINE_BIGQUERY_ENDPOINT is neither an https address nor an http address of this machine",
                "for an emulator give http://127.0.0.1:PORT, else leave it unset",
            )

    @property
    def is_loopback(self) -> bool:
        """True for an emulator on this machine, the only place that is spoken to without credentials."""
        scheme, host = self._scheme_and_host
        if scheme not in ("http", "https"):
            return False
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def _scheme_and_host(self) -> tuple[str, str]:
        """Return scheme and host of the endpoint; both empty where it is no address."""
        try:
            parts = urlsplit(self.endpoint or "")
        except ValueError:
            return "", ""
        return parts.scheme, parts.hostname or ""

    def dataset(self, name: str) -> str:
        return f"{self.project}.{self.prefix}{name}"

    def table(self, table_id: str) -> str:
        """`dataset.table` of a contract -> the full name."""
        dataset, name = table_id.split(".")
        return f"{self.dataset(dataset)}.{name}"

    @property
    def name(self) -> str:
        return f"BigQuery project {self.project}" + (f", datasets {self.prefix}nba_*" if self.prefix else "")
