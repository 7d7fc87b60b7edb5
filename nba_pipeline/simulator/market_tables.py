"""Build prop lines and game lines in the landing layout."""

import numpy as np
import pyarrow as pa

from nba_pipeline.simulator import game_lines, prop_lines
from nba_pipeline.simulator.clubs import TRICODE
from nba_pipeline.simulator.columns import (  # fmt: skip
    DATE,
    FLAG,
    INT64,
    NUMBER,
    SOURCE,
    TEXT,
    UTC,
    constant,
    game_dates,
    moments,
    nulls,
    season_type,
    table,
    text,
)
from nba_pipeline.simulator.league import PERSON_ID_BASE
from nba_pipeline.simulator.market import Outlook
from nba_pipeline.simulator.people import plain_spelling
from nba_pipeline.simulator.season import Season
from nba_pipeline.simulator.seeds import hex_id, stream
from nba_pipeline.simulator.slate import opponent

# Fraction of prop rows with a spelling that only one book uses; such rows have neither player id nor team.
UNRESOLVED = 0.0004


def _before(tip: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """Subtract minutes from tip-off times, to the second."""
    return tip - np.round(minutes * 60).astype("timedelta64[s]").astype("timedelta64[us]")


def _odd_spellings(names: list[str]) -> list[str]:
    """Respell names, in turn as last name first and as initial and last name."""
    parts = [plain_spelling(name).split(" ", 1) for name in names]
    return [f"{first[0]}. {last}" if i % 2 else f"{last} {first}" for i, (first, last) in enumerate(parts)]


def prop_lines_table(season: Season, states: tuple[Outlook, Outlook, Outlook]) -> pa.Table:
    """Build the prop lines. One row per distinct (line, odds) of a book, player, market and game."""
    rng = stream(season.world.seed, season.calendar.season, "props")
    board = prop_lines.prop_board(rng, states)
    slate, names = season.games.slate, season.world.history.names
    person = slate.person[board.row, board.slot]
    order = np.lexsort((-board.first, board.book, board.market, person, board.row // 2))
    row, market, book = (values[order] for values in (board.row, board.market, board.book))
    person, game = person[order], row // 2
    n = len(order)
    # Books keep one spelling per player: plain ones fold accents; a few rows have a spelling of their own.
    key = (person * 7919 + book * 104_729 + slate.row_day[row] * 1_299_709) % 1_000_003
    odd = key < UNRESOLVED * 1_000_003
    people = len(names)
    spellings = names + [plain_spelling(name) for name in names] + _odd_spellings(names)
    spelling = person + np.where(odd, 2 * people, np.where(book == 0, 0, people))
    events = [hex_id("event", season.world.seed, game_id) for game_id in season.games.game_id.tolist()]
    tip = season.tip[game]
    return table(
        {
            "season": (TEXT, constant(season.calendar.season, n)),
            "game_date": (DATE, game_dates(season, slate.row_day[row])),
            "game_id": (TEXT, text(season.games.game_id, game)),
            "player_id": (NUMBER, pa.array((PERSON_ID_BASE + person).astype(float), mask=odd)),
            "player_name": (TEXT, text(spellings, np.where(odd, spelling, person))),
            "player_name_source": (TEXT, text(spellings, spelling)),
            "team": (TEXT, text(TRICODE, slate.club[row], odd)),
            "opponent": (TEXT, text(TRICODE, opponent(slate.club)[row], odd)),
            "market": (TEXT, text(prop_lines.MARKETS, market)),
            "bookmaker": (TEXT, text(prop_lines.BOOKS, book)),
            "line": (NUMBER, board.line[order]),
            "over_odds": (NUMBER, board.over[order]),
            "under_odds": (NUMBER, board.under[order]),
            "line_kind": (TEXT, constant("standard", n)),
            "is_closing_main": (FLAG, board.closing[order]),
            "did_play": (FLAG, nulls(FLAG, n)),
            "first_seen_utc": (UTC, moments(_before(tip, board.first[order]))),
            "last_seen_utc": (UTC, moments(_before(tip, board.last[order]))),
            "n_snapshots": (INT64, board.snapshots[order]),
            "event_id": (TEXT, text(events, game)),
            "source": (TEXT, constant(SOURCE, n)),
        }
    )


def game_lines_table(season: Season, states: tuple[Outlook, Outlook, Outlook]) -> pa.Table:
    """Build the game lines. One row per game, book and kind (morning, close)."""
    board = game_lines.game_board(stream(season.world.seed, season.calendar.season, "game lines"), states)
    order = np.lexsort((board.kind, board.book, board.game))
    game, slate = board.game[order], season.games.slate
    n = len(order)
    prices = {
        "spread_home": board.spread_home, "spread_price_home": board.spread_price_home,
        "spread_price_away": board.spread_price_away, "total": board.total, "over_odds": board.over,
        "under_odds": board.under, "ml_home": board.ml_home, "ml_away": board.ml_away,
    }  # fmt: skip
    return table(
        {
            "season": (TEXT, constant(season.calendar.season, n)),
            "season_type": (TEXT, season_type(season, game)),
            "game_id": (TEXT, text(season.games.game_id, game)),
            "game_date": (DATE, game_dates(season, slate.day[game])),
            "home_team": (TEXT, text(TRICODE, slate.home[game])),
            "away_team": (TEXT, text(TRICODE, slate.away[game])),
            "bookmaker": (TEXT, text(game_lines.BOOKS, board.book[order])),
            "line_kind": (TEXT, text(game_lines.KINDS, board.kind[order])),
            **{name: (NUMBER, values[order]) for name, values in prices.items()},
            "snapshot_utc": (UTC, moments(_before(season.tip[game], board.before[order]))),
            "source": (TEXT, constant(SOURCE, n)),
        }
    )
