"""The command `names` counts who is known by which rule, and offers candidates without choosing one."""

from datetime import date

import pyarrow as pa

from nba_pipeline.cli.names import candidates, resolution
from nba_pipeline.domain.identity.resolver import Player
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES

PLAYERS = [Player(1, "Payton Pritchard"), Player(2, "Jalen Green"), Player(3, "Jeff Green"), Player(4, "Nikola Jokić")]
DAY, NEXT = date(2024, 1, 15), date(2024, 1, 16)


def rows(*given: tuple[date, int | None, str, str | None]) -> pa.Table:
    names = ("game_date", "player_id", "player_name", "resolved_by")
    return pa.Table.from_pylist([dict(zip(names, r, strict=True)) for r in given])


def test_rates_count_rows_and_spellings_are_listed_with_their_days_most_frequent_first() -> None:
    found = resolution(
        PLAYER_PROP_LINES,
        rows(
            (DAY, 1, "Payton Pritchard", "source"),
            (DAY, 1, "Payton Pritchard", "initial"),
            (DAY, None, "J. Grean", None),
            (DAY, None, "Xyz Qqq", None),
            (NEXT, None, "Xyz Qqq", None),
        ),
        PLAYERS,
    )
    assert (found.rows, found.by_rule, found.rate) == (5, {"source": 1, "initial": 1}, 0.4)
    assert [(u.spelled, u.rows, u.days, bool(u.candidates)) for u in found.unresolved] == [
        ("Xyz Qqq", 2, (DAY, NEXT), False),
        ("J. Grean", 1, (DAY,), True),
    ]


def test_candidates_are_those_most_alike_whatever_the_order_of_the_words() -> None:
    assert [p.player_id for p, _ in candidates("Green J.", PLAYERS)][:1] == [3]
    assert [p.player_id for p, _ in candidates("Pritchard, Payton", PLAYERS)] == [1]


def test_no_rows_leave_nothing_unresolved() -> None:
    assert resolution(PLAYER_PROP_LINES, rows((DAY, 1, "A B", "source")).slice(1), PLAYERS).rate == 1.0
