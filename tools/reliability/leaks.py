"""Leaks planted in every pre-game table, one of each kind that can be made there: the replay must name each of them.

A leaking table is computed as a backfill would compute it, over three days from the whole warehouse, and again from what was
known by the cut-offs of the middle day. It is caught when its audit refuses it or when the two differ.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from inspect import Parameter, signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from nba_pipeline import asof
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.asof import aggregates
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.domain.report_types import AFTER_GAME, PRE_GAME_TYPES
from nba_pipeline.engine.audit import audit
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.prepare import read_inputs
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics import (
    _availability,
    _game_line_consensus,
    _lineups,
    _team_evidence,
    upcoming_player_game_context,
)
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.tables.shared import consensus_lines as lines
from nba_pipeline.verification.known_by import KnownBy
from nba_pipeline.verification.replay import compare, from_known, pre_game_tables, recompute
from tools.reliability.ground import MODELS, real_home
from tools.reliability.late_news import WithLateNews, late_news
from tools.reliability.proof import Proof, Scale, Tally, following, stage

TITLE = "Planted leaks: a table that uses information from after the cut-off is detected and named"
REAL_DAYS = {"quick": (date(2024, 2, 1),), "full": (date(2024, 2, 1),)}
Patch = pytest.MonkeyPatch
A_SEASON = 300

CONTEXT, PREDICTIONS, PRICES = (
    UPCOMING_PLAYER_GAME_CONTEXT.id,
    "nba_predictions.player_prop_predictions",
    "nba_predictions.prop_prices",
)
# Calls copy forecasts and prices of the day: they read no history, no quotes and no results.
CALLS = "nba_predictions.calls"
TEAM_CONTEXT = "nba_analytics.upcoming_team_game_context"
BY_TEAM = (TEAM_CONTEXT, "nba_precompute.team_defense_zone_analysis")
BY_PLAYER = tuple(t for t in pre_game_tables() if t not in (*BY_TEAM, MODELS, CALLS))

# A number of each table into which the outcome of the day is mixed.
STAINED = {
    CONTEXT: "points_avg_last_5",
    TEAM_CONTEXT: "game_total",
    "nba_precompute.team_defense_zone_analysis": "defensive_rating_last_15",
    "nba_precompute.player_shot_zone_analysis": "paint_rate_last_10",
    "nba_precompute.player_daily_cache": "points_avg_last_5",
    "nba_precompute.player_composite_factors": "pace_score",
    "nba_predictions.ml_feature_store_v2": "points_avg_last_5",
    PREDICTIONS: "points_avg_season",
    PRICES: "predicted_mean",
}


# --- ways to leak -----------------------------------------------------------------------------------------------------


def _look_later(patch: Patch, days: int, *, in_days: bool) -> None:
    """Let windows end so many days after the day before the target: windows of calendar days, or those of games."""
    honest, timeline = aggregates._places, aggregates._timeline

    def later(*arguments: Any) -> Any:
        t = timeline(*arguments)
        is_end = (t["__fact"] == 0) & (t["__back"] == 0)
        return t.mutate(__number=t["__number"] + is_end.cast("int64") * days)

    def places(targets: Any, facts: Any, entity: list[str], day: str, fact_day: str, calendar: Any) -> Any:
        fair = honest(targets, facts, entity, day, fact_day, calendar)
        leaking = list(calendar) if in_days else ["__seen"]
        if not leaking:
            return fair
        with pytest.MonkeyPatch.context() as shifted:
            shifted.setattr(aggregates, "_timeline", later)
            leaky = honest(targets, facts, entity, day, fact_day, calendar)
        on = [*entity, "__day"]
        return fair.drop(*leaking).inner_join(leaky.select(*on, *leaking), on).select(*fair.columns)

    patch.setattr(aggregates, "_places", places)


def on_or_before(patch: Patch, transform: Transform) -> Transform:
    """`<=` where `<` belongs, in windows of games; in training, rows of the training day itself."""
    if transform.table.id == MODELS:
        _train_on_the_day(patch)
    _look_later(patch, 1, in_days=False)
    return replace(transform)


def _train_on_the_day(patch: Patch) -> None:
    def window(game_date: pd.Series, trained_on: date, days: int) -> pd.Series:
        day = pd.to_datetime(game_date)
        return (day <= pd.Timestamp(trained_on)) & (day >= pd.Timestamp(trained_on - timedelta(days=days)))

    patch.setattr(asof, "training_window", window)
    honest = asof.Read.last_needed
    patch.setattr(asof.Read, "last_needed", lambda r, day: day if r.kind == "training" else honest(r, day))


def ends_on_the_day(patch: Patch, transform: Transform) -> Transform:
    """Windows of calendar days that end on the day."""
    _look_later(patch, 1, in_days=True)
    return replace(transform)


def whole_season(patch: Patch, transform: Transform) -> Transform:
    """Averages over the whole season, its later games included."""
    _look_later(patch, A_SEASON, in_days=False)
    return replace(transform)


def _at_any_time(captured_at: Any, cutoff_at: Any) -> Any:
    return captured_at.notnull() & cutoff_at.notnull()


def late_lines(patch: Patch, transform: Transform) -> Transform:
    """Quotes captured at any time are taken."""
    for module in (lines, _game_line_consensus):
        patch.setattr(module, "captured_in_time", _at_any_time)
    return replace(transform)


def late_lineups(patch: Patch, transform: Transform) -> Transform:
    """Line-ups captured at any time are taken."""
    patch.setattr(_lineups, "captured_in_time", _at_any_time)
    return replace(transform)


def late_rosters(patch: Patch, transform: Transform) -> Transform:
    """Rosters captured at any time are taken."""
    patch.setattr(_team_evidence, "captured_in_time", _at_any_time)
    return replace(transform)


def ages_of_the_season(patch: Patch, transform: Transform) -> Transform:
    """Ages of the season's own list, which names who will play in it: every list is taken for that of a season before."""
    honest = upcoming_player_game_context.ages_by_day

    def ages(players: Any, player_ages: Any, people: Any) -> Any:
        year = player_ages.season.substr(0, 4).cast("int64") - 1
        earlier = year.cast("string") + "-" + player_ages.season.substr(2, 2)
        return honest(players, player_ages.mutate(season=earlier), people)

    patch.setattr(upcoming_player_game_context, "ages_by_day", ages)
    return replace(transform)


