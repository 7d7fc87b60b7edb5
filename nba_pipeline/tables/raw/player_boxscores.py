"""nba_raw.player_boxscores: one line of a box score per player who appeared."""

from datetime import date

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw._schedule_witnesses import PLAYERS_OF_A_GAME, may_count
from nba_pipeline.tables.raw.columns import (
    BOX_RULES,
    ORDINARY,
    UNSCHEDULED,
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
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME


class PlayerBoxscores(BoxCounts):
    """Box-score lines as provided by the source. One row per game and player who appeared in it."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    team: str = tricode("tricode of the player's team")
    opponent: str = tricode("tricode of the opponent")
    is_home: bool = column("true for the home team")
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name", str_matches=r"^.{1,100}$")
    starter: bool = column("true for the five starters; NULL if the source does not state it", nullable=True)
    minutes: float = column(
        "minutes played",
        unit="minutes",
        precision=3,
        formula="decimal minutes if the source provides them, else whole minutes",
        ge=0,
        le=70,
    )
    minutes_are_exact: bool = column("true if minutes are decimal, false if the source rounds them")
    plus_minus: int = column("point differential while on the floor", unit="points", nullable=True, ge=-80, le=80)


PLAYER_BOXSCORES = Table(
    model=PlayerBoxscores,
    name="player_boxscores",
    dataset="nba_raw",
    key=("game_id", "player_id"),
    partition="game_date",
    cluster=("player_id", "team"),
    on_bad_row="quarantine",
    rules=BOX_RULES,
    group_rules={
        "a game has a number of teams other than two": (("game_id",), lambda t: t.team.nunique() == 2),
        "a team has fewer than five or more than twenty players": (
            ("game_id", "team"),
            lambda t: t.count().between(5, 20),
        ),
    },
)


def build(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    """Type the lines and hold them against the schedule of the day."""
    landing = with_tricodes(landing, "team", "opponent")
    rows = landing.left_join(schedule, equal(landing, schedule, *GAME))
    exact = landing.min_exact.notnull()
    return rows.select(
        game_id=landing.game_id,
        game_date=landing.game_date,
        team=landing.team,
        opponent=landing.opponent,
        is_home=landing.is_home,
        player_id=landing.player_id,
        player_name=landing.player_name,
        starter=landing.starter,
        minutes=exact.ifelse(landing.min_exact, landing.min.cast("float64")),
        minutes_are_exact=exact,
        **counts(landing),
        plus_minus=landing.plus_minus,
        reject_reason=first_reason(
            landing_reason(landing),
            game_reason(landing, schedule),
            result_reason(schedule),
        ),
    )


def scores_differ(schedule: ir.Table, result: ir.Table) -> ir.Table:
    """Return teams whose players' points do not add up to the final score."""
    sums = result.group_by(day=result.game_date, game_id=result.game_id, team=result.team).aggregate(
        added=lambda t: t.points.sum()
    )
    joined = sums.inner_join(schedule, [sums.game_id == schedule.game_id, sums.day == schedule.game_date])
    score = (sums.team == schedule.home_team).ifelse(schedule.home_points, schedule.away_points)
    wrong = joined.filter(sums.added != score)
    text = sums.game_id + " " + sums.team + ": players " + sums.added.cast("string") + ", score " + score.cast("string")
    return wrong.select(day=sums.day, entity=text)


def whole_strangers(rejects: ir.Table) -> ir.Table:
    """Games of which a whole box score was set aside because the schedule does not have them."""
    rows = rejects.filter(rejects.day.notnull() & (rejects.reason == UNSCHEDULED))
    games = rows.group_by("day", game_id=rows.row["game_id"].str).aggregate(lines=rows.count())
    whole = games.filter((games.lines >= PLAYERS_OF_A_GAME) & may_count(games.game_id))
    return whole.select("day", entity=whole.game_id.fill_null("no id"))


TRANSFORM = Transform(
    PLAYER_BOXSCORES,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.PLAYER_BOXSCORES},
    expected=both_teams,
    counted="teams",
    cross_checks={"players' points differ from the final score": scores_differ},
    witness_checks={"whole box scores of games that the schedule does not have on their day": whole_strangers},
    ordinary_rejects=ORDINARY,
    watched=("starter", "plus_minus"),
)
