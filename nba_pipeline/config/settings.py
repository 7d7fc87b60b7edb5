"""Configuration from the environment: where things live, which source, which warehouse.

What opens a source or a warehouse is imported where it is opened: commands that need neither start a second sooner.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.common.environment import Environment, MailSecurity, SourceName, WarehouseName, read_environment
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.locking import LOCK_TIMEOUT
from nba_pipeline.config.home import FILE as ORIGIN
from nba_pipeline.config.home import Origin, recorded_origin, require_origin, set_days_of
from nba_pipeline.domain.calendar import EPOCH
from nba_pipeline.domain.markets import DEFAULT_MARKETS, MARKETS
from nba_pipeline.sources.live_settings import LiveSettings, Pace
from nba_pipeline.state.home import HomeState
from nba_pipeline.state.protocol import StateStore

if TYPE_CHECKING:
    from nba_pipeline.common.bucket import Bucket
    from nba_pipeline.contracts.table import Table
    from nba_pipeline.sources.resolved import ResolvedSource
    from nba_pipeline.warehouse import Warehouse
    from nba_pipeline.warehouse.bigquery.location import BigQueryLocation

BUCKET = re.compile(
    r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(/(?P<prefix>[A-Za-z0-9._=+-]+(/[A-Za-z0-9._=+-]+)*)?)?/?"
)


@dataclass(frozen=True)
class AlertSettings:
    """The channels of alerts: a webhook, services of apprise, and a mail server; and a monitor that waits for signs of life.

    Secrets appear in no representation.
    """

    webhook: str | None = field(default=None, repr=False)
    apprise: tuple[str, ...] = field(default=(), repr=False)
    heartbeat: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    security: MailSecurity | None = None
    sender: str | None = None
    receiver: str | None = None


@dataclass(frozen=True)
class Settings:
    """The configuration of the pipeline; read once per process and passed on from there."""

    home: Path
    source: SourceName
    data: Path | None
    seed: int
    warehouse: WarehouseName
    lock_timeout: float
    bucket: str | None
    bigquery: "BigQueryLocation | None"
    pushdown: frozenset[str]
    markets: tuple[str, ...] = DEFAULT_MARKETS
    live: LiveSettings = field(default_factory=LiveSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    configured_dagster_home: Path | None = None
    first_day: date = EPOCH
    last_day: date | None = None
    snapshot_after_run: bool = False
    state_in_bucket: bool = False

    @staticmethod
    def from_environment(given: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from variables.

        Args:
            given: Names and texts of the variables; None for those of the process.

        Raises:
            ConfigurationError: A variable is wrong or does not exist; names it, its value and the fix.
        """
        variables = read_environment(given)
        home = Path(variables.home).absolute()
        _require_directory(home)
        first, last = set_days_of(home, variables.first_day)
        return Settings(
            home=home,
            first_day=first,
            last_day=last,
            source=variables.source,
            data=Path(variables.data).absolute() if variables.data else None,
            seed=variables.seed,
            warehouse=variables.warehouse,
            lock_timeout=LOCK_TIMEOUT if variables.lock_timeout is None else variables.lock_timeout,
            bucket=_bucket(variables.bucket),
            bigquery=_bigquery_location(variables) if variables.warehouse == "bigquery" else None,
            markets=_markets(variables.markets),
            pushdown=frozenset(variables.pushdown) - {"none", ""},
            live=_live(variables),
            alerts=_alerts(variables),
            configured_dagster_home=Path(variables.dagster_home) if variables.dagster_home else None,
            snapshot_after_run=_snapshot_after_run(variables),
            state_in_bucket=_state_in_bucket(variables),
        )

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME where it is set, else `dagster` below the home."""
        return self.configured_dagster_home or self.home / "dagster"

    @property
    def database(self) -> Path:
        return self.home / "nba.duckdb"

    @property
    def cache(self) -> Path:
        """Directory of what is computed again where it is missing: compiled statements. May be removed at any time."""
        return self.home / "cache"

    @property
    def read_copy(self) -> Path:
        """The copy of the database that clients may keep open."""
        return self.home / "read" / self.database.name

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

    def stored_as(self, table: "Table") -> str:
        """The table's full name where it is stored."""
        return self.bigquery.table(table.id) if self.bigquery is not None else table.id

    def open_warehouse(self) -> "Warehouse":
        if self.bigquery is not None:
            from nba_pipeline.warehouse.bigquery.warehouse import open_bigquery

            return open_bigquery(self.bigquery, self.pushdown)
        from nba_pipeline.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(self.database, self.lock_timeout)

    def watch_warehouse(self) -> "Warehouse":
        """Open the warehouse for sensors and schedules, which ask often: BigQuery is queried only after a change.

        An emulator is queried each time: the time of a table's last change does not follow DML there.
        """
        if self.bigquery is not None and not self.bigquery.is_loopback:
            from nba_pipeline.warehouse.bigquery.watched import watch_bigquery

            return watch_bigquery(self.bigquery)
        return self.open_warehouse()

    def open_artifacts(self) -> ArtifactStore:
        """The bucket that NBA_PIPELINE_BUCKET names, else the directory `artifacts` of the home."""
        if self.bucket is None:
            return LocalArtifacts(self.home / "artifacts")
        from nba_pipeline.artifacts.gcs import BucketArtifacts

        return BucketArtifacts(self._open_bucket())

    def open_state(self) -> StateStore:
        """Open the state of the home: in the bucket if NBA_PIPELINE_STATE is `bucket`, else in the home itself."""
        if not self.state_in_bucket:
            return HomeState(self.home)
        from nba_pipeline.state.bucket import BucketState

        return BucketState(self._open_bucket(), self.home)

    def landed_files(self) -> Path:
        """Return the directory of the landing files as they are now, wherever they were fetched."""
        directory = self.open_state().directory("landing")
        directory.pull()
        return directory.path

    def _open_bucket(self) -> "Bucket":
        from nba_pipeline.common.bucket import Bucket

        found = BUCKET.fullmatch(self.bucket or "")
        assert found is not None
        return Bucket(found["bucket"], found["prefix"] or "")

    @property
    def origin(self) -> Origin:
        """The source whose days fill the home."""
        return Origin(self.source, self.seed if self.source == "simulator" else None, self.first_day)

    def record_origin(self) -> None:
        """Record the source of the home, if none is recorded.

        Raises:
            ConfigurationError: Another process has recorded another source meanwhile.
        """
        state = self.open_state()
        if recorded_origin(state.declarations()) is None:
            state.declare_once(ORIGIN, json.dumps(self.origin.record).encode())
            require_origin(state.declarations(), self.origin)

    @property
    def is_simulated(self) -> bool:
        """Whether the days of the home are those of an invented league: as the home records, else as configured."""
        recorded = recorded_origin(self.open_state().declarations())
        return (recorded.source if recorded else self.source) == "simulator"

    @property
    def simulated(self) -> Path:
        """The directory of simulated seasons."""
        return self.home / "simulator"

    def open_source(self) -> "ResolvedSource":
        """Open the configured source.

        Raises:
            ConfigurationError: Something is missing, or the home was filled from another source.
            SourceError: The source cannot be read.
        """
        from nba_pipeline.sources.dropped_lines import DIRECTORY
        from nba_pipeline.sources.files import FilesSource
        from nba_pipeline.sources.resolved import ResolvedSource

        declared = self.open_state().declarations()
        require_origin(declared, self.origin)
        lines = declared / DIRECTORY
        if self.source == "files":
            if self.data is None:
                raise ConfigurationError(
                    "NBA_PIPELINE_SOURCE is files, but NBA_PIPELINE_DATA is not set",
                    "set NBA_PIPELINE_DATA to the directory with the landing files (docs/landing.md)",
                )
            return ResolvedSource(FilesSource(self.data, lines=lines), declared)
        if self.source == "nba_stats":
            landed = self.landed_files()
            if not landed.is_dir():
                raise ConfigurationError(
                    f"NBA_PIPELINE_SOURCE is nba_stats, but nothing was ever fetched into {landed}",
                    "run `nba-pipeline ingest START END` first (docs/sources.md)",
                )
            return ResolvedSource(FilesSource(landed, fetched=True, lines=lines), declared)
        from nba_pipeline.sources.simulated import SimulatorSource

        return ResolvedSource(SimulatorSource(self.simulated, self.seed), declared)


