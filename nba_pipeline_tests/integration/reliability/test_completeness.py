"""What is taken out of the source is reported and heals; games that do not count are never missed."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.homes import Home
from tools.reliability import completeness
from tools.reliability.completeness import Kind, a_game, a_player, shots_of_a_game, status, trial
from tools.reliability.ground import AlteredSource
from tools.reliability.same_answer import Copy

DAY = date(2021, 10, 29)
FACTS = "nba_analytics.player_game_summary"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """Only the tables from raw data to the cache of player form."""
    chosen = tuple(t for t in completeness.TABLES if t.startswith(("nba_raw.", "nba_analytics.")))
    monkeypatch.setattr(completeness, "TABLES", chosen)
    return chosen


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", [a_player, a_game, shots_of_a_game])
def test_a_gap_is_reported_and_heals(finished_home: Home, tmp_path: Path, kind: Kind) -> None:
    ground = Copy.of(finished_home.settings, tmp_path)
    assert trial(ground, kind(ground, DAY, random.Random(1))) == ([], [])


@pytest.mark.usefixtures("small")
def test_a_gap_that_nothing_checks_is_found_by_the_harness(
    finished_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without expected rows and without sums, a day without a game's box score would pass."""
    for name in ("nba_raw.player_boxscores", "nba_raw.team_boxscores", FACTS):
        monkeypatch.setitem(CATALOG, name, replace(CATALOG[name], expected=None, cross_checks={}))
    ground = Copy.of(finished_home.settings, tmp_path)
    wrong, _ = trial(ground, a_game(ground, DAY, random.Random(1)))
    assert f"{FACTS} {DAY} is not refused with a reason" in wrong


@pytest.mark.parametrize("kind", ["001", "003"])
def test_games_that_do_not_count_leave_a_day_without_games(
    finished_home: Home, tmp_path: Path, small: Sequence[str], kind: str
) -> None:
    ground = Copy.of(finished_home.settings, tmp_path)
    days = days_between(DAY, DAY + timedelta(days=1))

    def only_such_games(rows: pa.Table) -> pa.Table:
        records = [r | {"game_id": kind + r["game_id"][3:]} for r in rows.to_pylist() if r["game_date"] == DAY]
        others = [r for r in rows.to_pylist() if r["game_date"] != DAY]
        return pa.Table.from_pylist(records + others, schema=rows.schema)

    def nothing(rows: pa.Table) -> pa.Table:
        return rows.filter(pa.array([d != DAY for d in rows["game_date"].to_pylist()], pa.bool_()))

    changes = {"schedule": only_such_games} | dict.fromkeys(
        ("player_boxscores", "team_boxscores", "shots", "prop_lines", "game_lines"), nothing
    )
    ground.forget(days, small)
    ground.publish(days, small, source=AlteredSource(ground.source, changes))
    said = status(ground, DAY, DAY)
    assert all(said[t]["complete"] and said[t]["days_without_games"] == 1 for t in small), said
    assert said["nba_raw.schedule"]["rows"] > 0 == said[FACTS]["rows"]
