"""Resolve the player names that a feed left without an id, when its rows are read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.books import Book, normal_key
from nba_pipeline.domain.calendar import days_between, first_day, reading_bound
from nba_pipeline.domain.declared_books import declared_kind, read_books
from nba_pipeline.domain.identity.aliases import read_aliases, read_own_aliases
from nba_pipeline.domain.identity.resolver import Answer, Appearance, People, Player, Question
from nba_pipeline.domain.identity.spelling import SOURCE
from nba_pipeline.domain.player_names import player_lookup
from nba_pipeline.sources.landing import GAME_LINES, INJURIES, PLAYER_BOXSCORES, PLAYERS, PROP_LINES, SCHEDULE, Feed
from nba_pipeline.sources.protocol import Source

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute

DAYS_BACK = 240
NAMED = (PROP_LINES, INJURIES)
QUOTES = (PROP_LINES, GAME_LINES)
APPEARANCE = ("game_date", "player_id", "player_name", "team")
NO_DAY = Answer(None, why="its day cannot be read")
LATEST_BEFORE = """
SELECT player_id, day, max(team), max(player_name)
FROM candidates JOIN appearances USING (player_id)
WHERE game_date < day AND game_date >= day - CAST(? AS INTEGER)
GROUP BY player_id, day, game_date
QUALIFY row_number() OVER (PARTITION BY player_id, day ORDER BY game_date DESC) = 1
"""
# Box scores of earlier days are used where available; days that were never ingested are no error here.
EARLIER_BOXSCORES = replace(PLAYER_BOXSCORES, optional=True)


@dataclass(frozen=True)
class ResolvedSource:
    """`inner`, with ids and names of players filled in where their spelling resolves to one player.

    Candidates are the players in the feed `players` or in a box score of the previous 240 days. `home` may contain a file of
    aliases and one of declared books.
    """

    inner: Source
    home: Path | None = None

    def describe(self) -> dict[str, str]:
        return self.inner.describe()

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        return self.resolved(feed, self.as_given(feed, days))

    def as_given(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        """Read rows with the books that the home declares and the names as spelled; arguments as of `read`.

        They depend on the rows and the declarations of the home only, not on who played before.
        """
        rows = self.inner.read(feed, days)
        if feed in QUOTES:
            rows = with_declared_books(rows, read_books(self.home), feed.day or "")
        if feed in NAMED:
            by_source = pc.if_else(pc.is_null(rows["player_id"]), pa.scalar(None, pa.string()), pa.scalar(SOURCE))
            rows = _put(rows, "resolved_by", pc.coalesce(rows["resolved_by"], by_source))
        return rows

    def resolved(self, feed: Feed, rows: pa.Table) -> pa.Table:
        """Fill in ids and names of players in rows that `as_given` returned."""
        if feed not in NAMED:
            return rows
        without_id = pc.is_null(rows["player_id"]).combine_chunks()
        unresolved = rows.filter(without_id)
        return _with_answers(rows, without_id, self._answers(feed, unresolved)) if unresolved.num_rows else rows

    def own_aliases(self, rows: pa.Table) -> pa.Array:
        """Return the name that an alias of the home stands for, for each of the rows without an id; else NULL."""
        aliases = read_own_aliases(self.home)
        if not aliases:
            return pa.nulls(rows.num_rows, pa.string())
        spelled = pc.coalesce(rows["player_name_source"], rows["player_name"])
        known = {s: aliases.get(player_lookup(s)) for s in pc.unique(spelled).to_pylist() if s is not None}
        names = zip(spelled.to_pylist(), rows["player_id"].to_pylist(), strict=True)
        return pa.array([known.get(s) if i is None else None for s, i in names], pa.string())

    def players(self, day: date) -> list[Player]:
        """List the players that a name can refer to on a day."""
        return self._players(self._appearances([day]), day)

    def _answers(self, feed: Feed, rows: pa.Table) -> list[Answer]:
        """Resolve each row; distinct questions once, by season, since a list of players may cover one season."""
        days = sorted({d for d in rows[feed.day].to_pylist() if d is not None})
        questions = self._questions(feed, rows, days)
        seasons: dict[date, list[date]] = {}
        for day in days:
            seasons.setdefault(reading_bound(day), []).append(day)
        answers: dict[Question, Answer] = {}
        for own in seasons.values():
            iso = {d.isoformat() for d in own}
            answers |= self._of_season([q for q in dict.fromkeys(questions) if q.day in iso], own)
        return [answers.get(q, NO_DAY) for q in questions]

    def _of_season(self, questions: Sequence[Question], days: Sequence[date]) -> dict[Question, Answer]:
        appearances = self._appearances(days)
        people = People(self._players(appearances, days[0]), read_aliases(self.home))
        before = _latest_before(appearances, questions, people)
        return {q: people.answer(q, before) for q in questions}

    def _questions(self, feed: Feed, rows: pa.Table, days: Sequence[date]) -> list[Question]:
        names = zip(rows["player_name_source"].to_pylist(), rows["player_name"].to_pylist(), strict=True)
        spelled = [a or b or "" for a, b in names]
        iso = [d.isoformat() if d is not None else "" for d in rows[feed.day].to_pylist()]
        if "team" in rows.column_names:
            teams = [frozenset([t]) if t else frozenset() for t in rows["team"].to_pylist()]
        else:
            of_game, of_day = self._playing(days)
            games = zip(rows["game_id"].to_pylist(), iso, strict=True)
            teams = [of_game.get((g, d)) or of_day.get(d, frozenset()) for g, d in games]
        return [Question(*q) for q in zip(spelled, iso, teams, strict=True)]

    def _playing(self, days: Sequence[date]) -> tuple[dict[tuple[str, str], frozenset[str]], dict[str, frozenset[str]]]:
        """Return the teams of every (game, day), and of every day for quotes whose game is unknown."""
        of_game: dict[tuple[str, str], frozenset[str]] = {}
        of_day: dict[str, frozenset[str]] = {}
        games = self.inner.read(SCHEDULE, days).select(["game_id", "game_date", "home_team", "away_team"])
        for g in games.drop_null().to_pylist():
            day, teams = g["game_date"].isoformat(), frozenset([g["home_team"], g["away_team"]])
            of_game[g["game_id"], day] = teams
            of_day[day] = of_day.get(day, frozenset()) | teams
        return of_game, of_day

    def _appearances(self, days: Sequence[date]) -> pa.Table:
        """Read the box-score lines up to the last day: game date, player, name, team."""
        span = days_between(max(first_day(), days[0] - timedelta(days=DAYS_BACK)), days[-1])
        return self.inner.read(EARLIER_BOXSCORES, span).select(list(APPEARANCE)).drop_null()

    def _players(self, appearances: pa.Table, day: date) -> list[Player]:
        """List the players of the day's season, and other players of box scores under each of their names."""
        rows = self.inner.read(PLAYERS, [day]).select(["player_id", "player_name"]).drop_null()
        listed = dict(zip(rows["player_id"].to_pylist(), rows["player_name"].to_pylist(), strict=True))
        played = set(zip(appearances["player_id"].to_pylist(), appearances["player_name"].to_pylist(), strict=True))
        others = [Player(i, n, listed=False) for i, n in sorted(played) if i not in listed]
        return [*(Player(i, n) for i, n in sorted(listed.items())), *others]


