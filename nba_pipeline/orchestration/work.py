"""How long table-days take beside each other: the models of a month take as long to train as many days of a table to compute."""

from datetime import date

from nba_pipeline.domain.calendar import days_between, training_day
from nba_pipeline.tables.predictions.prediction_models import PREDICTION_MODELS

# Table-days that take as long as one training day: 4.0 s beside 0.017 s over four seasons, 12 s beside 0.09 s over 20 days.
TRAINING_DAY = 200


def work(table: str, start: date, end: date) -> int:
    """Return the work of a table over a range of days, in table-days of the other tables.

    Args:
        table: The table.
        start: The first day.
        end: The last day, inclusive.
    """
    days = days_between(start, end)
    trained = sum(training_day(d) == d for d in days) if table == PREDICTION_MODELS.id else 0
    return len(days) + TRAINING_DAY * trained
