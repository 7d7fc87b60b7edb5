"""Games that begin without captured line-ups are told by name, only where line-ups are captured at all."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from nba_pipeline.automation.lineup_alerts import ScheduledGame, lineup_alerts, missing_lineups
from nba_pipeline.contracts.table import Table
from nba_pipeline.tables.raw.lineups import LINEUPS
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA, LedgerEntry

DAY, EARLIER, SEASON_BEFORE = date(2024, 1, 20), date(2024, 1, 19), date(2023, 5, 1)
TIP_OFF = datetime(2024, 1, 21, 0, 30, tzinfo=UTC)
SHORTLY, MINUTE = TIP_OFF - timedelta(minutes=29), timedelta(minutes=1)
GAME = ScheduledGame("0022300001", DAY, "PHX at BOS", TIP_OFF)
OTHER = replace(GAME, game_id="0022300002", teams="LAL at UTA")


def test_a_game_without_line_ups_is_named_with_the_remedy_and_one_with_line_ups_is_not() -> None:
    (alert,) = lineup_alerts(SHORTLY, [GAME, OTHER], {OTHER.game_id})
    assert alert.key == f"lineups {GAME.game_id} {DAY}"
    assert "PHX at BOS begins at 19:30 Eastern" in alert.text
    assert "nba-pipeline check --sources" in alert.text
    assert f"nba-pipeline ingest {DAY}" in alert.text


def test_a_game_is_due_less_than_half_an_hour_before_tip_off_and_one_that_has_begun_cannot_be_captured() -> None:
    assert lineup_alerts(SHORTLY - MINUTE, [GAME], set()) == []
    (begun,) = lineup_alerts(TIP_OFF, [GAME], set())
    assert "PHX at BOS began at 19:30 Eastern" in begun.text
    assert "nba-pipeline ingest" not in begun.text
    assert lineup_alerts(TIP_OFF, [replace(GAME, tip_off=None)], set()) == []


def scheduled(game_id: str, status: str = "scheduled", *, countable: bool = True) -> dict[str, Any]:
    game = {"game_id": game_id, "game_date": DAY, "status": status, "countable": countable, "tip_off": TIP_OFF}
    teams = {"home_team": "BOS", "away_team": "PHX"}
    return game | teams | {"season": "2023-24", "season_type": "Regular Season", "cutoff_at": TIP_OFF - MINUTE}


def listed(game_id: str, day: date) -> dict[str, Any]:
    row = {"game_id": game_id, "game_date": day, "captured_at": SHORTLY, "team": "BOS", "player_id": 7}
    return row | {"player_name": "A B", "player_lookup": "ab", "status": "confirmed"}


def publish(warehouse: DuckDBWarehouse, table: Table, day: date, rows: list[dict[str, Any]]) -> None:
    typed = pa.Table.from_pylist([r | {"data_hash": "", "computed_at": TIP_OFF} for r in rows], table.arrow_schema)
    entry = LedgerEntry(table.id, day, "published", len(rows), 0, {}, 0, 0, 0, "", (), "run", TIP_OFF)
    warehouse.replace(table, [day], typed, [entry], REJECT_SCHEMA.empty_table())


def named(warehouse: DuckDBWarehouse, now: datetime = SHORTLY) -> list[str]:
    return [a.key.split()[1] for a in missing_lineups(warehouse, now)]


def test_published_games_of_today_are_told_once_there_are_line_ups_of_the_season_until_theirs_come_or_the_day_ends(
    tmp_path: Path,
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    assert named(warehouse) == []
    postponed, preseason = scheduled("0022300003", "postponed"), scheduled("0012300004", countable=False)
    publish(warehouse, SCHEDULE, DAY, [scheduled(GAME.game_id), scheduled(OTHER.game_id), postponed, preseason])
    publish(warehouse, LINEUPS, SEASON_BEFORE, [listed("0042200001", SEASON_BEFORE)])
    publish(warehouse, LINEUPS, DAY, [])
    assert named(warehouse) == []
    publish(warehouse, LINEUPS, EARLIER, [listed("0022300000", EARLIER)])
    assert named(warehouse) == [GAME.game_id, OTHER.game_id]
    publish(warehouse, LINEUPS, DAY, [listed(GAME.game_id, DAY)])
    assert named(warehouse) == [OTHER.game_id]
    assert named(warehouse, datetime(2024, 1, 21, 5, tzinfo=UTC)) == []
