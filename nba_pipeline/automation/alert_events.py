"""Shows alerts where people look at a table: as observations of its asset in Dagster, of the day that they are about.

Deadlines, gaps and suspicious figures are found outside any run, so no run reports them. Refused days are not among them: their
failed checks say it already.
"""

from collections.abc import Collection, Iterator

import dagster as dg

from nba_pipeline.automation.alert_store import Alert, AlertKind, OpenAlert, day_of
from nba_pipeline.automation.selections import FEATURES, GRADES, SCHEDULE
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.tables.catalog import CATALOG

OPENED, RESOLVED = "opened", "resolved"
TABLE_OF = {
    AlertKind.GAP: GRADES,
    AlertKind.ALARM: GRADES,
    AlertKind.DRIFT: GRADES,
    AlertKind.FEATURE: FEATURES,
    AlertKind.STATE: SCHEDULE,
    AlertKind.SEASON: SCHEDULE,
}


def table_of(alert: Alert | OpenAlert) -> str | None:
    """Return the table that an alert is about; None where it is about none, or its checks say the same."""
    if alert.kind == AlertKind.FRESHNESS:
        return alert.key.split()[1]
    return TABLE_OF.get(alert.kind)


def changes(before: Collection[OpenAlert], after: Collection[OpenAlert]) -> Iterator[tuple[str, OpenAlert]]:
    """Yield the alerts that opened and those that were resolved between two looks, each with what became of it.

    Args:
        before: The open alerts before.
        after: The open alerts after.
    """
    known, left = {a.key for a in before}, {a.key for a in after}
    yield from ((OPENED, a) for a in after if a.key not in known)
    yield from ((RESOLVED, a) for a in before if a.key not in left)


def observation(state: str, alert: OpenAlert) -> dg.AssetObservation | None:
    """Return what the asset of the alert's table shows; None where it is about no table.

    Args:
        state: `opened` or `resolved`.
        alert: The alert.
    """
    table = table_of(alert)
    if table is None:
        return None
    day = day_of(alert)
    return dg.AssetObservation(
        asset_key=asset_key(CATALOG[table].table),
        partition=day.isoformat() if day else None,
        description=f"alert {state}: {alert.text}",
        metadata={"alert": alert.key, "kind": str(alert.kind), "state": state},
    )


def show(instance: dg.DagsterInstance, before: Collection[OpenAlert], after: Collection[OpenAlert]) -> int:
    """Report the alerts that opened or were resolved to Dagster, outside any run; return how many.

    Args:
        instance: The Dagster instance.
        before: The open alerts before.
        after: The open alerts after.
    """
    found = [o for state, alert in changes(before, after) if (o := observation(state, alert)) is not None]
    for one in found:
        instance.report_runless_asset_event(one)
    return len(found)
