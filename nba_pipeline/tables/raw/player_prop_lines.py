"""nba_raw.player_prop_lines: bookmakers' quotes on player markets."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain.calendar import GAME_ID
from nba_pipeline.domain.identity.spelling import WAYS
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import LINE_CAPTURED_LATE, first_reason, landing_reason, when
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns

MARKETS = ("points", "rebounds", "assists", "threes", "pra", "pr", "pa", "ra", "blocks", "steals")
MAIN_KINDS = ("standard", "main", "quoted")
DFS_BOOKS = ("prizepicks", "underdog")


class PlayerPropLines(Rows):
    """Quotes on players' over/under markets with their first capture times.
    One row per player, market, book, line and capture."""

    game_date: date = columns.GAME_DATE
    game_id: str = column("NBA game id; NULL where the source did not resolve it", nullable=True, str_matches=GAME_ID)
    player_id: int = column("NBA person id; NULL where the name could not be resolved", nullable=True, gt=0)
    player_name: str = column("display name", str_matches=r"^.{1,100}$")
    player_lookup: str = columns.PLAYER_LOOKUP
    resolved_by: str = column(
        "rule that resolved the id: source (the source provides the id) or the spelling rule that matched; unknown: not resolved",
        nullable=True,
        hashed=False,
        isin=list(WAYS),
    )
    market: str = column("statistic that is bet on", isin=list(MARKETS))
    bookmaker: str = column("book", str_matches=r"^.{1,60}$")
    book_kind: str = column(
        "sportsbook, or dfs for pick'em operators without two-way prices", isin=["sportsbook", "dfs"]
    )
    line: float = column("over/under line", precision=2, gt=0, le=150)
    line_kind: str = column("main quote or an alternate", isin=["main", "alternate"])
    over_odds: float = column("American odds of the over", precision=1, nullable=True)
    under_odds: float = column("American odds of the under", precision=1, nullable=True)
    captured_at: Instant = column(
        "time the quote was first seen (UTC); NULL if the source does not state it", nullable=True
    )
    last_seen_at: Instant = column(
        "time the quote was last seen (UTC); NULL if the source does not state it", nullable=True
    )
    documented_pre_game: bool = column("true if the source documents the quote as its last main quote before the game")
    source: str = column("name of the source that captured the quote", nullable=True)


PLAYER_PROP_LINES = Table(
    model=PlayerPropLines,
    name="player_prop_lines",
    dataset="nba_raw",
    key=("game_date", "player_lookup", "market", "bookmaker", "line", "captured_at"),
    partition="game_date",
    cluster=("player_id", "market"),
    on_bad_row="quarantine",
    rules={
        "a line is not a multiple of one half": lambda t: (t.line * 2) == (t.line * 2).round(),
        "American odds lie between -100 and 100": lambda t: (t.over_odds.abs() >= 100) & (t.under_odds.abs() >= 100),
        "the quote was last seen before it was first seen": lambda t: t.last_seen_at >= t.captured_at,
    },
)


def build(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    """Type the quotes; reject quotes first seen after the scheduled tip-off of their game."""
    landing = with_lookup(
        landing.mutate(player_name=landing.player_name.coalesce(landing.player_name_source)), "player_name"
    )
    rows = landing.left_join(schedule, [landing.game_id == schedule.game_id, landing.game_date == schedule.game_date])
    late = landing.first_seen_utc > schedule.tip_off
    return rows.select(
        game_date=landing.game_date,
        game_id=landing.game_id,
        player_id=landing.player_id,
        player_name=landing.player_name,
        player_lookup=landing.player_lookup,
        resolved_by=landing.resolved_by,
        market=landing.market,
        bookmaker=landing.bookmaker,
        book_kind=landing.bookmaker.isin(DFS_BOOKS).ifelse("dfs", "sportsbook"),
        line=landing.line,
        line_kind=landing.line_kind.isin(MAIN_KINDS).fill_null(False).ifelse("main", "alternate"),
        over_odds=landing.over_odds,
        under_odds=landing.under_odds,
        captured_at=landing.first_seen_utc,
        last_seen_at=landing.last_seen_utc,
        documented_pre_game=landing.is_closing_main.fill_null(False),
        source=landing.source,
        reject_reason=first_reason(
            landing_reason(landing),
            when(landing.game_id.notnull() & schedule.game_id.isnull(), "its game is not in the schedule of that day"),
            when(late, LINE_CAPTURED_LATE),
        ),
    )


def expected(schedule: ir.Table) -> ir.Table:
    """Return every countable game, with the reason recorded if the source has no lines for it."""
    games = schedule.filter(schedule.countable)
    return games.select("game_date", "game_id", reason=ibis.literal("the source has no player lines for the game"))


TRANSFORM = Transform(
    PLAYER_PROP_LINES,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.PROP_LINES},
    expected=expected,
    watched=("player_id", "over_odds", "captured_at"),
)
