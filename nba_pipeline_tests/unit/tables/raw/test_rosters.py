"""Rosters: each day has the latest capture of each team and its own, and nothing without a time of capture."""

from typing import Any

from nba_pipeline.tables.raw.rosters import CURRENT_DAYS, NO_TIME, TRANSFORM
from nba_pipeline_tests.support import moment, rows_of

Row = dict[str, Any]


def captured(at: str | None, team: str = "BOS", player: int = 7, **more: Any) -> Row:
    return {"captured_at": moment(at) if at else None, "team": team, "player_id": player, "player_name": "A B"} | more


def rosters(*rows: Row, on: str = "2024-01-20") -> list[tuple[str, str, int]]:
    found = rows_of(TRANSFORM, TRANSFORM.expression, landing=list(rows), days=[{"day": on}])
    assert {str(r["roster_date"]) for r in found} <= {on}
    return [(f"{r['captured_at']:%m-%d %H}", r["team"], r["player_id"]) for r in found]


def test_a_day_has_the_latest_earlier_capture_of_each_team_and_all_of_its_own() -> None:
    found = rosters(
        captured("2024-01-18 15:00"),
        captured("2024-01-19 15:00", player=8),
        captured("2024-01-17 15:00", "PHO"),
        captured("2024-01-20 15:00", player=9),
        captured("2024-01-20 20:00", player=9),
        captured("2024-01-21 15:00", player=10),
    )
    assert set(found) == {
        ("01-19 15", "BOS", 8),
        ("01-17 15", "PHX", 7),
        ("01-20 15", "BOS", 9),
        ("01-20 20", "BOS", 9),
    }


def test_a_capture_belongs_to_its_eastern_date() -> None:
    assert rosters(captured("2024-01-21 03:00")) == [("01-21 03", "BOS", 7)]
    assert rosters(captured("2024-01-21 06:00")) == []


def test_a_roster_is_forgotten_after_two_weeks() -> None:
    assert CURRENT_DAYS == 14
    assert rosters(captured("2024-01-06 15:00")) == [("01-06 15", "BOS", 7)]
    assert rosters(captured("2024-01-05 15:00")) == []


def test_a_row_without_a_time_of_capture_is_set_aside() -> None:
    inputs = {"landing": [captured(None), captured("2024-01-20 15:00", landing_problems="player_id: x")]}
    reasons = [
        r["reject_reason"] for r in rows_of(TRANSFORM, TRANSFORM.expression, **inputs, days=[{"day": "2024-01-20"}])
    ]
    assert sorted(reasons) == sorted([NO_TIME, "player_id: x"])
