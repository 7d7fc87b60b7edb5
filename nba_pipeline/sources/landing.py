"""Declare the landing layout: the files of a source, with columns, types and meaning. docs/landing.md is generated from it.

One file per feed, Parquet or CSV. Columns marked required must be in the file; the others may be missing and are then
unknown. A feed marked optional may be missing: the coverage of its table shows that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import ibis.expr.datatypes as dt

PROBLEMS = "landing_problems"
# Suffixes of the files of tables that are read.
SUFFIXES = (".parquet", ".csv", ".csv.gz")

# When the rows of a feed are known: `before_the_day`, but for results; `after_the_game`, from the day after on; `at_its_time`,
# the moment in a column, and without one from the day after on; `after_the_season` of the row; `always`, if of no day.
KnownKind = Literal["before_the_day", "after_the_game", "at_its_time", "after_the_season", "always"]

Kind = Literal["text", "integer", "number", "flag", "date", "instant"]

_TYPES: Mapping[Kind, dt.DataType] = {
    "text": dt.string,
    "integer": dt.int64,
    "number": dt.float64,
    "flag": dt.boolean,
    "date": dt.date,
    "instant": dt.Timestamp(timezone="UTC"),
}


@dataclass(frozen=True)
class LandingColumn:
    """A column of a landing file.

    `added_later`: files of earlier releases lack it. `says_who`: it names the giver of the row, whose change changes nothing.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = True
    added_later: bool = False
    says_who: bool = False


@dataclass(frozen=True)
class Known:
    """When the rows of a feed were known.

    Attributes:
        kind: The rule.
        text: The rule in words.
        column: The moment of each row, for the kind `at_its_time`.
    """

    kind: KnownKind
    text: str
    column: str = ""


RESULT = Known("after_the_game", "when the game is over: used from the next day on")


@dataclass(frozen=True)
class Feed:
    """A file of the landing layout. `day` is the column with the day of a row; None: not daily.

    `is_witness`: the rows are only compared with other rows and enter no table. `known`: when the rows were known; replay refuses
    a feed without it. `key`: what tells the rows of a feed that is not daily apart.
    """

    name: str
    grain: str
    day: str | None
    columns: tuple[LandingColumn, ...]
    optional: bool = False
    is_witness: bool = False
    known: Known | None = None
    key: tuple[str, ...] = ()

    def as_witness(self) -> "Feed":
        """Return the feed as a witness: existing files are read, and days without a file are no error."""
        return replace(self, optional=True, is_witness=True)

    @cached_property
    def ibis_schema(self) -> dict[str, dt.DataType]:
        """Column types by name, with the column of landing problems."""
        return {c.name: _TYPES[c.kind] for c in self.columns} | {PROBLEMS: dt.string}


def _column(name: str, kind: Kind, meaning: str) -> LandingColumn:
    return LandingColumn(name, kind, meaning)


def _maybe(name: str, kind: Kind, meaning: str) -> LandingColumn:
    return LandingColumn(name, kind, meaning, required=False)


def _added(name: str, kind: Kind, meaning: str) -> LandingColumn:
    """Declare a column that files of earlier releases lack; an empty one leaves the digest of a day unchanged."""
    return LandingColumn(name, kind, meaning, required=False, added_later=True)


_GAME = _column("game_id", "text", "NBA game id, 10 characters; the first three are the season type")
_DAY = _column("game_date", "date", "US-Eastern calendar date of the game")
_TEAM = _column("team", "text", "tricode")
_OPPONENT = _column("opponent", "text", "tricode of the opponent")
_HOME = _column("is_home", "flag", "true for the home team")
_PLAYER = _column("player_id", "integer", "NBA person id")
_NAME = _column("player_name", "text", "display name")
_RESOLVED_BY = _maybe("resolved_by", "text", "how the name was resolved; empty: by the source where it gives an id")
_BOOK_KIND = _added(
    "book_kind",
    "text",
    "what the book is where books.csv of the home declares it: sportsbook, exchange, dfs or aggregate, or unknown where it is"
    " excluded; empty: as registered",
)
_SECOND_SOURCE = replace(
    _added("source", "text", "who gave the row; empty: the statistics service of the league, or as the file says"),
    says_who=True,
)
_UNSURE_PLAYER = _column("player_id", "integer", "NBA person id; empty where the name could not be resolved")

