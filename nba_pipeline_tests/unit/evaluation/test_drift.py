"""A system that forecasts worse of late is an alarm; a hard month, chance and few rows are none."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.evaluation.drift import too_bad

LAST = date(2024, 3, 31)
RECENT_DAYS = 30


def graded(
    days: int = 100, per_day: int = 60, worse: float = 0.0, coverage: float = 0.80, hard: float = 0.0, seed: int = 5
) -> pd.DataFrame:
    """Grades of a system and of the reference; in the last 30 days it errs more, covers otherwise, and all err more."""
    rng = np.random.default_rng(seed)
    frames = []
    for back in range(days):
        late = back < RECENT_DAYS
        difficulty = rng.gamma(4, 1.15, per_day) + (hard if late else 0)
        for system in ("last_10", "ridge_v1"):
            own = 0.0 if system == "last_10" else -0.2 + (worse if late else 0)
            share = coverage if late and system == "ridge_v1" else 0.80
            frames.append(
                pd.DataFrame(
                    {
                        "system_id": system,
                        "game_date": LAST - timedelta(days=back),
                        "player_id": range(per_day),
                        "absolute_error": np.abs(difficulty + own + rng.normal(0, 0.5, per_day)),
                        "within_80": rng.random(per_day) < share,
                    }
                )
            )
    return pd.concat(frames).sort_values(["system_id", "game_date", "player_id"], ignore_index=True)


def test_an_error_that_grew_against_the_reference_is_an_alarm_of_its_system() -> None:
    (alarm,) = too_bad(graded(worse=0.3))
    assert alarm.system_id == "ridge_v1"
    assert alarm.text.startswith("the error against last_10 went from -0.2")
    assert alarm.text.endswith("in the last 30 days")


@pytest.mark.parametrize("coverage", [0.70, 0.92])
def test_intervals_that_hold_too_few_or_too_many_are_an_alarm(coverage: float) -> None:
    (alarm,) = too_bad(graded(coverage=coverage))
    assert "within the 80 % intervals, before 80." in alarm.text or "before 79." in alarm.text


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"hard": 1.0},  # for all systems
        {"worse": -0.3},
        {"worse": 0.05},  # of no matter
        {"worse": 0.5, "per_day": 30},  # 900 rows
        {"worse": 0.5, "days": 40},  # little to compare with
    ],
)
def test_what_is_as_before_or_cannot_be_told_is_none(same: dict[str, float]) -> None:
    assert too_bad(graded(**same)) == []  # pyright: ignore[reportArgumentType]


def test_chance_alone_raises_no_alarm_in_ten_seasons() -> None:
    assert [seed for seed in range(10) if too_bad(graded(seed=seed))] == []


def test_without_the_reference_nothing_is_compared() -> None:
    rows = graded(worse=0.5)
    assert too_bad(rows[rows["system_id"] != "last_10"]) == []
