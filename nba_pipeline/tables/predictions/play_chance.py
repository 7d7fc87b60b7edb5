"""The chance that a listed player plays, learned from earlier days only.

Listed players are sorted into classes by the line-up, else by the statement in force and its age, the team's games they have
missed, and their minutes. The chance of a class is the share of its listed players who played on earlier days of the season,
balanced with a prior. No day that can be computed went into a prior: the fitted ones are from seasons before the first partition,
those of graded reports are the league's own definitions of its words, and those of line-ups are declared.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.report_types import LINEUP
from nba_pipeline.tables.analytics._availability import (
    AVAILABLE,
    DOUBTFUL,
    GRADED_TYPES,
    OUT,
    PROBABLE,
    QUESTIONABLE,
    STATUSES,
)
from nba_pipeline.tables.predictions.attendance import with_attendance

# A statement of yesterday still describes the day; an older one says little beyond the games missed since, except that who was
# placed on the list stays there.
FRESH_DAYS = 1
MINUTES, OPENING_MINUTES = (10, 20), (10, 20, 28)
FITTED_WEIGHT, DEFINED_WEIGHT = 200, 20  # player-days that a prior counts for
ACTIVATED, SILENT, OPENING = "activated", "silent", "opening"

# Share of listed players who played, regular seasons and play-offs of 2018-19 to 2020-21 (100,000 player-days): before the first
# partition, so that no forecast is measured on them. By the team's games missed: 0, 1, 2, 3, 4 or 5, more; none yet this season.
_FITTED_BY_MISSED: Mapping[str, tuple[float, ...]] = {
    OUT: (0.02, 0.35, 0.22, 0.17, 0.11, 0.08, 0.03),
    ACTIVATED: (0.75, 0.90, 0.70, 0.67, 0.50, 0.37, 0.54),
}
# The same without a statement, by mean minutes of the season under 10, under 20, and from 20 on.
_SILENT: Mapping[str, tuple[float, ...]] = {
    "0": (0.56, 0.88, 0.95),
    "1": (0.39, 0.48, 0.57),
    "2": (0.32, 0.41, 0.39),
    "3": (0.27, 0.36, 0.33),
    "4-5": (0.20, 0.28, 0.20),
}
# More games missed; and before the player's first game of the season for the team, in its second and third game, and later.
_SILENT_LONG = {"6+": 0.15, "new, 1-2": 0.07, "new, 3+": 0.02}
# In the team's first game of the season by minutes_form under 10, under 20, under 28, and from 28 on: many of the listed have
# left in summer, and those who played most are most likely to be still there. It happens once a season: nothing is learned.
CHANCE_OPENING = (0.15, 0.29, 0.61, 0.75)
# Graded reports of the day or the day before: what the league means by its words.
_DEFINED = {OUT: 0.0, DOUBTFUL: 0.25, QUESTIONABLE: 0.5, PROBABLE: 0.75, AVAILABLE: 1.0}

# Line-ups of the past are nowhere, so that there is nothing to fit: who is inactive does not play and who is confirmed to start
# does, but for one in a hundred, as line-ups are captured up to two hours before the game.
_LINEUP = {OUT: 0.01, AVAILABLE: 0.99}

MISSED = ("0", "1", "2", "3", "4-5", "6+", "new")
MINUTE_BANDS = ("low", "middle", "high")
# By class: the chance before any evidence, and the player-days that it counts for.
PRIOR: Mapping[str, tuple[float, int]] = {
    **{
        f"{kind}/{missed}": (share, FITTED_WEIGHT)
        for kind, shares in _FITTED_BY_MISSED.items()
        for missed, share in zip(MISSED, shares, strict=True)
    },
    **{
        f"{SILENT}/{missed}/{band}": (share, FITTED_WEIGHT)
        for missed, shares in _SILENT.items()
        for band, share in zip(MINUTE_BANDS, shares, strict=True)
    },
    **{f"{SILENT}/{missed}": (share, FITTED_WEIGHT) for missed, share in _SILENT_LONG.items()},
    **{
        f"reported {status}/{attended}": (share, DEFINED_WEIGHT)
        for status, share in _DEFINED.items()
        for attended in ("played", "missed")
    },
    **{f"{LINEUP} {status}": (share, DEFINED_WEIGHT) for status, share in _LINEUP.items()},
}


def outcomes(past_listed: ir.Table, games: ir.Table, offense: ir.Table) -> ir.Table:
    """Return what became of the listed players of earlier days whose team has played since.

    Args:
        past_listed: Listed players with game_id and the statement in force, as of each of their days.
        games: Facts of players of the season.
        offense: Facts of teams of the season.

    Returns:
        Rows of game_date, season, chance_class and played (1 or 0).
    """
    listed = past_listed.select(
        *("game_date", "season", "game_id", "player_id", "team"),
        *("injury_status", "injury_status_source", "injury_reported_on"),
    )
    rows = with_attendance(listed, games, offense, past=True)
    rows = shared(rows.mutate(chance_class=chance_class(rows)))
    took_part = games.select("game_date", "game_id", "player_id", took_part=ibis.literal(1, "int64"))
    # The order of the columns is part of the published formulas of v2.
    finished = rows.semi_join(offense, ["game_date", "game_id", "team"])
    joined = finished.left_join(took_part, ["game_date", "game_id", "player_id"])
    return shared(
        joined.select(
            finished.game_date,
            finished.season,
            finished.chance_class,
            played=took_part.took_part.fill_null(0),
        )
    )


def with_play_chance(rows: ir.Table, past: ir.Table) -> ir.Table:
    """Add `play_chance`; NULL where the player's minutes are not known.

    Args:
        rows: Listed players with attendance, the statement in force and `minutes_form`.
        past: `outcomes` of the season; those of the day itself and later are not used.
    """
    classed = shared(rows.mutate(__class=chance_class(rows)))
    facts = past.select("game_date", "season", "played", __class=past.chance_class)
    learned = {"__n": asof.count(), "__played": asof.total("played")}
    known = asof.attach(classed, facts, learned, by=("__class",))
    prior, weight = (known["__class"].cases(*[(c, p[i]) for c, p in PRIOR.items()], else_=None) for i in (0, 1))
    share = (known["__played"].fill_null(0) + weight * prior) / (known["__n"] + weight)
    opening = _banded(known.minutes_form, OPENING_MINUTES, CHANCE_OPENING)
    chance = (known["__class"] == OPENING).ifelse(opening, share)
    return known.mutate(play_chance=known.minutes_form.notnull().ifelse(chance, None))


def chance_class(rows: ir.Table) -> ir.StringValue:
    """Return the class of each listed player: a key of `PRIOR`, or `OPENING`.

    Args:
        rows: Listed players with attendance and the line-up or statement in force.
    """
    age = rows.game_date.delta(rows.injury_reported_on, unit="day")
    fresh = (age <= FRESH_DAYS).fill_null(False)
    status, missed = rows.injury_status, rows.team_games_missed
    reported = fresh & rows.injury_status_source.isin(list(GRADED_TYPES)).fill_null(False)
    games: Any = ibis.cases(
        (missed.isnull(), "new"), (missed <= 3, missed.cast("string")), (missed <= 5, "4-5"), else_="6+"
    )
    unseen: Any = ibis.cases(
        (rows["h_team_games"] == 0, OPENING), (rows["h_team_games"] <= 2, "new, 1-2"), else_="new, 3+"
    )
    silent = ibis.cases(
        (missed.isnull() & (unseen == OPENING), OPENING),
        (missed.isnull(), f"{SILENT}/" + unseen),
        (missed > 5, f"{SILENT}/6+"),
        else_=f"{SILENT}/" + games + "/" + _banded(rows["h_minutes"], MINUTES, MINUTE_BANDS),
    )
    attended: Any = (missed == 0).fill_null(False).ifelse("played", "missed")
    return ibis.cases(
        (rows.injury_status_source == LINEUP, f"{LINEUP} " + status),
        (reported & status.isin(list(STATUSES)), "reported " + status + "/" + attended),
        (status == OUT, f"{OUT}/" + games),
        ((status == AVAILABLE) & fresh, f"{ACTIVATED}/" + games),
        else_=silent,
    )


def _banded(value: ir.FloatingValue, bounds: tuple[int, ...], by_band: tuple) -> Any:
    """The entry of `by_band` whose bound the value lies under; the last from the highest bound on."""
    *under, more = by_band
    return ibis.cases(*[(value < b, v) for b, v in zip(bounds, under, strict=True)], else_=more)
