"""Play whole games: planned minutes, 41 minutes, a closing stretch that depends on the margin, overtimes."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from nba_pipeline.simulator.availability import Availability
from nba_pipeline.simulator.engine import (
    FOUL_LIMIT,
    Counts,
    Luck,
    Score,
    draw_luck,
    force_ties,
    play_stretch,
    take_rows,
)
from nba_pipeline.simulator.league import Flags, Floats, Ints
from nba_pipeline.simulator.rates import Rates, expected, rates_of
from nba_pipeline.simulator.rotation import (
    FIRST_STRETCH,
    PLAY_CHANCE,
    at_least_five,
    closing_weights,
    fill,
    game_noise,
    planned_minutes,
    ranks,
    whole_seconds,
)
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.skills import ZONES
from nba_pipeline.simulator.slate import Slate, World, per_game

BLOWOUT_MARGIN = 12.0  # points after 41 minutes at which half of the starters sit
TIE_CHANCE = 0.20  # chosen so that five per cent of games have overtime, as in real seasons
MAX_OVERTIMES = 4
STARTING_HABIT = 22  # index of the trait for starting: some good players come off the bench
_FIRST_PARTS = (12.0, 12.0, 17.0)  # minutes; the margin acts on the next part


@dataclass(frozen=True)
class Played:
    """Results per row and slot; `closing` and `extra` are the parts of `counts` after 41 minutes and in overtime."""

    seconds: Ints
    counts: Counts
    closing: Counts
    extra: Counts
    starter: np.ndarray
    plus_minus: Ints
    overtimes: Ints  # per row

    @property
    def points(self) -> Ints:
        """Club points per row."""
        return self.counts.points.sum(axis=1)


def _margin(points: Ints) -> Ints:
    """Compute own points minus the opponent's per row, from player points."""
    total = points.sum(axis=1)
    return total - total.reshape(-1, 2)[:, ::-1].reshape(-1)


def _score(points: Ints, expected_total: Floats) -> Score:
    """Compute the lead and the excess of both clubs' points over `expected_total`, per row."""
    total = points.sum(axis=1)
    return Score(_margin(points), per_game(total.reshape(-1, 2).sum(axis=1)) - expected_total)


def _plus_minus(rng: np.random.Generator, minutes: Floats, total: Floats, margin: Ints) -> Ints:
    """Draw whole plus-minus values that sum to five times the margin; variance grows with time on the bench."""
    length = total[:, None] / 5.0
    share = np.where(minutes > 0, minutes / length, 0.0)
    spread = 1.45 * np.sqrt(np.clip(minutes * (length - minutes), 0, None) / 12.0)
    noise = np.where(minutes > 0, spread * rng.standard_normal(minutes.shape), 0.0)
    noise -= spread**2 * (noise.sum(axis=1) / np.maximum((spread**2).sum(axis=1), 1e-9))[:, None]
    exact = margin[:, None] * share + noise
    floor = np.floor(exact)
    short = np.round(5 * margin - np.where(minutes > 0, floor, 0).sum(axis=1)).astype(np.int64)
    order = np.argsort(np.where(minutes > 0, floor - exact, 1.0), axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(minutes.shape[1])[None, :], axis=1)
    return np.where(minutes > 0, floor + (place < short[:, None]), 0).astype(np.int64)


def _empty_counts(shape: tuple[int, ...]) -> Counts:
    zones = np.zeros((*shape, ZONES), dtype=np.int64)
    return Counts(zones, zones.copy(), *(np.zeros(shape, dtype=np.int64) for _ in range(9)))


