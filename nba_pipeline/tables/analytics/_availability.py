"""Availability of listed players as of the cut-off, from transactions and reports, never from box scores."""

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared, union
from nba_pipeline.domain.report_types import OFFICIAL, PRE_GAME_TYPES, SNAPSHOT
from nba_pipeline.tables.shared.listed_players import STATEMENT_DAYS

OUT, DOUBTFUL, QUESTIONABLE, PROBABLE, AVAILABLE = "out", "doubtful", "questionable", "probable", "available"
STATUSES = (OUT, DOUBTFUL, QUESTIONABLE, PROBABLE, AVAILABLE)
WORDS: dict[str, tuple[str, ...]] = {
    OUT: ("out", "placed_out", "injured", "out for season", "out indefinitely", "suspended", "inactive", "ruled out"),
    DOUBTFUL: ("doubtful", "unlikely to play"),
    QUESTIONABLE: (
        *("questionable", "day to day", "day-to-day", "game-time decision", "game time decision"),
        *("tbd", "uncertain to play", "could return"),
    ),
    PROBABLE: (
        *("probable", "likely to play", "expected to play", "expects to play", "expected to be available"),
        *("on track to play", "optimistic to play", "plans to play", "intends to play", "said he'll play"),
    ),
    AVAILABLE: (
        *("available", "activated", "available to play", "in", "active", "will play"),
        *("not on injury report", "not listed on injury report"),
    ),
}
GRADED_TYPES = (SNAPSHOT, OFFICIAL)
DAYS_BEFORE_SEASON = 90
SILENT_DAYS = 7


def status_of(words: ir.StringValue) -> ir.StringValue:
    """Return the status for the source's wording; NULL if it matches none of the five."""
    known = [(word, status) for status, said in WORDS.items() for word in said]
    return words.strip().lower().cases(*known, else_=ibis.null("string"))


def pre_game_statements(earlier_reports: ir.Table, reports: ir.Table) -> ir.Table:
    """Statements about identified players, each once: those of the days before and those of the day itself."""
    columns = ("player_id", "report_date", "reported_at", "record_type", "status")
    both: ir.Table = union(earlier_reports.select(*columns), reports.select(*columns), distinct=True)
    return both.filter(both.record_type.isin(list(PRE_GAME_TYPES)) & both.player_id.notnull())


def with_status(listed: ir.Table, statements: ir.Table) -> ir.Table:
    """Add injury_status, injury_status_source, injury_reported_on and statement_known_at: the latest statement in force at the
    cut-off, the more severe one of several at the same time.

    `listed` has (game_date, player_id, cutoff_at, opening) and `last_game_date`, `last_cutoff_at` of the player's latest game of
    the season. A statement that was out by the cut-off of that game is no longer in force: the player has played since.
    """
    pairs = listed.inner_join(statements, "player_id")
    known = asof.reported_in_time(statements.reported_at, statements.report_date, listed.game_date, listed.cutoff_at)
    overtaken = asof.reported_in_time(
        statements.reported_at, statements.report_date, listed.last_game_date, listed.last_cutoff_at
    )
    old = (listed.game_date.delta(statements.report_date, unit="day") > STATEMENT_DAYS) | (
        listed.opening.delta(statements.report_date, unit="day") > DAYS_BEFORE_SEASON
    )
    in_force = pairs.filter(known, ~overtaken.fill_null(False), ~old.fill_null(False)).select(
        listed.game_date,
        listed.player_id,
        statements.report_date,
        statements.record_type,
        injury_status=status_of(statements.status),
        known_at=statements.reported_at.fill_null(_end_of(statements.report_date)),
    )
    severity = in_force.injury_status.cases(*[(s, i) for i, s in enumerate(STATUSES)], else_=len(STATUSES))
    newest = ibis.window(
        group_by=[in_force.game_date, in_force.player_id],
        order_by=[in_force.known_at.desc(), severity, in_force.record_type, in_force.report_date.desc()],
    )
    latest = in_force.mutate(__place=ibis.row_number().over(newest)).filter(lambda t: t["__place"] == 0)
    joined = listed.left_join(latest, ["game_date", "player_id"]).select(
        listed,
        latest.injury_status,
        injury_status_source=latest.record_type,
        injury_reported_on=latest.report_date,
        statement_known_at=latest.known_at,
    )
    return shared(joined)


def _end_of(day: ir.DateValue) -> ir.TimestampValue:
    return (day.cast("timestamp") + ibis.interval(days=1)).cast("timestamp('UTC')")


def with_coverage(listed: ir.Table, statements: ir.Table) -> ir.Table:
    """Add injuries_reported and injuries_graded: whether the source recently reported availability, and graded it.

    `listed` carries injury_status_source and injury_reported_on. Statements of the seven days before the day count, and those
    of the day that are in force for any player in the same game.
    """
    graded = statements.record_type.isin(list(GRADED_TYPES))
    said = statements.mutate(graded=graded.ifelse(1, ibis.null("int64")))
    counts = {"__said": asof.count(days=SILENT_DAYS), "__graded": asof.count("graded", days=SILENT_DAYS)}
    counted = asof.attach(listed, said, counts, by=(), fact_day="report_date", within=())
    today = (counted.injury_reported_on == counted.game_date).fill_null(False)
    today_graded = today & counted.injury_status_source.isin(list(GRADED_TYPES)).fill_null(False)
    game = ibis.window(group_by=[counted.game_date, counted.game_id])
    return counted.mutate(
        injuries_reported=(counted["__said"] + today.cast("int64").max().over(game)) > 0,
        injuries_graded=(counted["__graded"] + today_graded.cast("int64").max().over(game)) > 0,
    ).drop("__said", "__graded")
