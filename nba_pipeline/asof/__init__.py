"""The one place that compares dates of history with the target day: reads, aggregates and cut-offs."""

from nba_pipeline.asof.aggregates import (
    Aggregate,
    attach,
    count,
    earlier_facts,
    ewma,
    highest,
    latest,
    mean,
    ratio,
    std,
    total,
)
from nba_pipeline.asof.cutoffs import captured_in_time, cutoff, cutoff_of, made_before, reported_in_time
from nba_pipeline.asof.reads import (
    Read,
    before,
    before_training,
    kept,
    of_the_month,
    same_day,
    season_to_date,
    training_window,
)

__all__ = [
    "Aggregate",
    "Read",
    "attach",
    "before",
    "before_training",
    "captured_in_time",
    "count",
    "cutoff",
    "cutoff_of",
    "earlier_facts",
    "ewma",
    "highest",
    "kept",
    "latest",
    "made_before",
    "mean",
    "of_the_month",
    "ratio",
    "reported_in_time",
    "same_day",
    "season_to_date",
    "std",
    "total",
    "training_window",
]