_COUNTS = (
    _column("pts", "integer", "points"),
    _column("fgm", "integer", "field goals made"),
    _column("fga", "integer", "field goals attempted"),
    _column("fg3m", "integer", "three-pointers made"),
    _column("fg3a", "integer", "three-pointers attempted"),
    _column("ftm", "integer", "free throws made"),
    _column("fta", "integer", "free throws attempted"),
    _column("oreb", "integer", "offensive rebounds"),
    _column("dreb", "integer", "defensive rebounds"),
    _column("reb", "integer", "rebounds"),
    _column("ast", "integer", "assists"),
    _column("stl", "integer", "steals"),
    _column("blk", "integer", "blocks"),
    _column("tov", "integer", "turnovers"),
    _column("pf", "integer", "personal fouls"),
)

SCHEDULE = Feed(
    "schedule",
    "One row per game, played or not.",
    "game_date",
    (
        _GAME,
        _DAY,
        _column("game_datetime_utc", "instant", "scheduled tip-off, UTC; empty where unknown"),
        _column("home_team", "text", "tricode"),
        _column("away_team", "text", "tricode"),
        _column("home_pts", "integer", "final score; empty until the game is over"),
        _column("away_pts", "integer", "final score; empty until the game is over"),
        _maybe("neutral_site", "flag", "true where neither team is at home"),
        _maybe("arena", "text", "arena"),
        _added(
            "status",
            "text",
            "state of the game in the source's words, such as Final, Postponed, PPD, Cancelled, Suspended, Not needed; "
            "empty: it follows from the score",
        ),
        _added("postponed_to", "date", "of a postponed game, its new US-Eastern date; empty where that is open"),
        _SECOND_SOURCE,
    ),
    known=Known("before_the_day", "before the day, but for scores and states: those when the game is over"),
)
PLAYER_BOXSCORES = Feed(
    "player_boxscores",
    "One row per player who appeared in a game.",
    "game_date",
    (
        _GAME,
        _DAY,
        _TEAM,
        _OPPONENT,
        _HOME,
        _PLAYER,
        _NAME,
        _maybe("starter", "flag", "true for the five starters; empty where unknown"),
        _column("min", "integer", "minutes, whole"),
        _maybe("min_exact", "number", "minutes, decimal; empty where unknown"),
        *_COUNTS,
        _maybe("plus_minus", "integer", "point differential while on the floor"),
        _SECOND_SOURCE,
    ),
    known=RESULT,
)
TEAM_BOXSCORES = Feed(
    "team_boxscores",
    "One row per team and game. Where the file or a game is missing, the players are summed and the row is marked so.",
    "game_date",
    (
        _GAME,
        _DAY,
        _TEAM,
        _OPPONENT,
        _HOME,
        _column("min", "integer", "player minutes, whole: 240 and 25 per overtime"),
        *_COUNTS,
        _SECOND_SOURCE,
    ),
    optional=True,
    known=RESULT,
)
SHOTS = Feed(
    "shots",
    "One row per field-goal attempt.",
    "game_date",
    (
        _GAME,
        _DAY,
        _PLAYER,
        _column("period", "integer", "period, 5 and up for overtime"),
        _column("mins_left", "integer", "minutes left in the period"),
        _column("secs_left", "integer", "seconds left in the minute"),
        _column("shot_made", "flag", "true for a make"),
        _column("shot_value", "integer", "2 or 3"),
        _column("shot_distance", "integer", "feet"),
        _maybe("loc_x", "integer", "tenths of feet from the hoop, along the baseline"),
        _maybe("loc_y", "integer", "tenths of feet from the hoop, along the court"),
        _maybe("zone_basic", "text", "NBA label of the zone; says which threes are corner threes"),
        _maybe("action_type", "text", "kind of shot"),
    ),
    optional=True,
    known=RESULT,
)
PROP_LINES = Feed(
    "prop_lines",
    "One row per distinct quote (line and odds) of a book for a player's market in a game.",
    "game_date",
    (
        _DAY,
        _maybe("game_id", "text", "NBA game id; empty where the feed did not resolve it"),
        _UNSURE_PLAYER,
        _column("player_name", "text", "resolved name; empty where it could not be resolved"),
        _maybe("player_name_source", "text", "name as the book spells it"),
        _RESOLVED_BY,
        _column("market", "text", "points, rebounds, assists, threes, pra, ..."),
        _column("bookmaker", "text", "book"),
        _column("line", "number", "over/under line"),
        _maybe("over_odds", "number", "American odds of the over"),
        _maybe("under_odds", "number", "American odds of the under"),
        _maybe("line_kind", "text", "standard, main, quoted, alternate, demon, goblin"),
        _maybe("is_closing_main", "flag", "true for the book's last main quote before the game"),
        _maybe("first_seen_utc", "instant", "when the quote was first captured; empty where unknown"),
        _maybe("last_seen_utc", "instant", "when the quote was last captured"),
        _maybe("ended_utc", "instant", "when the book was first captured without the quote; empty where unknown"),
        _maybe("source", "text", "who captured it"),
        _BOOK_KIND,
    ),
    optional=True,
    known=Known(
        "at_its_time", "at `first_seen_utc`; a documented close without a time before tip-off", column="first_seen_utc"
    ),
)
GAME_LINES = Feed(
    "game_lines",
    "One row per game, book and snapshot.",
    "game_date",
    (
        _GAME,
        _DAY,
        _column("bookmaker", "text", "book"),
        _column("spread_home", "number", "points that the home team gives (negative: favoured)"),
        _column("total", "number", "over/under of both teams' points"),
        _maybe("ml_home", "number", "American odds of the home team"),
        _maybe("ml_away", "number", "American odds of the away team"),
        _maybe("line_kind", "text", "closing, snapshot_morning, snapshot_unspecified, last_seen_in_repo"),
        _maybe("snapshot_utc", "instant", "when captured; empty where unknown"),
        _maybe("source", "text", "who captured it"),
        _added("ended_utc", "instant", "when the book was first captured without this line; empty where unknown"),
        _BOOK_KIND,
    ),
    optional=True,
    known=Known(
        "at_its_time", "at `snapshot_utc`; a documented close without a time before tip-off", column="snapshot_utc"
    ),
)
INJURIES = Feed(
    "injuries",
    "One row per statement about a player's availability.",
    "report_date",
    (
        _column("report_date", "date", "day of the statement"),
        _column("record_type", "text", "transaction, status_snapshot, boxscore_dnp (known only after the game)"),
        _maybe("report_utc", "instant", "when it was published; empty where only the day is known"),
        _maybe("game_id", "text", "NBA game id, where the statement is about one game"),
        _maybe("team", "text", "tricode"),
        _UNSURE_PLAYER,
        _column("player_name", "text", "resolved name; empty where it could not be resolved"),
        _maybe("player_name_source", "text", "name as the source spells it"),
        _RESOLVED_BY,
        _column("status", "text", "out, doubtful, questionable, probable, available, placed_out, activated, ..."),
        _maybe("reason", "text", "as stated"),
        _maybe("source", "text", "who stated it"),
    ),
    optional=True,
    known=Known("at_its_time", "at `report_utc`; without one from the day after `report_date` on", column="report_utc"),
)
LINEUPS = Feed(
    "lineups",
    "One row per capture, game and player who is listed to start or inactive: whole line-ups with the time of their capture.",
    "game_date",
    (
        _GAME,
        _DAY,
        _column("captured_at", "instant", "when the line-up was captured, UTC"),
        _TEAM,
        _PLAYER,
        _NAME,
        _column("status", "text", "confirmed, expected (both: a starter), inactive"),
        _maybe("position", "text", "position in the line-up"),
        _maybe("source", "text", "who listed it"),
    ),
    optional=True,
    known=Known("at_its_time", "at `captured_at`", column="captured_at"),
)
PLAYERS = Feed(
    "players",
    "One row per player: the players a name can refer to.",
    None,
    (
        _PLAYER,
        _NAME,
        _added("birth_date", "date", "date of birth; empty where unknown"),
    ),
    optional=True,
    known=Known("always", "always: a name and a birth date say nothing of a day"),
    key=("player_id",),
)
ROSTERS = Feed(
    "rosters",
    "One row per capture, team and player: whole rosters with the time of their capture. A roster is used from then on.",
    None,
    (
        _column("captured_at", "instant", "when the roster was captured, UTC"),
        _TEAM,
        _PLAYER,
        _NAME,
        _maybe("source", "text", "who captured it"),
    ),
    optional=True,
    known=Known("at_its_time", "at `captured_at`", column="captured_at"),
    key=("captured_at", "team", "player_id"),
)
PLAYER_AGES = Feed(
    "player_ages",
    "One row per player and season. A list of a season is used from the next season on: it is complete only at its end.",
    None,
    (
        _column("season", "text", "season label, 2023-24"),
        _PLAYER,
        _column("age", "number", "age in years during the season"),
    ),
    optional=True,
    known=Known("after_the_season", "after the season of the list"),
    key=("season", "player_id"),
)

FEEDS: dict[str, Feed] = {
    f.name: f
    for f in (
        SCHEDULE,
        PLAYER_BOXSCORES,
        TEAM_BOXSCORES,
        SHOTS,
        PROP_LINES,
        GAME_LINES,
        INJURIES,
        LINEUPS,
        ROSTERS,
        PLAYERS,
        PLAYER_AGES,
    )
}
