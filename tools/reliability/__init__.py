"""Harnesses that prove the promises of the pipeline, with figures: `python -m tools.reliability --help`.

Each harness is a module with a `TITLE` and `prove(scale) -> list[Proof]`, listed in `HARNESSES`. What it found is kept as
JSON, one file per harness, from which docs/reliability.md is written.
"""

HARNESSES = (
    "replay",
    "leaks",
    "poison",
    "same_answer",
    "listed",
    "recompute",
    "fuzz",
    "feed_fuzz",
    "completeness",
    "schedule_faults",
    "kills",
    "run_kills",
    "concurrency",
    "storage",
    "postponed_season",
    "soak",
)
