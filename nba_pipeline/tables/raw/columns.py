"""Columns and reject reasons shared by the raw tables."""

from typing import Any

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import union
from nba_pipeline.contracts.table import Rows, column
from nba_pipeline.domain.game_states import CALLED_OFF, FINAL, absence
from nba_pipeline.domain.teams import TRICODES, tricode_expression
from nba_pipeline.sources.landing import PROBLEMS
from nba_pipeline.tables.shared.keys import GAME

LINE_CAPTURED_LATE = "captured after tip-off"
UNSCHEDULED = "its game is not in the schedule of that day"
NO_RESULT = "its game has no final score yet"
NOT_IN_GAME = "its team does not play in that game"
MOVED = "its game was called off on that day, and moved to another"
# Rows that are set aside for these reasons say nothing against their feed.
ORDINARY = frozenset({LINE_CAPTURED_LATE, NO_RESULT, MOVED})


def tricode(description: str, **more: Any) -> Any:
    """Declare a column that holds one of the thirty tricodes."""
    return column(description, isin=list(TRICODES), **more)


def with_tricodes(landing: ir.Table, *columns: str) -> ir.Table:
    """The rows with the tricodes of other sources in these columns (BRK, PHO) as the league's; unknown ones as they are."""
    return landing.mutate(**{c: tricode_expression(landing[c]) for c in columns})


class BoxCounts(Rows):
    """The counting statistics of a box score, of a player or of a team. One row per line of a box score."""

    points: int = column("points scored", unit="points", ge=0, le=200)
    fg_makes: int = column("field goals made", unit="shots", ge=0, le=90)
    fg_attempts: int = column("field goals attempted", unit="shots", ge=0, le=150)
    three_pt_makes: int = column("three-pointers made", unit="shots", ge=0, le=45)
    three_pt_attempts: int = column("three-pointers attempted", unit="shots", ge=0, le=90)
    ft_makes: int = column("free throws made", unit="shots", ge=0, le=80)
    ft_attempts: int = column("free throws attempted", unit="shots", ge=0, le=90)
    offensive_rebounds: int = column("offensive rebounds", unit="rebounds", ge=0, le=50)
    defensive_rebounds: int = column("defensive rebounds", unit="rebounds", ge=0, le=80)
    rebounds: int = column("rebounds", unit="rebounds", ge=0, le=110)
    assists: int = column("assists", unit="assists", ge=0, le=70)
    steals: int = column("steals", unit="steals", ge=0, le=40)
    blocks: int = column("blocks", unit="blocks", ge=0, le=40)
    turnovers: int = column("turnovers", unit="turnovers", ge=0, le=50)
    personal_fouls: int = column("personal fouls", unit="fouls", ge=0, le=60)


# Contract column -> landing column of the counts above.
LANDING_COUNTS = {
    "points": "pts",
    "fg_makes": "fgm",
    "fg_attempts": "fga",
    "three_pt_makes": "fg3m",
    "three_pt_attempts": "fg3a",
    "ft_makes": "ftm",
    "ft_attempts": "fta",
    "offensive_rebounds": "oreb",
    "defensive_rebounds": "dreb",
    "rebounds": "reb",
    "assists": "ast",
    "steals": "stl",
    "blocks": "blk",
    "turnovers": "tov",
    "personal_fouls": "pf",
}

BOX_RULES = {
    "points are not 2·FG + 3·3P + FT": lambda t: (
        t.points == 2 * (t.fg_makes - t.three_pt_makes) + 3 * t.three_pt_makes + t.ft_makes
    ),
    "rebounds are not offensive + defensive": lambda t: t.rebounds == t.offensive_rebounds + t.defensive_rebounds,
    "more field goals made than attempted": lambda t: t.fg_makes <= t.fg_attempts,
    "more threes made than attempted": lambda t: t.three_pt_makes <= t.three_pt_attempts,
    "more threes attempted than field goals": lambda t: t.three_pt_attempts <= t.fg_attempts,
    "more free throws made than attempted": lambda t: t.ft_makes <= t.ft_attempts,
}


def counts(landing: ir.Table) -> dict[str, ir.Value]:
    """Return the counting columns under their contract names."""
    return {name: landing[source] for name, source in LANDING_COUNTS.items()}


def first_reason(*reasons: ir.StringValue) -> ir.StringValue:
    """Return the first reason that is not NULL; NULL if all are."""
    return ibis.coalesce(*reasons)


def when(condition: ir.BooleanValue, reason: str) -> ir.StringValue:
    """Return the reason where the condition is true, else NULL."""
    return condition.fill_null(False).ifelse(reason, ibis.null("string"))


def both_teams(schedule: ir.Table) -> ir.Table:
    """Return the expected rows: both teams of every countable game; absent without fault where its state excuses it."""
    games = schedule.filter(schedule.countable)
    sides = [games.select(*GAME, team=games[side], reason=absence(games.status)) for side in ("home_team", "away_team")]
    return union(*sides)


def called_off_reason(schedule: ir.Table) -> ir.StringValue:
    """Why a game that is not played on its day needs no lines; NULL for any other game."""
    return schedule.status.isin(CALLED_OFF).ifelse(absence(schedule.status), ibis.null("string"))


def result_reason(schedule: ir.Table) -> ir.StringValue:
    """Why rows of a box score cannot be used for the state of their game; NULL where it is final."""
    return first_reason(
        when(schedule.status.isin(CALLED_OFF) & schedule.postponed_to.notnull(), MOVED),
        when(schedule.status != FINAL, NO_RESULT),
    )


def landing_reason(landing: ir.Table) -> ir.StringValue:
    """Return the reason of rows with values that could not be converted to their types."""
    return landing[PROBLEMS]


def team_reason(rows: ir.Table, games: ir.Table) -> ir.StringValue:
    """Return why the team of a row contradicts the schedule. `rows` are left-joined to `games` by game and day."""
    return when((rows.team != games.home_team) & (rows.team != games.away_team), NOT_IN_GAME)


def game_reason(rows: ir.Table, games: ir.Table) -> ir.StringValue:
    """Return why a row contradicts the schedule. `rows` are left-joined to `games` by game and day."""
    other = (rows.team == games.home_team).ifelse(games.away_team, games.home_team)
    return first_reason(
        when(games.game_id.isnull(), UNSCHEDULED),
        team_reason(rows, games),
        when(rows.opponent != other, "its opponent is not the other team of that game"),
        when(rows.is_home != (rows.team == games.home_team), "home and away are the other way round in the schedule"),
    )
