"""Who took part: anything that only a player on the court can have says so, however minutes are rounded."""

from typing import Any

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.tables.raw.columns import LANDING_COUNTS
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.took_part import took_part

NOTHING: dict[str, Any] = {"minutes": 0.0, "starter": False, "plus_minus": 0} | dict.fromkeys(LANDING_COUNTS, 0)
TYPES = {n: PLAYER_BOXSCORES.columns[n].type for n in NOTHING}


def says(**row: Any) -> bool:
    players = relation(TYPES, name="players")
    schema = pa.schema([(n, arrow_type(t)) for n, t in TYPES.items()])
    with duck.connect() as db:
        db.register("players", pa.Table.from_pylist([NOTHING | row], schema))
        statement = str(ibis.to_sql(players.select(answer=took_part(players)), dialect="duckdb"))
        (answer,) = db.execute(statement).fetchone() or (None,)
    assert isinstance(answer, bool)
    return answer


@pytest.mark.parametrize(
    "row",
    [
        {"minutes": 0.2},
        {"minutes": 30.0},
        {"starter": True},
        {"plus_minus": -2},
        {"personal_fouls": 1},
        {"points": 2, "ft_makes": 2, "ft_attempts": 2},
        {"fg_attempts": 1, "starter": None, "plus_minus": None},
        {"turnovers": 1},
    ],
)
def test_minutes_a_statistic_or_a_start_say_that_a_player_took_part(row: dict[str, Any]) -> None:
    assert says(**row) is True


@pytest.mark.parametrize("row", [{}, {"starter": None}, {"plus_minus": None}])
def test_a_line_with_nothing_in_it_is_no_appearance(row: dict[str, Any]) -> None:
    assert says(**row) is False
