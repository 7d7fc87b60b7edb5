"""Write the pages of days to the artifact store; the asset and the command line share it."""

from collections.abc import Sequence
from datetime import date

from nba_pipeline.artifacts import ArtifactStore, Stored
from nba_pipeline.common.progress import DONE, STARTED, announce
from nba_pipeline.reporting.page import page
from nba_pipeline.reporting.queries import DAYS_AT_ONCE, read_reports
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Warehouse

REPORT = "nba_reports.daily_report"


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