def with_declared_books(rows: pa.Table, books: Sequence[Book], day: str) -> pa.Table:
    """Fill in `book_kind` of quotes whose book is declared by the home, where the feed does not state it.

    Args:
        rows: Rows of a feed of quotes.
        books: The declared books.
        day: The column of the day of the game.
    """
    keys = {normal_key(b.key) for b in books}
    spelled = [k for k in pc.unique(rows["bookmaker"]).to_pylist() if k is not None and normal_key(k) in keys]
    if not spelled:
        return rows
    quotes = zip(rows["bookmaker"].to_pylist(), rows[day].to_pylist(), strict=True)
    kinds: dict[tuple[str | None, date | None], str | None] = {}
    for book, on in set(quotes):
        kinds[book, on] = declared_kind(books, book, on) if book in spelled and on is not None else None
    pairs = zip(rows["bookmaker"].to_pylist(), rows[day].to_pylist(), strict=True)
    declared = pa.array([kinds[pair] for pair in pairs], pa.string())
    return _put(rows, "book_kind", pc.coalesce(rows["book_kind"], declared))


def _latest_before(
    appearances: pa.Table, questions: Sequence[Question], people: People
) -> dict[tuple[int, str], Appearance]:
    """Return the latest appearance of each candidate before the day of the question, by (player_id, ISO day)."""
    pairs = sorted({(p.player_id, q.day) for q in questions for p in people.mentioned(q.spelled)})
    if not pairs:
        return {}
    ids, days = zip(*pairs, strict=True)
    with duck.scratch() as db:
        db.register("candidates", pa.table({"player_id": ids, "day": pa.array(map(date.fromisoformat, days))}))
        db.register("appearances", appearances)
        rows = db.execute(LATEST_BEFORE, [DAYS_BACK]).fetchall()
    return {(player, day.isoformat()): Appearance(team, name) for player, day, team, name in rows}


def _with_answers(rows: pa.Table, without_id: pa.Array, answers: Sequence[Answer]) -> pa.Table:
    """Fill in id, name and `resolved_by` of resolved rows.

    Args:
        rows: rows of a feed.
        without_id: marks the rows without an id.
        answers: the answer of each marked row, in order.
    """
    resolved = [a.player for a in answers]
    marked = rows.filter(without_id)
    names = [p.name if p else n for p, n in zip(resolved, marked["player_name"].to_pylist(), strict=True)]
    for name, values in {
        "player_id": [p.player_id if p else None for p in resolved],
        "player_name": names,
        "resolved_by": [a.rule or None for a in answers],
    }.items():
        column = rows[name].combine_chunks()
        rows = _put(rows, name, pc.replace_with_mask(column, without_id, pa.array(values, column.type)))
    return rows


def _put(rows: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), rows.schema.field(name), values)
