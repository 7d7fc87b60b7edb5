"""Distribute playing time over the available players. Rows are team-games, columns roster slots."""

import numpy as np

from nba_pipeline.simulator.league import Flags, Floats, Ints

# Minutes by rank of the available players in a close game, and by rank in a healthy roster. The former are steeper than
# season averages, which blow-outs and absences flatten.
CLOSE_GAME_MINUTES = np.array([31.6, 31.2, 30.6, 29.7, 28.2, 24.7, 21.3, 17.9, 14.1, 9.3, 6.1, 4.0] + [0.0] * 30)
PLAYOFF_MINUTES = np.array([40.5, 38.5, 36.5, 34.0, 30.0, 22.5, 16.5, 11.5, 6.5, 3.0] + [0.0] * 32)
ROLE_MINUTES = np.array(
    [33.8, 32.4, 31.0, 29.2, 27.0, 22.5, 19.0, 16.0, 13.0, 10.0, 7.5, 6.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.5] + [1.0] * 24
)
PLAY_CHANCE = np.array([1.0] * 8 + [0.95, 0.57, 0.16, 0.04] + [0.0] * 30)
OWN_ROLE_WEIGHT = 0.45  # weight of a player's own role against the rank of the day
FIRST_STRETCH = 41.0  # minutes before the closing stretch


def fill(weights: Floats, total: Floats | float, cap: Floats | float) -> Floats:
    """Distribute `total` (per row) by weight with at most `cap` each; the excess goes to the others."""
    goal = np.broadcast_to(np.asarray(total, dtype=float).reshape(-1, 1), (len(weights), 1))
    limit = np.broadcast_to(np.asarray(cap, dtype=float).reshape(-1, 1), (len(weights), 1))
    at_cap = np.zeros(weights.shape, dtype=bool)
    shared = weights
    for _ in range(8):
        free = np.where(at_cap, 0.0, weights)
        left = goal - (at_cap * limit).sum(axis=1, keepdims=True)
        shared = np.where(at_cap, limit, free * left / np.maximum(free.sum(axis=1, keepdims=True), 1e-12))
        over = shared > limit * (1 + 1e-12)
        if not over.any():
            break
        at_cap |= over
    return shared


def ranks(score: Floats, available: Flags) -> Ints:
    """Rank the available players by score (0 = first); the others follow them."""
    order = np.argsort(np.where(available, -score, np.inf), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(score.shape[1])[None, :], axis=1)
    return rank


def planned_minutes(score: Floats, available: Flags, playoff: Flags, plays: Floats | None = None) -> Floats:
    """Plan the minutes of a close 48-minute game, (rows, slots).

    Args:
        score: role of the day in minutes.
        available: players who can play.
        playoff: per row, whether starters play longer.
        plays: 1 where the player enters the game, else 0; None for the probability of it.
    """
    rank = ranks(score, available)
    template = np.where(playoff[:, None], PLAYOFF_MINUTES[rank], CLOSE_GAME_MINUTES[rank])
    chance = PLAY_CHANCE[rank] if plays is None else plays
    own = np.clip(score, 3.0, 35.5)
    target = np.where(template > 0, (1 - OWN_ROLE_WEIGHT) * template + OWN_ROLE_WEIGHT * own, 0.0) * chance * available
    return fill(target, 240.0, 44.0)


def game_noise(rng: np.random.Generator, planned: Floats) -> Floats:
    """Add the day's noise to planned minutes: a standard deviation of about 4 minutes for a star, 6 for a reserve."""
    spread = np.interp(planned, [0, 8, 16, 24, 32, 40], [1.0, 0.85, 0.48, 0.24, 0.125, 0.085])
    return planned * np.exp(spread * rng.standard_normal(planned.shape) - 0.5 * spread**2)


def closing_weights(planned: Floats, rank: Ints, available: Flags, blowout: Floats, deep: Flags) -> Floats:
    """Compute weights for the closing stretch: the best players if close, the end of the bench (`deep`) if not."""
    close = planned**1.2
    close /= np.maximum(close.sum(axis=1, keepdims=True), 1e-9)
    garbage = np.interp(rank, [0, 4, 5, 7, 9, 13, 14], [0.12, 0.16, 0.5, 0.8, 1.0, 0.8, 0.0]) * available
    garbage = np.where((rank >= 9) & ~deep, 0.0, garbage)
    garbage /= np.maximum(garbage.sum(axis=1, keepdims=True), 1e-9)
    return (1 - blowout[:, None]) * close + blowout[:, None] * garbage


def at_least_five(weights: Floats, threshold: float, backup: Flags) -> Floats:
    """Drop weights below `threshold`; rows with fewer than six players left use all available players."""
    large = np.where(weights < threshold, 0.0, weights)
    few = (large > 0).sum(axis=1) < 6
    return np.where(few[:, None], weights + 0.01 * backup, large)


def whole_seconds(minutes: Floats, total_seconds: Ints) -> Ints:
    """Round minutes to whole seconds so that every row sums exactly to its total (largest remainders first)."""
    exact = minutes * 60.0
    floor = np.floor(exact + 1e-9)
    short = (total_seconds - floor.sum(axis=1)).astype(np.int64)
    remainder = np.where(minutes > 0, exact - floor, -1.0)
    order = np.argsort(-remainder, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(minutes.shape[1])[None, :], axis=1)
    return (floor + (place < short[:, None])).astype(np.int64)
