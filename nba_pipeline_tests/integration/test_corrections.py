"""Corrections: what the source now says otherwise is listed with both values, and taken in without touching a forecast."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.cli.main import main
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.verification.corrections import REPAIRED, Correction, corrections, days_within
from nba_pipeline.verification.replay import pre_game_tables
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.support.homes import Home
from tools.reliability.ground import AlteredSource, set_cell

DAY = date(2021, 10, 28)
AROUND = days_between(date(2021, 10, 26), date(2021, 10, 30))
Change = Callable[[pa.Table], pa.Table]


def a_run(home: Home) -> RunContext:
    settings = home.settings
    plans = stored_plans(settings.cache)
    return RunContext("corrections", datetime.now(UTC), artifacts=settings.open_artifacts(), plans=plans)


def offered(home: Home, changes: Mapping[str, Change]) -> AlteredSource:
    return AlteredSource(home.settings.open_source(), changes)


def found(home: Home, changes: Mapping[str, Change]) -> list[Correction]:
    return corrections(home.warehouse, offered(home, changes), AROUND, a_run(home))


def a_line(home: Home) -> dict[str, Any]:
    """A published line of the day that has an assist."""
    rows = home.warehouse.read({"rows": (PLAYER_BOXSCORES, Days(DAY, DAY))})["rows"].to_pylist()
    return next(r for r in sorted(rows, key=lambda r: (r["game_id"], r["player_id"])) if r["assists"] > 0)


def one_assist_more(line: Mapping[str, Any]) -> dict[str, Change]:
    where = {"game_id": line["game_id"], "player_id": line["player_id"]}
    return {"player_boxscores": lambda rows: set_cell(rows, where, "ast", lambda n: n + 1)}


def test_an_unchanged_source_has_no_correction(finished_home: Home) -> None:
    assert found(finished_home, {}) == []


def test_a_corrected_cell_is_listed_with_both_values(finished_home: Home) -> None:
    line = a_line(finished_home)
    key = f"{line['game_id']} {line['player_id']}"
    assert found(finished_home, one_assist_more(line)) == [
        Correction(PLAYER_BOXSCORES.id, DAY, "changed", key, "assists", line["assists"], line["assists"] + 1)
    ]


def test_a_line_that_appears_and_one_that_is_gone_are_listed(finished_home: Home) -> None:
    line = a_line(finished_home)
    other = {"game_id": line["game_id"], "player_id": line["player_id"]}
    renumber = {"player_boxscores": lambda rows: set_cell(rows, other, "player_id", lambda n: n + 900_000)}
    said = {(c.kind, c.key) for c in found(finished_home, renumber)}
    assert said == {
        ("withdrawn", f"{line['game_id']} {line['player_id']}"),
        ("added", f"{line['game_id']} {line['player_id'] + 900_000}"),
    }


def test_a_day_that_would_not_pass_the_audit_now_is_listed_as_such(finished_home: Home) -> None:
    def half(rows: pa.Table) -> pa.Table:
        return rows.slice(0, 1)

    kinds = {(c.table, c.day, c.kind) for c in found(finished_home, {"player_boxscores": half})}
    assert (PLAYER_BOXSCORES.id, DAY, "refused") in kinds


def test_a_day_that_was_never_published_has_no_correction(finished_home: Home) -> None:
    later = days_between(date(2021, 12, 1), date(2021, 12, 3))
    assert corrections(finished_home.warehouse, offered(finished_home, {}), later, a_run(finished_home)) == []


def test_taking_a_correction_in_changes_facts_of_the_day_and_nothing_that_was_known_before(home: Home) -> None:
    line = a_line(home)
    before = home.content()
    source = offered(home, _one_basket_more(line))
    assert {c.column for c in corrections(home.warehouse, source, AROUND, a_run(home))} >= {"points", "fg_makes"}
    for table in graph_order():
        if table in REPAIRED:
            transform = CATALOG[table]
            done = publish(transform, [DAY], home.warehouse, source, schedule_read(transform), a_run(home))
            assert not done.refused, done.refused[0].reason
    changed = {k for k, v in home.content().items() if before[k] != v}
    assert {d for _, d in changed} == {DAY}
    assert {t for t, _ in changed} == {
        "nba_raw.schedule",
        "nba_raw.player_boxscores",
        "nba_raw.team_boxscores",
        "nba_analytics.player_game_summary",
        "nba_analytics.team_offense_game_summary",
        "nba_analytics.team_defense_game_summary",
    }
    assert corrections(home.warehouse, source, AROUND, a_run(home)) == []


def test_what_a_correction_publishes_again_is_facts_and_grades_never_what_was_known_before() -> None:
    assert set(REPAIRED).isdisjoint(pre_game_tables())
    assert {"nba_predictions.prediction_accuracy", "nba_predictions.system_daily_performance"} < set(REPAIRED)


def _one_basket_more(line: Mapping[str, Any]) -> dict[str, Change]:
    """A missed two becomes a make, everywhere that it is counted."""
    player = {"game_id": line["game_id"], "player_id": line["player_id"]}
    team = {"game_id": line["game_id"], "team": line["team"]}
    side = "home_pts" if line["is_home"] else "away_pts"

    def counted(where: Mapping[str, Any]) -> Change:
        return lambda rows: set_cell(set_cell(rows, where, "pts", lambda n: n + 2), where, "fgm", lambda n: n + 1)

    return {
        "player_boxscores": lambda rows: set_cell(counted(player)(rows), player, "fga", lambda n: n + 1),
        "team_boxscores": lambda rows: set_cell(counted(team)(rows), team, "fga", lambda n: n + 1),
        "schedule": lambda rows: set_cell(rows, {"game_id": line["game_id"]}, side, lambda n: n + 2),
    }


def test_the_last_hours_reach_back_by_eastern_days() -> None:
    assert days_within(CORRECTED_FOR, datetime(2024, 1, 5, 3, tzinfo=UTC)) == days_between(
        date(2024, 1, 1), date(2024, 1, 4)
    )


def test_the_command_lists_corrections_and_ends_with_1_where_there_is_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(home.path))
    said = CliRunner().invoke(main, ["corrections", str(DAY), str(DAY)])
    assert (said.exit_code, said.output) == (0, f"0 differences on 0 of the days {DAY}..{DAY}\n")
    source = offered(home, one_assist_more(a_line(home)))
    monkeypatch.setattr("nba_pipeline.config.settings.Settings.open_source", lambda _: source)
    said = CliRunner().invoke(main, ["corrections", str(DAY), str(DAY)])
    assert said.exit_code == 1
    assert "assists:" in said.output and f"nba-pipeline backfill {DAY} {DAY} --select schedule" in said.output
