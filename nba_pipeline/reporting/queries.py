"""Read the data of pages: a month of days per snapshot of the warehouse."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline import asof
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.reporting import rolling
from nba_pipeline.reporting.data import Game, Graded, GradedCall, GradedSystem, ReportData, TableState
from nba_pipeline.reporting.forecasts import CALLS, OUT, PLAYER, absences, forecasts, leading, records
from nba_pipeline.reporting.reasons import EDGES, ROLE, allowed
from nba_pipeline.systems import LINE_SYSTEM_IDS
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.analytics.upcoming_team_game_context import UPCOMING_TEAM_GAME_CONTEXT
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.grading.system_daily_performance import SYSTEM_DAILY_PERFORMANCE
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days, Warehouse

# The first of these systems with a forecast on the day leads its page, but where a system knows the line (`forecasts.leading`).
LEADS = ("ensemble_v1", "zone_matchup_v1", "moving_average")
WINDOW_DAYS = 30
DAYS_AT_ONCE = 31
HISTORY = asof.before(PREDICTION_ACCURACY, WINDOW_DAYS)

GRADES = ("played", "mae", "bias", "wins", "losses", "pushes", "priced_bets", "roi")

READS: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "schedule": (
        SCHEDULE,
        ("game_id", "game_date", "season", "season_type", "countable", "home_team", "away_team", "tip_off"),
    ),
    "teams": (UPCOMING_TEAM_GAME_CONTEXT, ("game_date", "game_id", "team", "game_spread", "game_total")),
    "players": (
        UPCOMING_PLAYER_GAME_CONTEXT,
        (
            *("game_date", "game_id", "player_id", "player_name", "team", "home_game", "days_rest", "back_to_back"),
            *("injury_status", "injury_reported_on", "injuries_reported", "opening_points_line"),
        ),
    ),
    "features": (
        ML_FEATURE_STORE,
        (
            *(*PLAYER, "feature_version", "points_avg_season", "pace_edge", *ROLE),
            *(f for edge in EDGES.values() for f in edge),
            *(allowed(m) for m in MARKETS),
        ),
    ),
    "predictions": (
        PLAYER_PROP_PREDICTIONS,
        (
            *("game_date", "player_id", "market", "system_id", "game_id", "player_name", "team", "opponent"),
            *("predicted_mean", "predicted_sd", "predicted_skewness", "q10", "q25", "q50", "q75", "q90"),
            *("line", "line_books", "line_book_kind"),
            *(
                "p_over",
                "p_push",
                "recommendation",
                "confidence",
                "components",
                "injury_status",
                "insufficient_data_reason",
            ),
        ),
    ),
    "prices": (
        PROP_PRICES,
        (
            *("game_date", "player_id", "market", "system_id", "bookmaker", "line", "over_odds", "under_odds"),
            *("ev_over", "ev_under", "best_over", "best_under"),
        ),
    ),
}
READS_BEFORE: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "graded": (PREDICTION_ACCURACY, (*rolling.COLUMNS, "team", "recommendation", "predicted_mean")),
    "performance": (
        SYSTEM_DAILY_PERFORMANCE,
        ("game_date", "market", "system_id", *GRADES),
    ),
    "names": (UPCOMING_PLAYER_GAME_CONTEXT, (*PLAYER, "player_name")),
}


def read_reports(warehouse: Warehouse, days: Sequence[date], units: Mapping[str, str]) -> Iterator[ReportData]:
    """Read the data of each day's page, in order of time.

    Args:
        warehouse: the warehouse to read from.
        days: the days of the pages, in any order.
        units: the tables whose state a page shows, in order, with the unit of their expected rows.

    Raises:
        MissingHistoryError: the schedule of a day was never published, so it cannot be distinguished from a day without games.
    """
    ordered = sorted(set(days))
    for start in range(0, len(ordered), DAYS_AT_ONCE):
        yield from _month(warehouse, ordered[start : start + DAYS_AT_ONCE], units)


def _month(warehouse: Warehouse, days: Sequence[date], units: Mapping[str, str]) -> Iterator[ReportData]:
    entries = warehouse.ledger(list(units), days[0], days[-1]).to_pylist()
    _require_schedule(entries, days)
    inputs = warehouse.read(
        {n: (t, Days(days[0], days[-1], columns)) for n, (t, columns) in READS.items()}
        | {
            n: (t, Days(HISTORY.first_needed(days[0]), HISTORY.last_needed(days[-1]), columns))
            for n, (t, columns) in READS_BEFORE.items()
        }
    )
    month = _Month.of(inputs)
    for day in days:
        yield month.report(day, tuple(_states([e for e in entries if e["day"] == day], units)))


def _require_schedule(entries: Sequence[Mapping[str, Any]], days: Sequence[date]) -> None:
    published = {e["day"] for e in entries if e["table_id"] == SCHEDULE.id and e["state"] == "published"}
    unpublished = [d for d in days if d not in published]
    if unpublished:
        raise MissingHistoryError(
            f"the schedule of {describe_days(unpublished)} was never published, so no page can be written",
            f"run `nba-pipeline backfill {unpublished[0]} {unpublished[-1]}` first",
        )


def _states(entries: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> Iterator[TableState]:
    """List the state of every table; a day refused after its publication counts as refused."""
    for table, unit in units.items():
        own = {e["state"]: e for e in entries if e["table_id"] == table}
        e = own.get("refused") or own.get("published")
        if e is None:
            yield TableState(table, "never run", 0, 0, unit, {}, (), None)
            continue
        stored = own.get("published", e)
        yield TableState(
            table=table,
            state=e["state"],
            rows=stored["rows"],
            expected=e["expected"],
            unit=unit,
            absent=json.loads(e["absent"]),
            reasons=tuple(json.loads(e["reasons"])),
            recorded_at=e["recorded_at"],
        )


@dataclass(frozen=True)
class _Month:
    """The rows of some days, by table and day."""

    schedule: "_ByDay"
    players: "_ByDay"
    predictions: "_ByDay"
    prices: "_ByDay"
    graded: "_ByDay"
    odds: Mapping[tuple[str, str], Mapping[str, Any]]
    performance: pd.DataFrame
    sums: pd.DataFrame

    @staticmethod
    def of(inputs: Mapping[str, pa.Table]) -> "_Month":
        frames = {n: t.to_pandas(date_as_object=True) for n, t in inputs.items() if n not in ("graded", "prices")}
        features = frames["features"]
        features = features[features["feature_version"] == MODEL_FEATURES.name].drop(columns="feature_version")
        # Only leading forecasts' calls are listed, so only rows that decide them leave Arrow.
        graded = inputs["graded"]
        calls = pc.field("recommendation").isin(CALLS) & pc.field("system_id").isin(LEADS)
        called = graded.filter(calls | pc.field("system_id").isin(LINE_SYSTEM_IDS))
        return _Month(
            schedule=_ByDay(frames["schedule"].sort_values(["tip_off", "game_id"])),
            players=_ByDay(frames["players"].merge(features, on=PLAYER, how="left")),
            predictions=_ByDay(frames["predictions"]),
            prices=_ByDay(_best(inputs["prices"])),
            graded=_ByDay(called.to_pandas(date_as_object=True).merge(frames["names"], on=PLAYER, how="left")),
            odds={(r["game_id"], r["team"]): r for r in records(frames["teams"])},
            performance=frames["performance"],
            sums=rolling.daily_sums(graded),
        )

    def report(self, day: date, tables: tuple[TableState, ...]) -> ReportData:
        """Assemble the data of a day's page."""
        predictions = self.predictions[day]
        lead = _lead(predictions)
        games = tuple(self._games(day, predictions, lead))
        first, last = HISTORY.first_needed(day), HISTORY.last_needed(day)
        return ReportData(
            day=day,
            season=next(iter(self.schedule[day]["season"]), ""),
            lead=lead,
            games=games,
            graded=self._graded(first, last, lead),
            window_days=WINDOW_DAYS,
            records=rolling.records(self.sums, first, last),
            tables=tables,
        )

    def _games(self, day: date, predictions: pd.DataFrame, lead: str) -> Iterator[Game]:
        players = self.players[day]
        absent = tuple(absences(players))
        by_game = forecasts(predictions, players, self.prices[day], absent, lead)
        without_forecast = _without_forecast(predictions, lead)
        reported = set(players.loc[players["injuries_reported"], "game_id"])
        for g in records(self.schedule[day]):
            if not g["countable"]:
                continue
            odds = self.odds.get((g["game_id"], g["home_team"]), {})
            yield Game(
                game_id=g["game_id"],
                away=g["away_team"],
                home=g["home_team"],
                season_type=g["season_type"],
                tip_off=g["tip_off"],
                spread=odds.get("game_spread"),
                total=odds.get("game_total"),
                forecasts=tuple(by_game.get(g["game_id"], ())),
                absences=tuple(a for a in absent if a.team in (g["away_team"], g["home_team"])),
                injuries_reported=g["game_id"] in reported,
                without_forecast=without_forecast.get(g["game_id"], {}),
            )

    def _graded(self, first: date, last: date, lead: str) -> Graded | None:
        past = self.performance[(self.performance["game_date"] >= first) & (self.performance["game_date"] <= last)]
        if past.empty:
            return None
        day = max(past["game_date"])
        calls = self.graded[day]
        calls = leading(calls, lead or _lead(calls))
        calls = calls[calls["recommendation"].isin(CALLS)].sort_values(["market", "player_name"])
        return Graded(
            day=day,
            systems=tuple(
                GradedSystem(
                    market=r["market"],
                    system=r["system_id"],
                    **{c: r[c] for c in GRADES},
                )
                for r in records(past[past["game_date"] == day].sort_values(["market", "mae", "system_id"]))
            ),
            calls=tuple(
                GradedCall(
                    player=r["player_name"],
                    team=r["team"],
                    market=r["market"],
                    call=r["recommendation"],
                    line=r["line"],
                    mean=r["predicted_mean"],
                    actual=None if r["actual_value"] is None else int(r["actual_value"]),
                    outcome=r["outcome"],
                )
                for r in records(calls)
            ),
        )


