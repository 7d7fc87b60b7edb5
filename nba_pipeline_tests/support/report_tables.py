"""A warehouse of a few rows made by hand: one game on DAY, with forecasts, prices, and grades of the days before."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from nba_pipeline.contracts.table import Table
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.analytics.upcoming_team_game_context import UPCOMING_TEAM_GAME_CONTEXT
from nba_pipeline.tables.grading.call_grades import CALL_GRADES
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.grading.system_daily_performance import SYSTEM_DAILY_PERFORMANCE
from nba_pipeline.tables.predictions.calls import CALLS
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.raw.injury_reports import INJURY_REPORTS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days
from nba_pipeline.warehouse.protocol import LedgerEntry, entries_table

Row = dict[str, Any]
DAY = date(2024, 1, 15)
GAME = "0022300500"
HORN, KNEE = 7, 8
NAMES = {HORN: "Al Horn", KNEE: "Bo Knee"}
GRADED_DAYS = 10


def before(days: int) -> date:
    return DAY - timedelta(days=days)


def game(**more: Any) -> Row:
    return {
        "game_id": GAME,
        "game_date": DAY,
        "season": "2023-24",
        "season_type": "Regular Season",
        "countable": True,
        "home_team": "BOS",
        "away_team": "LAL",
        "tip_off": datetime(2024, 1, 16, 0, 30, tzinfo=UTC),
    } | more


def player(of: int = HORN, **more: Any) -> Row:
    return {
        "game_date": DAY,
        "game_id": GAME,
        "player_id": of,
        "player_name": NAMES[of],
        "team": "BOS",
        "home_game": True,
        "days_rest": 1,
        "back_to_back": False,
        "injuries_reported": True,
    } | more


def features(of: int = HORN, **more: Any) -> Row:
    return {"game_date": DAY, "player_id": of, "feature_version": MODEL_FEATURES.name, "points_avg_season": 24.0} | more


def prediction(system: str = "ensemble_v1", of: int = HORN, **more: Any) -> Row:
    return {
        "game_date": DAY,
        "player_id": of,
        "market": "points",
        "system_id": system,
        "game_id": GAME,
        "player_name": NAMES[of],
        "team": "BOS",
        "opponent": "LAL",
        "predicted_mean": 22.0,
        "predicted_sd": 7.0,
        "q10": 13.0,
        "q50": 21.5,
        "q90": 31.0,
        "line": 18.5,
        "line_books": 4,
        "line_book_kind": "sportsbook",
        "p_over": 0.66,
        "p_push": 0.0,
        "recommendation": "OVER",
    } | more


def price(book: str, **more: Any) -> Row:
    key = {"game_date": DAY, "player_id": HORN, "market": "points", "system_id": "ensemble_v1", "bookmaker": book}
    return (
        key
        | {"line": 18.5, "over_odds": -110.0, "under_odds": -110.0, "ev_over": 0.05, "ev_under": -0.1}
        | {"book_kind": "sportsbook", "p_over": 0.66, "p_push": 0.0}
        | {"best_over": False, "best_under": False}
        | more
    )


def grade(days_before: int, system: str = "ensemble_v1", of: int = HORN, **more: Any) -> Row:
    return {
        "game_date": before(days_before),
        "player_id": of,
        "market": "points",
        "system_id": system,
        "team": "BOS",
        "prior_games": 30,
        "predicted_mean": 21.0,
        "signed_error": -3.0,
        "absolute_error": 3.0,
        "within_80": True,
        "line": 20.5,
        "actual_value": 24,
        "recommendation": "OVER",
        "outcome": "win",
        "profit": 0.9,
    } | more


def performance(days_before: int, system: str = "ensemble_v1", **more: Any) -> Row:
    counts = {"played": 200, "wins": 11, "losses": 9, "pushes": 1, "priced_bets": 20}
    key = {"game_date": before(days_before), "market": "points", "system_id": system}
    return key | counts | {"mae": 4.6, "bias": 0.1, "roi": 0.03} | more


def quote(book: str = "a", line: float = 18.5, at: int = 15, **more: Any) -> Row:
    return {
        "game_date": DAY,
        "player_id": HORN,
        "market": "points",
        "bookmaker": book,
        "book_kind": "sportsbook",
        "line": line,
        "line_kind": "main",
        "captured_at": datetime(2024, 1, 15, at, tzinfo=UTC),
    } | more


def fact(days_before: int, points: int, of: int = HORN) -> Row:
    return {
        "game_date": before(days_before),
        "player_id": of,
        "points": points,
        "rebounds": 5,
        "assists": 4,
        "three_pt_makes": 1,
    }


def call(**more: Any) -> Row:
    return {
        "game_date": DAY,
        "player_id": HORN,
        "market": "points",
        "snapshot": "close",
        "side": "OVER",
        "bookmaker": "b",
        "line": 17.5,
        "odds": -110.0,
        "p_side": 0.66,
        "expected_value": 0.05,
        "as_of": datetime(2024, 1, 16, 0, 29, tzinfo=UTC),
    } | more


def day(**more: list[Row]) -> dict[str, list[Row]]:
    """The rows of the day, by table name; a table may be replaced."""
    systems = ("ensemble_v1", "zone_matchup_v1", "last_5", "last_10")
    return {
        "schedule": [game()],
        "upcoming_team_game_context": [
            {"game_date": DAY, "game_id": GAME, "team": t, "game_spread": s, "game_total": 228.5}
            for t, s in (("BOS", -4.5), ("LAL", 4.5))
        ],
        "upcoming_player_game_context": [
            player(),
            *(player(game_date=before(n), game_id="0022300400") for n in range(1, GRADED_DAYS + 1)),
        ],
        "ml_feature_store_v2": [features(), features(feature_version="v1_baseline_25", points_avg_season=99.0)],
        "player_prop_predictions": [prediction(s) for s in systems],
        "prop_prices": [price("a"), price("b", line=17.5, best_over=True), price("c", best_under=True)],
        "prediction_accuracy": [grade(n, s) for n in range(1, GRADED_DAYS + 1) for s in ("ensemble_v1", "last_10")],
        "system_daily_performance": [performance(n) for n in range(1, GRADED_DAYS + 1)],
    } | more


TABLES = (
    SCHEDULE,
    UPCOMING_TEAM_GAME_CONTEXT,
    UPCOMING_PLAYER_GAME_CONTEXT,
    ML_FEATURE_STORE,
    PLAYER_PROP_PREDICTIONS,
    PROP_PRICES,
    PREDICTION_ACCURACY,
    SYSTEM_DAILY_PERFORMANCE,
    PLAYER_PROP_LINES,
    PLAYER_GAME_SUMMARY,
    INJURY_REPORTS,
    CALLS,
    CALL_GRADES,
)
UNITS = {t.id: "rows" for t in TABLES}


class HandMadeWarehouse:
    """Answers `read` and `ledger` from rows by table name; nothing else may be asked. Counts the reads."""

    def __init__(self, rows: Mapping[str, list[Row]], ledger: Sequence[LedgerEntry] | None = None) -> None:
        strangers = set(rows) - {t.name for t in TABLES}
        assert not strangers, strangers
        self.rows = rows
        self.entries = [entry(t) for t in TABLES] if ledger is None else list(ledger)
        self.reads = 0

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        self.reads += 1
        return {name: self._rows(table, days) for name, (table, days) in wanted.items()}

    def _rows(self, table: Table, days: Days) -> pa.Table:
        columns = days.columns or tuple(table.columns)
        rows = [r for r in self.rows.get(table.name, []) if days.start <= r[table.partition] <= days.end]
        unknown = {c for r in rows for c in r} - set(table.columns)
        assert not unknown, unknown
        schema = pa.schema([table.arrow_schema.field(c).with_nullable(True) for c in columns])
        return pa.Table.from_pylist([{c: r.get(c) for c in columns} for r in rows], schema)

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        assert tables is not None
        assert start is not None
        assert end is not None
        return entries_table([e for e in self.entries if e.table in tables and start <= e.day <= end])


class WholeLedger(HandMadeWarehouse):
    """Also answers `ledger` of everything."""

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        names = [SCHEDULE.id] if tables is None else tables
        return super().ledger(names, start or date(2021, 1, 1), end or date(2030, 1, 1))


def entry(table: Table, on: date = DAY, state: Any = "published", **more: Any) -> LedgerEntry:
    given: Row = {"rows": 5, "expected": 5, "absent": {}, "reasons": ()} | more
    return LedgerEntry(
        table=table.id,
        day=on,
        state=state,
        rows=given["rows"],
        expected=given["expected"],
        absent=given["absent"],
        unexplained=0,
        games=1,
        rejected=0,
        content_hash="",
        reasons=given["reasons"],
        run_id=json.dumps("run"),
        recorded_at=datetime(2024, 1, 15, 15, tzinfo=UTC),
    )
