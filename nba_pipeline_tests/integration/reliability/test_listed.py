"""Recall and precision of the listing are what they say: a listed player who vanishes is a miss."""

import duckdb

from nba_pipeline_tests.support.homes import Home
from tools.reliability.listed import CONTEXT, held_against


def test_recall_falls_and_the_promise_breaks_when_players_are_not_listed(home: Home) -> None:
    (before,) = held_against(home.warehouse)
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"DELETE FROM {CONTEXT} WHERE player_id % 2 = 0")
    (after,) = held_against(home.warehouse)
    assert before.cases == after.cases > 500
    assert float(after.figures["recall %"]) < float(before.figures["recall %"]) - 25
    assert not after.holds
