"""nba_raw.game_lines: spreads, totals and moneylines."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.asof.cutoffs import captured_late, documented_close
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain import books
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import (
    LINE_CAPTURED_LATE,
    ORDINARY,
    UNSCHEDULED,
    called_off_reason,
    first_reason,
    landing_reason,
    when,
)
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns
from nba_pipeline.tables.shared.keys import GAME
from nba_pipeline.tables.shared.odds import PAIR_SUM, implied_probability, is_odds, is_possible_pair

CLOSING = "closing"
# A side that gives points although its win is this much likelier by the moneyline, or takes them although it is less likely.
CONTRADICTION = 0.06
COPY = "the same line is there more than once; one was kept"
MOMENT = (*GAME, "bookmaker", "captured_at")
QUOTED = ("spread_home", "total", "moneyline_home", "moneyline_away")
PAIR_REASON = f"its moneylines imply less than {PAIR_SUM[0]:g} or more than {PAIR_SUM[1]:g} together"


class GameLines(Rows):
    """Spreads, totals and moneylines quoted by bookmakers. One row per game, book, capture and distinct set of figures."""

    game_id: str = columns.GAME_ID
    game_date: date = columns.GAME_DATE
    bookmaker: str = column("book", str_matches=r"^.{1,60}$")
    captured_at: Instant = column("capture time (UTC); NULL if the source does not state it", nullable=True)
    spread_home: float = column(
        "point spread of the home team; negative: favoured", unit="points", precision=2, nullable=True, ge=-60, le=60
    )
    total: float = column("over/under of both teams' points", unit="points", precision=2, nullable=True, ge=100, le=350)
    moneyline_home: float = column("American odds of the home team", precision=1, nullable=True)
    moneyline_away: float = column("American odds of the visitors", precision=1, nullable=True)
    documented_pre_game: bool = column("true if the source documents the line as the closing line before the game")
    source: str = column("name of the source that captured the line", nullable=True)
    book_kind: str = column(
        "sportsbook; exchange; dfs; aggregate: a mean of books; unknown: not in the registry of books and not declared by the "
        "home, so the line takes part in nothing; NULL in rows of earlier releases",
        nullable=True,
        isin=list(books.KINDS),
    )
    ended_at: Instant = column(
        "time the book was first captured without this line, which it withdrew or moved (UTC); NULL if not stated",
        nullable=True,
    )
    contradicted: bool = column(
        "true if the book shows other figures for the game at the same time: none of them takes part in a consensus; "
        "NULL in rows of earlier releases",
        nullable=True,
    )


GAME_LINES = Table(
    model=GameLines,
    name="game_lines",
    dataset="nba_raw",
    key=("game_id", "bookmaker", "captured_at", *QUOTED),
    partition="game_date",
    cluster=("game_id",),
    on_bad_row="quarantine",
    rules={"the line ended before it was captured": lambda t: t.ended_at >= t.captured_at},
)


def build(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    """Type the lines, mark contradictions, and reject copies and lines captured after the scheduled tip-off."""
    rows = landing.left_join(schedule, equal(landing, schedule, *GAME))
    typed = rows.select(
        game_id=landing.game_id,
        game_date=landing.game_date,
        bookmaker=landing.bookmaker,
        captured_at=landing.snapshot_utc,
        spread_home=landing.spread_home,
        total=landing.total,
        moneyline_home=landing.ml_home,
        moneyline_away=landing.ml_away,
        documented_pre_game=documented_close(landing.line_kind == CLOSING, landing.source),
        source=landing.source,
        book_kind=books.kind_of_quote(landing),
        ended_at=landing.ended_utc,
        reject_reason=first_reason(
            landing_reason(landing),
            when(schedule.game_id.isnull(), UNSCHEDULED),
            when(captured_late(landing.snapshot_utc, schedule.tip_off, landing.source), LINE_CAPTURED_LATE),
            when(~(is_odds(landing.ml_home) & is_odds(landing.ml_away)), "a moneyline lies between -100 and 100"),
            when(~is_possible_pair(landing.ml_home, landing.ml_away), PAIR_REASON),
            when(_contradictory(landing), "spread and moneyline favour different teams"),
        ),
    )
    return _marked(typed)


def _marked(lines: ir.Table) -> ir.Table:
    """The lines with `contradicted`; exact copies but one get a reason to be refused."""
    usable = lines.reject_reason.isnull()
    moment = ibis.window(group_by=list(MOMENT))
    seen = lines.mutate(**{f"__{c}": usable.ifelse(lines[c], None) for c in QUOTED})
    differs = [(seen[f"__{c}"].max().over(moment) > seen[f"__{c}"].min().over(moment)).fill_null(False) for c in QUOTED]
    order = [
        seen.reject_reason.notnull(),
        ibis.desc(seen.documented_pre_game),
        ibis.desc(seen.ended_at, nulls_first=False),
        ibis.asc(seen.source, nulls_first=False),
    ]
    copies = ibis.window(group_by=[*MOMENT, *QUOTED], order_by=order)
    marked = seen.mutate(contradicted=usable & ibis.or_(*differs), __copy=ibis.row_number().over(copies))
    reason = first_reason(marked.reject_reason, when(marked["__copy"] > 0, COPY))
    return marked.mutate(reject_reason=reason).drop("__copy", *[f"__{c}" for c in QUOTED])


def _contradictory(landing: ir.Table) -> ir.BooleanValue:
    """Whether the spread gives points to one team while the moneyline clearly favours the same team."""
    home_lead = implied_probability(landing.ml_home) - implied_probability(landing.ml_away)
    return ((landing.spread_home > 0) & (home_lead > CONTRADICTION)) | (
        (landing.spread_home < 0) & (home_lead < -CONTRADICTION)
    )


def expected(schedule: ir.Table) -> ir.Table:
    """Return every countable game, with the reason recorded if the source has no lines for it."""
    games = schedule.filter(schedule.countable)
    reason = called_off_reason(games).fill_null("the source has no game lines for the game")
    return games.select(*GAME, reason=reason)


TRANSFORM = Transform(
    GAME_LINES,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.GAME_LINES},
    expected=expected,
    counted="games",
    ordinary_rejects=ORDINARY,
    watched=("spread_home", "total"),
)
