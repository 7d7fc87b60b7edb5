"""Lay out games as team-game rows (2 g = home, 2 g + 1 = away) with rosters and rest before tip-off."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.clubs import TEAM_COUNT
from nba_pipeline.simulator.league import Floats, History, Ints, Stints
from nba_pipeline.simulator.rotation import ROLE_MINUTES
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.skills import Skills, skills_of

DRIFT_PER_DAY = 0.96  # day-to-day persistence of roles and form: half gone after seventeen days
# Standard deviation of the drift, minutes, by role, minutes.
_ROLES, _ROLE_DRIFT = (0, 6, 14, 24, 34), (4.4, 6.3, 8.0, 6.4, 3.1)


@dataclass(frozen=True)
class Club:
    """Stints of all clubs as arrays (club, slot); `role` is minutes when all players are healthy."""

    person: Ints
    first_day: Ints
    last_day: Ints
    role: Floats
    style: Floats


@dataclass(frozen=True)
class World:
    """State of a season that does not depend on games."""

    seed: int
    season: str
    history: History
    skills: Skills
    clubs: Club
    role_drift: Floats  # (people, days), standard deviations
    form: Floats


@dataclass(frozen=True)
class Slate:
    """Rows of games to play. `person` is -1 in empty slots; `member` marks stints that cover the day."""

    home: Ints
    away: Ints
    day: Ints  # per game, days since opening night
    neutral: np.ndarray
    playoff: np.ndarray  # per row
    club: Ints  # per row
    row_day: Ints
    days_off: Ints  # per row: days since the club's last game minus one, 9 for the first
    person: Ints  # (rows, slots)
    member: np.ndarray
    score: Floats  # role of the day in minutes

    @property
    def games(self) -> int:
        """Number of games."""
        return len(self.home)


def opponent(values: np.ndarray) -> np.ndarray:
    """Exchange the rows of home and away."""
    return values.reshape(-1, 2, *values.shape[1:])[:, ::-1].reshape(values.shape)


def per_game(values: np.ndarray) -> np.ndarray:
    """Repeat values by game for both rows."""
    return np.repeat(values, 2, axis=0)


def _drift(rng: np.random.Generator, people: int, days: int) -> Floats:
    steps = rng.standard_normal((days, people))
    path = np.empty_like(steps)
    path[0] = steps[0]
    fresh = np.sqrt(1 - DRIFT_PER_DAY**2)
    for day in range(1, days):
        path[day] = DRIFT_PER_DAY * path[day - 1] + fresh * steps[day]
    return path.T


def build_world(seed: int, year: int, season: str, history: History, stints: Stints, days: int) -> World:
    """Lay out the stints by club with a role: the rank by talent among the members on the stint's first day.

    Args:
        seed: seed of the league.
        year: calendar year of opening night.
        season: such as `2024-25`.
        history: state of the league.
        stints: spells of club membership.
        days: length of the latent processes, days from opening night.
    """
    slots = int(np.bincount(stints.club).max())
    person = np.full((TEAM_COUNT, slots), -1, dtype=np.int64)
    first, last = np.zeros_like(person), np.full_like(person, -1)
    role = np.zeros(person.shape)
    for club in range(TEAM_COUNT):
        rows = np.flatnonzero(stints.club == club)
        n = len(rows)
        person[club, :n], first[club, :n], last[club, :n] = (
            stints.person[rows],
            stints.first_day[rows],
            stints.last_day[rows],
        )
        value = history.talent[stints.person[rows]] + 0.25 * history.traits[stints.person[rows], 23]
        start = stints.first_day[rows]
        overlaps = (start[None, :] <= start[:, None]) & (stints.last_day[rows][None, :] >= start[:, None])
        better = ((value[None, :] > value[:, None]) & overlaps).sum(axis=1)
        spread = np.interp(better, [0, 5, 9, 14], [0.9, 1.8, 2.2, 1.2])
        role[club, :n] = np.maximum(ROLE_MINUTES[better] + spread * history.traits[stints.person[rows], 19], 0.5)
    people = len(history.names)
    clubs = Club(person, first, last, role, history.club_style)
    return World(
        seed, season, history, skills_of(history, year), clubs,
        _drift(stream(seed, season, "role"), people, days), _drift(stream(seed, season, "form"), people, days),
    )  # fmt: skip


def build_slate(
    world: World, home: Ints, away: Ints, day: Ints, neutral: np.ndarray, playoff: np.ndarray, last_played: Ints
) -> Slate:
    """Lay out the given games.

    Args:
        world: the season's players, clubs and latent processes.
        home: home club per game.
        away: away club per game.
        day: days since opening night per game.
        neutral: per game, whether the site is neutral.
        playoff: per game, whether it belongs to the postseason.
        last_played: day of each club's previous game, (games, 2); negative if none.
    """
    club = np.stack([home, away], axis=1).reshape(-1)
    row_day = per_game(day)
    person = world.clubs.person[club]
    member = (
        (person >= 0)
        & (world.clubs.first_day[club] <= row_day[:, None])
        & (world.clubs.last_day[club] >= row_day[:, None])
    )
    score = scores(world, club, person, row_day)
    last = last_played.reshape(-1)
    days_off = np.where(last < 0, 9, np.minimum(row_day - last - 1, 9))
    return Slate(home, away, day, neutral, per_game(playoff), club, row_day, days_off, person, member, score)


def expected_latent(latent: Floats, person: Ints, row_day: Ints, lag: int) -> Floats:
    """Return a latent process as it is expected on the day from its state `lag` days before.

    Args:
        latent: (people, days), standard deviations.
        person: person per row and slot.
        row_day: day per row.
        lag: age of the information, days; 0 for the state of the day.
    """
    seen = np.maximum(row_day - lag, 0)
    return (DRIFT_PER_DAY ** (row_day - seen))[:, None] * latent[person, seen[:, None]]


def scores(world: World, club: Ints, person: Ints, row_day: Ints, lag: int = 0) -> Floats:
    """Return roles of the day in minutes, drift included; arguments as in `expected_latent`, `club` per row."""
    role = world.clubs.role[club]
    return role + np.interp(role, _ROLES, _ROLE_DRIFT) * expected_latent(world.role_drift, person, row_day, lag)


def previous_days(home: Ints, away: Ints, day: Ints) -> Ints:
    """Return the day of each club's previous game among these games, (games, 2); -1 for its first."""
    club = np.stack([home, away], axis=1).reshape(-1)
    row_day = per_game(day)
    order = np.lexsort((row_day, club))
    before = np.full(len(club), -1, dtype=np.int64)
    same = club[order][1:] == club[order][:-1]
    before[order[1:]] = np.where(same, row_day[order][:-1], -1)
    return before.reshape(-1, 2)
