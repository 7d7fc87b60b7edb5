"""Absurd later days change nothing; a table that looks one day too far, or at its whole season, is caught by name."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources.landing import PLAYER_BOXSCORES, SCHEDULE, SHOTS, TEAM_BOXSCORES
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline_tests.support.homes import Home
from tools.reliability import leaks
from tools.reliability.absurd import AbsurdLater
from tools.reliability.poison import Trials, compared, stretch_around
from tools.reliability.same_answer import Copy

DAY = date(2021, 10, 30)
QUICK = tuple(t for t in graph_order() if t.startswith(("nba_raw.", "nba_analytics.")))
DEFENSE = "nba_precompute.team_defense_zone_analysis"
FACTS = tuple(t for t in QUICK if t not in (leaks.CONTEXT, leaks.TEAM_CONTEXT))
Leak = Callable[[pytest.MonkeyPatch, Transform], Transform]


def test_absurd_days_after_a_day_change_nothing_of_it(finished_home: Home, tmp_path: Path) -> None:
    """All but the tables that take long to compile and what stands on them, which the harness tries on real data."""
    trials = Trials()
    compared(Copy.of(finished_home.settings, tmp_path), DAY, QUICK, trials)
    assert trials.kept.examples == trials.swallowed.examples == []
    assert trials.kept.cases == 38
    assert trials.swallowed.cases == 3 * (3 + 4)
    assert trials.refused == 0
    assert trials.changed > 70


@pytest.mark.parametrize(
    ("leak", "table", "from_cutoffs"),
    [
        pytest.param(leaks.ends_on_the_day, DEFENSE, True, id="window ends on the day"),
        pytest.param(leaks.whole_season, DEFENSE, False, id="average over the whole season"),
        pytest.param(leaks.late_reports, leaks.CONTEXT, True, id="statement from after the cut-off"),
    ],
)
def test_a_table_that_looks_too_far_is_caught_by_name(
    finished_home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    leak: Leak,
    table: str,
    from_cutoffs: bool,
) -> None:
    trials = Trials()
    monkeypatch.setitem(CATALOG, table, leak(monkeypatch, CATALOG[table]))
    compared(Copy.of(finished_home.settings, tmp_path), DAY, (*FACTS, table), trials, [from_cutoffs])
    assert any(said.startswith(f"{table} {DAY} changed") for said in trials.kept.examples), trials.kept.examples
    assert {said.split()[0] for said in trials.kept.examples} == {table}


@pytest.mark.parametrize("from_cutoffs", [False, True])
def test_what_came_before_is_read_as_it_was_and_what_came_later_is_absurd(
    finished_home: Home, from_cutoffs: bool
) -> None:
    clean = finished_home.settings.open_source().inner
    absurd, days = AbsurdLater(clean, DAY, from_cutoffs), stretch_around(DAY)
    before = [d for d in days if d < DAY or (d == DAY and not from_cutoffs)]
    later = [d for d in days if d not in before]
    for feed in (SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES, SHOTS):
        assert absurd.read(feed, before).equals(clean.read(feed, before))
    slate = absurd.read(SCHEDULE, later).to_pylist()
    assert {frozenset((g["home_pts"], g["away_pts"])) for g in slate} == {frozenset((200, 100))}
    assert len(slate) == len(clean.read(SCHEDULE, later)) + 3
    assert sum(p["pts"] == 90 for p in absurd.read(PLAYER_BOXSCORES, later).to_pylist()) == 3 * len(slate)
