"""What programs may ask about the state of days."""

from collections.abc import Mapping
from datetime import date

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import check_range, days_between, latest_day
from nba_pipeline.reporting.overview_pages import Checks, Context, checks
from nba_pipeline.warehouse import Warehouse

LONGEST_STATUS_DAYS = 400
STATUS_SUMMARY = "State of every table on every day, with the checks that failed and the repair."


def status_of(warehouse: Warehouse, parameters: Mapping[str, str], context: Context) -> Checks:
    """Read the state of the days `start` to `end` of the parameters; `start` alone is one day.

    Args:
        warehouse: The warehouse to read from.
        parameters: The days, as text.
        context: The accepted gaps and open alerts.

    Raises:
        ConfigurationError: A day is missing or wrong, or the range is too long.
    """
    try:
        start = date.fromisoformat(parameters["start"])
        end = date.fromisoformat(parameters.get("end", parameters["start"]))
    except (KeyError, ValueError) as e:
        raise ConfigurationError(
            f"start or end is missing or no date: {e}", "give start=YYYY-MM-DD&end=YYYY-MM-DD"
        ) from e
    check_range(start, end, latest_day())
    if (end - start).days >= LONGEST_STATUS_DAYS:
        raise ConfigurationError("the range is too long", f"give at most {LONGEST_STATUS_DAYS} days")
    return checks(warehouse.ledger(), days_between(start, end), context)
