"""The same content hash, however days are published; an answer that depends on the order of rows is caught."""

import random
from dataclasses import replace
from datetime import date
from inspect import signature
from pathlib import Path
from typing import Any

import ibis
import pytest

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline_tests.support.homes import Home
from tools.reliability.ground import differing
from tools.reliability.proof import Tally
from tools.reliability.same_answer import Copy, compared, cut, elsewhere

DAYS = days_between(date(2021, 10, 31), date(2021, 11, 1))
SUMMARY = "nba_analytics.player_game_summary"
QUICK = tuple(t for t in graph_order() if t.startswith(("nba_raw.", "nba_analytics.")))


def test_every_way_of_publishing_days_gives_the_hashes_of_the_range(finished_home: Home, tmp_path: Path) -> None:
    """All but the tables that take long to compile and what stands on them, which the harness tries on real data."""
    ground, tally = Copy.of(finished_home.settings, tmp_path), Tally()
    expected = compared(ground, DAYS, QUICK, tally, tmp_path, but=("another process", "random"))
    assert tally.failures == 0, tally.examples
    assert tally.cases == 4 * len(expected)


def test_another_process_place_time_zone_and_hash_seed_change_no_hash(finished_home: Home, tmp_path: Path) -> None:
    ground = Copy.of(finished_home.settings, tmp_path)
    expected = ground.contents(DAYS[0], DAYS[-1], QUICK)
    ground.forget(DAYS, QUICK)
    elsewhere(ground, DAYS, QUICK, {"TZ": "Asia/Kolkata", "PYTHONHASHSEED": "1"}, tmp_path)
    assert differing(expected, ground.contents(DAYS[0], DAYS[-1], QUICK)) == []


def test_a_table_that_depends_on_the_order_of_rows_is_caught(
    finished_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = CATALOG[SUMMARY]

    def build(**inputs: Any) -> Any:
        rows = honest.build(**inputs)
        return rows.mutate(plus_minus=ibis.row_number().over(ibis.window()) % 50)

    build.__signature__ = signature(honest.build)  # pyright: ignore[reportFunctionMemberAccess]
    monkeypatch.setitem(CATALOG, SUMMARY, replace(honest, build=build))
    ground = Copy.of(finished_home.settings, tmp_path)
    ground.publish(DAYS, [SUMMARY])
    as_a_range = ground.contents(DAYS[0], DAYS[-1], [SUMMARY])
    for day in DAYS:
        ground.publish([day], [SUMMARY])
    assert differing(as_a_range, ground.contents(DAYS[0], DAYS[-1], [SUMMARY]))


def test_a_random_cut_keeps_every_day_once_and_in_order() -> None:
    for seed in range(20):
        parts = cut(DAYS, random.Random(seed))
        assert [d for part in parts for d in part] == DAYS
