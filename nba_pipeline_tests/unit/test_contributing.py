"""The worked examples of CONTRIBUTING.md run as they stand."""

import re
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import ibis
import pandas as pd
import pytest

from nba_pipeline.sources.landing import FEEDS
from nba_pipeline.tables.predictions.features import FeatureVersion
from nba_pipeline.tables.predictions.versions import V2
from nba_pipeline_tests.support import run

PAGE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
EXAMPLE = re.compile(r"^```python file=(\S+)\n(.*?)^```$", re.M | re.S)
DAY = "2024-01-05"


def example(file: str) -> Any:
    """Run the example for `file` and return it as a module."""
    module = ModuleType(Path(file).stem)
    exec(compile(dict(EXAMPLE.findall(PAGE.read_text()))[file], file, "exec"), module.__dict__)
    return module


def test_every_example_is_run() -> None:
    assert set(dict(EXAMPLE.findall(PAGE.read_text()))) == {
        "nba_pipeline/tables/predictions/rebound_features.py",
        "nba_pipeline_tests/unit/tables/predictions/test_rebound_features.py",
        "nba_pipeline/tables/analytics/team_three_point_rate.py",
        "rule",
        "nba_pipeline/systems/short_form.py",
        "nba_pipeline/sources/empty.py",
        "market",
    }


def test_the_table_satisfies_its_contract_and_computes() -> None:
    transform = example("nba_pipeline/tables/analytics/team_three_point_rate.py").TRANSFORM
    transform.check()
    offense = [
        {"game_id": "0022300500", "game_date": DAY, "team": "BOS", "three_pt_attempts": 40, "fg_attempts": 80},
        {"game_id": "0022300500", "game_date": DAY, "team": "LAL", "three_pt_attempts": 0, "fg_attempts": 0},
    ]
    rows = run(transform, [DAY], offense=offense)
    assert [None if pd.isna(r) else r for r in rows["three_point_rate"]] == [0.5, None]


def test_the_feature_passes_its_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("nba_pipeline/tables/predictions/rebound_features.py")
    version = FeatureVersion("v3", (*V2.features, *module.REBOUND_FEATURES))
    assert version.names[-1] == "offensive_rebounds_avg_last_10"
    monkeypatch.setitem(sys.modules, "nba_pipeline.tables.predictions.rebound_features", module)
    tests = example("nba_pipeline_tests/unit/tables/predictions/test_rebound_features.py")
    tests.test_the_mean_is_of_the_ten_games_before_the_day()


def test_the_rule_names_a_row_that_breaks_it() -> None:
    rule = example("rule").rules["more threes made than attempted"]
    rows = ibis.memtable(pd.DataFrame({"three_pt_makes": [3, 4], "three_pt_attempts": [3, 3]}))
    assert rows.mutate(fine=rule(rows)).execute()["fine"].tolist() == [True, False]


def test_the_group_rule_names_a_game_with_one_team() -> None:
    ((by, rule),) = example("rule").group_rules.values()
    rows = ibis.memtable(pd.DataFrame({"game_id": ["1", "1", "2"], "team": ["BOS", "LAL", "NYK"]}))
    fine = rows.group_by(*by).aggregate(fine=rule(rows)).order_by("game_id")
    assert fine.execute()["fine"].tolist() == [True, False]


def test_the_system_forecasts_and_says_why_where_it_does_not() -> None:
    system = example("nba_pipeline/systems/short_form.py").ShortForm()
    unknown = float("nan")
    rows = pd.DataFrame({"games": [6, 1, 0], "last_5": [20.0, 12.0, unknown], "std_last_10": [5.0, unknown, unknown]})
    forecast = system.predict(rows, "points")
    assert list(forecast.mean[:2]) == [20.0, 12.0]
    assert (forecast.sd[:2] > 0).all()
    assert [bool(r) for r in forecast.reason] == [False, False, True]


def test_the_source_answers_every_feed_in_its_layout() -> None:
    source = example("nba_pipeline/sources/empty.py").EmptySource()
    for feed in FEEDS.values():
        assert source.read(feed, [date(2024, 1, 5)]).column_names == list(feed.ibis_schema)
    assert set(source.describe()) == set(FEEDS)


def test_the_market_adds_up_its_counts() -> None:
    market = example("market").STOCKS
    facts = ibis.memtable(pd.DataFrame({"steals": [2], "blocks": [1]}))
    assert facts.mutate(actual=market.actual(facts)).execute()["actual"].tolist() == [3]
