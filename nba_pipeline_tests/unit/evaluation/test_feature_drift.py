"""A feature whose source went silent, or that is another quantity of late, drifts; an ordinary month does not."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.automation.alert_store import AlertKind
from nba_pipeline.automation.feature_alerts import feature_alerts
from nba_pipeline.evaluation.feature_drift import RECENT, FeatureDrift, days_of, feature_drift

LAST = date(2024, 3, 31)
WINDOW = 400
NAMES = ("pace", "starter", "playoff_game")


def stored(days: int = 200, per_day: int = 50) -> pd.DataFrame:
    """Rows of the feature store up to the last day: pace around 100, starters 0 or 1, known in nine of ten rows."""
    rng = np.random.default_rng(3)
    n = days * per_day
    starter = np.where(rng.random(n) < 0.9, rng.integers(0, 2, n), np.nan)
    day = [LAST - timedelta(days=back) for back in range(days) for _ in range(per_day)]
    pace = rng.normal(100, 2, n)
    return pd.DataFrame(
        {"game_date": day, "games_played_season": 30, "pace": pace, "starter": starter, "playoff_game": 0.0}
    )


def late(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["game_date"] > LAST - RECENT


def compared(rows: pd.DataFrame) -> dict[str, FeatureDrift]:
    return {f.feature: f for f in feature_drift(rows, NAMES, LAST, WINDOW)}


def drifting(rows: pd.DataFrame) -> list[str]:
    return [name for name, f in compared(rows).items() if f.drifts]


def test_an_ordinary_month_drifts_nowhere() -> None:
    found = compared(stored())
    assert tuple(found) == NAMES
    assert drifting(stored()) == []
    assert (found["pace"].rows_recent, found["pace"].rows_training) == (1_500, 8_450)
    assert found["starter"].unknown_training == pytest.approx(0.1, abs=0.02)


def test_a_source_that_went_silent_is_a_drift_of_its_features_alone() -> None:
    rows = stored()
    rows.loc[late(rows), "starter"] = np.nan
    assert drifting(rows) == ["starter"]
    assert str(compared(rows)["starter"]) == "unknown in 100% of 1,500 rows in the last 30 days, 10% in training"


def test_a_source_that_came_back_is_a_drift_too() -> None:
    rows = stored()
    rows.loc[~late(rows), "starter"] = np.nan
    assert drifting(rows) == ["starter"]


@pytest.mark.parametrize(("moved", "names"), [(1.0, []), (3.0, ["pace"]), (-3.0, ["pace"])])
def test_a_mean_that_moved_beyond_an_ordinary_season_is_a_drift(moved: float, names: list[str]) -> None:
    rows = stored()
    rows.loc[late(rows), "pace"] += moved
    assert drifting(rows) == names
    assert compared(rows)["pace"].shift == pytest.approx(moved / 2, abs=0.1)


def test_first_games_of_a_season_and_play_offs_are_not_compared() -> None:
    first, play_off = stored(), stored()
    odd = late(first) & (first.index % 4 == 0)
    first.loc[odd, ["pace", "games_played_season"]] = (200.0, 3)
    play_off.loc[odd, ["pace", "playoff_game"]] = (200.0, 1.0)
    assert drifting(first) == drifting(play_off) == []


def test_values_of_another_day_than_those_compared_do_not_count() -> None:
    rows = stored()
    odd = rows.iloc[:2_000].assign(pace=1e6, starter=np.nan)
    before = odd.assign(game_date=days_of(LAST, WINDOW)[0] - timedelta(days=1))
    after = odd.assign(game_date=LAST + timedelta(days=1))
    assert compared(pd.concat([rows, before, after])) == compared(rows)


@pytest.mark.parametrize("rows", [stored(days=200, per_day=30), stored(days=60)])
def test_too_few_rows_are_not_compared(rows: pd.DataFrame) -> None:
    assert feature_drift(rows, NAMES, LAST, WINDOW) == []


def test_a_feature_that_never_varied_has_no_shift() -> None:
    assert compared(stored())["playoff_game"].shift is None


def test_each_feature_that_drifts_is_an_alert_and_no_other() -> None:
    rows = stored()
    rows.loc[late(rows), "starter"] = np.nan
    (alert,) = feature_alerts(compared(rows).values())
    assert (alert.kind, alert.key) == (AlertKind.FEATURE, "feature starter")
    assert "unknown in 100% of 1,500 rows" in alert.text
