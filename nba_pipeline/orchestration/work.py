"""Weighs table-days by how long they take, so that the time left of a backfill follows from the work that is done and left.

A table takes some time in every run, whatever its days, and the models of a month take long to train.
"""

from datetime import date

from nba_pipeline.domain.calendar import days_between, training_day
from nba_pipeline.tables.predictions.prediction_models import PREDICTION_MODELS

# In table-days, of which one takes 0.017 s over four seasons. 26 tables over 20 days took 61 s, 15 s of which are their days and
# the training of a month: the others are 1.8 s a table. A training day takes 4.0 s over four seasons.
TABLE_OF_A_RUN, TRAINING_DAY = 100, 200


def work(table: str, start: date, end: date) -> int:
    """Return the work of a table in a run over a range of days, in table-days.

    Args:
        table: The table.
        start: The first day.
        end: The last day, inclusive.
    """
    days = days_between(start, end)
    trained = sum(training_day(d) == d for d in days) if table == PREDICTION_MODELS.id else 0
    return TABLE_OF_A_RUN + len(days) + TRAINING_DAY * trained
