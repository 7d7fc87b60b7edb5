"""Configuration from the environment: where things live, which source, which warehouse."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.environment import require_known
from nba_pipeline.config.home import Origin, require_origin
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.markets import DEFAULT_MARKETS, MARKETS
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.resolved import ResolvedSource
from nba_pipeline.warehouse import Warehouse
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.duckdb import DEFAULT_TIMEOUT, DuckDBWarehouse

SourceName = Literal["simulator", "files", "nba_stats"]
WarehouseName = Literal["duckdb", "bigquery"]
DEFAULT_HOME = ".nba_pipeline"
DEFAULT_SEED = 20211019
BUCKET = re.compile(
    r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(/(?P<prefix>[A-Za-z0-9._=+-]+(/[A-Za-z0-9._=+-]+)*)?)?/?"
)


@dataclass(frozen=True)
class Settings:
    """What the environment says; read once per process, passed on from there."""

    home: Path
    source: SourceName
    data: Path | None
    seed: int
    warehouse: WarehouseName
    lock_timeout: float
    bucket: str | None
    bigquery: BigQueryLocation | None
    pushdown: frozenset[str]
    markets: tuple[str, ...] = DEFAULT_MARKETS
    live: LiveSettings = field(default_factory=LiveSettings)

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Settings":
        require_known(environment)
        data = environment.get("NBA_PIPELINE_DATA")
        warehouse = cast(
            WarehouseName, _choice(environment, "NBA_PIPELINE_WAREHOUSE", get_args(WarehouseName), "duckdb")
        )
        return Settings(
            home=Path(environment.get("NBA_PIPELINE_HOME") or DEFAULT_HOME).absolute(),
            source=cast(SourceName, _choice(environment, "NBA_PIPELINE_SOURCE", get_args(SourceName), "simulator")),
            data=Path(data).absolute() if data else None,
            seed=int(_number(environment, "NBA_PIPELINE_SEED", DEFAULT_SEED)),
            warehouse=warehouse,
            lock_timeout=_number(environment, "NBA_PIPELINE_LOCK_TIMEOUT", DEFAULT_TIMEOUT),
            bucket=_bucket(environment.get("NBA_PIPELINE_BUCKET")),
            bigquery=_bigquery_location(environment) if warehouse == "bigquery" else None,
            markets=_markets(environment),
            pushdown=_names(environment.get("NBA_PIPELINE_PUSHDOWN", "none")),
            live=LiveSettings.from_environment(environment),
        )

    @property
    def database(self) -> Path:
        return self.home / "nba.duckdb"

    @property
    def payloads(self) -> Path:
        """Directory of the answers that live services gave."""
        return self.home / "payloads"

    @property
    def landing(self) -> Path:
        """Where `nba-pipeline ingest` puts landing files, and the source `nba_stats` reads them."""
        return self.home / "landing"

    @property
    def warehouse_name(self) -> str:
        """Where the tables are, for people."""
        return self.bigquery.name if self.bigquery is not None else str(self.database)

    def stored_as(self, table: Table) -> str:
        """The table's full name where it is stored."""
        return self.bigquery.table(table.id) if self.bigquery is not None else table.id

    def open_warehouse(self) -> Warehouse:
        if self.bigquery is not None:
            from nba_pipeline.warehouse.bigquery.warehouse import open_bigquery

            return open_bigquery(self.bigquery, self.pushdown)
        return DuckDBWarehouse(self.database, self.lock_timeout)

    def open_artifacts(self) -> ArtifactStore:
        """The bucket that NBA_PIPELINE_BUCKET names, else the directory `artifacts` of the home."""
        if self.bucket is None:
            return LocalArtifacts(self.home / "artifacts")
        from nba_pipeline.artifacts.gcs import BucketArtifacts

        found = BUCKET.fullmatch(self.bucket)
        assert found is not None
        return BucketArtifacts(found["bucket"], found["prefix"] or "")

    @property
    def origin(self) -> Origin:
        """The source whose days fill the home."""
        return Origin(self.source, self.seed if self.source == "simulator" else None)

    def open_source(self) -> ResolvedSource:
        """Open the configured source.

        Raises:
            ConfigurationError: Something is missing, or the home was filled from another source.
            SourceError: The source cannot be read.
        """
        require_origin(self.home, self.origin)
        if self.source == "files":
            if self.data is None:
                raise ConfigurationError(
                    "NBA_PIPELINE_SOURCE is files, but NBA_PIPELINE_DATA is not set",
                    "set NBA_PIPELINE_DATA to the directory with the landing files (docs/landing.md)",
                )
            return ResolvedSource(FilesSource(self.data), self.home)
        if self.source == "nba_stats":
            if not self.landing.is_dir():
                raise ConfigurationError(
                    f"NBA_PIPELINE_SOURCE is nba_stats, but nothing was ever fetched into {self.landing}",
                    "run `nba-pipeline ingest START END` first (docs/sources.md)",
                )
            return ResolvedSource(FilesSource(self.landing, fetched=True), self.home)
        from nba_pipeline.sources.simulated import SimulatorSource

        return ResolvedSource(SimulatorSource(self.home / "simulator", self.seed), self.home)


def _bucket(given: str | None) -> str | None:
    if given and not BUCKET.fullmatch(given):
        raise ConfigurationError(f"NBA_PIPELINE_BUCKET is {given!r}", "set it to gs://bucket or gs://bucket/prefix")
    return given or None


def _choice(environment: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = environment.get(name) or default
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}", f"set it to one of: {', '.join(allowed)}")
    return value


def _names(text: str) -> frozenset[str]:
    """The names of a list with commas; `none` is no name."""
    return frozenset(n for n in (part.strip() for part in text.split(",")) if n and n != "none")


def _bigquery_location(environment: Mapping[str, str]) -> BigQueryLocation:
    """Where BigQuery's datasets are; who may reach them is found by Google's own library, never given here."""
    limit = _number(environment, "NBA_PIPELINE_BIGQUERY_MAX_BYTES_BILLED", 0)
    return BigQueryLocation(
        project=environment.get("NBA_PIPELINE_BIGQUERY_PROJECT", ""),
        region=environment.get("NBA_PIPELINE_BIGQUERY_LOCATION") or None,
        prefix=environment.get("NBA_PIPELINE_BIGQUERY_PREFIX", ""),
        endpoint=environment.get("NBA_PIPELINE_BIGQUERY_ENDPOINT") or None,
        max_bytes_billed=int(limit) or None,
    )


def _markets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The markets to forecast, in the order of `markets.MARKETS`; `all` stands for all of them."""
    text = environment.get("NBA_PIPELINE_MARKETS") or ",".join(DEFAULT_MARKETS)
    named = {m.strip() for m in text.split(",")} if text != "all" else set(MARKETS)
    if not named <= set(MARKETS):
        raise ConfigurationError(
            f"NBA_PIPELINE_MARKETS is {text!r}", f"name some of {', '.join(MARKETS)}, with commas between, or all"
        )
    return tuple(m for m in MARKETS if m in named)


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ConfigurationError(f"{name} is {text!r}, not a number", "give a number, or leave it unset") from None
    if not 0 <= value < 2**53:
        raise ConfigurationError(f"{name} is {text}", "give a number that is not negative")
    return value
