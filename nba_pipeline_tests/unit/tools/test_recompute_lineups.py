"""Availability, computed a second time: the latest line-up by the cut-off comes before statements, but for a later "out"."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from nba_pipeline_tests.support import day
from tools.recompute.availability import statuses
from tools.recompute.league import League

DAY, CUTOFF = day("2024-01-05"), pd.Timestamp("2024-01-06 00:29", tz="UTC")
LISTED = pd.DataFrame(
    [
        {
            "game_date": DAY,
            "game_id": "0022300500",
            "team": "BOS",
            "player_id": 7,
            "season": "2023-24",
            "cutoff_at": CUTOFF,
        }
    ]
)
NOTHING_YET = pd.DataFrame({"game_date": [None], "cutoff_at": [pd.NaT]})


def said(status: str, at: str) -> dict[Any, Any]:
    told = {"player_id": 7, "report_date": DAY, "reported_at": pd.Timestamp(at, tz="UTC")}
    return told | {"record_type": "official_report", "status": status}


def lineup(status: str, at: str) -> dict[Any, Any]:
    known = {"game_date": DAY, "game_id": "0022300500", "team": "BOS", "player_id": 7}
    return known | {"captured_at": pd.Timestamp(at, tz="UTC"), "status": status}


@pytest.mark.parametrize(
    ("statement", "line_ups", "status", "source"),
    [
        ("2024-01-05 20:00", [("inactive", "2024-01-05 23:30")], "out", "lineups"),
        ("2024-01-05 20:00", [("confirmed", "2024-01-06 00:15")], "available", "lineups"),
        ("2024-01-05 20:00", [("expected", "2024-01-06 00:15")], "questionable", "official_report"),
        ("2024-01-05 20:00", [("inactive", "2024-01-06 00:30")], "questionable", "official_report"),
        (
            "2024-01-05 20:00",
            [("inactive", "2024-01-05 23:30"), ("confirmed", "2024-01-06 00:15")],
            "available",
            "lineups",
        ),
    ],
)
def test_the_latest_line_up_by_the_cut_off_decides(
    statement: str, line_ups: list[tuple[str, str]], status: str, source: str
) -> None:
    (found,) = availability([said("Questionable", statement)], [lineup(*u) for u in line_ups])
    assert (found["injury_status"], found["injury_status_source"], found["injury_reported_on"]) == (status, source, DAY)


def test_a_later_statement_that_says_out_stays() -> None:
    (found,) = availability([said("Out", "2024-01-06 00:20")], [lineup("confirmed", "2024-01-06 00:15")])
    assert (found["injury_status"], found["injury_status_source"]) == ("out", "official_report")


def availability(statements: list[dict[Any, Any]], line_ups: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
    tables = {"nba_raw.injury_reports": pd.DataFrame(statements), "nba_raw.lineups": pd.DataFrame(line_ups)}

    def read(table: str, /, *, history: bool = False) -> pd.DataFrame:
        del history  # there is one day
        return tables[table]

    openings = pd.Series({"2023-24": pd.Timestamp("2023-10-24")})
    league = cast(League, SimpleNamespace(home=read, openings=openings))
    return statuses(LISTED, NOTHING_YET, league).to_dict("records")
