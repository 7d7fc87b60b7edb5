"""Explain a forecast: the player's form, the terms that the system added to it, and the context of the game."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nba_pipeline.domain.report_types import LINEUP
from nba_pipeline.reporting.data import Absence, Reason
from nba_pipeline.tables.analytics._availability import AVAILABLE

Row = Mapping[str, Any]

AVERAGES = {"last_5": "over 5 games", "last_10": "over 10", "season_average": "this season"}

# Text of each term of the systems; {opponent} is the tricode, {amount} the term with its sign and unit.
TERMS = {
    "paint": "{opponent}'s defence of the paint: {amount}",
    "mid_range": "{opponent}'s defence of mid-range: {amount}",
    "threes": "{opponent}'s defence of the arc: {amount}",
    "free_throws": "free throws allowed by {opponent}: {amount}",
    "shot_zone_mismatch": "{opponent}'s defence of the player's zones: {amount}",
    "similar_games": "the player's games of this kind: {amount}",
    "pace": "pace: {amount}",
    "usage": "usage of absent team-mates: {amount}",
    "fatigue": "fatigue: {amount}",
}
SMALLEST_TERM = 0.15
WIDE_EDGE = 0.75

# Edges of the feature store, for systems without matchup terms.
EDGES = {
    "paint": ("paint_volume_edge", "paint_accuracy_edge"),
    "mid_range": ("mid_range_volume_edge", "mid_range_accuracy_edge"),
    "threes": ("three_pt_volume_edge", "three_pt_accuracy_edge"),
}
SMALLEST_EDGE = 0.5
SMALLEST_PACE_EDGE = 0.02
SCORING_MARKETS = ("points", "pra")

# Smallest difference from the league, per game, at which what an opponent allows is mentioned.
NOTED_ALLOWED = {"points": 3.0, "rebounds": 1.5, "assists": 1.5, "threes": 1.0, "pra": 5.0}

ROLE = ("minutes_expected", "minutes_avg_season", "team_games_missed", "spread_size")
NOTED_MINUTES = 0.15
ONE_SIDED = 12.0
RESTED = 3
FORM_CHANGE = 0.15
NOTED_AVERAGE = 10.0
NAMES_AT_MOST = 3
UNSURE = ("questionable", "doubtful", "probable")


def reasons(row: Row, averages: Mapping[str, float], absent: Sequence[Absence]) -> tuple[Reason, ...]:
    """List the reasons of one forecast, form first.

    Args:
        row: the forecast (`market`, `unit`, `components`, `predicted_mean`, `predicted_sd`), its game (`opponent`,
            `days_rest`, `back_to_back`, `status`, `opening_line`, `line`) and its features by name.
        averages: means of the baseline systems in this market, by system.
        absent: team-mates who are out.
    """
    own_terms = {n: v for n, v in json.loads(row["components"] or "{}").items() if v is not None}
    return (
        *_form(averages),
        *_market(row),
        *_disagreement(row),
        *_terms(own_terms, row),
        *_edges(own_terms, row),
        *_allowed(own_terms, row),
        *_minutes(row),
        *_team_mates(absent),
        *_rest(row),
        *_availability(row),
    )


def _form(averages: Mapping[str, float]) -> Iterator[Reason]:
    texts = [f"{averages[n]:.1f} {words}" for n, words in AVERAGES.items() if n in averages]
    if not texts:
        return
    recent, season = averages.get("last_5"), averages.get("season_average")
    lifts = 0
    if recent is not None and season:
        change = recent / season - 1
        lifts = int(change >= FORM_CHANGE) - int(change <= -FORM_CHANGE)
    yield Reason(f"averages {', '.join(texts)}", lifts)


def _market(row: Row) -> Iterator[Reason]:
    line, opening = row["line"], row["opening_line"]
    if line is not None and opening is not None and line != opening:
        yield Reason(f"line moved from {opening:g} to {line:g}", 1 if line > opening else -1)


def _disagreement(row: Row) -> Iterator[Reason]:
    if row["line"] is not None and abs(row["predicted_mean"] - row["line"]) >= WIDE_EDGE * row["predicted_sd"]:
        side = "below" if row["line"] < row["predicted_mean"] else "above"
        yield Reason(
            f"the line is far {side} the forecast: the books may have information that the data lack",
            -1 if side == "below" else 1,
        )


def _terms(own: Mapping[str, float], row: Row) -> Iterator[Reason]:
    large = {n: v for n, v in own.items() if n in TERMS and abs(v) >= SMALLEST_TERM}
    for name, value in sorted(large.items(), key=lambda item: -abs(item[1])):
        amount = f"{value:+.1f} {row['unit']}".replace("-", "−")
        yield Reason(TERMS[name].format(opponent=row["opponent"], amount=amount), 1 if value > 0 else -1)


def _edges(own: Mapping[str, float], row: Row) -> Iterator[Reason]:
    if row["market"] in SCORING_MARKETS and not own.keys() & EDGES.keys():
        for zone, features in EDGES.items():
            edge = sum(row[f] for f in features if row[f] is not None)
            if abs(edge) >= SMALLEST_EDGE:
                more = "more" if edge > 0 else "less"
                where = {"paint": "in the paint", "mid_range": "from mid-range", "threes": "behind the arc"}[zone]
                yield Reason(f"{row['opponent']} allows {more} than the league {where}", 1 if edge > 0 else -1)
    pace = row["pace_edge"]
    if "pace" not in own and pace is not None and abs(pace) >= SMALLEST_PACE_EDGE:
        kind = "faster" if pace > 0 else "slower"
        yield Reason(f"a {kind} game than usual for the team ({100 * pace:+.0f} % possessions)", 1 if pace > 0 else -1)


def _allowed(own: Mapping[str, float], row: Row) -> Iterator[Reason]:
    beyond = row[allowed(row["market"])]
    if beyond is not None and not own.keys() & EDGES.keys() and abs(beyond) >= NOTED_ALLOWED[row["market"]]:
        more = "more" if beyond > 0 else "fewer"
        amount = f"{abs(beyond):.1f} {row['unit']} a game {more} than the league"
        yield Reason(f"{row['opponent']} allows {amount}", 1 if beyond > 0 else -1)


def allowed(market: str) -> str:
    """Name the feature of what the opponent allows in the market, minus the league's mean."""
    return f"opponent_{market}_allowed"


