"""From who is available, with which role, to seconds per player. Rows are team-games, columns roster slots."""

import numpy as np

from nba_pipeline.simulator.league import Flags, Floats, Ints

# Minutes by rank of the available players in a game that stays close, and the role of the same ranks in a healthy
# roster. The first list is steeper than season averages because blow-outs and absences flatten those.
CLOSE_GAME_MINUTES = np.array([32.2, 31.7, 31.0, 29.8, 28.0, 24.4, 21.0, 17.6, 13.8, 9.0, 6.0, 4.0] + [0.0] * 30)
PLAYOFF_MINUTES = np.array([40.5, 38.5, 36.5, 34.0, 30.0, 22.5, 16.5, 11.5, 6.5, 3.0] + [0.0] * 32)
ROLE_MINUTES = np.array(
    [33.8, 32.4, 31.0, 29.2, 27.0, 22.5, 19.0, 16.0, 13.0, 10.0, 7.5, 6.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.5] + [1.0] * 24
)
PLAY_CHANCE = np.array([1.0] * 8 + [0.95, 0.57, 0.16, 0.04] + [0.0] * 30)
OWN_ROLE_WEIGHT = 0.4  # how much a player's own role, rather than the rank of the day, decides
FIRST_STRETCH = 41.0  # minutes before the closing stretch, in which the margin decides who plays


def fill(weights: Floats, total: Floats | float, cap: Floats | float) -> Floats:
    """Shares `total` (per row) by weight, nobody above `cap`; what the cap cuts goes to the others."""
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
    """Rank (0 = first) of each available player by score; the others rank behind everybody."""
    order = np.argsort(np.where(available, -score, np.inf), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(score.shape[1])[None, :], axis=1)
    return rank


def planned_minutes(score: Floats, available: Flags, playoff: Flags, plays: Floats | None = None) -> Floats:
    """Minutes of a close 48-minute game. `plays`: who of the end of the bench gets in; without it, the average."""
    rank = ranks(score, available)
    template = np.where(playoff[:, None], PLAYOFF_MINUTES[rank], CLOSE_GAME_MINUTES[rank])
    chance = PLAY_CHANCE[rank] if plays is None else plays
    own = np.clip(score, 3.0, 35.5)
    wanted = np.where(template > 0, (1 - OWN_ROLE_WEIGHT) * template + OWN_ROLE_WEIGHT * own, 0.0) * chance * available
    return fill(wanted, 240.0, 44.0)


def game_noise(rng: np.random.Generator, planned: Floats) -> Floats:
    """Planned minutes with the day's match-ups, fouls and form: about 4 minutes for a star, 6 for a reserve."""
    spread = np.interp(planned, [0, 8, 16, 24, 32, 40], [0.66, 0.54, 0.38, 0.23, 0.125, 0.08])
    return planned * np.exp(spread * rng.standard_normal(planned.shape) - 0.5 * spread**2)


def closing_weights(planned: Floats, rank: Ints, available: Flags, blowout: Floats, deep: Flags) -> Floats:
    """Weights for the closing stretch: the best in a close game, the end of the bench (`deep`) in a blow-out."""
    close = planned**1.2
    close /= np.maximum(close.sum(axis=1, keepdims=True), 1e-9)
    garbage = np.interp(rank, [0, 4, 5, 7, 9, 13, 14], [0.12, 0.16, 0.5, 0.8, 1.0, 0.8, 0.0]) * available
    garbage = np.where((rank >= 9) & ~deep, 0.0, garbage)
    garbage /= np.maximum(garbage.sum(axis=1, keepdims=True), 1e-9)
    return (1 - blowout[:, None]) * close + blowout[:, None] * garbage


def at_least_five(weights: Floats, threshold: float, backup: Flags) -> Floats:
    """Weights without the tiny ones; rows left with fewer than six players fall back on everybody available."""
    kept = np.where(weights < threshold, 0.0, weights)
    few = (kept > 0).sum(axis=1) < 6
    return np.where(few[:, None], weights + 0.01 * backup, kept)


def whole_seconds(minutes: Floats, total_seconds: Ints) -> Ints:
    """Rounds minutes to whole seconds so that every row sums exactly to its total (largest remainders first)."""
    exact = minutes * 60.0
    floor = np.floor(exact + 1e-9)
    short = (total_seconds - floor.sum(axis=1)).astype(np.int64)
    remainder = np.where(minutes > 0, exact - floor, -1.0)
    order = np.argsort(-remainder, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(minutes.shape[1])[None, :], axis=1)
    return (floor + (place < short[:, None])).astype(np.int64)
