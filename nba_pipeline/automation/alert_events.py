"""Shows alerts about a day where people look at that day: as observations of the partition in Dagster.

The page of a day does not show the checks of its table (`alert_checks`), which fail while an alert is open. Alerts about refused
days are left out: the checks of the day itself have failed.
"""

from collections.abc import Collection, Iterator

import dagster as dg

from nba_pipeline.automation.alert_checks import check_of
from nba_pipeline.automation.alert_store import OpenAlert, day_of

OPENED, RESOLVED = "opened", "resolved"


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
    """Return what the day of the alert shows; None where it is about no day, or about no table.

    Args:
        state: `opened` or `resolved`.
        alert: The alert.
    """
    check, day = check_of(alert), day_of(alert)
    if check is None or day is None:
        return None
    return dg.AssetObservation(
        asset_key=check.key.asset_key,
        partition=day.isoformat(),
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
