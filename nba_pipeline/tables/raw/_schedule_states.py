"""In which state each row of the schedule leaves its game, and on which day a game takes place that is listed on several."""

import ibis

from nba_pipeline.asof.cutoffs import cutoff
from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.eastern_time import eastern_date
from nba_pipeline.domain.game_states import (
    CANCELLED,
    FINAL,
    IN_PROGRESS,
    NOT_NEEDED,
    POSTPONED,
    SCHEDULED,
    STATES,
    UNKNOWN,
    is_called_off,
    state_expression,
)
from nba_pipeline.tables.shared.keys import GAME

PLAYOFFS, WINS_OF_A_SERIES = "004", 4
RESULTLESS = (SCHEDULED, IN_PROGRESS)
# How strongly a row says that its game takes place on its day: it has a result, it may be played, it is called off.
PLAYED, LISTED, OFF = 2, 1, 0


def with_states(landing: ir.Table, season: ir.Table, clock: ir.Table) -> ir.Table:
    """Add to rows of the schedule feed what follows from them and from the feed's other rows of the season.

    Args:
        landing: Rows of the schedule feed of the days asked for.
        season: Rows of the same feed of the whole seasons of these days.
        clock: One row with the moment of the run (`now`).

    Returns:
        The rows of `landing` with `state`, `moved_to` (the day on which a postponed game is listed), `scored` (there is a
        result) and `contradiction` (why the row cannot be believed; NULL where it can).
    """
    joined = _beside_season(landing, season, clock)
    claim = _claim(joined.own_state)
    superseded = (claim < joined.best) | (
        (claim == joined.best) & (claim == LISTED) & (joined.game_date < joined.best_last) & (joined.open_days <= 1)
    )
    disputed = (claim == joined.best) & ((claim == PLAYED) & (joined.best_days > 1) | (joined.open_days > 1))
    elsewhere = (joined.best_last != joined.game_date).ifelse(joined.best_last, None)
    off = superseded.fill_null(False)
    state = ibis.cases(
        (off & (joined.own_state != CANCELLED), POSTPONED),
        (_is_not_needed(joined), NOT_NEEDED),
        (joined.own_state.isin(RESULTLESS) & _is_overdue(joined), UNKNOWN),
        else_=joined.own_state,
    )
    return joined.select(
        *[joined[c] for c in landing.columns],
        joined.scored,
        state=state,
        moved_to=joined.postponed_to.coalesce((joined.best > OFF).ifelse(elsewhere, None)),
        contradiction=ibis.coalesce(
            _doubt(joined),
            (disputed & ~off)
            .fill_null(False)
            .ifelse(
                "the game is listed on several days, "
                + joined.best_first.cast("string")
                + " and "
                + joined.best_last.cast("string")
                + " among them, and nothing says on which it takes place",
                ibis.null("string"),
            ),
        ),
    )


def _beside_season(landing: ir.Table, season: ir.Table, clock: ir.Table) -> ir.Table:
    """Each row with what the season's feed says of its game, its season and its play-off series, and the moment of the run."""
    moment = clock.select(today=eastern_date(clock.now), now=clock.now)
    read = _read(landing)
    keyed = read.mutate(own_year=_season_year(read.game_date), series=read.game_id.substr(0, 9)).cross_join(moment)
    rows = keyed.select(*keyed.columns)
    listed, progress, decided = _listings(_read(season), clock), _progress(_read(season)), decided_series(season)
    for known, key in ((listed, "game_id"), (progress, "own_year"), (decided.mutate(is_decided=True), "series")):
        joined = rows.left_join(known, key)
        rows = joined.select(rows, *[known[c] for c in known.columns if c != key])
    return rows


def decided_series(season: ir.Table) -> ir.Table:
    """The play-off series (first nine digits of the game id) that a team has won, by the results in the feed."""
    rows = _read(season)
    won = rows.filter(rows.scored & (rows.game_id.substr(0, 3) == PLAYOFFS)).select(
        "game_id",
        series=lambda t: t.game_id.substr(0, 9),
        winner=lambda t: (t.home_pts > t.away_pts).ifelse(t.home_team, t.away_team),
    )
    wins = won.distinct().group_by("series", "winner").aggregate(wins=lambda t: t.game_id.nunique())
    return wins.filter(wins.wins >= WINS_OF_A_SERIES).select("series").distinct()


def _read(rows: ir.Table) -> ir.Table:
    """Rows of the feed with what they say by themselves: `said`, `scored` and `own_state`. A score of 0:0 is none."""
    said = state_expression(rows.status)
    scored = (rows.home_pts + rows.away_pts > 0).fill_null(False)
    by_score = scored.ifelse(FINAL, SCHEDULED)
    state = (said == FINAL).ifelse(scored.ifelse(FINAL, UNKNOWN), said).coalesce(by_score)
    return rows.mutate(said=said, scored=scored & state.isin([FINAL]), any_score=scored, own_state=state)


def _claim(state: ir.StringValue) -> ir.IntegerValue:
    return ibis.cases((state == FINAL, PLAYED), (is_called_off(state), OFF), else_=LISTED)


def _listings(season: ir.Table, clock: ir.Table) -> ir.Table:
    """Per game id: the strongest claim of any of its rows, the days that make it, and how many of these are still to come."""
    dated = season.filter(season.game_id.notnull() & season.game_date.notnull())
    claims = shared(dated.select(*GAME, claim=_claim(dated.own_state)).distinct())
    strongest = claims.group_by("game_id").aggregate(best=claims.claim.max())
    best = claims.inner_join(strongest, "game_id")
    best = best.filter(best.claim == best.best)
    days = best.select("game_id", "game_date", "best").cross_join(clock.select(today=eastern_date(clock.now)))
    return days.group_by("game_id", "best").aggregate(
        best_days=days.game_date.nunique(),
        best_first=days.game_date.min(),
        best_last=days.game_date.max(),
        open_days=((days.best == LISTED) & (days.game_date >= days.today)).cast("int64").sum(),
    )


def _season_year(day: ir.DateValue) -> ir.IntegerValue:
    """The year in which the season of a day begins."""
    return day.year() - (day.month() < 8).cast("int64")


def _progress(season: ir.Table) -> ir.Table:
    """Per season, the last day of which the feed has a result."""
    scored = season.filter(season.scored & season.game_date.notnull())
    return scored.group_by(own_year=_season_year(scored.game_date)).aggregate(results_to=scored.game_date.max())


def _is_overdue(t: ir.Table) -> ir.BooleanValue:
    """True for a game whose result should long be in: the feed has results of its day or later ones, and either its
    box score could not even be corrected any more, or its day is over and it never had a tip-off."""
    corrected = cutoff(t.game_date, t.game_datetime_utc) + ibis.interval(
        hours=int(CORRECTED_FOR.total_seconds()) // 3600
    )
    late = (t.now > corrected) | (t.game_datetime_utc.isnull() & (t.game_date < t.today))
    return (late & (t.results_to >= t.game_date)).fill_null(False)


def _is_not_needed(t: ir.Table) -> ir.BooleanValue:
    """True for a game without a result of a play-off series that a team has won."""
    return t.own_state.isin([*RESULTLESS, UNKNOWN, POSTPONED]) & t.is_decided.notnull()


def _doubt(t: ir.Table) -> ir.StringValue:
    """Why a row contradicts itself: it has a score, and words that no score goes with."""
    states = [s for s in STATES if s not in (FINAL, IN_PROGRESS)]
    words = "the game has a score, but its status is '" + t.status + "'"
    return (t.any_score & t.said.isin(states)).fill_null(False).ifelse(words, ibis.null("string"))
