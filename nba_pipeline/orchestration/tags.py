"""Tags and step keys of runs that several modules read.

The run list of the UI shows the tags of people: why a run was started, its tables and its days. What only the pipeline reads has
the prefix of tags that the UI hides.
"""

from collections.abc import Mapping, Sequence
from datetime import date

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
TITLE, BY = "nba_pipeline/backfill", "nba_pipeline/automation"
TABLES, DAYS = "nba_pipeline/tables", "nba_pipeline/days"
_SHOWN, _HIDDEN = "nba_pipeline/", ".dagster/nba_pipeline_"
BACKFILL, TOTAL, PROCESS = f"{_HIDDEN}backfill_id", f"{_HIDDEN}table_days", f"{_HIDDEN}process"
NAMES_SHOWN = 4


def hidden_tag(tags: Mapping[str, str], name: str) -> str | None:
    """Return the value of a hidden tag; runs of earlier versions have it under a name that the UI shows.

    Args:
        tags: The tags of the run.
        name: The name of the tag.
    """
    return tags.get(name) or tags.get(name.replace(_HIDDEN, _SHOWN))


def shown_tags(tables: Sequence[str], start: date, end: date, every_table: Sequence[str]) -> dict[str, str]:
    """Return the tags that tell people the tables and days of a run, by which they can filter the runs.

    Args:
        tables: The tables of the run.
        start: Its first day.
        end: Its last day, inclusive.
        every_table: All tables.
    """
    return {TABLES: tables_in_words(tables, every_table), DAYS: f"{start}..{end}" if start != end else str(start)}


def tables_in_words(tables: Sequence[str], every_table: Sequence[str]) -> str:
    """Name tables: `all 26 tables`, or whole datasets, then single tables: `nba_raw, player_daily_cache and 3 more tables`.

    Args:
        tables: The tables to name.
        every_table: All tables.
    """
    if set(tables) == set(every_table):
        return f"all {len(every_table)} tables"
    by_dataset = {
        name: [t for t in every_table if t.split(".")[0] == name] for name in (t.split(".")[0] for t in tables)
    }
    whole = {name: members for name, members in by_dataset.items() if set(members) <= set(tables)}
    single = [t for t in tables if t.split(".")[0] not in whole]
    named = {**whole, **{t.split(".")[1]: [t] for t in single}}
    left = sum(len(members) for members in list(named.values())[NAMES_SHOWN:])
    more = f" and {left} more table{'s' if left > 1 else ''}" if left else ""
    return ", ".join(list(named)[:NAMES_SHOWN]) + more


def step_key(table: str) -> str:
    """Name the step of a run that publishes a table, such as `nba_raw__schedule`."""
    return table.replace(".", "__")


def table_of(step: str) -> str:
    """Return the table that a step of a run publishes."""
    return step.replace("__", ".", 1)


def days_of_run(tags: Mapping[str, str]) -> tuple[date, date] | None:
    """Return the first and last day of a run from its tags; None for a run without days."""
    first = tags.get(RANGE_START) or tags.get(PARTITION)
    last = tags.get(RANGE_END) or tags.get(PARTITION)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None
