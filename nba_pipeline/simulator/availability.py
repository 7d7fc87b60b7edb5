"""Draw injuries, rest and minor injuries, and the status reports before each game; independent of results."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.league import Floats, Ints
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.slate import Slate, World

HEALTHY, PROBABLE, QUESTIONABLE, DOUBTFUL, OUT, OUT_FOR_SEASON = range(6)
STATUS_NAMES = np.array(["available", "probable", "questionable", "doubtful", "out", "out for season"])
PARTS = np.array(
    ["ankle", "knee", "hamstring", "back", "calf", "shoulder", "groin", "foot", "wrist", "hip", "finger", "quadriceps",
     "illness", "concussion protocol", "elbow", "toe", "rest", "personal reasons", "suspension"]
)  # fmt: skip
REST, PERSONAL, SUSPENSION = 16, 17, 18
# Probability that a player sits, by listed status; published reports of 2023-24 show 7, 46, 99 and 99 % for probable,
# questionable, doubtful and out.
SITS = np.array([0.0, 0.07, 0.46, 0.96, 1.0, 1.0])
THIN = 10  # available players below which no player rests and all doubtful players play
LATE_SCRATCH = 0.002
SPELLS = 14  # drawn per person and season, enough to cover the longest season


@dataclass(frozen=True)
class Spells:
    """Absences by person, each array (people, SPELLS): first and last day out, body part."""

    first: Ints
    last: Ints
    part: Ints


@dataclass(frozen=True)
class Availability:
    """Availability per row and slot of a slate."""

    out: np.ndarray  # truth at tip-off
    listed: Ints  # status on the morning report
    scratched: np.ndarray  # healthy on the morning report, out at tip-off
    part: Ints
    returning: Floats  # fraction of usual minutes: below 1 after a long absence
    hurt: np.ndarray  # leaves this game early


def injury_spells(world: World) -> Spells:
    """Draw absences as a renewal process: healthy stretches of about six weeks, absences of days to months."""
    rng = stream(world.seed, world.season, "injuries")
    shape = (len(world.history.names), SPELLS)
    frailty = np.exp(
        0.35 * world.history.traits[:, 20:21]
        + 0.02 * np.clip(world.history.entry.max() - world.history.entry, 0, 15)[:, None]
    )
    healthy = rng.exponential(105.0, shape) / frailty
    kind = rng.random(shape)
    length = np.select(
        [kind < 0.60, kind < 0.87, kind < 0.972],
        [rng.uniform(1, 6, shape), rng.uniform(7, 26, shape), rng.uniform(28, 85, shape)],
        default=rng.uniform(120, 300, shape),
    )
    healthy[:, 0] -= rng.uniform(0, 40, shape[0])  # some are hurt when the season opens
    start = np.cumsum(healthy, axis=1) + np.concatenate(
        [np.zeros((shape[0], 1)), np.cumsum(length, axis=1)[:, :-1]], axis=1
    )
    part = rng.integers(0, REST, shape)
    part = np.where((length < 6) & (rng.random(shape) < 0.12), PERSONAL, part)
    return Spells(np.floor(start).astype(np.int64) + 1, np.floor(start + length).astype(np.int64), part)


def _days_out(spells: Spells, days: int) -> tuple[Ints, Ints]:
    """Return two (people, days) matrices: the spell that covers a day (-1 = none) and the days until it ends."""
    spell = np.full((len(spells.first), days), -1, dtype=np.int64)
    grid = np.arange(days)[None, :]
    for n in range(SPELLS):
        inside = (grid >= spells.first[:, n : n + 1]) & (grid <= spells.last[:, n : n + 1])
        spell = np.where(inside, n, spell)
    return spell, np.where(spell >= 0, np.take_along_axis(spells.last, np.maximum(spell, 0), axis=1) - grid, 0)


def availability(world: World, slate: Slate, spells: Spells, label: str) -> Availability:
    """Draw the listed status and the availability at tip-off of every row and slot.

    Args:
        world: the season's players, clubs and latent processes.
        slate: the games, as rows (team-games) and slots (players).
        spells: injury spells of the season.
        label: random stream, one per batch of games.
    """
    rng = stream(world.seed, world.season, "availability", label)
    shape = slate.person.shape
    spell_of, left = _days_out(spells, world.form.shape[1])
    day = slate.row_day[:, None]
    spell = spell_of[slate.person, day]
    injured = (spell >= 0) & slate.member
    number = np.maximum(spell, 0)
    first = spells.first[slate.person, number]
    length = spells.last[slate.person, number] - first
    draw = rng.random(shape)
    fresh = injured & (day - first <= 1) & (length <= 30) & (draw < 0.35)
    ending = injured & (left[slate.person, day] <= 2) & (draw >= 0.35) & (draw < 0.65)
    listed = np.where(injured, np.where(length > 110, OUT_FOR_SEASON, OUT), HEALTHY)
    listed = np.where(fresh, QUESTIONABLE, np.where(ending, DOUBTFUL, listed))
    matters = np.clip(slate.score / 20, 0.15, 1.0)
    draw = rng.random(shape)
    minor = np.select(
        [draw < 0.058 * matters, draw < 0.112 * matters, draw < 0.116 * matters],
        [QUESTIONABLE, PROBABLE, DOUBTFUL],
        default=HEALTHY,
    )
    listed = np.where(injured, listed, minor)
    part = np.where(injured, spells.part[slate.person, number], rng.integers(0, REST, shape))
    veteran = (slate.score > 30) & (slate.days_off == 0)[:, None] & ~slate.playoff[:, None] & ~injured
    healthy = (slate.member & ~injured).sum(axis=1)
    rested = veteran & (rng.random(shape) < 0.10) & (healthy > THIN)[:, None]
    banned = ~injured & (rng.random(shape) < 0.0006)
    listed = np.where(rested | banned, OUT, listed)
    part = np.where(rested, REST, np.where(banned, SUSPENSION, part))
    sits = injured | (rng.random(shape) < SITS[listed])
    scratched = ~sits & (listed == HEALTHY) & (rng.random(shape) < LATE_SCRATCH)
    out = (sits | scratched) & slate.member
    # A club short of players plays all who are not ruled out.
    short = (slate.member & ~out).sum(axis=1) < THIN
    out &= ~(short[:, None] & (listed > HEALTHY) & (listed < OUT))
    listed = np.where(slate.member, listed, HEALTHY)
    ago = np.full(shape, 99.0)
    for n in range(SPELLS):
        since = day - spells.last[slate.person, n]
        long = spells.last[slate.person, n] - spells.first[slate.person, n] > 14
        ago = np.where(long & (since > 0) & (since < ago), since, ago)
    returning = np.interp(ago, [1, 4, 12], [0.72, 0.85, 1.0])
    tomorrow = spell_of[slate.person, day + 1]
    hurt = slate.member & ~out & (tomorrow >= 0) & (rng.random(shape) < 0.5)
    return Availability(out, listed, scratched, part, returning, hurt)
