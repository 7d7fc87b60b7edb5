"""The command `copy`."""

import dataclasses
import time
from collections.abc import Sequence
from datetime import date

from nba_pipeline.artifacts import ArtifactStore, transfer
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.cli.console import console, narrate_on_stderr, print_json, table_days
from nba_pipeline.common import progress
from nba_pipeline.common.environment import environment_with
from nba_pipeline.common.errors import ArtifactError, ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.tables.predictions.prediction_models import PREDICTION_MODELS
from nba_pipeline.warehouse import Days, Warehouse
from nba_pipeline.warehouse.transfer import Copied, copy_tables

LOCATION, SHA256 = "artifact_location", "artifact_sha256"


def run_copy(to: str, origin: str | None, start: date | None, end: date | None, as_json: bool) -> bool:
    """Copy tables, ledger, quarantine and models, and verify the copy.

    Args:
        to: Address of the destination: bigquery, duckdb or duckdb:HOME.
        origin: Address of the origin; without it, the configured warehouse.
        start: First day; without it, the first that the origin's ledger has.
        end: Last day, inclusive; without it, the last that the origin's ledger has.
        as_json: Print JSON on standard output, and the sentences on standard error.

    Returns:
        True when the destination holds every row that the origin's ledger records as published.

    Raises:
        ConfigurationError: An address is unknown, or both are the same warehouse.
    """
    if as_json:
        narrate_on_stderr()
    source, target = settings_of(origin) if origin else Settings.from_environment(), settings_of(to)
    if source == target:
        raise ConfigurationError(
            f"--to {to} is the origin of the copy",
            "name another warehouse: --to bigquery, --to duckdb, or --to duckdb:HOME for another home",
        )
    here, there = source.open_warehouse(), target.open_warehouse()
    days = _days_by_table(here, start, end)
    if not days:
        console.print("nothing to copy: the origin's ledger has no entries on these days", highlight=False)
        if as_json:
            print_json({"tables": [], "complete": True})
        return True
    first, last = min(min(d) for d in days.values()), max(max(d) for d in days.values())
    tables = [CATALOG[t].table for t in graph_order() if t in days]
    console.print(f"comparing {len(tables)} tables on {first}..{last}", highlight=False)
    began = time.monotonic()
    with table_days(sum(map(len, days.values()))):
        results = copy_tables(tables, here, there, first, last, _tell)
    fine = _report(results, time.monotonic() - began)
    complete = copy_models(here, source, target, first, last) and fine
    if as_json:
        tables_copied = [dataclasses.asdict(r) | {"complete": r.complete} for r in results]
        print_json({"start": first, "end": last, "tables": tables_copied, "complete": complete})
    return complete


def settings_of(address: str) -> Settings:
    """Read settings for `bigquery`, `duckdb` or `duckdb:HOME`; all others come from the environment."""
    kind, _, home = address.partition(":")
    if kind == "bigquery" and not home:
        return Settings.from_environment(environment_with({"NBA_PIPELINE_WAREHOUSE": kind}))
    if kind == "duckdb":
        more = {"NBA_PIPELINE_HOME": home} if home else {}
        return Settings.from_environment(environment_with({"NBA_PIPELINE_WAREHOUSE": kind} | more))
    raise ConfigurationError(f"{address!r} is not a warehouse", "use bigquery, duckdb, or duckdb:HOME for another home")


def _days_by_table(warehouse: Warehouse, start: date | None, end: date | None) -> dict[str, set[date]]:
    days: dict[str, set[date]] = {}
    ledger = warehouse.ledger(start=start, end=end)
    for table, day in zip(ledger["table_id"].to_pylist(), ledger["day"].to_pylist(), strict=True):
        days.setdefault(table, set()).add(day)
    unknown = sorted(days.keys() - CATALOG.keys())
    if unknown:
        raise ConfigurationError(
            f"the ledger has tables that this version lacks: {', '.join(unknown)}",
            "copy with the version that wrote them, or a later one",
        )
    return days


def _tell(table: Table, days: int) -> None:
    if days:
        progress.announce(table.id, progress.STARTED, days)
        progress.announce(table.id, progress.DONE, days)


def _report(results: Sequence[Copied], seconds: float) -> bool:
    for r in results:
        counts = f"{len(r.copied)} days with {r.rows:,} rows copied, {len(r.present)} were already present"
        console.print(f"{'ok      ' if r.complete else 'PROBLEM '} {r.table}: {counts}", highlight=False)
        for days, state in (
            (
                r.altered,
                "differ at the origin from what was published there and were not copied. Fix: backfill them at the origin",
            ),
            (r.wrong, "differ at the destination. Fix: run the same copy again"),
            (r.surplus, "exist only at the destination and were not changed"),
        ):
            if days:
                console.print(f"         {describe_days(days)} {state}", highlight=False)
    copied = sum(len(r.copied) for r in results)
    fine = all(r.complete for r in results)
    verdict = (
        "every content hash, ledger entry and rejected row agrees" if fine else "the copy is NOT complete, see above"
    )
    console.print(f"{len(results)} tables, {copied:,} table-days copied in {seconds:.1f} s; {verdict}", highlight=False)
    return fine


def copy_models(warehouse: Warehouse, source: Settings, target: Settings, first: date, last: date) -> bool:
    """Copy the artifacts of the model registry to the destination's store; True when all are there, unaltered."""
    models = (PREDICTION_MODELS, Days(first, last, (LOCATION, SHA256)))
    rows = warehouse.read({"models": models})["models"].to_pylist()
    named = sorted({(r[LOCATION], r[SHA256]) for r in rows if r[LOCATION]})
    store = target.open_artifacts()
    # The models of a home that was given a bucket later are still in the home.
    stores = (store, source.open_artifacts(), LocalArtifacts(source.home / "artifacts"))
    lost = [e for location, sha256 in named if (e := _bring(location, sha256, stores, store)) is not None]
    for error in lost:
        console.print(f"PROBLEM  {error}", highlight=False)
    console.print(f"{len(named) - len(lost)} of {len(named)} models verified at the destination", highlight=False)
    return not lost


def _bring(location: str, sha256: str, stores: Sequence[ArtifactStore], to: ArtifactStore) -> ArtifactError | None:
    """Copy the artifact from the first store that has it unaltered; return the first error where none has."""
    first: ArtifactError | None = None
    for store in stores:
        try:
            transfer(location, sha256, store, to)
            return None
        except ArtifactError as e:
            first = first or e
    return first