def late_reports(patch: Patch, transform: Transform) -> Transform:
    """Statements of the day are taken, whenever they were published."""

    def by_the_day(reported_at: Any, report_date: Any, game_date: Any, cutoff_at: Any) -> Any:
        del reported_at, cutoff_at
        return report_date <= game_date

    patch.setattr(asof, "reported_in_time", by_the_day)
    return replace(transform)


def notes_of_the_box_score(patch: Patch, transform: Transform) -> Transform:
    """Who did not play is read off the box score."""
    patch.setattr(_availability, "PRE_GAME_TYPES", (*PRE_GAME_TYPES, AFTER_GAME))
    return late_reports(patch, transform)


def listed_from_the_box_score(_: Patch, transform: Transform) -> Transform:
    """Only players who turned out to play."""

    def leak(rows: Any, facts: Any, day: str) -> Any:
        return rows.semi_join(facts, [rows[day] == facts.game_date, rows.player_id == facts.player_id])

    return _reading_facts(transform, PLAYER_GAME_SUMMARY, leak)


def outcome_joined_in(_: Patch, transform: Transform) -> Transform:
    """The day's own result, mixed into a number."""
    facts_of = TEAM_OFFENSE_GAME_SUMMARY if transform.table.id in BY_TEAM else PLAYER_GAME_SUMMARY
    entity = "team" if transform.table.id in BY_TEAM else "player_id"
    column = STAINED[transform.table.id]

    def leak(rows: Any, facts: Any, day: str) -> Any:
        joined = rows.left_join(facts, [rows[day] == facts.game_date, rows[entity] == facts[entity]])
        return joined.select(
            *[rows[c] for c in rows.columns if c != column],
            **{column: rows[column] + facts.points.fill_null(0).cast("float64") / 100},
        )

    return _reading_facts(transform, facts_of, leak)


def _reading_facts(transform: Transform, facts_of: Table, leak: Callable[[Any, Any, str], Any]) -> Transform:
    """The transform with another input, the facts of the day, from which `leak` changes what was built."""
    honest = transform.build

    def build(**inputs: Any) -> Any:
        facts = inputs.pop("leaked")
        rows = honest(**inputs)
        return leak(
            rows, facts, transform.table.partition if transform.table.partition in rows.columns else "game_date"
        )

    own = signature(honest)
    extra = Parameter("leaked", Parameter.POSITIONAL_OR_KEYWORD)
    build.__signature__ = own.replace(parameters=[*own.parameters.values(), extra])  # pyright: ignore[reportFunctionMemberAccess]
    return replace(transform, build=build, reads=dict(transform.reads) | {"leaked": asof.same_day(facts_of)})


