"""Absurd days change nothing before them: a stretch is published twice, the second time from a source that is absurd from
some day on, and what came before is compared.

Two ways: everything dated after day D is absurd, and then every table of D and before is compared, facts and grades included;
or D's own games are absurd as well, and so is all that was said after its cut-offs, and then the tables that describe D as it
was known before its games are compared, with all tables of the days before.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from nba_pipeline.domain.calendar import days_between, training_day
from nba_pipeline.sources.resolved import ResolvedSource
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline.verification.replay import KNOWN_AFTER, game_days, pre_game_tables
from tools.reliability.absurd import AbsurdLater
from tools.reliability.ground import (
    REAL_FIRST,
    REAL_LAST,
    differing,
    real_data,
    real_home,
    refused,
)
from tools.reliability.proof import Proof, Scale, Tally, following, stage
from tools.reliability.same_answer import Copy, publish_parts

TITLE = "Future poisoning: absurd games, lines and statements after a day do not change the day"
DAYS = {"quick": 1, "full": 10}
DAYS_BEFORE, DAYS_AFTER = 1, 3
SEED = 20260213
FACTS = tuple(t for t in KNOWN_AFTER if t.startswith("nba_analytics."))


@dataclass
class Trials:
    """What was tried: days that must not change, facts that must (else nothing was poisoned), and what was refused."""

    kept: Tally = field(default_factory=Tally)
    swallowed: Tally = field(default_factory=Tally)
    changed: int = 0
    refused: int = 0


def stretch_around(day: date) -> list[date]:
    return days_between(day - timedelta(days=DAYS_BEFORE), day + timedelta(days=DAYS_AFTER))


def poisoned(ground: Copy, day: date, *, from_cutoffs: bool) -> ResolvedSource:
    """The source of the home with absurd later days; names are resolved from what it says then."""
    clean = ground.settings.open_source()
    return ResolvedSource(AbsurdLater(clean.inner, day, from_cutoffs), clean.home)


def protected(expected: Iterable[tuple[str, date]], day: date, *, from_cutoffs: bool) -> set[tuple[str, date]]:
    """Tables and days that the poison must not reach."""
    before = set(pre_game_tables()) if from_cutoffs else {t for t, _ in expected}
    return {(t, d) for t, d in expected if d < day or (d == day and t in before)}


def compared(
    ground: Copy, day: date, tables: Sequence[str], trials: Trials, ways: Sequence[bool] = (False, True)
) -> None:
    """Publish the stretch around the day cleanly and then poisoned, once for each way (True: from the day's cut-offs on)."""
    days = stretch_around(day)
    ground.forget(days, tables)
    publish_parts(ground, [days], tables)
    expected = ground.contents(days[0], days[-1], tables)
    for from_cutoffs in ways:
        ground.forget(days, tables)
        source = poisoned(ground, day, from_cutoffs=from_cutoffs)
        said = refused(ground.publish(days, tables, source=source))
        found = ground.contents(days[0], days[-1], tables)
        safe = protected({*expected, *found}, day, from_cutoffs=from_cutoffs)
        when = f"all is absurd {'from the cut-offs of' if from_cutoffs else 'after'} {day}"
        for table, d in sorted(safe):
            same = expected.get((table, d)) == found.get((table, d))
            trials.kept.case(None if same else f"{table} {d} changed: {when}")
        for table, d in sorted(expected.keys() - safe):
            if table in FACTS:
                new = found.get((table, d), expected[table, d]) != expected[table, d]
                trials.swallowed.case(None if new else f"{table} {d} is not absurd, though {when}")
        trials.changed += len({*differing(expected, found)} - {f"{t} {d}" for t, d in safe})
        trials.refused += sum(len(d) for d in said.values())


def sampled(days: Sequence[date], n: int) -> list[date]:
    """n of the days; one of them is a day on which models are trained, where there is one."""
    generator = random.Random(SEED)
    training = [d for d in days if d == training_day(d)]
    first = generator.sample(training, min(1, len(training)))
    return sorted([*first, *generator.sample([d for d in days if d not in first], n - len(first))])


def prove(scale: Scale) -> list[Proof]:
    original, trials = real_home(), Trials()
    assert real_data()
    candidates = game_days(original.open_warehouse(), REAL_FIRST, REAL_LAST - timedelta(days=DAYS_AFTER))
    days = sampled(candidates, DAYS[scale])
    tables = graph_order()
    with TemporaryDirectory(prefix="poison-") as scratch:
        with stage("a copy of the home"):
            ground = Copy.of(original, Path(scratch))
        for day in following(days[::-1], len(days), "poisoning after days, the latest first"):
            compared(ground, day, tables, trials)
    on = f"real data, {', '.join(map(str, days))}"
    return [
        trials.kept.proof(
            "absurd games, box scores, shots, lines and statements of later days do not change a day",
            f"random game days, each with {DAYS_BEFORE} day before and {DAYS_AFTER} after, published cleanly and twice "
            "from a poisoned source: with all later days absurd, every table is compared; with the day's own games and "
            f"all that followed its cut-offs absurd too, the {len(pre_game_tables())} pre-game tables, and every table of "
            "the day before; a case is one table's day",
            on,
            {
                "days": len(days),
                "tables": len(tables),
                "table-days that came out absurd": trials.changed,
                "table-days that were refused as absurd": trials.refused,
            },
        ),
        trials.swallowed.proof(
            "the poison is effective: facts of absurd days differ from those of clean days",
            f"the same publications; a case is one absurd day of one of {len(FACTS)} tables of facts",
            on,
        ),
    ]
