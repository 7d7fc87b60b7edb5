"""Write the daily pages: the asset `nba_reports/daily_report` and the function that the command line shares."""

from collections.abc import Sequence
from datetime import date

import dagster as dg

from nba_pipeline.artifacts import ArtifactStore, Stored
from nba_pipeline.common.progress import DONE, STARTED, announce
from nba_pipeline.orchestration.assets import OWNERS, Pipeline
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.partition_results import attach_metadata
from nba_pipeline.orchestration.partitions import DAILY
from nba_pipeline.reporting.page import page
from nba_pipeline.reporting.queries import DAYS_AT_ONCE, READS, READS_BEFORE, read_reports
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Warehouse

REPORT = "nba_reports.daily_report"
KEY = dg.AssetKey(REPORT.split("."))
GROUP = "6_reports"


def write_pages(warehouse: Warehouse, store: ArtifactStore, days: Sequence[date]) -> dict[date, Stored]:
    """Write `reports/<day>.html` for every day, days without games included, and return where each was stored.

    Args:
        warehouse: The warehouse to read the tables from.
        store: The artifact store to write the pages to.
        days: The days to write.

    Raises:
        MissingHistoryError: The schedule of a day was never published; pages of earlier days are already written.
    """
    units = {t: CATALOG[t].unit for t in graph_order()}
    announce(REPORT, STARTED, len(days))
    written: dict[date, Stored] = {}
    for data in read_reports(warehouse, days, units):
        written[data.day] = store.publish("reports", f"{data.day}.html", page(data).encode())
        if len(written) % DAYS_AT_ONCE == 0:
            announce(REPORT, DONE, DAYS_AT_ONCE)
    announce(REPORT, DONE, len(written) % DAYS_AT_ONCE)
    return written


@dg.asset(
    key=KEY,
    deps=sorted({asset_key(t) for t, _ in (*READS.values(), *READS_BEFORE.values())}),
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP,
    kinds={"html"},
    owners=OWNERS,
    description=(
        "One self-contained HTML page per day: games, forecasts against lines with their distributions, calls with reasons, "
        "availability, the latest grades, accuracy of the 30 days before, and the state of every table. A day without games has "
        "a short page. Pages are stored in the artifact store under reports/. One page per day."
    ),
)
def daily_report(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    """Write the pages of the run's days, with the address and size of each page in the day's metadata."""
    days = [date.fromisoformat(k) for k in context.partition_keys]
    with coded_failures():
        store = pipeline.settings.open_artifacts()
        written = write_pages(pipeline.settings.open_warehouse(), store, days)
    attach_metadata(
        context,
        KEY,
        {d.isoformat(): {"path": store.address(s.location), "bytes": s.bytes} for d, s in written.items()},
    )
    return dg.MaterializeResult(asset_key=KEY)
