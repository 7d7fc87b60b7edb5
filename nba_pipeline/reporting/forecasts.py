"""Convert rows of the tables to the availability and forecasts of a page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.domain.markets import MARKETS, POINTS
from nba_pipeline.reporting.data import Absence, Forecast, Price, Reason
from nba_pipeline.reporting.reasons import AVERAGES, reasons
from nba_pipeline.systems import LINE_SYSTEM_IDS
from nba_pipeline.systems.distribution import Law
from nba_pipeline.tables.predictions.player_prop_predictions import OVER, UNDER

OUT = "out"
CALLS = (OVER, UNDER)
LEANS = 6
PLAYER = ["game_date", "player_id"]
OF = ["player_id", "market"]


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert rows to mappings; NULL becomes None."""
    columns = [
        [None if unknown else value for value, unknown in zip(rows[c].tolist(), rows[c].isna().tolist(), strict=True)]
        for c in rows
    ]
    return [dict(zip(rows.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def absences(players: pd.DataFrame) -> Iterator[Absence]:
    """List players with a reported status, by team, highest scoring average first."""
    reported = players[players["injury_status"].notna()]
    for r in records(reported.sort_values(["team", "points_avg_season", "player_name"], ascending=[True, False, True])):
        yield Absence(r["player_name"], r["team"], r["injury_status"], r["injury_reported_on"], r["points_avg_season"])


def leading(rows: pd.DataFrame, lead: str) -> pd.DataFrame:
    """Select the forecast whose price counts for each player and market: of a system that knows the line where it has one.

    Args:
        rows: forecasts of one day, all systems; those without a mean do not count.
        lead: the system of the other forecasts.

    Returns:
        Rows in the given order, at most one per player and market; none without a lead.
    """
    if not lead:
        return rows.iloc[:0]
    known = rows[rows["predicted_mean"].notna()]
    lined = known[known["system_id"].isin(LINE_SYSTEM_IDS)]
    covered = pd.MultiIndex.from_frame(known[OF]).isin(pd.MultiIndex.from_frame(lined[OF]))
    return known[known["system_id"].isin(LINE_SYSTEM_IDS) | ((known["system_id"] == lead) & ~covered)]


def forecasts(
    predictions: pd.DataFrame, players: pd.DataFrame, prices: pd.DataFrame, absent: Sequence[Absence], lead: str
) -> dict[str, list[Forecast]]:
    """List the leading forecasts by game, by market with the highest mean first, without players who are out.

    Args:
        predictions: rows of player_prop_predictions of the day, all systems.
        players: rows of upcoming_player_game_context of the day, with features.
        prices: best prices of prop_prices of the day.
        absent: players with a reported status.
        lead: the system that leads where none knows the line.

    Returns:
        Forecasts by game id.
    """
    available = predictions[predictions["predicted_mean"].notna() & (predictions["injury_status"] != OUT)]
    home = set(players.loc[players["home_game"], "team"])
    means: dict[tuple[int, str], dict[str, float]] = {}
    for player, market, system, mean in zip(
        available["player_id"],
        available["market"],
        available["system_id"],
        available["predicted_mean"],
        strict=True,
    ):
        means.setdefault((player, market), {})[system] = mean
    order = {m: i for i, m in enumerate(MARKETS)}
    shown = leading(available, lead)
    shown = shown.assign(place=shown["market"].map(order)).sort_values(
        ["place", "predicted_mean"], ascending=[True, False], kind="stable", ignore_index=True
    )
    best = _prices(prices)
    details = _details(shown.loc[_detailed(shown)], players, means, absent)
    by_game: dict[str, list[Forecast]] = {}
    for place, r in enumerate(records(shown)):
        outcomes, explanation = details.get(place, ((), ()))
        price = best.get((r["system_id"], r["player_id"], r["market"], r["recommendation"]))
        shown_row = r | {"home": r["team"] in home, "price": price}
        forecast = _forecast(shown_row, means[r["player_id"], r["market"]], outcomes, explanation)
        by_game.setdefault(r["game_id"], []).append(forecast)
    return by_game


def _detailed(shown: pd.DataFrame) -> "pd.Index[int]":
    """Select the rows shown with distribution and reasons: all calls, and the few others nearest to a call."""
    called = shown["recommendation"].isin(CALLS)
    near = shown[~called & shown["p_over"].notna()].nlargest(LEANS, "confidence", keep="first")
    return shown.index[called].union(near.index)


def _details(
    called: pd.DataFrame,
    players: pd.DataFrame,
    means: Mapping[tuple[int, str], Mapping[str, float]],
    absent: Sequence[Absence],
) -> dict[int, tuple[tuple[float, ...], tuple[Reason, ...]]]:
    """Compute distribution and reasons of rows, by index."""
    context = players.drop(columns=["game_id", "player_name", "team", "home_game", "injury_status"])
    rows = records(called.merge(context, on=PLAYER, how="left"))
    out = [a for a in absent if a.status == OUT]
    distributions = _outcomes(called)
    details = {}
    for place, r in zip(called.index, rows, strict=True):
        opening = r["opening_points_line"] if r["market"] == POINTS.name else None
        explained = r | {"unit": MARKETS[r["market"]].unit, "status": r["injury_status"], "opening_line": opening}
        averages = {n: m for n, m in means[r["player_id"], r["market"]].items() if n in AVERAGES}
        absent_team_mates = [a for a in out if a.team == r["team"]]
        details[place] = (distributions[place], reasons(explained, averages, absent_team_mates))
    return details


def _forecast(
    r: dict[str, Any], means: Mapping[str, float], outcomes: tuple[float, ...], explanation: tuple[Reason, ...]
) -> Forecast:
    return Forecast(
        player=r["player_name"],
        team=r["team"],
        opponent=r["opponent"],
        home=r["home"],
        market=r["market"],
        unit=MARKETS[r["market"]].unit,
        mean=r["predicted_mean"],
        q10=r["q10"],
        q25=r["q25"],
        median=r["q50"],
        q75=r["q75"],
        q90=r["q90"],
        outcomes=outcomes,
        line=r["line"],
        books=None if r["line_books"] is None else int(r["line_books"]),
        book_kind=r["line_book_kind"],
        p_over=r["p_over"],
        p_push=r["p_push"],
        call=r["recommendation"],
        confidence=r["confidence"],
        status=r["injury_status"],
        price=r["price"],
        reasons=explanation,
        others={s: m for s, m in means.items() if s != r["system_id"]},
    )


def _prices(best: pd.DataFrame) -> dict[tuple[str, int, str, str], Price]:
    """Index the best prices by system, player, market and side."""
    by_side = {}
    for r in records(best):
        for call, side in ((OVER, "over"), (UNDER, "under")):
            if r[f"best_{side}"]:
                price = Price(r["bookmaker"], r["line"], r[f"{side}_odds"], r[f"ev_{side}"])
                by_side[r["system_id"], r["player_id"], r["market"], call] = price
    return by_side


def _outcomes(rows: pd.DataFrame) -> dict[int, tuple[float, ...]]:
    """Compute P(0), P(1), ... of each row's forecast up to four standard deviations, by index."""
    by_row: dict[int, tuple[float, ...]] = {}
    for market, group in rows.groupby("market"):
        names = ("predicted_mean", "predicted_sd", "predicted_skewness")
        mean, sd, skewness = (group[c].to_numpy(dtype=float)[:, None] for c in names)
        tops = np.ceil(mean + 4 * sd)[:, 0].astype(int)
        law = Law.stored(mean, sd, skewness, str(market))
        over, _ = law.probability_over(np.arange(tops.max() + 1, dtype=float)[None] + 0.5)
        distributions = np.round(np.hstack([1 - over[:, :1], over[:, :-1] - over[:, 1:]]), 5).tolist()
        by_row |= {i: tuple(p[: top + 1]) for i, p, top in zip(group.index, distributions, tops, strict=True)}
    return by_row
