"""What a page shows does not depend on the order in which rows were read."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from nba_pipeline.reporting.data import Statement
from nba_pipeline.reporting.evidence import statements
from nba_pipeline.reporting.forecasts import absences

DAY = date(2024, 1, 20)
PLAYERS = pd.DataFrame(
    [
        {
            "player_id": i,
            "player_name": n,
            "team": "BOS",
            "injury_status": "out",
            "injury_status_source": "transaction",
            "injury_reported_on": None,
            "points_avg_season": a,
        }
        for i, (n, a) in enumerate((("A. Ant", None), ("B. Bee", None), ("C. Cat", 12.0)))
    ]
)


def test_who_is_confirmed_to_start_is_no_absence_and_a_line_up_has_no_time_of_publication() -> None:
    times = {(0, DAY): datetime(2024, 1, 20, 17, tzinfo=UTC), (1, DAY): datetime(2024, 1, 20, 18, tzinfo=UTC)}
    by_line_up = PLAYERS.assign(injury_status_source=["transaction", "lineups", "lineups"], injury_reported_on=DAY)
    by_line_up["injury_status"] = ["available", "out", "available"]
    found = [(a.player, a.status, a.reported_at) for a in absences(by_line_up, times)]
    assert found == [("A. Ant", "available", times[0, DAY]), ("B. Bee", "out", None)]


def test_a_statement_has_its_source_its_age_and_the_time_of_its_report_and_a_line_up_has_none() -> None:
    monday, moment = date(2024, 1, 18), datetime(2024, 1, 18, 17, tzinfo=UTC)
    rows = [
        {"player_id": 0, "injury_status": "questionable", "injury_status_source": "official_report"},
        {"player_id": 1, "injury_status": "available", "injury_status_source": "lineups"},
        {"player_id": 2, "injury_status": None, "injury_status_source": None},
    ]
    days = (monday, DAY, None)
    said = pd.DataFrame([r | {"game_date": DAY, "injury_reported_on": d} for r, d in zip(rows, days, strict=True)])
    assert statements(said, {(0, monday): moment, (1, DAY): moment}) == {
        0: Statement("questionable", "official_report", monday, 2, moment),
        1: Statement("available", "lineups", DAY, 0, None),
    }


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]])
def test_absent_players_without_an_average_stand_in_the_order_of_their_names(order: list[int]) -> None:
    assert [a.player for a in absences(PLAYERS.iloc[order], {})] == ["C. Cat", "A. Ant", "B. Bee"]