def _snapshot_after_run(variables: Environment) -> bool:
    if variables.snapshot == "after_run" and variables.warehouse != "duckdb":
        raise ConfigurationError(
            "NBA_PIPELINE_SNAPSHOT is 'after_run', and the warehouse is BigQuery",
            "leave it unset: readers never block there",
        )
    return variables.snapshot == "after_run"


def _bucket(given: str | None) -> str | None:
    if given and not BUCKET.fullmatch(given):
        raise ConfigurationError(f"NBA_PIPELINE_BUCKET is {given!r}", "set it to gs://bucket or gs://bucket/prefix")
    return given or None


def _state_in_bucket(variables: Environment) -> bool:
    if variables.state == "bucket" and not variables.bucket:
        raise ConfigurationError(
            "NBA_PIPELINE_STATE is bucket, but NBA_PIPELINE_BUCKET is not set",
            "set NBA_PIPELINE_BUCKET to gs://bucket/prefix, or leave NBA_PIPELINE_STATE unset",
        )
    return variables.state == "bucket"


def _bigquery_location(variables: Environment) -> "BigQueryLocation":
    """Where BigQuery's datasets are; credentials are found by Google's own library, never given here."""
    from nba_pipeline.warehouse.bigquery.location import BigQueryLocation

    return BigQueryLocation(
        project=variables.bigquery_project,
        region=variables.bigquery_location,
        prefix=variables.bigquery_prefix,
        endpoint=variables.bigquery_endpoint,
        max_bytes_billed=variables.bigquery_max_bytes_billed or None,
    )


