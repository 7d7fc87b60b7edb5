"""Reads what the pages of some days show: a month of days with one snapshot of the warehouse."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline import asof
from nba_pipeline.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.analytics.upcoming_team_game_context import UPCOMING_TEAM_GAME_CONTEXT
from nba_pipeline.contracts import Table
from nba_pipeline.errors import MissingHistoryError
from nba_pipeline.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.grading.system_daily_performance import SYSTEM_DAILY_PERFORMANCE
from nba_pipeline.markets import MARKETS
from nba_pipeline.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.predictions.versions import V2
from nba_pipeline.raw.schedule import SCHEDULE
from nba_pipeline.reporting import rolling
from nba_pipeline.reporting.data import (
    Absence,
    Forecast,
    Game,
    Graded,
    GradedCall,
    GradedSystem,
    ReportData,
    TableState,
)
from nba_pipeline.reporting.reasons import AVERAGES, EDGES, reasons
from nba_pipeline.seasons import describe_days
from nba_pipeline.systems.distribution import probability_over
from nba_pipeline.warehouse import Days, Warehouse

# The first of these that forecast anything on the day leads its page.
LEADS = ("ensemble_v1", "zone_matchup_v1", "moving_average")
WINDOW_DAYS = 30
DAYS_AT_ONCE = 31
OUT = "out"
PLAYER = ["game_date", "player_id"]
HISTORY = asof.before(PREDICTION_ACCURACY, WINDOW_DAYS)

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
        (*PLAYER, "feature_version", "points_avg_season", "pace_edge", *(f for edge in EDGES.values() for f in edge)),
    ),
    "predictions": (
        PLAYER_PROP_PREDICTIONS,
        (
            *("game_date", "player_id", "market", "system_id", "game_id", "player_name", "team", "opponent"),
            *("predicted_mean", "predicted_sd", "q10", "q25", "q75", "q90", "line", "line_books", "line_book_kind"),
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
}
READS_BEFORE: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "graded": (PREDICTION_ACCURACY, (*rolling.COLUMNS, "team", "recommendation", "predicted_mean")),
    "performance": (
        SYSTEM_DAILY_PERFORMANCE,
        ("game_date", "market", "system_id", "played", "mae", "bias", "wins", "losses", "pushes"),
    ),
    "names": (UPCOMING_PLAYER_GAME_CONTEXT, (*PLAYER, "player_name")),
}


def read_reports(warehouse: Warehouse, days: Sequence[date], units: Mapping[str, str]) -> Iterator[ReportData]:
    """The data of each day's page, in order of time.

    `units` names the tables whose state a page tells, in order, and what their expected rows count. Raises MissingHistoryError
    for days whose schedule was never published: there is no telling them from days without games.
    """
    wanted = sorted(set(days))
    for start in range(0, len(wanted), DAYS_AT_ONCE):
        yield from _month(warehouse, wanted[start : start + DAYS_AT_ONCE], units)


def _month(warehouse: Warehouse, days: Sequence[date], units: Mapping[str, str]) -> Iterator[ReportData]:
    entries = warehouse.ledger(list(units), days[0], days[-1]).to_pylist()
    _require_schedule(entries, days)
    found = warehouse.read(
        {n: (t, Days(days[0], days[-1], columns)) for n, (t, columns) in READS.items()}
        | {
            n: (t, Days(HISTORY.first_needed(days[0]), HISTORY.last_needed(days[-1]), columns))
            for n, (t, columns) in READS_BEFORE.items()
        }
    )
    month = _Month.of(found)
    for day in days:
        yield month.report(day, tuple(_states([e for e in entries if e["day"] == day], units)))


def _require_schedule(entries: Sequence[Mapping[str, Any]], days: Sequence[date]) -> None:
    published = {e["day"] for e in entries if e["table_id"] == SCHEDULE.id and e["state"] == "published"}
    unknown = [d for d in days if d not in published]
    if unknown:
        raise MissingHistoryError(
            f"the schedule of {describe_days(unknown)} was never published, so there is nothing to report",
            f"run `nba-pipeline backfill {unknown[0]} {unknown[-1]}` first",
        )


def _states(entries: Sequence[Mapping[str, Any]], units: Mapping[str, str]) -> Iterator[TableState]:
    """The state of every table; a day that was refused after it was published counts as refused."""
    for table, unit in units.items():
        own = {e["state"]: e for e in entries if e["table_id"] == table}
        e = own.get("refused") or own.get("published")
        if e is None:
            yield TableState(table, "never run", 0, 0, unit, {}, (), None)
            continue
        held = own.get("published", e)
        yield TableState(
            table=table,
            state=e["state"],
            rows=held["rows"],
            expected=e["expected"],
            unit=unit,
            absent=json.loads(e["absent"]),
            reasons=tuple(json.loads(e["reasons"])),
            recorded_at=e["recorded_at"],
        )


@dataclass(frozen=True)
class _Month:
    """The rows of some days, by table."""

    schedule: pd.DataFrame
    teams: pd.DataFrame
    players: pd.DataFrame
    predictions: pd.DataFrame
    graded: pd.DataFrame
    performance: pd.DataFrame
    sums: pd.DataFrame

    @staticmethod
    def of(found: Mapping[str, pa.Table]) -> "_Month":
        frames = {n: t.to_pandas(date_as_object=True) for n, t in found.items() if n != "graded"}
        features = frames["features"]
        features = features[features["feature_version"] == V2.name].drop(columns="feature_version")
        # Only the leading systems' calls are listed, so only their rows leave Arrow.
        graded = found["graded"]
        called = graded.filter(pc.is_in(graded["recommendation"], pa.array(["OVER", "UNDER"])))
        called = called.filter(pc.is_in(called["system_id"], pa.array(LEADS)))
        return _Month(
            schedule=frames["schedule"],
            teams=frames["teams"],
            players=frames["players"].merge(features, on=PLAYER, how="left"),
            predictions=frames["predictions"],
            graded=called.to_pandas(date_as_object=True).merge(frames["names"], on=PLAYER, how="left"),
            performance=frames["performance"],
            sums=rolling.daily_sums(graded),
        )

    def report(self, day: date, tables: tuple[TableState, ...]) -> ReportData:
        today = _of(self.schedule, day)
        predictions = _of(self.predictions, day)
        lead = _lead(predictions)
        first, last = HISTORY.first_needed(day), HISTORY.last_needed(day)
        return ReportData(
            day=day,
            season=str(today["season"].iloc[0]) if len(today) else "",
            lead=lead,
            games=tuple(self._games(day, today, predictions, lead)),
            graded=self._graded(first, last, lead),
            window_days=WINDOW_DAYS,
            records=rolling.records(self.sums, first, last),
            tables=tables,
        )

    def _games(self, day: date, today: pd.DataFrame, predictions: pd.DataFrame, lead: str) -> Iterator[Game]:
        players, teams = _of(self.players, day), _of(self.teams, day)
        absences = tuple(_absences(players))
        forecasts = _forecasts(predictions, players, absences, lead)
        silent = _silent(predictions, lead)
        games = today[today["countable"].fillna(False).astype(bool)].sort_values(["tip_off", "game_id"])
        for g in _records(games):
            here = players[players["game_id"] == g["game_id"]]
            odds = next(
                iter(_records(teams[(teams["game_id"] == g["game_id"]) & (teams["team"] == g["home_team"])])), {}
            )
            sides = (g["away_team"], g["home_team"])
            yield Game(
                game_id=g["game_id"],
                away=g["away_team"],
                home=g["home_team"],
                season_type=g["season_type"],
                tip_off=g["tip_off"],
                spread=odds.get("game_spread"),
                total=odds.get("game_total"),
                forecasts=tuple(forecasts.get(g["game_id"], ())),
                absences=tuple(a for a in absences if a.team in sides),
                injuries_reported=bool(here["injuries_reported"].any()),
                silent=Counter(silent.loc[silent["game_id"] == g["game_id"], "why"]),
            )

    def _graded(self, first: date, last: date, lead: str) -> Graded | None:
        past = self.performance[(self.performance["game_date"] >= first) & (self.performance["game_date"] <= last)]
        if past.empty:
            return None
        day = max(past["game_date"])
        calls = _of(self.graded, day)
        calls = calls[calls["system_id"] == (lead or _lead(self.graded))].sort_values(["market", "player_name"])
        return Graded(
            day=day,
            systems=tuple(
                GradedSystem(
                    market=r["market"],
                    system=r["system_id"],
                    **{c: r[c] for c in ("played", "mae", "bias", "wins", "losses", "pushes")},
                )
                for r in _records(_of(past, day).sort_values(["market", "mae", "system_id"]))
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
                for r in _records(calls)
            ),
        )


def _of(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    return rows[rows["game_date"] == day]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings; what is unknown is None."""
    plain = rows.astype(object)
    return plain.where(plain.notna(), None).to_dict("records")  # pyright: ignore[reportReturnType]


