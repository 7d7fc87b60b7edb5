"""Simulate the league's history: players, talent and club membership from season to season.

The history starts in `FIRST_YEAR` and is replayed up to the requested season. One off-season is a few array
operations on about 1,500 people, so replaying fifteen of them takes milliseconds and consecutive seasons are
consistent.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.simulator.calendar import season_calendar
from nba_pipeline.simulator.clubs import TEAM_COUNT
from nba_pipeline.simulator.people import invent_names
from nba_pipeline.simulator.seeds import stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FIRST_YEAR = 2016
ROSTER_SIZE = 18  # fifteen contracts and three two-way contracts
PERSON_ID_BASE = 9_000_001  # above every id that the league has assigned
TRAITS = 24  # standard normal latents per person; `skills.py` maps them to skills
POSITION_SHARES = (0.38, 0.34, 0.28)  # guards, wings, bigs
FREE_AGENT = -1
RETIRED = -2
LAST_DAY = 250  # days after opening night; the Finals end on day 243 at the latest
CLUB_LATENTS = 16  # style of a club: attack, defence, pace, defence by zone, ...


@dataclass
class History:
    """All players since the first season, by person number (row)."""

    names: list[str]
    birth: Floats  # year and fraction
    entry: Ints  # opening year of the first season
    position: Ints
    talent: Floats  # 0 = average of the league's 540 players, 1 = one standard deviation
    traits: Floats  # (people, TRAITS)
    club: Ints  # or FREE_AGENT, RETIRED
    club_style: Floats  # (clubs, CLUB_LATENTS)


@dataclass(frozen=True)
class Stints:
    """Spells of club membership; days count from opening night, first and last included."""

    person: Ints
    club: Ints
    first_day: Ints
    last_day: Ints


def _newcomers(history: History, rng: np.random.Generator, year: int, count: int, founding: bool) -> None:
    position = rng.choice(3, size=count, p=POSITION_SHARES).astype(np.int64)
    if founding:
        age = 19.2 + rng.gamma(3.2, 2.25, count)
        talent = rng.normal(0.0, 1.0, count) + 0.15 * np.clip(27 - np.abs(age - 27), 20, 27) - 0.15 * 25.0
    else:
        age = 19.1 + rng.gamma(1.8, 1.1, count)
        talent = rng.normal(-0.75, 0.85, count)
    seniority = np.clip(age - 20.5, 0, None) if founding else np.zeros(count)
    history.names.extend(invent_names(rng, count, set(history.names)))
    history.birth = np.concatenate([history.birth, year + 0.8 - age])
    history.entry = np.concatenate([history.entry, year - np.floor(seniority).astype(np.int64)])
    history.position = np.concatenate([history.position, position])
    history.talent = np.concatenate([history.talent, talent])
    history.traits = np.concatenate([history.traits, rng.standard_normal((count, TRAITS))])
    history.club = np.concatenate([history.club, np.full(count, FREE_AGENT)])


def _development(age: Floats) -> Floats:
    """Return the mean yearly change of talent by age: a rise until 28, then a decline that steepens."""
    return np.interp(age, [19, 22, 25, 28, 31, 34, 38, 42], [0.38, 0.24, 0.08, 0.0, -0.12, -0.28, -0.5, -0.8])


def _fill_rosters(history: History, rng: np.random.Generator) -> None:
    """Fill every roster: clubs pick in turn, weakest first, the best free agent for the positions they need."""
    strength = np.array([np.sort(history.talent[history.club == c])[-8:].sum() for c in range(TEAM_COUNT)])
    order = np.argsort(strength + rng.normal(0, 1.2, TEAM_COUNT), kind="stable")
    sizes = np.array([(history.club == c).sum() for c in range(TEAM_COUNT)])
    by_position = np.array(
        [[((history.club == c) & (history.position == p)).sum() for p in range(3)] for c in range(TEAM_COUNT)]
    )
    free = np.flatnonzero(history.club == FREE_AGENT)
    value = history.talent[free]
    position = history.position[free]
    while (sizes < ROSTER_SIZE).any():
        for club in order:
            if sizes[club] >= ROSTER_SIZE:
                continue
            need = np.array([6.8, 6.1, 5.1]) - by_position[club]
            pick = int(np.argmax(value + 0.12 * np.clip(need, -3, 3)[position] + rng.normal(0, 0.15, len(value))))
            history.club[free[pick]] = club
            value[pick] = -np.inf
            sizes[club] += 1
            by_position[club, position[pick]] += 1


def _off_season(history: History, seed: int, year: int) -> None:
    rng = stream(seed, year, "off-season")
    active = history.club != RETIRED
    age = year + 0.8 - history.birth
    people = len(history.names)
    history.talent = np.where(
        active, history.talent * 0.985 + _development(age) + rng.normal(0, 0.22, people), history.talent
    )
    leaves = 1 / (1 + np.exp(-(0.75 * (age - 37.5) - 1.6 * history.talent - 0.8)))
    unsigned = history.club == FREE_AGENT
    gone = active & ((rng.random(people) < leaves) | (unsigned & (rng.random(people) < 0.6)))
    history.club[gone] = RETIRED
    ends = (history.club >= 0) & (rng.random(people) < np.where(history.talent > 1.2, 0.13, 0.3))
    history.club[ends] = FREE_AGENT
    _newcomers(history, rng, year, 85, founding=False)
    _fill_rosters(history, rng)
    rostered = history.club >= 0
    history.talent -= history.talent[rostered].mean()  # the scale is relative to the league of the year
    history.talent /= max(float(history.talent[rostered].std()), 1e-9)
    history.club_style = 0.6 * history.club_style + 0.8 * rng.standard_normal(history.club_style.shape)


def _mid_season(history: History, seed: int, year: int, deadline: int, last: int) -> Stints:
    """Apply the season's trades and signings to `history` and return the stints that result."""
    rng = stream(seed, year, "moves")
    person = list(np.flatnonzero(history.club >= 0))
    club = [int(history.club[p]) for p in person]
    first, final = [0] * len(person), [last] * len(person)
    row_of = {int(p): i for i, p in enumerate(person)}

    def move(p: int, to: int, day: int, delay: int) -> None:
        if p in row_of:
            final[row_of[p]] = day - 1
        history.club[p] = to
        if to >= 0:
            row_of[p] = len(person)
            person.append(np.int64(p))
            club.append(to)
            first.append(day + delay)
            final.append(last)

    days = np.sort(np.concatenate([rng.integers(25, deadline, 7), deadline - rng.integers(0, 4, 11)]))
    moved: set[int] = set()
    for day in days:
        a, b = (int(c) for c in rng.choice(TEAM_COUNT, 2, replace=False))
        sides = []
        for side in (a, b):
            members = np.array([p for p in np.flatnonzero(history.club == side) if int(p) not in moved])
            ranked = members[np.argsort(-history.talent[members], kind="stable")][1:14]  # a club keeps its best player
            sides.append([int(p) for p in rng.choice(ranked, int(rng.integers(1, 3)), replace=False)])
        for members, to in ((sides[0], b), (sides[1], a)):
            for p in members:
                moved.add(p)
                move(p, to, int(day), int(rng.integers(1, 3)))
    free = np.flatnonzero(history.club == FREE_AGENT)
    signed = free[np.argsort(-history.talent[free], kind="stable")][:32]
    for p in signed:
        day, to = int(rng.integers(10, last - 75)), int(rng.integers(TEAM_COUNT))
        members = [int(q) for q in np.flatnonzero(history.club == to) if int(q) not in moved]
        worst = min(members, key=lambda q: (history.talent[q], q))
        moved.update((worst, int(p)))
        move(worst, FREE_AGENT, day, 0)
        move(int(p), to, day, 1)
    columns = (np.array(person), np.array(club), np.array(first), np.array(final))
    return Stints(*(column.astype(np.int64) for column in columns))


def replay(seed: int, year: int) -> tuple[History, Stints]:
    """Replay the league up to the season that opens in `year`; return its state and that season's stints."""
    *_, (_, history, stints) = replayed(seed, year)
    return history, stints


def replayed(seed: int, year: int) -> Iterator[tuple[int, History, Stints]]:
    """Yield the opening year, the state and the stints of each season up to the one that opens in `year`.

    The state is one object, which the next season changes.
    """
    no_floats, no_ints = np.zeros(0), np.zeros(0, dtype=np.int64)
    style = np.zeros((TEAM_COUNT, CLUB_LATENTS))
    history = History([], no_floats, no_ints, no_ints, no_floats, np.zeros((0, TRAITS)), no_ints, style)
    founding = stream(seed, "founding")
    _newcomers(history, founding, FIRST_YEAR, TEAM_COUNT * ROSTER_SIZE + 40, founding=True)
    history.club_style = founding.standard_normal(style.shape)
    for opening in range(FIRST_YEAR, year + 1):
        calendar = season_calendar(opening)
        _off_season(history, seed, opening)
        yield (
            opening,
            history,
            _mid_season(history, seed, opening, calendar.day_index(calendar.trade_deadline), LAST_DAY),
        )