def _live(variables: Environment) -> LiveSettings:
    pace = {
        "pause": variables.live_pause,
        "timeout": variables.live_timeout,
        "attempts": variables.live_attempts,
        "patience": variables.live_patience,
    }
    settings = {
        "nba_stats_url": variables.nba_stats_url,
        "nba_cdn_url": variables.nba_cdn_url,
        "nba_proxy": variables.nba_proxy,
        "nba_headers": variables.nba_headers,
        "odds_proxy": variables.odds_proxy,
        "odds_version": variables.odds_version,
        "odds_key_header": variables.odds_key_header,
        "odds_monthly_credits": variables.odds_monthly_credits,
        "markets": _markets(variables.markets),
        "report_minutes_before": variables.injury_minutes_before,
        "schedule_minutes": variables.schedule_minutes,
        "odds_api_url": variables.odds_api_url,
        "injuries_url": variables.injuries_url,
        "odds_api_key": variables.odds_api_key,
        "odds_regions": variables.odds_regions,
        "odds_minutes_before": variables.odds_minutes_before or None,
        "report_hours": variables.injury_hours or None,
        "pace": replace(Pace(), **_set(pace)),
    }
    return replace(LiveSettings(), **_set(settings))


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of variables that are set."""
    return {name: value for name, value in values.items() if value is not None}


def _alerts(variables: Environment) -> AlertSettings:
    return AlertSettings(
        webhook=variables.alert_webhook,
        apprise=variables.alert_apprise,
        heartbeat=variables.heartbeat_url,
        host=variables.alert_email_host,
        port=variables.alert_email_port,
        user=variables.alert_email_user,
        password=variables.alert_email_password,
        security=variables.alert_email_security,
        sender=variables.alert_email_from,
        receiver=variables.alert_email_to,
    )


def _markets(names: Sequence[str]) -> tuple[str, ...]:
    """The markets to forecast, in the order of `markets.MARKETS`; `all` stands for all of them, none for the default."""
    if names == ("all",):
        return tuple(MARKETS)
    if not set(names) <= set(MARKETS):
        raise ConfigurationError(
            f"NBA_PIPELINE_MARKETS is {','.join(names)!r}",
            f"name some of {', '.join(MARKETS)}, with commas between, or all",
        )
    return tuple(m for m in MARKETS if m in names) or DEFAULT_MARKETS


def _require_directory(home: Path) -> None:
    """Refuse a home below or at a file. Raises ConfigurationError."""
    for place in (home, *home.parents):
        if place.exists():
            if not place.is_dir():
                raise ConfigurationError(f"NBA_PIPELINE_HOME {home}: {place} is a file", "name a directory")
            return