WITHOUT_HISTORY = ("nba_precompute.player_composite_factors", PREDICTIONS, PRICES, CALLS, MODELS)
WITH_HISTORY = tuple(t for t in pre_game_tables() if t not in WITHOUT_HISTORY)
KINDS: Mapping[str, tuple[Callable[[Patch, Transform], Transform], Sequence[str]]] = {
    "<= for <": (on_or_before, (*WITH_HISTORY, MODELS)),
    "window ends on the day": (
        ends_on_the_day,
        (CONTEXT, *BY_TEAM, "nba_predictions.ml_feature_store_v2"),
    ),
    "average over the whole season": (whole_season, WITH_HISTORY),
    "line captured after the cut-off": (late_lines, (CONTEXT, TEAM_CONTEXT, PREDICTIONS, PRICES)),
    "injury status from after the cut-off": (late_reports, (CONTEXT,)),
    "line-up captured after the cut-off": (late_lineups, (CONTEXT,)),
    "roster captured after the cut-off": (late_rosters, (CONTEXT,)),
    "age from the list of the season itself": (ages_of_the_season, (CONTEXT,)),
    "who did not play, from the box score": (notes_of_the_box_score, (CONTEXT,)),
    "listed from the box score": (listed_from_the_box_score, BY_PLAYER),
    "the day's result joined in": (outcome_joined_in, (*BY_PLAYER, *BY_TEAM)),
}
MATRIX = tuple((kind, table) for kind, (_, tables) in KINDS.items() for table in tables)


# --- the trial --------------------------------------------------------------------------------------------------------


class Stand:
    """A day of a published home on which leaks are tried; nothing is written to the home."""

    def __init__(self, settings: Settings, day: date, scratch: Path) -> None:
        self.settings, self.day = settings, day
        self.source = settings.open_source()
        published = settings.open_warehouse()
        self.warehouse = WithLateNews(published, late_news(published, day))
        self._scratch = LocalArtifacts(scratch)
        self.days = days_between(day - timedelta(days=1), day + timedelta(days=1))

    @cached_property
    def known(self) -> dict[str, pa.Table]:
        """The honest rows of every pre-game table of the day, from what was known."""
        run = self._run(MODELS)
        again = recompute(self.day, self.warehouse, self.source, SLATE, run, pre_game_tables())
        return {a.table.id: a.rows for a in again}

    def _run(self, table: str) -> RunContext:
        store = self._scratch if table == MODELS else self.settings.open_artifacts()
        plans = stored_plans(self.settings.cache)  # the honest tables' alone: a leaking variant is compiled
        return RunContext("leaks", datetime(2026, 1, 1, tzinfo=UTC), self.settings.markets, store, plans=plans)

    def verdict(self, kind: str | None, table: str) -> str:
        """How the leak was caught, empty where it was not; without a kind, the honest table is tried."""
        with pytest.MonkeyPatch.context() as patch:
            honest = CATALOG[table]
            # The freeze of published features refuses most of these builds; here the replay has to find the leak.
            planted = KINDS[kind][0](patch, honest) if kind else honest
            transform = replace(planted, definition_check=None)
            run, days = self._run(table), [self.day] if table == MODELS else self.days
            executor = DuckDBExecutor(read_inputs(transform, self.warehouse, self.source, SLATE, days, run))
            try:
                executor.compute(transform, days, run)
                problems = audit(transform, run.plans.of(transform, executor.dialect), executor, SLATE).problems
                rows, content = executor.rows(transform.table, [self.day]), executor.content_hashes(transform.table)
            finally:
                executor.close()
            refused = "; ".join(s for (d, _), said in problems.items() if d == self.day for s in said)
            if refused:
                return f"refused: {refused}"
            others = {n: r for n, r in self.known.items() if n != table}
            again = from_known(transform, KnownBy(self.warehouse, self.day, others), self.source, SLATE, run)
        if content.get(self.day, "") == again.content_hash:
            return ""
        return str(compare(transform.table, self.day, rows, again.rows))


def trials(stand: Stand) -> Iterator[tuple[str, str, str]]:
    """(kind, table, verdict) for every leak of the matrix."""
    for kind, table in MATRIX:
        yield kind, table, stand.verdict(kind, table)


def prove(scale: Scale) -> list[Proof]:
    settings, tally, control = real_home(), Tally(), Tally()
    by_audit, days = 0, REAL_DAYS[scale]
    for day in days:
        with TemporaryDirectory() as scratch:
            stand = Stand(settings, day, Path(scratch))
            with stage(f"honest tables of {day}"):
                for table in pre_game_tables():
                    verdict = stand.verdict(None, table)
                    control.case(f"{table} {day}: {verdict}" if verdict else None)
            for kind, table, verdict in following(trials(stand), len(MATRIX), f"leaks of {day}"):
                tally.case(None if verdict else f"{table} {day}: {kind}: not caught")
                by_audit += verdict.startswith("refused")
    on = f"real data, {', '.join(map(str, days))}"
    return [
        tally.proof(
            "a table that uses information from after the cut-off is detected and named",
            f"{len(KINDS)} kinds of leak planted in every pre-game table where they apply",
            on,
            {"kinds": len(KINDS), "tables": len({t for _, t in MATRIX}), "detected by the audit": by_audit},
        ),
        control.proof(
            "rows from after the cut-off change no table without a planted leak",
            "lines, statements, line-ups, rosters and notes from after the cut-offs are added; every table is computed with them",
            on,
        ),
    ]