class _ByDay:
    """Rows of a table by day; a day without rows is empty."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._none = rows.iloc[:0]
        self._days = dict(iter(rows.groupby("game_date", sort=False)))

    def __getitem__(self, day: date) -> pd.DataFrame:
        return self._days.get(day, self._none)  # pyright: ignore[reportArgumentType, reportCallIssue]


def _best(prices: pa.Table) -> pd.DataFrame:
    """Select the best prices of the systems that may lead, by side."""
    best = prices.filter(
        pc.field("system_id").isin([*LEADS, *LINE_SYSTEM_IDS]) & (pc.field("best_over") | pc.field("best_under"))
    )
    return best.to_pandas(date_as_object=True)


def _lead(predictions: pd.DataFrame) -> str:
    with_forecast = set(predictions.loc[predictions["predicted_mean"].notna(), "system_id"])
    return next((s for s in LEADS if s in with_forecast), "")


def _without_forecast(predictions: pd.DataFrame, lead: str) -> dict[str, Counter[str]]:
    """Count the listed players of each game without a forecast on the page, by reason."""
    system = lead or next((s for s in LEADS if s in set(predictions["system_id"])), "")
    rows = predictions[predictions["system_id"] == system]
    reasons = rows["insufficient_data_reason"].mask(rows["injury_status"] == OUT, "reported out")
    by_game: dict[str, Counter[str]] = {}
    distinct = dict.fromkeys(zip(rows["game_id"], rows["player_id"], reasons, strict=True))
    for game, _, reason in (t for t in distinct if isinstance(t[2], str)):
        by_game.setdefault(game, Counter())[reason] += 1
    return by_game
