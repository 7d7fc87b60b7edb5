"""Play the cup final, the play-in and the play-offs, whose pairings follow from earlier results."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from nba_pipeline.simulator.availability import Availability, Spells, availability
from nba_pipeline.simulator.calendar import SeasonCalendar
from nba_pipeline.simulator.clubs import CONFERENCE, TEAM_COUNT
from nba_pipeline.simulator.engine import Counts
from nba_pipeline.simulator.games import Played, play
from nba_pipeline.simulator.league import Ints
from nba_pipeline.simulator.slate import Slate, World, build_slate

HOSTS = (True, True, False, False, True, False, True)  # the better seed at home: 2-2-1-1-1
_GAME_FIELDS = ("home", "away", "day", "neutral")


@dataclass(frozen=True)
class Batch:
    """Games played together, with their ids."""

    game_id: np.ndarray
    slate: Slate
    status: Availability
    played: Played

    def winners(self) -> Ints:
        """Return the winning club of each game."""
        points = self.played.points.reshape(-1, 2)
        return np.where(points[:, 0] > points[:, 1], self.slate.home, self.slate.away)


def _combine(parts: list, pick: Callable[[np.ndarray, str], np.ndarray]):
    """Apply `pick` to each field of the parts, dataclasses of arrays, and concatenate the results."""
    columns = {}
    for field in fields(parts[0]):
        values = [getattr(part, field.name) for part in parts]
        nested = isinstance(values[0], Counts)
        columns[field.name] = (
            _combine(values, pick) if nested else np.concatenate([pick(value, field.name) for value in values])
        )
    return type(parts[0])(**columns)


def concatenate(batches: list[Batch]) -> Batch:
    """Concatenate batches."""
    whole = [
        _combine([getattr(b, name) for b in batches], lambda value, _: value) for name in ("slate", "status", "played")
    ]
    return Batch(np.concatenate([b.game_id for b in batches]), *whole)


def select(batch: Batch, games: np.ndarray) -> Batch:
    """Restrict a batch to the games of the given indices."""
    rows = np.stack([2 * games, 2 * games + 1], axis=1).reshape(-1)

    def pick(value: np.ndarray, name: str) -> np.ndarray:
        return value[games] if name in _GAME_FIELDS else value[rows]

    slate, status, played = (_combine([part], pick) for part in (batch.slate, batch.status, batch.played))
    return Batch(batch.game_id[games], slate, status, played)


def play_batch(
    world: World,
    spells: Spells,
    label: str,
    ids: list[str],
    games: list[tuple[int, int, int]],
    playoff: bool,
    neutral: bool = False,
) -> Batch:
    """Play (home, away, day) games under one label; all clubs have a day of rest, as in a series."""
    home, away, day = (np.array(column, dtype=np.int64) for column in zip(*games, strict=True))
    flags = np.full(len(games), neutral)
    slate = build_slate(
        world, home, away, day, flags, np.full(len(games), playoff), np.stack([day - 2, day - 2], axis=1)
    )
    status = availability(world, slate, spells, label)
    return Batch(np.array(ids), slate, status, play(world, slate, status, label))


def standings(batch: Batch) -> list[list[int]]:
    """Rank the clubs of each conference by wins, then point difference, then tricode order."""
    points = batch.played.points.reshape(-1, 2)
    margin = points[:, 0] - points[:, 1]
    wins, difference = np.zeros(TEAM_COUNT), np.zeros(TEAM_COUNT)
    np.add.at(wins, batch.winners(), 1)
    np.add.at(difference, batch.slate.home, margin)
    np.add.at(difference, batch.slate.away, -margin)
    order = np.lexsort((np.arange(TEAM_COUNT), -difference, -wins))
    return [[int(c) for c in order if CONFERENCE[c] == conference] for conference in (0, 1)]


def play_in(
    world: World, spells: Spells, calendar: SeasonCalendar, tables: list[list[int]]
) -> tuple[list[Batch], list[list[int]]]:
    """Play the play-in of seeds 7-10; return the games and the eight seeds of each conference."""
    year = f"{calendar.year % 100:02d}"
    first, second, third = (calendar.day_index(day) for day in calendar.play_in())
    games, ids = [], []
    for conference, table in enumerate(tables):
        day = first if conference == 0 else second
        games += [(table[6], table[7], day), (table[8], table[9], first if conference else second)]
        ids += [f"005{year}001{conference}1", f"005{year}001{conference + 2}1"]
    opening = play_batch(world, spells, "play-in", ids, games, playoff=True)
    won = opening.winners()
    seeds, games, ids = [], [], []
    for conference, table in enumerate(tables):
        seventh = int(won[2 * conference])
        loser = table[7] if seventh == table[6] else table[6]
        games.append((loser, int(won[2 * conference + 1]), third))
        ids.append(f"005{year}002{conference}1")
        seeds.append([*table[:6], seventh])
    closing = play_batch(world, spells, "play-in final", ids, games, playoff=True)
    for conference in (0, 1):
        seeds[conference].append(int(closing.winners()[conference]))
    return [opening, closing], seeds


def _play_round(
    world: World, spells: Spells, calendar: SeasonCalendar, number: int, pairs: list[tuple[int, int]]
) -> tuple[Batch, list[int]]:
    """Play best-of-seven series (better seed first): draw seven games, drop those after the fourth win."""
    games, ids = [], []
    for series, (better, worse) in enumerate(pairs):
        days = calendar.series_days(number, late_start=series % 2 == 1)
        for game, (at_home, day) in enumerate(zip(HOSTS, days, strict=True), start=1):
            host, guest = (better, worse) if at_home else (worse, better)
            games.append((host, guest, calendar.day_index(day)))
            ids.append(f"004{calendar.year % 100:02d}00{number}{series}{game}")
    batch = play_batch(world, spells, f"round {number}", ids, games, playoff=True)
    won = (batch.winners().reshape(-1, 7) == np.array([better for better, _ in pairs])[:, None]).astype(int)
    before = np.cumsum(won, axis=1) - won
    lost_before = np.arange(7)[None, :] - before
    needed = (before < 4) & (lost_before < 4)
    advance = [better if (won[i] * needed[i]).sum() == 4 else worse for i, (better, worse) in enumerate(pairs)]
    return select(batch, np.flatnonzero(needed.reshape(-1))), advance


def playoffs(
    world: World, spells: Spells, calendar: SeasonCalendar, seeds: list[list[int]], rank: dict[int, int]
) -> list[Batch]:
    """Play the four rounds of the play-offs.

    Args:
        world: the season's players, clubs and latent processes.
        spells: injury spells of the season.
        calendar: dates of the season.
        seeds: the eight clubs of each conference, best first.
        rank: place of each club in its conference, which decides home court in the Finals.
    """
    pairs = [(s[a], s[b]) for s in seeds for a, b in ((0, 7), (3, 4), (2, 5), (1, 6))]
    batches = []
    for number in (1, 2, 3, 4):
        batch, through = _play_round(world, spells, calendar, number, pairs)
        batches.append(batch)
        seed_of = {club: i for s in seeds for i, club in enumerate(s)} if number < 3 else rank
        matched = [(through[i], through[i + 1]) for i in range(0, len(through) - 1, 2)]
        pairs = [(a, b) if seed_of[a] < seed_of[b] else (b, a) for a, b in matched]
    return batches