def _lead(predictions: pd.DataFrame) -> str:
    made = set(predictions.loc[predictions["predicted_mean"].notna(), "system_id"])
    return next((s for s in LEADS if s in made), "")


def _silent(predictions: pd.DataFrame, lead: str) -> pd.DataFrame:
    """Listed players whom the page shows no forecast for, once a market, with the reason."""
    rows = predictions[predictions["system_id"] == lead]
    out, without = rows["injury_status"] == OUT, rows["predicted_mean"].isna()
    why = rows["insufficient_data_reason"].where(~out, "reported out")
    return rows.assign(why=why)[out | without]


def _absences(players: pd.DataFrame) -> Iterator[Absence]:
    """Players of whom somebody said something, by team, those who are out first."""
    said = players[players["injury_status"].notna()]
    for r in _records(said.sort_values(["team", "points_avg_season"], ascending=[True, False])):
        yield Absence(r["player_name"], r["team"], r["injury_status"], r["injury_reported_on"], r["points_avg_season"])


def _forecasts(
    predictions: pd.DataFrame, players: pd.DataFrame, absences: Sequence[Absence], lead: str
) -> dict[str, list[Forecast]]:
    """The leading system's forecasts by game, highest mean first, market by market, without players who are out."""
    made = predictions[predictions["predicted_mean"].notna() & (predictions["injury_status"] != OUT)]
    means: dict[tuple[int, str], dict[str, float]] = {}
    for player, market, system, mean in zip(
        made["player_id"], made["market"], made["system_id"], made["predicted_mean"], strict=True
    ):
        means.setdefault((player, market), {})[system] = mean
    leading = made[made["system_id"] == lead].merge(
        players.drop(columns=["game_id", "player_name", "team", "injury_status"]), on=PLAYER, how="left"
    )
    order = {m: i for i, m in enumerate(MARKETS)}
    leading = leading.assign(place=leading["market"].map(order)).sort_values(
        ["place", "predicted_mean"], ascending=[True, False], kind="stable"
    )
    found: dict[str, list[Forecast]] = {}
    for r, law in zip(_records(leading), _outcomes(leading), strict=True):
        others = means[r["player_id"], r["market"]]
        missing = [a for a in absences if a.team == r["team"] and a.status == OUT and a.player != r["player_name"]]
        found.setdefault(r["game_id"], []).append(_forecast(r, law, others, missing))
    return found


