"""Write the pages of days to the artifact store; the asset and the command line share it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from nba_pipeline.artifacts import ArtifactStore, Stored
from nba_pipeline.common.progress import DONE, STARTED, announce
from nba_pipeline.reporting.page import Links, page
from nba_pipeline.reporting.queries import DAYS_AT_ONCE, read_reports
from nba_pipeline.reporting.reads import REPORT
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Warehouse

DAY_PAGE = re.compile(r"\d{4}-\d{2}-\d{2}\.html")


def write_pages(
    warehouse: Warehouse, store: ArtifactStore, days: Sequence[date], *, simulated: bool
) -> dict[date, Stored]:
    """Write `reports/<day>.html` for every day, days without games included, and return where each was stored.

    Args:
        warehouse: The warehouse to read the tables from.
        store: The artifact store to write the pages to.
        days: The days to write.
        simulated: Whether the tables hold an invented league, which every page then says.

    Raises:
        MissingHistoryError: The schedule of a day was never published; no page is written.
    """
    units = {t: CATALOG[t].unit for t in graph_order()}
    announce(REPORT, STARTED, len(days))
    present = sorted({*pages_of(store), *days})
    written: dict[date, Stored] = {}
    for data in read_reports(warehouse, days, units):
        html = page(replace(data, simulated=simulated), _links(data.day, present))
        written[data.day] = store.publish("reports", f"{data.day}.html", html.encode())
        if len(written) % DAYS_AT_ONCE == 0:
            announce(REPORT, DONE, DAYS_AT_ONCE)
    announce(REPORT, DONE, len(written) % DAYS_AT_ONCE)
    return written


def pages_of(store: ArtifactStore) -> list[date]:
    """List the days that have a page."""
    return days_of(store.names("reports"))


def days_of(names: Iterable[str]) -> list[date]:
    """List the days whose pages have these names."""
    return sorted(date.fromisoformat(n[: -len(".html")]) for n in names if DAY_PAGE.fullmatch(n))


def _links(day: date, present: Sequence[date]) -> Links:
    place = present.index(day)
    earlier, later = present[:place][-1:], present[place + 1 :][:1]
    return Links(*(str(d[0]) if d else "" for d in (earlier, later)))
