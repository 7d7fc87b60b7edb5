"""Read the data of pages: a month of days per snapshot of the warehouse."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline import asof
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.domain.books import SPORTSBOOK
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.reporting import evidence, rolling
from nba_pipeline.reporting.data import Game, Graded, GradedCall, GradedSystem, ReportData, TableState
from nba_pipeline.reporting.evidence import Evidence
from nba_pipeline.reporting.forecasts import CALLS, OUT, PLAYER, absences, forecasts, leading
from nba_pipeline.reporting.overview import cells
from nba_pipeline.reporting.reads import FORM, GRADES, HISTORY, READS, READS_BEFORE, WINDOW_DAYS, WITH_RESULTS
from nba_pipeline.reporting.rows import records
from nba_pipeline.systems import LINE_SYSTEM_IDS
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days, Warehouse

# The first of these systems with a forecast on the day leads its page, but where a system knows the line (`forecasts.leading`).
LEADS = ("ensemble_v1", "zone_matchup_v1", "moving_average")
MAY_LEAD = (*LEADS, *LINE_SYSTEM_IDS)
DAYS_AT_ONCE = 31


def read_reports(warehouse: Warehouse, days: Sequence[date], units: Mapping[str, str]) -> Iterator[ReportData]:
    """Read the data of each day's page, in order of time.

    Args:
        warehouse: the warehouse to read from.
        days: the days of the pages, in any order.
        units: the tables whose state a page shows, in order, with the unit of their expected rows.

    Raises:
        MissingHistoryError: the schedule of a day was never published, so it cannot be distinguished from a day without games;
            raised before the first day.
    """
    ordered = sorted(set(days))
    _require_schedule(warehouse, ordered)
    for start in range(0, len(ordered), DAYS_AT_ONCE):
        yield from _month(warehouse, ordered[start : start + DAYS_AT_ONCE], units)


def _month(warehouse: Warehouse, days: Sequence[date], units: Mapping[str, str]) -> Iterator[ReportData]:
    entries = warehouse.ledger(list(units), days[0], days[-1]).to_pylist()
    wanted = {n: (t, Days(days[0], days[-1], columns)) for n, (t, columns) in READS.items()}
    for n, (t, columns) in READS_BEFORE.items():
        window = FORM if n == "facts" else HISTORY
        last = days[-1] if n in WITH_RESULTS else window.last_needed(days[-1])
        wanted[n] = (t, Days(window.first_needed(days[0]), last, columns))
    month = _Month.of(warehouse.read(wanted), days)
    states = cells(entries, list(units), days)
    for place, day in enumerate(days):
        yield month.report(day, tuple(TableState(t, unit, states[t][place]) for t, unit in units.items()))


def _require_schedule(warehouse: Warehouse, days: Sequence[date]) -> None:
    entries = warehouse.ledger([SCHEDULE.id], days[0], days[-1]).to_pylist() if days else []
    published = {e["day"] for e in entries if e["state"] == "published"}
    unpublished = [d for d in days if d not in published]
    if unpublished:
        raise MissingHistoryError(
            f"the schedule of {describe_days(unpublished)} was never published, so no page can be written",
            f"run `nba-pipeline backfill {unpublished[0]} {unpublished[-1]}` first",
        )


@dataclass(frozen=True)
class _Month:
    """The rows of some days, by table and day."""

    schedule: "_ByDay"
    players: "_ByDay"
    predictions: "_ByDay"
    prices: "_ByDay"
    graded: "_ByDay"
    results: "_ByDay"
    lines: "_ByDay"
    calls: "_ByDay"
    call_grades: "_ByDay"
    facts: pd.DataFrame
    reports: pd.DataFrame
    teams: "_ByDay"
    performance: pd.DataFrame
    sums: pd.DataFrame

    @staticmethod
    def of(inputs: Mapping[str, pa.Table], days: Sequence[date]) -> "_Month":
        frames = {n: _frame(t) for n, t in inputs.items() if n not in ("graded", "prices", "lines")}
        features = frames["features"]
        features = features[features["feature_version"] == MODEL_FEATURES.name].drop(columns="feature_version")
        # Only leading forecasts' calls are listed, so only rows that decide them leave Arrow.
        graded = inputs["graded"]
        calls = pc.field("recommendation").isin(CALLS) & pc.field("system_id").isin(LEADS)
        called = graded.filter(calls | pc.field("system_id").isin(LINE_SYSTEM_IDS))
        results = graded.filter(pc.field("game_date").isin(list(days)) & pc.field("system_id").isin(MAY_LEAD))
        return _Month(
            schedule=_ByDay(frames["schedule"].sort_values(["tip_off", "game_id"])),
            players=_ByDay(frames["players"].merge(features, on=PLAYER, how="left")),
            predictions=_ByDay(frames["predictions"]),
            prices=_ByDay(_frame(inputs["prices"].filter(pc.field("system_id").isin(MAY_LEAD)))),
            graded=_ByDay(_frame(called).merge(frames["names"], on=PLAYER, how="left")),
            results=_ByDay(_frame(results)),
            lines=_ByDay(_frame(_moving(inputs["lines"]))),
            calls=_ByDay(frames["calls"]),
            call_grades=_ByDay(frames["call_grades"]),
            facts=frames["facts"],
            reports=_timed(frames["injuries"]),
            teams=_ByDay(frames["teams"]),
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
            results=self._graded(day, day, lead),
        )

    def _games(self, day: date, predictions: pd.DataFrame, lead: str) -> Iterator[Game]:
        players = self.players[day]
        times = self._report_times(day)
        absent = tuple(absences(players, times))
        by_game = forecasts(predictions, players, self._evidence(day, times), absent, lead)
        without_forecast = _without_forecast(predictions, lead)
        reported = set(players.loc[players["injuries_reported"], "game_id"])
        lines = {(r["game_id"], r["team"]): r for r in records(self.teams[day])}
        for g in records(self.schedule[day]):
            if not g["countable"]:
                continue
            line = lines.get((g["game_id"], g["home_team"]), {})
            yield Game(
                game_id=g["game_id"],
                away=g["away_team"],
                home=g["home_team"],
                season_type=g["season_type"],
                tip_off=g["tip_off"],
                spread=line.get("game_spread"),
                total=line.get("game_total"),
                forecasts=tuple(by_game.get(g["game_id"], ())),
                absences=tuple(a for a in absent if a.team in (g["away_team"], g["home_team"])),
                injuries_reported=g["game_id"] in reported,
                without_forecast=without_forecast.get(g["game_id"], {}),
            )

    def _evidence(self, day: date, times: evidence.ReportTimes) -> Evidence:
        first, last = FORM.first_needed(day), FORM.last_needed(day)
        lined = self.predictions[day].dropna(subset=["line"])
        return Evidence(
            quotes=evidence.quotes(self.prices[day]),
            moves=evidence.moves(self.lines[day], self._cutoffs_of_players(day)),
            recent=evidence.recent_games(self.facts, first, last, lined["player_id"].unique()),
            made=evidence.made_calls(self.calls[day], self.call_grades[day]),
            results=evidence.results(self.results[day]),
            statements=evidence.statements(self.players[day], times),
        )

    def _cutoffs(self, day: date) -> dict[str, datetime]:
        return {r["game_id"]: asof.cutoff_of(day, r["tip_off"]) for r in records(self.schedule[day])}

    def _cutoffs_of_players(self, day: date) -> dict[int, datetime]:
        cutoffs, players = self._cutoffs(day), self.players[day]
        listed = zip(players["player_id"].tolist(), players["game_id"].tolist(), strict=True)
        return {player: cutoffs[game] for player, game in listed if game in cutoffs}

    def _report_times(self, day: date) -> dict[tuple[int, date], datetime]:
        """Find when each player's report was published: the latest of its day that the cut-off of his game allows."""
        cutoffs = self._cutoffs(day)
        times: dict[tuple[int, date], datetime] = {}
        listed = self.players[day][["player_id", "injury_reported_on", "game_id"]]
        reports = self.reports.merge(
            listed, left_on=["player_id", "report_date"], right_on=["player_id", "injury_reported_on"]
        )
        for r in records(reports.sort_values("reported_at")):
            if r["game_id"] in cutoffs and r["reported_at"] <= cutoffs[r["game_id"]]:
                times[r["player_id"], r["report_date"]] = r["reported_at"]
        return times

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


def _frame(rows: pa.Table) -> pd.DataFrame:
    return rows.to_pandas(date_as_object=True)


def _moving(lines: pa.Table) -> pa.Table:
    """Select quotes that show how the market moved: main lines of sportsbooks, not those that only evaluation may see."""
    unseen = pc.field("evaluation_only")
    main = (pc.field("book_kind") == SPORTSBOOK) & (pc.field("line_kind") == "main")
    return lines.filter(main & (unseen.is_null() | ~unseen))


def _timed(reports: pd.DataFrame) -> pd.DataFrame:
    """Select reports on availability with a time of publication."""
    return reports[reports["reported_at"].notna() & (reports["record_type"] != AFTER_GAME)]


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
