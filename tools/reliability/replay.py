"""Every pre-game table of sampled days, computed again from nothing but what was known by the day's cut-offs."""

from collections import Counter
from datetime import UTC, date, datetime

from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification.replay import game_days, pre_game_tables, replay, sample
from tools.reliability.ground import REAL_FIRST, REAL_LAST, real_home
from tools.reliability.proof import Proof, Scale, Tally, following

TITLE = "Point in time: days recomputed from information before tip-off equal the published days"
DAYS = {"quick": 3, "full": 320}
SEED = 20260101


def prove(scale: Scale) -> list[Proof]:
    settings = real_home()
    days = game_days(settings.open_warehouse(), REAL_FIRST, REAL_LAST)
    chosen = sample(days, DAYS[scale], SEED)
    return [replayed(settings, chosen, f"real data {REAL_FIRST}..{REAL_LAST}, {len(days)} game days, seed {SEED}")]


def replayed(settings: Settings, days: list[date], on: str) -> Proof:
    """Replay these days; a case is one table's day, and it fails with every difference named."""
    tally, cells, tables = Tally(), 0, Counter()
    warehouse, source = settings.open_warehouse(), settings.open_source()
    run = RunContext("replay", datetime.now(UTC), settings.markets, settings.open_artifacts())
    for day in following(days, len(days), "replaying days"):
        done = replay(day, warehouse, source, SLATE, run)
        for difference in done.differences:
            tally.case(str(difference))
        for _ in range(done.tables - len(done.differences)):
            tally.case()
        cells += done.cells
        tables[done.tables] += 1
    return tally.proof(
        "a row for a day is computed only from information before tip-off",
        f"random game days; {len(pre_game_tables())} pre-game tables recomputed on inputs cut at the day's cut-offs; "
        "a case is one table's day, all cells and hashes compared",
        on,
        {"days": len(days), "cells compared": cells},
    )