def _forecast(
    r: dict[str, Any], law: tuple[float, ...], means: Mapping[str, float], missing: Sequence[Absence]
) -> Forecast:
    unit = MARKETS[r["market"]].unit
    opening = r["opening_points_line"] if r["market"] == "points" else None
    told = r | {"unit": unit, "status": r["injury_status"], "opening_line": opening}
    return Forecast(
        player=r["player_name"],
        team=r["team"],
        opponent=r["opponent"],
        home=bool(r["home_game"]),
        market=r["market"],
        unit=unit,
        mean=r["predicted_mean"],
        q10=r["q10"],
        q25=r["q25"],
        q75=r["q75"],
        q90=r["q90"],
        outcomes=law,
        line=r["line"],
        books=None if r["line_books"] is None else int(r["line_books"]),
        book_kind=r["line_book_kind"],
        p_over=r["p_over"],
        p_push=r["p_push"],
        call=r["recommendation"],
        confidence=r["confidence"],
        status=r["injury_status"],
        reasons=reasons(told, {n: means[n] for n in AVERAGES if n in means}, missing),
        others={s: m for s, m in means.items() if s != r["system_id"]},
    )


def _outcomes(rows: pd.DataFrame) -> Iterator[tuple[float, ...]]:
    """P(0), P(1), ... of each row's forecast, as far as anything is likely."""
    mean, sd = (rows[c].to_numpy(dtype=float)[:, None] for c in ("predicted_mean", "predicted_sd"))
    if not len(rows):
        return
    top = int(np.ceil((mean + 4 * sd).max()))
    over, _ = probability_over(mean, sd, np.arange(top + 1) + 0.5)
    laws = np.hstack([1 - over[:, :1], over[:, :-1] - over[:, 1:]])
    for law, last in zip(laws, np.ceil(mean + 4 * sd)[:, 0].astype(int), strict=True):
        yield tuple(np.round(law[: last + 1], 5).tolist())
