"""A day made by hand, and how to look at its page."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

from nba_pipeline.reporting.data import (
    Absence,
    Forecast,
    Game,
    Graded,
    GradedCall,
    GradedSystem,
    Interval,
    Move,
    PastGame,
    Quote,
    Reason,
    Record,
    ReportData,
    TableState,
)
from nba_pipeline.reporting.overview import Cell

DAY = date(2024, 1, 15)
VOID = {"meta", "rect", "path", "circle", "br", "input"}

FORECAST = Forecast(
    player_id=7,
    player="Al Horn",
    system="zone_matchup_v1",
    team="BOS",
    opponent="LAL",
    home=True,
    market="points",
    unit="points",
    mean=21.4,
    q10=12.0,
    median=21.0,
    q90=31.0,
    outcomes=tuple([0.02] * 10 + [0.04] * 20),
    line=18.5,
    books=4,
    book_kind="sportsbook",
    p_over=0.64,
    p_push=0.0,
    call="OVER",
    status=None,
    reasons=(Reason("averages 22.0 over 5 games", 1), Reason("played the day before", -1)),
    others={"last_10": 20.0},
    quotes=(
        Quote("Book", "sportsbook", 17.5, -115.0, -105.0, 0.68, 0.0, 0.043, -0.2, True, False, None),
        Quote("Other", "sportsbook", 18.5, -110.0, -110.0, 0.64, 0.0, 0.022, -0.19, False, True, None),
        Quote("Pick", "dfs", 18.5, None, None, 0.64, 0.0, None, None, False, False, "pickem"),
    ),
    moves=(Move("Book", 18.5, datetime(2024, 1, 15, 15, tzinfo=UTC), 17.5, datetime(2024, 1, 16, tzinfo=UTC)),),
    recent=tuple(PastGame(date(2024, 1, 14 - n), actual) for n, actual in enumerate((25, 18, 30, 12, 19, 22))),
    minutes=34.2,
    usual_minutes=33.0,
    out=("Cy Wing",),
)
GAME = Game(
    game_id="0022300500",
    away="LAL",
    home="BOS",
    season_type="Regular Season",
    tip_off=datetime(2024, 1, 16, 0, 30, tzinfo=UTC),
    spread=-4.5,
    total=228.5,
    forecasts=(FORECAST,),
    absences=(Absence("Bo Knee", "LAL", "out", date(2024, 1, 13), 24.0),),
    injuries_reported=True,
    without_forecast={"needs 5 games this season": 3},
)
GRADED = Graded(
    day=date(2024, 1, 14),
    systems=(GradedSystem("points", "zone_matchup_v1", 200, 4.61, -0.2, 11, 9, 1, 20, 0.031),),
    calls=(GradedCall("Cy Ball", "DEN", "points", "UNDER", 14.5, 11.0, 12, "win"),),
)
RECORD = Record(
    market="points",
    system="zone_matchup_v1",
    n=4518,
    mae=Interval(4.59, 4.47, 4.74),
    bias=-0.04,
    coverage=0.81,
    difference=Interval(-0.12, -0.15, -0.09),
    n_with_line=162,
    market_difference=Interval(0.11, None, None),
    bets=68,
    hit_rate=Interval(0.54, None, None),
    priced_bets=60,
    roi=Interval(-0.012, -0.09, 0.06),
)
TABLES = (
    TableState("nba_raw.schedule", "rows", Cell(DAY, "published", 8, 8)),
    TableState("nba_raw.shots", "games", Cell(DAY, "published", 700, 8, {"game not final yet": 2})),
)
DATA = ReportData(DAY, "2023-24", "zone_matchup_v1", (GAME,), GRADED, 30, (RECORD,), TABLES)


def with_forecasts(*changes: dict[str, Any]) -> ReportData:
    """The day with these forecasts, each like FORECAST but for the changes."""
    return replace(DATA, games=(replace(GAME, forecasts=tuple(replace(FORECAST, **c) for c in changes)),))


class _Nesting(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text.append(data)


def text_of(html: str) -> str:
    """What a reader sees, without runs of blanks; fails where tags do not close in order."""
    parser = _Nesting()
    parser.feed(html)
    assert not parser.wrong, parser.wrong
    assert not parser.open, parser.open
    return re.sub(r"\s+", " ", "".join(parser.text)).strip()
