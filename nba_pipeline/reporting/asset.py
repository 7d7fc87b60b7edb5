"""Write the daily pages as the asset `nba_reports/daily_report`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import dagster as dg

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.assets import OWNERS, Pipeline
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.step_events import attach_metadata
from nba_pipeline.reporting.reads import READS, READS_BEFORE, REPORT

ReadAlerts = Callable[[Settings], Sequence[Mapping[str, str]]]
KEY = dg.AssetKey(REPORT.split("."))
GROUP = "6_reports"


def daily_report_asset(settings: Settings, read_alerts: ReadAlerts) -> dg.AssetsDefinition:
    """Build the asset of the daily pages and of the pages above them.

    Args:
        settings: The settings, for the days of the partitions.
        read_alerts: Returns the open alerts of the settings' home.
    """

    @dg.asset(
        key=KEY,
        deps=sorted({asset_key(t) for t, _ in (*READS.values(), *READS_BEFORE.values())}),
        partitions_def=daily_partitions(settings.first_day, settings.last_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=GROUP,
        kinds={"html"},
        owners=OWNERS,
        description=(
            "One self-contained HTML page per day: a table of all forecasts with a line, with fair odds, prices of every book, "
            "form and reasons; games and availability, results once they are in, the latest grades, accuracy of the 30 days "
            "before, and the state of every table. A day without games has "
            "a short page. Index, dashboard of checks and the pages of the run's seasons "
            "are written with them. Pages are stored in the artifact store under reports/. One page per day."
        ),
    )
    def daily_report(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
        """Write the pages of the run's days, with the address and size of each page in the day's metadata."""
        # deferred: pages take most of a second to load, and only this asset writes them
        from nba_pipeline.reporting.overview_pages import context_of, write_overview
        from nba_pipeline.reporting.pages import write_pages

        days = [date.fromisoformat(k) for k in context.partition_keys]
        with coded_failures(pipeline.settings.home):
            store = pipeline.settings.open_artifacts()
            warehouse = pipeline.settings.open_warehouse()
            written = write_pages(warehouse, store, days, simulated=pipeline.settings.is_simulated)
            shared = context_of(pipeline.settings, read_alerts(pipeline.settings))
            above = write_overview(warehouse, store, shared, seasons=days).pages
        attach_metadata(
            context,
            KEY,
            {
                d.isoformat(): {
                    "page": dg.MetadataValue.path(store.address(s.location)),
                    "path": store.address(s.location),
                    "bytes": s.bytes,
                    **{f"page {n}": dg.MetadataValue.path(store.address(o.location)) for n, o in above.items()},
                }
                for d, s in written.items()
            },
        )
        return dg.MaterializeResult(asset_key=KEY)

    return daily_report
