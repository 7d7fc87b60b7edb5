"""Convert rows of the tables to the availability and forecasts of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nba_pipeline.domain.markets import MARKETS, POINTS
from nba_pipeline.domain.report_types import LINEUP
from nba_pipeline.reporting.data import Absence, Forecast
from nba_pipeline.reporting.evidence import Evidence, ReportTimes, report_time
from nba_pipeline.reporting.reasons import AVERAGES, reasons
from nba_pipeline.reporting.rows import records
from nba_pipeline.systems import LINE_SYSTEM_IDS
from nba_pipeline.systems.distribution import Law
from nba_pipeline.tables.analytics._availability import AVAILABLE, OUT
from nba_pipeline.tables.predictions.player_prop_predictions import OVER, UNDER

if TYPE_CHECKING:  # takes most of a second to load, and definitions read no rows
    import pandas as pd

CALLS = (OVER, UNDER)
PLAYER = ["game_date", "player_id"]
OF = ["player_id", "market"]


def absences(players: pd.DataFrame, times: ReportTimes) -> Iterator[Absence]:
    """List players with a reported status, by team, highest scoring average first; not those who are confirmed to start.

    Args:
        players: rows of upcoming_player_game_context of the day.
        times: publication times by player and day of the report, where the source states them.
    """
    by_line_up = players["injury_status_source"] == LINEUP
    reported = players[players["injury_status"].notna() & ~(by_line_up & (players["injury_status"] == AVAILABLE))]
    for r in records(reported.sort_values(["team", "points_avg_season", "player_name"], ascending=[True, False, True])):
        yield Absence(
            player=r["player_name"],
            team=r["team"],
            status=r["injury_status"],
            since=r["injury_reported_on"],
            points=r["points_avg_season"],
            reported_at=report_time(r, times),
        )


def leading(rows: pd.DataFrame, lead: str) -> pd.DataFrame:
    """Select the forecast whose price counts for each player and market: of a system that knows the line where it has one.

    Args:
        rows: forecasts of one day, all systems; those without a mean do not count.
        lead: the system of the other forecasts.

    Returns:
        Rows in the given order, at most one per player and market; none without a lead.
    """
    import pandas as pd  # deferred, as above

    if not lead:
        return rows.iloc[:0]
    known = rows[rows["predicted_mean"].notna()]
    lined = known[known["system_id"].isin(LINE_SYSTEM_IDS)]
    covered = pd.MultiIndex.from_frame(known[OF]).isin(pd.MultiIndex.from_frame(lined[OF]))
    return known[known["system_id"].isin(LINE_SYSTEM_IDS) | ((known["system_id"] == lead) & ~covered)]


def forecasts(
    predictions: pd.DataFrame, players: pd.DataFrame, evidence: Evidence, absent: Sequence[Absence], lead: str
) -> dict[str, list[Forecast]]:
    """List the leading forecasts by game, by market with the highest mean first, without players who are out.

    Args:
        predictions: rows of player_prop_predictions of the day, all systems.
        players: rows of upcoming_player_game_context of the day, with features.
        evidence: prices, movements, earlier games, calls and results of the day.
        absent: players with a reported status.
        lead: the system that leads where none knows the line.

    Returns:
        Forecasts by game id.
    """
    available = predictions[predictions["predicted_mean"].notna() & (predictions["injury_status"] != OUT)]
    home = set(players.loc[players["home_game"], "team"])
    means = _means(available)
    order = {m: i for i, m in enumerate(MARKETS)}
    shown = leading(available, lead)
    shown = shown.assign(place=shown["market"].map(order)).sort_values(
        ["place", "predicted_mean"], ascending=[True, False], kind="stable", ignore_index=True
    )
    details = _details(shown[shown["line"].notna()], players, means, absent)
    by_game: dict[str, list[Forecast]] = {}
    for place, r in enumerate(records(shown)):
        forecast = _forecast(r | {"home": r["team"] in home}, means[r["player_id"], r["market"]])
        if place in details:
            key = (r["player_id"], r["market"])
            forecast = replace(forecast, **details[place], **evidence.of(r["system_id"], *key))
        by_game.setdefault(r["game_id"], []).append(forecast)
    return by_game


def _means(available: pd.DataFrame) -> dict[tuple[int, str], dict[str, float]]:
    """Index the means by player and market, by system."""
    means: dict[tuple[int, str], dict[str, float]] = {}
    columns = (available[c] for c in ("player_id", "market", "system_id", "predicted_mean"))
    for player, market, system, mean in zip(*columns, strict=True):
        means.setdefault((player, market), {})[system] = mean
    return means


def _details(
    lined: pd.DataFrame,
    players: pd.DataFrame,
    means: Mapping[tuple[int, str], Mapping[str, float]],
    absent: Sequence[Absence],
) -> dict[int, dict[str, Any]]:
    """Compute the fields of a forecast that only those with a line have, by index."""
    context = players.drop(columns=["game_id", "player_name", "team", "home_game", "injury_status"])
    rows = records(lined.merge(context, on=PLAYER, how="left"))
    out = [a for a in absent if a.status == OUT]
    distributions, chances = _outcomes(lined)
    details = {}
    for place, r in zip(lined.index, rows, strict=True):
        opening = r["opening_points_line"] if r["market"] == POINTS.name else None
        explained = r | {"unit": MARKETS[r["market"]].unit, "status": r["injury_status"], "opening_line": opening}
        averages = {n: m for n, m in means[r["player_id"], r["market"]].items() if n in AVERAGES}
        team_mates = [a for a in out if a.team == r["team"]]
        p_over, p_push = chances[place]
        details[place] = {
            "outcomes": distributions[place],
            "p_over": p_over,
            "p_push": p_push,
            "reasons": reasons(explained, averages, team_mates),
            "play_chance": r["play_chance"],
            "minutes": r["minutes_expected"],
            "usual_minutes": r["minutes_avg_season"],
            "out": tuple(a.player for a in team_mates),
        }
    return details


def _forecast(r: dict[str, Any], means: Mapping[str, float]) -> Forecast:
    return Forecast(
        player_id=r["player_id"],
        player=r["player_name"],
        system=r["system_id"],
        team=r["team"],
        opponent=r["opponent"],
        home=r["home"],
        market=r["market"],
        unit=MARKETS[r["market"]].unit,
        mean=r["predicted_mean"],
        q10=r["q10"],
        median=r["q50"],
        q90=r["q90"],
        outcomes=(),
        line=r["line"],
        books=None if r["line_books"] is None else int(r["line_books"]),
        book_kind=r["line_book_kind"],
        p_over=None,
        p_push=None,
        call=r["recommendation"],
        status=r["injury_status"],
        reasons=(),
        point=None if r["point_forecast"] is None else int(r["point_forecast"]),
        others={s: m for s, m in means.items() if s != r["system_id"]},
    )


def _outcomes(rows: pd.DataFrame) -> tuple[dict[int, tuple[float, ...]], dict[int, tuple[float, float]]]:
    """Read from each row's law P(0), P(1), ... up to four standard deviations, and P(over) and P(push) at its line, by index."""
    by_row: dict[int, tuple[float, ...]] = {}
    chances: dict[int, tuple[float, float]] = {}
    for market, group in rows.groupby("market"):
        names = ("predicted_mean", "predicted_sd", "predicted_skewness", "line")
        mean, sd, skewness, line = (group[c].to_numpy(dtype=float)[:, None] for c in names)
        tops = np.ceil(np.maximum(mean + 4 * sd, line + 1))[:, 0].astype(int)
        law = Law.stored(mean, sd, skewness, str(market))
        over, _ = law.probability_over(np.arange(tops.max() + 1, dtype=float)[None] + 0.5)
        distributions = np.round(np.hstack([1 - over[:, :1], over[:, :-1] - over[:, 1:]]), 5).tolist()
        by_row |= {i: tuple(p[: top + 1]) for i, p, top in zip(group.index, distributions, tops, strict=True)}
        p_over, p_push = (p[:, 0].tolist() for p in law.probability_over(line))
        chances |= dict(zip(group.index, zip(p_over, p_push, strict=True), strict=True))
    return by_row, chances
