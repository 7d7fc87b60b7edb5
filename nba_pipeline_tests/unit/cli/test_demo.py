"""The demo ends well on the first days of a season, which have no leaderboard."""

import pytest

from nba_pipeline.cli import leaderboard
from nba_pipeline.cli.demo import show_leaderboard_if_any
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.evaluation.leaderboard import RowSet


def test_days_without_a_leaderboard_are_explained_and_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def show(*_: object, **__: object) -> bool:
        raise leaderboard.NoGradedForecastsError("no graded forecast", "run more days")

    monkeypatch.setattr(leaderboard, "show_leaderboard", show)
    show_leaderboard_if_any(RowSet(market="points"))
    shown = capsys.readouterr()
    assert (
        "No leaderboard yet: it ranks forecasts of points, players who played with at least 10 earlier games"
        in shown.out
    )
    assert shown.err == ""


def test_another_missing_table_stays_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def show(*_: object, **__: object) -> bool:
        raise MissingHistoryError("a table is missing", "run its days")

    monkeypatch.setattr(leaderboard, "show_leaderboard", show)
    with pytest.raises(MissingHistoryError, match="a table is missing"):
        show_leaderboard_if_any(RowSet(market="points"))
