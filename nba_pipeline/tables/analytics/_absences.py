"""Effects of absences known at the cut-off: number of absent players, stars among them, usage that team-mates take over."""

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.tables.analytics._availability import DOUBTFUL, OUT, QUESTIONABLE

STAR_POINTS = 18
STAR_GAMES = 5
SCALE = 10_000


def with_absences(listed: ir.Table) -> ir.Table:
    """Add star_teammates_out and projected_usage_rate; both are NULL if the source does not report availability.

    `listed` has (game_date, team, player_id), injury_status, injuries_reported, `points_avg_season` (NULL under five games),
    `avg_usage_rate_last_7_games` and `minutes_avg_last_7_games`.
    """
    is_out = (listed.injury_status == OUT).fill_null(False)
    is_star = (listed.points_avg_season >= STAR_POINTS).fill_null(False)
    usage, minutes = listed.avg_usage_rate_last_7_games, listed.minutes_avg_last_7_games
    known = usage.notnull() & minutes.notnull()
    rows = listed.mutate(
        __star_out=(is_out & is_star).cast("int64"),
        __out=is_out,
        __minutes=known.ifelse(_scaled(minutes), 0),
        __used=known.ifelse(_scaled(usage * minutes), 0),
    )
    team = ibis.window(group_by=[rows.game_date, rows.team])
    rows = rows.mutate(
        __stars_out=rows["__star_out"].sum().over(team) - rows["__star_out"],
        __all_minutes=rows["__minutes"].sum().over(team),
        __mean_usage=_ratio(
            rows["__out"].ifelse(0, rows["__used"]).sum().over(team),
            rows["__out"].ifelse(0, rows["__minutes"]).sum().over(team),
        ),
    )
    above = (
        (rows["__used"].cast("float64") - rows["__mean_usage"] * rows["__minutes"].cast("float64"))
        .round()
        .cast("int64")
    )
    rows = rows.mutate(__left=(rows["__out"] & (above > 0)).fill_null(False).ifelse(above, 0))
    team = ibis.window(group_by=[rows.game_date, rows.team])
    left = (rows["__left"].sum().over(team) - rows["__left"]).cast("float64")
    taken = (left / (rows["__mean_usage"] * rows["__all_minutes"].cast("float64")).nullif(0.0)).fill_null(0.0)
    speaks = rows.injuries_reported
    return rows.mutate(
        star_teammates_out=speaks.ifelse(rows["__stars_out"], None),
        projected_usage_rate=speaks.ifelse(rows.avg_usage_rate_last_7_games * (1.0 + taken), None),
    ).drop("__star_out", "__out", "__minutes", "__used", "__stars_out", "__all_minutes", "__mean_usage", "__left")


def absence_counts(listed: ir.Table) -> ir.Table:
    """Per team and day, listed players by status; NULL if the source reports no availability, or never grades it."""

    def number(status: str, spoken: ir.BooleanValue) -> ir.IntegerValue:
        counted = (listed.injury_status == status).fill_null(False).cast("int64").sum()
        return spoken.cast("int64").max().cast("boolean").ifelse(counted, None)

    return listed.group_by("game_date", "team").aggregate(
        players_out_count=number(OUT, listed.injuries_reported),
        players_doubtful_count=number(DOUBTFUL, listed.injuries_graded),
        players_questionable_count=number(QUESTIONABLE, listed.injuries_graded),
    )


def _scaled(value: ir.FloatingValue) -> ir.IntegerValue:
    return (value * SCALE).round().cast("int64")


def _ratio(top: ir.IntegerValue, bottom: ir.IntegerValue) -> ir.FloatingValue:
    return top.cast("float64") / bottom.cast("float64").nullif(0.0)
