"""The command `validate`: is a file of the landing layout usable, row by row."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import duckdb
import pyarrow.parquet as pq

from nba_pipeline.cli.console import print_json
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.books import unknown_books
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, GAME_ID
from nba_pipeline.sources.files import days_of_file, read_with_unreadable
from nba_pipeline.sources.landing import FEEDS, GAME_LINES, PROBLEMS, PROP_LINES, SCHEDULE, SUFFIXES, Feed
from nba_pipeline.sources.landing_query import is_possible
from nba_pipeline.tables.shared.odds import LEAST_ODDS
from nba_pipeline.tables.shared.quote_bounds import ALTERNATE_PRICES, HIGHEST_LINES

SHOWN = 20


@dataclass
class Validation:
    """Result of a validation: rows and days, errors (rows that would be rejected) and notes."""

    feed: str
    rows: int = 0
    days: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run_validate(path: Path, feed_name: str | None, as_json: bool) -> bool:
    """Validate a file; False where a row would be rejected."""
    result = validate(path, _feed(path, feed_name))
    if as_json:
        print_json(vars(result) | {"fine": not result.errors})
        return not result.errors
    days = f"{result.days[0]}..{result.days[-1]}" if result.days else "no day"
    click.echo(f"{path}: {result.feed}, {result.rows:,} rows, {days}")
    for kind, texts in (("error", result.errors), ("note", result.notes)):
        for text in texts[:SHOWN]:
            click.echo(f"{kind}: {text}")
        if len(texts) > SHOWN:
            click.echo(f"{kind}: and {len(texts) - SHOWN} more (--json lists all)")
    click.echo("every row can be used" if not result.errors else f"{len(result.errors):,} rows would be rejected")
    return not result.errors


def validate(path: Path, feed: Feed) -> Validation:
    """Check a file against a feed.

    Args:
        path: The file.
        feed: The feed that it is of.

    Raises:
        SourceError: The file cannot be read, or lacks a required column.
    """
    days = days_of_file(feed, path) if feed.day else []
    table, unreadable = read_with_unreadable(feed, path, days)
    rows = table.to_pylist()
    result = Validation(feed.name, len(rows), [f"{d}" for d in days])
    result.notes += _unknown_columns(path, feed)
    for number, (row, columns) in enumerate(zip(rows, unreadable, strict=True), 1):
        problems = [row[PROBLEMS]] if row[PROBLEMS] else []
        problems += list(_problems(feed, row, columns))
        result.errors += [f"row {number}: {'; '.join(problems)}"] if problems else []
    result.notes += list(_notes(feed, rows))
    return result


def _feed(path: Path, name: str | None) -> Feed:
    if name is not None and name not in FEEDS:
        raise ConfigurationError(f"there is no feed {name}", f"name one of {', '.join(FEEDS)}")
    if not path.name.endswith(SUFFIXES):
        raise ConfigurationError(f"{path} is no table", f"give a file with one of the suffixes {', '.join(SUFFIXES)}")
    found = name or next((f for f in sorted(FEEDS, key=len, reverse=True) if path.name.startswith(f)), None)
    if found is None:
        raise ConfigurationError(f"the name of {path.name} tells no feed", "name it with --feed, such as prop_lines")
    return FEEDS[found]


def _unknown_columns(path: Path, feed: Feed) -> list[str]:
    if path.suffix == ".parquet":
        names = pq.read_schema(path).names
    else:
        names = duckdb.read_csv(str(path), all_varchar=True, header=True).columns
    unknown = [n for n in names if n not in feed.ibis_schema]
    return [f"columns that are not read: {', '.join(unknown)}"] if unknown else []


def _problems(feed: Feed, row: dict[str, Any], unreadable: Collection[str]) -> Iterator[str]:
    """Say what is wrong with the values of a row beyond their types; of unreadable columns nothing more is known."""
    yield from _problems_of_day(feed, row, unreadable)
    yield from _problems_of_ids(feed, row)
    if feed in (PROP_LINES, GAME_LINES) and row["bookmaker"] is None:
        yield "bookmaker is empty"
    if feed is PROP_LINES:
        yield from _problems_of_quote(row, unreadable)
    if feed is GAME_LINES and all(row[c] is None and c not in unreadable for c in ("spread_home", "total", "ml_home")):
        yield "the line has neither spread nor total nor moneyline"


def _problems_of_day(feed: Feed, row: dict[str, Any], unreadable: Collection[str]) -> Iterator[str]:
    if feed.day is None or feed.day in unreadable:
        return
    if row[feed.day] is None:
        yield f"{feed.day} is empty"
    elif not is_possible(row[feed.day]):
        yield f"{feed.day} {row[feed.day]} cannot be the day of a game"


def _problems_of_ids(feed: Feed, row: dict[str, Any]) -> Iterator[str]:
    game_id, player_id = row.get("game_id"), row.get("player_id")
    if game_id is None and any(c.name == "game_id" and c.required for c in feed.columns):
        yield "game_id is empty"
    if game_id is not None and not re.fullmatch(GAME_ID, game_id):
        yield f"game_id {game_id!r} is not the id of a game: ten digits, of which the first three tell the kind of game"
    elif game_id is not None and feed is not SCHEDULE and game_id[:3] not in COUNTABLE_PREFIXES:
        yield f"game_id {game_id!r} is not the id of a game that counts"
    if player_id is not None and player_id <= 0:
        yield f"player_id {player_id} is not the id of a player"


def _problems_of_quote(row: dict[str, Any], unreadable: Collection[str]) -> Iterator[str]:
    if not (row["player_name"] or row["player_name_source"] or row["player_id"] or "player_id" in unreadable):
        yield "the player has neither a name nor an id"
    highest = HIGHEST_LINES.get(row["market"])
    if highest is None:
        yield f"the market {row['market']!r} is not one of {', '.join(HIGHEST_LINES)}"
    elif "line" not in unreadable and (row["line"] is None or not 0 <= row["line"] <= highest):
        yield f"the line {row['line']} of {row['market']} is not between 0 and {highest:g}"
    for side in ("over_odds", "under_odds"):
        price = row[side]
        if price is not None and not (
            ALTERNATE_PRICES.lowest <= price <= ALTERNATE_PRICES.highest and abs(price) >= LEAST_ODDS
        ):
            yield f"{side} {price:g} is not American odds"


def _notes(feed: Feed, rows: list[dict[str, Any]]) -> Iterator[str]:
    if feed not in (PROP_LINES, GAME_LINES):
        return
    quoted = {(r["bookmaker"], r["game_date"]) for r in rows if r["bookmaker"] and r["game_date"]}
    for book in unknown_books(quoted):
        yield f"the book {book!r} is not registered: declare it in books.csv of the home, or its quotes take part in nothing"
    timed = "first_seen_utc" if feed is PROP_LINES else "snapshot_utc"
    without = sum(r[timed] is None for r in rows)
    if without:
        yield f"{without:,} rows have no {timed}: such a quote is known only from the day after, unless it is a documented close"
    if feed is PROP_LINES and (nameless := sum(r["player_id"] is None for r in rows)):
        yield f"{nameless:,} rows have no player_id: their names are resolved when the file is read (nba-pipeline names)"
    repeated = sum(n - 1 for n in Counter(str(sorted(r.items(), key=str)) for r in rows).values())
    if repeated:
        yield f"{repeated:,} rows repeat another row"
