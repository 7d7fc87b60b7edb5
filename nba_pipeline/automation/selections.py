"""Which tables automation runs together. All of it follows from what the tables read."""

from collections.abc import Iterable
from datetime import date

from nba_pipeline.domain.calendar import days_between, training_day
from nba_pipeline.sources import landing
from nba_pipeline.tables.catalog import CATALOG, graph_order

PREDICTIONS = "nba_predictions"
FEATURES = "nba_predictions.ml_feature_store_v2"
MODELS = "nba_predictions.prediction_models"
SCHEDULE = "nba_raw.schedule"
FORECASTS = "nba_predictions.player_prop_predictions"
GRADES = "nba_predictions.prediction_accuracy"
BOX_FEEDS = frozenset(f.name for f in (landing.PLAYER_BOXSCORES, landing.TEAM_BOXSCORES, landing.SHOTS))
RESULT_FEEDS = BOX_FEEDS | {landing.SCHEDULE.name}
QUOTE_FEEDS = frozenset(f.name for f in (landing.PROP_LINES, landing.GAME_LINES, landing.INJURIES, landing.LINEUPS))


def below(tables: Iterable[str]) -> tuple[str, ...]:
    """Return these tables and all tables that read them on the same day, directly or not, in graph order."""
    reached = set(tables)
    for table in graph_order():
        if any(r.kind == "same_day" and r.table.id in reached for r in CATALOG[table].reads.values()):
            reached.add(table)
    return tuple(t for t in graph_order() if t in reached)


def fed_by(feeds: Iterable[str]) -> tuple[str, ...]:
    """Return the raw tables that are built from any of these feeds, in graph order."""
    names = set(feeds)
    return tuple(t for t in graph_order() if any(f.name in names and f.day for f in CATALOG[t].feeds.values()))


def daily() -> tuple[str, ...]:
    """Return every table but the trained models."""
    return tuple(t for t in graph_order() if t != MODELS)


def whole(start: date, end: date) -> tuple[str, ...]:
    """Return the tables of a run over start..end.

    Models are trained on the first of a month only, by a run of their own, and are published without rows on other days. A range
    with a training day therefore leaves them out.
    """
    return daily() if any(training_day(d) == d for d in days_between(start, end)) else (*graph_order(),)


def results() -> tuple[str, ...]:
    """Return what a box score or a score changes on its day: raw results, facts and grades, but no forecasts."""
    reached = {SCHEDULE, *below(fed_by(BOX_FEEDS))}
    return tuple(t for t in graph_order() if t in reached)


def refreshed() -> tuple[str, ...]:
    """Return what lines and injuries change before tip-off, with the schedule they are matched to; no facts, no grades."""
    changed = {*below(fed_by(QUOTE_FEEDS))} - {*results()} | {SCHEDULE}
    return tuple(t for t in graph_order() if t in changed)


def affected(feeds: Iterable[str], *, played: bool) -> tuple[str, ...]:
    """Return the tables whose rows of a day change with these feeds of that day.

    Args:
        feeds: The feeds whose rows changed.
        played: Whether the day's games are over; then results reach facts and grades only, never forecasts.
    """
    changed = set(feeds)
    if played and changed <= RESULT_FEEDS:
        return results()
    return below(fed_by(changed))
