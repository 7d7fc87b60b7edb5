"""Build injuries, players and ages in the landing layout."""

import numpy as np
import pyarrow as pa

from nba_pipeline.simulator.calendar import SeasonCalendar, season_calendar
from nba_pipeline.simulator.clubs import TRICODE
from nba_pipeline.simulator.columns import (
    DATE,
    INT32,
    NUMBER,
    SOURCE,
    TEXT,
    UTC,
    constant,
    game_dates,
    moments,
    nulls,
    table,
    text,
)
from nba_pipeline.simulator.league import PERSON_ID_BASE, History, replayed
from nba_pipeline.simulator.people import plain_spelling
from nba_pipeline.simulator.reports import injury_rows
from nba_pipeline.simulator.season import Season
from nba_pipeline.simulator.seeds import stream

_POSITIONS = ("Guard", "Guard-Forward", "Forward", "Forward-Guard", "Center", "Center-Forward")
_HEIGHT = np.array([75.5, 79.3, 82.6])  # inches, by position
_WEIGHT = np.array([196.0, 215.0, 244.0])  # pounds


def injuries_table(season: Season) -> pa.Table:
    """Build the injury feed: transactions, pre-game reports and box-score absences."""
    rows = injury_rows(season, stream(season.world.seed, season.calendar.season, "reports"))
    kind, day, before, game, club, person, status, reason = (list(column) for column in zip(*rows, strict=True))
    days, games, people = np.array(day), np.array(game), np.array(person)
    tip = season.tip[np.maximum(games, 0)]
    timed = np.array([b is not None for b in before])
    shift = np.array([b or 0 for b in before]).astype("timedelta64[m]")
    names = season.world.history.names
    return table(
        {
            "season": (TEXT, constant(season.calendar.season, len(rows))),
            "record_type": (TEXT, pa.array(kind)),
            "report_date": (DATE, game_dates(season, days)),
            "report_utc": (UTC, moments(np.where(timed, tip - shift, np.datetime64("NaT", "us")))),
            "game_id": (TEXT, text(season.games.game_id, np.maximum(games, 0), games < 0)),
            "team": (TEXT, text(TRICODE, np.array(club))),
            "player_id": (NUMBER, PERSON_ID_BASE + people.astype(float)),
            "player_name": (TEXT, text(names, people)),
            "player_name_source": (TEXT, text([plain_spelling(name) for name in names], people)),
            "status": (TEXT, pa.array(status)),
            "reason": (TEXT, pa.array(reason)),
            "source": (TEXT, constant(SOURCE, len(rows))),
        }
    )


def _members(season: Season) -> np.ndarray:
    """Return the person numbers of all players with a stint in the season."""
    person = season.world.clubs.person
    return np.unique(person[person >= 0])


def players_table(season: Season) -> pa.Table:
    """Build the players under contract in the season; `last_season` is this season. One row per player."""
    person, history = _members(season), season.world.history
    z, spot = history.traits[person], history.position[person]
    position = 2 * spot + (z[:, 19] > 0.9)
    inches = np.clip(np.round(_HEIGHT[spot] + 1.9 * z[:, 21]), 69, 89).astype(np.int64)
    pounds = np.clip(np.round(_WEIGHT[spot] + 3.5 * (inches - _HEIGHT[spot]) + 9 * z[:, 22]), 160, 310)
    entry = [f"{year}-{(year + 1) % 100:02d}" for year in history.entry[person].tolist()]
    return table(
        {
            "player_id": (INT32, PERSON_ID_BASE + person),
            "player_name": (TEXT, text(history.names, person)),
            "position_2023_24": (TEXT, nulls(TEXT, len(person))),
            "height": (TEXT, pa.array([f"{i // 12}-{i % 12}" for i in inches.tolist()])),
            "weight": (NUMBER, pounds),
            "position_nba": (TEXT, text(_POSITIONS, position)),
            "position": (TEXT, text(_POSITIONS, position)),
            "first_season": (TEXT, pa.array(entry)),
            "last_season": (TEXT, constant(season.calendar.season, len(person))),
        }
    )


def player_ages_until(seed: int, year: int) -> pa.Table:
    """Build the ages in whole years on 1 February of each season up to the one that opens in `year`.

    One row per season and player. No season has to be played.
    """
    lists = [_ages(season_calendar(opening), h, np.unique(s.person)) for opening, h, s in replayed(seed, year)]
    return pa.concat_tables(lists)


def _ages(calendar: SeasonCalendar, history: History, person: np.ndarray) -> pa.Table:
    return table(
        {
            "season": (TEXT, constant(calendar.season, len(person))),
            "player_id": (INT32, PERSON_ID_BASE + person),
            "player_name": (TEXT, text(history.names, person)),
            "age": (NUMBER, np.floor(calendar.year + 1.085 - history.birth[person])),
        }
    )
