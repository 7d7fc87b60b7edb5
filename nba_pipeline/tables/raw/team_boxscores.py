"""nba_raw.team_boxscores: two lines per game, from the source or summed from the players' lines."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import (
    BOX_RULES,
    LANDING_COUNTS,
    ORDINARY,
    BoxCounts,
    both_teams,
    counts,
    first_reason,
    game_reason,
    landing_reason,
    result_reason,
    tricode,
    with_tricodes,
)
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME

REGULATION, OVERTIME = 240, 25

# Tolerated difference between the players' and the team's minutes. Largest on real data: 0.2 for decimal minutes, 4 for whole.
EXACT_MINUTES, WHOLE_MINUTES = 0.5, 6.0


class TeamBoxscores(BoxCounts):
    """Team totals of a game. One row per team in a game."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    team: str = tricode("tricode")
    opponent: str = tricode("tricode of the opponent")
    is_home: bool = column("true for the home team")
    overtime_periods: int = column(
        "overtime periods", formula="(player minutes - 240) / 25, rounded; sources round minutes per player", ge=0, le=6
    )
    minutes: int = column("player minutes", unit="minutes", formula="240 + 25 per overtime", ge=REGULATION, le=390)
    summed_from_players: bool = column("true if the source has no team line and the players' lines were summed")


TEAM_BOXSCORES = Table(
    model=TeamBoxscores,
    name="team_boxscores",
    dataset="nba_raw",
    key=("game_id", "team"),
    partition="game_date",
    cluster=("team",),
    on_bad_row="quarantine",
    rules=BOX_RULES,
    group_rules={"a game has a number of teams other than two": (("game_id",), lambda t: t.count() == 2)},
)


def _overtimes(minutes: ir.NumericValue) -> ir.IntegerValue:
    return ((minutes - REGULATION) / OVERTIME).round().cast("int64")


def _from_source(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    rows = landing.left_join(schedule, equal(landing, schedule, *GAME))
    overtimes = _overtimes(landing.min)
    return rows.select(
        game_id=landing.game_id,
        game_date=landing.game_date,
        team=landing.team,
        opponent=landing.opponent,
        is_home=landing.is_home,
        overtime_periods=overtimes,
        minutes=REGULATION + OVERTIME * overtimes,
        summed_from_players=ibis.literal(False),
        **counts(landing),
        reject_reason=first_reason(
            landing_reason(landing),
            game_reason(landing, schedule),
            result_reason(schedule),
        ),
    )


def _from_players(landing: ir.Table, players: ir.Table) -> ir.Table:
    missing = players.anti_join(landing, [*GAME, "team"])
    group = missing.group_by(*GAME, "team", "opponent", "is_home")
    summed = group.aggregate(**{n: missing[n].sum() for n in LANDING_COUNTS}, played=missing.minutes.sum())
    overtimes = _overtimes(summed.played)
    return summed.select(
        "game_id",
        "game_date",
        "team",
        "opponent",
        "is_home",
        overtime_periods=overtimes,
        minutes=REGULATION + OVERTIME * overtimes,
        summed_from_players=ibis.literal(True),
        **{n: summed[n] for n in LANDING_COUNTS},
        reject_reason=ibis.null("string"),
    )


def build(landing: ir.Table, schedule: ir.Table, players: ir.Table) -> ir.Table:
    """The source's team lines, and sums of the published player lines where it has none."""
    landing = with_tricodes(landing, "team", "opponent")
    return _from_source(landing, schedule).union(_from_players(landing, players))


def scores_differ(schedule: ir.Table, result: ir.Table) -> ir.Table:
    """Return team lines whose points are not the final score."""
    joined = result.inner_join(schedule, GAME)
    score = (result.team == schedule.home_team).ifelse(schedule.home_points, schedule.away_points)
    text = result.game_id + " " + result.team + ": " + result.points.cast("string") + ", score " + score.cast("string")
    return joined.filter(result.points != score).select(day=result.game_date, entity=text)


def players_differ(players: ir.Table, result: ir.Table) -> ir.Table:
    """Return team lines that are not the sum of their players: a player's line is missing or duplicated.

    A team may have turnovers of its own; whole minutes are rounded per player.
    """
    group = players.group_by(*GAME, "team")
    sums = group.aggregate(
        **{f"sum_{n}": players[n].sum() for n in LANDING_COUNTS},
        played=players.minutes.sum(),
        exact=players.minutes_are_exact.all(),
    )
    both = result.inner_join(sums, [*GAME, "team"])
    differences: ir.StringValue = ibis.literal("")
    for n in LANDING_COUNTS:
        line, added = both[n], both[f"sum_{n}"]
        wrong = added > line if n == "turnovers" else added != line
        differences = differences + wrong.ifelse(
            f" {n} " + line.cast("string") + ", players " + added.cast("string"), ""
        )
    rounding = both.exact.ifelse(EXACT_MINUTES, WHOLE_MINUTES)
    apart = (both.played - both.minutes).abs() > rounding
    minutes = " minutes " + both.minutes.cast("string") + ", players " + both.played.round(1).cast("string")
    differences = differences + apart.ifelse(minutes, "")
    text = both.game_id + " " + both.team + ":" + differences
    return both.filter(differences != "").select(day=both.game_date, entity=text)


TRANSFORM = Transform(
    TEAM_BOXSCORES,
    build,
    reads={"schedule": asof.same_day(SCHEDULE), "players": asof.same_day(PLAYER_BOXSCORES)},
    feeds={"landing": feeds.TEAM_BOXSCORES},
    expected=both_teams,
    cross_checks={
        "a team's points differ from the final score": scores_differ,
        "a team's line is not the sum of its players": players_differ,
    },
    ordinary_rejects=ORDINARY,
)
