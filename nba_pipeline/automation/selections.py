"""Which tables automation runs together. All of it follows from what the tables read."""

from collections.abc import Iterable
from datetime import date

from nba_pipeline.domain.calendar import days_between, training_day
from nba_pipeline.sources import landing
from nba_pipeline.tables.catalog import CATALOG, graph_order

MODELS = "nba_predictions.prediction_models"
SCHEDULE = "nba_raw.schedule"
FORECASTS = "nba_predictions.player_prop_predictions"
GRADES = "nba_predictions.prediction_accuracy"
BOX_FEEDS = frozenset(f.name for f in (landing.PLAYER_BOXSCORES, landing.TEAM_BOXSCORES, landing.SHOTS))
RESULT_FEEDS = BOX_FEEDS | {landing.SCHEDULE.name}
QUOTE_FEEDS = frozenset(f.name for f in (landing.PROP_LINES, landing.GAME_LINES, landing.INJURIES))


def below(tables: Iterable[str]) -> tuple[str, ...]:
    """These tables and all whose rows of a day change when theirs of the same day do, in graph order."""
    reached = set(tables)
    for table in graph_order():
        if any(r.kind == "same_day" and r.table.id in reached for r in CATALOG[table].reads.values()):
            reached.add(table)
    return tuple(t for t in graph_order() if t in reached)


def fed_by(feeds: Iterable[str]) -> tuple[str, ...]:
    """The raw tables that are made of any of these feeds, in graph order."""
    wanted = set(feeds)
    return tuple(t for t in graph_order() if any(f.name in wanted and f.day for f in CATALOG[t].feeds.values()))


def daily() -> tuple[str, ...]:
    """Every table but the trained models."""
    return tuple(t for t in graph_order() if t != MODELS)


def whole(start: date, end: date) -> tuple[str, ...]:
    """Every table that runs over these days: the models have rows, and are trained, only on the first of a month, by a run of
    their own; on other days they are published without rows."""
    return daily() if any(training_day(d) == d for d in days_between(start, end)) else (*graph_order(),)


def results() -> tuple[str, ...]:
    """What a box score or a score changes on its day: raw results, facts and grades. What was forecast is not among it."""
    reached = {SCHEDULE, *below(fed_by(BOX_FEEDS))}
    return tuple(t for t in graph_order() if t in reached)


def refreshed() -> tuple[str, ...]:
    """What lines and injuries change before tip-off, with the schedule that they are held against; no facts, no grades."""
    changed = {*below(fed_by(QUOTE_FEEDS))} - {*results()} | {SCHEDULE}
    return tuple(t for t in graph_order() if t in changed)


def affected(feeds: Iterable[str], *, played: bool) -> tuple[str, ...]:
    """The tables that changed rows of these feeds reach on their day; of a played day, results reach facts and grades only."""
    changed = set(feeds)
    if played and changed <= RESULT_FEEDS:
        return results()
    return below(fed_by(changed))
