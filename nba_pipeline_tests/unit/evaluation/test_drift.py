"""A system that forecasts worse of late is an alarm; a hard month, chance and few rows are none."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.evaluation import alarms as alarms_of_figures
from nba_pipeline.evaluation.alarms import Alarm, too_good_each
from nba_pipeline.evaluation.drift import too_bad
from nba_pipeline.evaluation.leaderboard import RowSet, leaderboard

LAST = date(2024, 3, 31)
RECENT_DAYS = 30
POINTS = RowSet("points")
COUNTED = {
    "market": "points",
    "season": "2023-24",
    "season_type": "Regular Season",
    "prior_games": 30,
    "season_average": 15.0,
}


def graded(
    days: int = 100,
    per_day: int = 60,
    worse: float = 0.0,
    coverage: float = 0.80,
    hard: float = 0.0,
    luck: float = 0.0,
    seed: int = 5,
) -> pd.DataFrame:
    """Grades of a system and of the reference; in the last 30 days it errs more, covers otherwise, and all err more.

    `luck`: how much the error of the system, and a third of it its coverage, differ from day to day.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for back in range(days):
        late = back < RECENT_DAYS
        of_day = luck * rng.normal() if luck else 0.0
        difficulty = rng.gamma(4, 1.15, per_day) + (hard if late else 0)
        for system in ("last_10", "ridge_v1"):
            own = 0.0 if system == "last_10" else -0.2 + (worse if late else 0) + of_day
            share = 0.80 if system == "last_10" else (coverage if late else 0.80) - of_day / 3
            frames.append(
                pd.DataFrame(
                    {
                        "system_id": system,
                        "game_date": LAST - timedelta(days=back),
                        "player_id": range(per_day),
                        "absolute_error": np.abs(difficulty + own + rng.normal(0, 0.5, per_day)),
                        "within_80": rng.random(per_day) < share,
                    }
                    | COUNTED
                )
            )
    return pd.concat(frames, ignore_index=True).assign(line=None)


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the other columns that a leaderboard reads."""
    unpriced = {"signed_error": 0.0, "outcome": "pass", "profit": None, "p_over": None, "p_push": None}
    return rows.assign(**unpriced, actual_value=15.0, crps=3.0, pinball_q50=2.0, point_error=4.0)


def alarms(rows: pd.DataFrame) -> list[Alarm]:
    return too_bad(rows, POINTS)


def copied(rows: pd.DataFrame, system: str, first: int, last: int, of: str = "last_10") -> pd.DataFrame:
    """Grades of a further system, those of another one from `first` days before the last day to `last` days before it."""
    days = (rows["game_date"] >= LAST - timedelta(days=first)) & (rows["game_date"] <= LAST - timedelta(days=last))
    return rows[(rows["system_id"] == of) & days].assign(system_id=system)


def test_an_error_that_grew_against_the_reference_is_an_alarm_of_its_system() -> None:
    (alarm,) = alarms(graded(worse=0.3))
    assert alarm.system_id == "ridge_v1"
    assert alarm.text.startswith("the error against last_10 went from -0.2")
    assert alarm.text.endswith("in the last 30 days")


@pytest.mark.parametrize("coverage", [0.70, 0.92])
def test_intervals_that_hold_too_few_or_too_many_are_an_alarm(coverage: float) -> None:
    (alarm,) = alarms(graded(coverage=coverage))
    assert "within the 80 % intervals, before 80." in alarm.text or "before 79." in alarm.text


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"hard": 1.0},  # for all systems
        {"worse": -0.3},
        {"worse": 0.08, "per_day": 90},  # beyond chance, and of no matter
        {"coverage": 0.77, "per_day": 150},
        {"luck": 0.9},  # both would matter, and are chance
        {"worse": 0.5, "per_day": 30},  # 900 rows
        {"worse": 0.5, "days": 40},  # little to compare with
    ],
)
def test_what_is_as_before_or_cannot_be_told_is_none(same: dict[str, float]) -> None:
    assert alarms(graded(**same)) == []  # pyright: ignore[reportArgumentType]


def test_chance_alone_raises_no_alarm_in_ten_seasons() -> None:
    assert [seed for seed in range(10) if alarms(graded(seed=seed))] == []


def test_without_the_reference_nothing_is_compared() -> None:
    rows = graded(worse=0.5)
    assert alarms(rows[rows["system_id"] != "last_10"]) == []


@pytest.mark.parametrize(("first", "last"), [(35, 0), (99, 31), (99, 95)])
def test_a_system_that_came_late_or_was_retired_hides_nothing_of_the_others(first: int, last: int) -> None:
    rows = graded(worse=0.3)
    assert alarms(pd.concat([rows, copied(rows, "other_v1", first, last)])) == alarms(rows) != []


def test_the_last_days_are_those_of_the_grades_and_not_of_a_system() -> None:
    """A system that was retired a month ago, after its worst month, is no news."""
    rows = graded(days=130)
    earlier = graded(worse=0.3).assign(game_date=lambda r: r["game_date"] - timedelta(days=RECENT_DAYS))
    retired = earlier[earlier["system_id"] == "ridge_v1"].assign(system_id="retired_v1")
    assert alarms(pd.concat([rows, retired])) == []


def test_a_system_that_needs_a_line_is_judged_on_rows_with_one() -> None:
    rows = graded(worse=0.3, per_day=120)
    rows["line"] = np.where(rows["player_id"] < 60, 15.5, np.nan)
    lined = rows[(rows["system_id"] == "ridge_v1") & rows["line"].notna()].assign(system_id="line_aware_v1")
    assert [a.system_id for a in alarms(pd.concat([rows, lined]))] == ["line_aware_v1", "ridge_v1"]


def test_rows_that_the_row_set_leaves_out_do_not_count() -> None:
    rows = graded(worse=0.5)
    assert alarms(rows.assign(market="rebounds")) == alarms(rows.assign(prior_games=3)) == alarms(rows.iloc[:0]) == []


@pytest.mark.parametrize(("first", "last"), [(5, 0), (99, 95)])
def test_a_further_system_hides_no_figure_that_is_too_good(first: int, last: int) -> None:
    rows = scored(graded())
    rows.loc[rows["system_id"] == "ridge_v1", "absolute_error"] -= 0.5
    found = too_good_each(pd.concat([rows, copied(rows, "other_v1", first, last)]), POINTS)
    assert found == too_good_each(rows, POINTS)
    assert [a.system_id for a in found if "better than last_10" in a.text] == ["ridge_v1"]


@pytest.mark.parametrize(("first", "boards"), [(99, 1), (5, 2)])
def test_systems_with_the_same_rows_share_a_leaderboard(
    first: int, boards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[pd.DataFrame] = []
    monkeypatch.setattr(alarms_of_figures, "leaderboard", lambda r: (computed.append(r), leaderboard(r))[1])
    rows = scored(graded())
    others = [copied(rows, name, first, 0, "ridge_v1") for name in ("other_v1", "other_v2")]
    too_good_each(pd.concat([rows, *others]), POINTS)
    assert len(computed) == boards