def play(world: World, slate: Slate, status: Availability, label: str) -> Played:
    """Play every game of the slate.

    Args:
        world: the season's players, clubs and latent processes.
        slate: the games, as rows (team-games) and slots (players).
        status: availability of every row and slot.
        label: random stream, one per batch of games.
    """
    rng = stream(world.seed, world.season, "games", label)
    rates = rates_of(world, slate)
    available = slate.member & ~status.out
    score = slate.score * status.returning
    rank = ranks(score + rng.normal(0, 1.2, score.shape), available)
    gets_in = (rng.random(score.shape) < PLAY_CHANCE[rank]) & available
    planned = planned_minutes(score, available, slate.playoff, gets_in.astype(float))
    planned = planned * np.where(status.hurt, rng.uniform(0.25, 0.95, score.shape), 1.0)
    # Foul trouble shortens a player's minutes.
    foul_trouble = rng.random(score.shape) < 0.035 * rates.pf
    noisy = game_noise(rng, planned) * np.where(foul_trouble, rng.uniform(0.65, 0.95, score.shape), 1.0)
    rates = replace(rates, pf=rates.pf * np.where(foul_trouble, 1.15, 0.98))
    first = fill(noisy, 5 * FIRST_STRETCH, FIRST_STRETCH - 0.5)
    starter = np.zeros(score.shape, dtype=bool)
    habit = world.history.traits[np.maximum(slate.person, 0), STARTING_HABIT]
    standing = planned + 4.0 * habit + rng.normal(0, 1.5, score.shape)
    lineup = np.argsort(np.where(gets_in, -standing, np.inf), axis=1, kind="stable")[:, :5]
    np.put_along_axis(starter, lineup, True, axis=1)

    luck = draw_luck(rng, world.form[np.maximum(slate.person, 0), slate.row_day[:, None]])
    counts = _empty_counts(score.shape)
    expected_rate = per_game(expected(rates, planned).team_points.reshape(-1, 2).sum(axis=1)) / 48.0
    elapsed = 0.0
    for part in _FIRST_PARTS:
        minutes = first * part / FIRST_STRETCH
        counts = counts + play_stretch(
            rng, rates, luck, minutes, counts.pf, _score(counts.points, expected_rate * elapsed)
        )
        elapsed += part
    margin = _margin(counts.points)
    gap = per_game(np.abs(margin[::2]) + rng.normal(0, 2.5, slate.games))
    blowout = 1 / (1 + np.exp(-(gap - BLOWOUT_MARGIN) / 2.2))
    empties = np.clip(1.25 * blowout[:, None] - np.interp(rank, [8, 10, 11, 13], [0.0, 0.1, 0.3, 0.75]), 0, 0.95)
    deep = gets_in | ((rng.random(score.shape) < empties) & available)
    closers = closing_weights(first, rank, available, blowout, deep) * np.where(
        counts.pf >= FOUL_LIMIT, 0.0, np.where(counts.pf == 5, 0.7, 1.0)
    )
    closers = closers * np.where(status.hurt, 0.0, np.exp(0.45 * rng.standard_normal(score.shape)))
    rest = fill(at_least_five(closers, 0.004, available), 35.0, 7.0)
    closing = play_stretch(rng, rates, luck, rest, counts.pf, _score(counts.points, expected_rate * elapsed))
    counts = counts + closing
    _tie_close_games(rng, counts, closing)
    minutes = first + rest
    seconds = whole_seconds(minutes, np.full(len(minutes), 14_400))
    overtimes, extra = np.zeros(len(minutes), dtype=np.int64), _empty_counts(score.shape)
    for number in range(MAX_OVERTIMES):
        rows = np.flatnonzero(_margin(counts.points) == 0)
        if not len(rows):
            break
        last = number == MAX_OVERTIMES - 1
        more, added = _overtime(rng, rates, luck, counts, closers, available, rows, decide=last)
        counts.add_rows(rows, more)
        extra.add_rows(rows, more)
        seconds[rows] += added
        overtimes[rows] += 1
    total = (240 + 25 * overtimes).astype(np.float64)
    margin = _margin(counts.points)
    return Played(seconds, counts, closing, extra, starter, _plus_minus(rng, seconds / 60.0, total, margin), overtimes)


def _tie_close_games(rng: np.random.Generator, counts: Counts, closing: Counts) -> None:
    """Tie some close games late: add the make to the closing stretch and to the game, in place."""
    makes, free = closing.makes.copy(), closing.ftm.copy()
    force_ties(rng, closing, _margin(counts.points), TIE_CHANCE)
    counts.makes += closing.makes - makes
    counts.ftm += closing.ftm - free


def _overtime(
    rng: np.random.Generator,
    rates: Rates,
    luck: Luck,
    counts: Counts,
    closers: Floats,
    available: Flags,
    rows: Ints,
    decide: bool,
) -> tuple[Counts, Ints]:
    """Play an overtime of the rows and return counts and seconds; `decide` ends a tied game by a home free throw."""
    eligible = np.where(counts.pf[rows] < FOUL_LIMIT, closers[rows], 0.0)
    minutes = fill(at_least_five(eligible, 0.02, available[rows]), 25.0, 5.0)
    part_rates, part_luck = cast(Rates, take_rows(rates, rows)), cast(Luck, take_rows(luck, rows))
    more = play_stretch(rng, part_rates, part_luck, minutes, counts.pf[rows], Score(0, 0))
    if decide:
        tied = _margin(counts.points[rows] + more.points) == 0
        for row in np.flatnonzero(tied)[::2]:
            slot = int(np.argmax(minutes[row]))
            more.fta[row, slot] += 1
            more.ftm[row, slot] += 1
    return more, whole_seconds(minutes, np.full(len(rows), 1_500))