def _minutes(row: Row) -> Iterator[Reason]:
    expected, usual = row["minutes_expected"], row["minutes_avg_season"]
    if expected is not None and usual:
        change = expected / usual - 1
        if abs(change) >= NOTED_MINUTES:
            yield Reason(f"{'more' if change > 0 else 'fewer'} minutes expected than usual", 1 if change > 0 else -1)
    if row["team_games_missed"]:
        n = int(row["team_games_missed"])
        yield Reason(f"missed the team's last {'game' if n == 1 else f'{n} games'}", -1)
    if row["spread_size"] is not None and row["spread_size"] >= ONE_SIDED:
        yield Reason(f"large spread: {row['spread_size']:g} points", -1)


def _team_mates(absent: Sequence[Absence]) -> Iterator[Reason]:
    noted = sorted((a for a in absent if (a.points or 0) >= NOTED_AVERAGE), key=lambda a: -(a.points or 0))
    if noted:
        names = ", ".join(f"{a.player} ({a.points:.1f} points a game)" for a in noted[:NAMES_AT_MOST])
        rest = len(noted) - NAMES_AT_MOST
        yield Reason(f"without {names}{f' and {rest} more' if rest > 0 else ''}", 1)


def _rest(row: Row) -> Iterator[Reason]:
    if row["back_to_back"]:
        yield Reason("played the day before", -1)
    elif row["days_rest"] is not None and row["days_rest"] >= RESTED and not row["team_games_missed"]:
        yield Reason(f"{row['days_rest']} days of rest", 1)


def _availability(row: Row) -> Iterator[Reason]:
    if row["status"] in UNSURE:
        yield Reason(f"listed as {row['status']}", -1)
    elif row["status"] == AVAILABLE and row["injury_status_source"] == LINEUP:
        yield Reason("confirmed to start", 1)
