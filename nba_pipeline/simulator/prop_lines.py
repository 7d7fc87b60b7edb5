"""Quote player props: five snapshots per book from morning to tip-off, folded into distinct (line, odds) rows."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.league import Floats, Ints
from nba_pipeline.simulator.market import Outlook
from nba_pipeline.simulator.odds import american, normal_cdf

MARKETS = np.array(["points", "rebounds", "assists", "threes", "pra"])
BOOKS = np.array(["draftkings", "fanduel", "betmgm", "williamhill_us"])
_GRID = np.array([5.0, 2.0, 5.0, 1.0])
_OFFERED = {"points": (1.0, 0.97, 0.92, 0.85)}
_OFFERED_ELSEWHERE = (0.9, 0.8, 0.35, 0.0)
_MIN_MINUTES = {"points": 21.0, "rebounds": 24.0, "assists": 24.0, "threes": 24.0, "pra": 25.0}
_MIN_MEAN = {"points": 5.5, "rebounds": 2.6, "assists": 1.8, "threes": 0.9, "pra": 12.0}
# Median, standard deviation of the outcome and relative error of the line (constant within a day), by expected mean.
_MEDIAN_SHIFT = {
    "points": (0.975, -0.08),
    "rebounds": (0.99, -0.10),
    "assists": (0.99, -0.13),
    "threes": (1.0, -0.12),
    "pra": (0.99, -0.3),
}
_SPREAD = {
    "points": (3.4, 0.20),
    "rebounds": (1.3, 0.24),
    "assists": (1.0, 0.26),
    "threes": (0.8, 0.28),
    "pra": (4.0, 0.19),
}
_ERROR = 0.015  # relative error of the day's line
_STICKY = 0.55  # a book moves its line only when the expected value differs from it by more
WHOLE_NUMBERS = 0.25  # fraction of the fourth book's points lines that are whole numbers
VIG = 1.067  # the two implied probabilities of a prop sum to this
SNAPSHOTS = 5
HOURS_BEFORE = (9.0, 6.0, 3.5, 1.2, 0.1)
_STATE = (0, 0, 0, 1, 2)


@dataclass(frozen=True)
class Board:
    """Prop lines, one element per distinct (line, odds); times are minutes before tip-off (negative: after)."""

    row: Ints
    slot: Ints
    market: Ints
    book: Ints
    line: Floats
    over: Floats
    under: Floats
    first: Floats
    last: Floats
    snapshots: Ints
    closing: np.ndarray


def _values(outlook: Outlook, market: str) -> Floats:
    box = outlook.box
    return box.points + box.rebounds + box.assists if market == "pra" else getattr(box, market)


def _board(rng: np.random.Generator, states: tuple[Outlook, Outlook, Outlook], code: int) -> list[np.ndarray]:
    market = str(MARKETS[code])
    means = [_values(state, market) for state in states]
    offered_early = (states[0].minutes >= _MIN_MINUTES[market]) & (means[0] >= _MIN_MEAN[market])
    late = (states[2].minutes >= _MIN_MINUTES[market] + 2) & (means[2] >= _MIN_MEAN[market])
    row, slot = np.nonzero((offered_early & states[0].active) | (late & states[2].active))
    n, books = len(row), len(BOOKS)
    mean = np.stack([means[k][row, slot] for k in _STATE], axis=1)  # (n, SNAPSHOTS)
    active = np.stack([states[k].active[row, slot] for k in _STATE], axis=1)
    active[:, :3] &= offered_early[row, slot][:, None]
    scale, shift = _MEDIAN_SHIFT[market]
    center = scale * mean * np.exp(_ERROR * rng.standard_normal((n, 1))) + shift
    walk = np.cumsum(rng.standard_normal((n, SNAPSHOTS)) * 0.012 * mean, axis=1)
    base, slope = _SPREAD[market]
    sd = base + slope * mean
    own = center[:, None, :] + (walk[:, None, :] + 0.014 * mean[:, None, :] * rng.standard_normal((n, books, 1)))
    unit = np.zeros((n, books, SNAPSHOTS))
    line = np.floor(own[:, :, 0]) + 0.5
    whole = (np.arange(books) == 3)[None, :] & (rng.random((n, books)) < WHOLE_NUMBERS) & (market == "points")
    line = np.maximum(np.where(whole, np.round(own[:, :, 0]), line), 0.5)
    for snapshot in range(SNAPSHOTS):
        gap = own[:, :, snapshot] - line
        step = np.where(np.abs(gap) > _STICKY, np.where(np.abs(gap) < 1, np.sign(gap), np.round(gap)), 0.0)
        line = np.maximum(line + step, np.where(whole, 1.0, 0.5))
        unit[:, :, snapshot] = line
    chance = normal_cdf((own - unit) / sd[:, None, :])
    chance = np.clip(np.round(chance * 50) / 50, 0.2, 0.8)  # prices move in steps
    grid = _GRID[None, :, None]
    over, under = american(chance, grid, VIG), american(1 - chance, grid, VIG)
    offered = np.array(_OFFERED.get(market, _OFFERED_ELSEWHERE))[None, :]
    present = (rng.random((n, books)) < offered)[:, :, None] & active[:, None, :]
    present &= (np.arange(SNAPSHOTS) > 0)[None, None, :] | (rng.random((n, books, 1)) < 0.7)
    return _fold(rng, row, slot, code, unit, over, under, present)


def _fold(
    rng: np.random.Generator,
    row: Ints,
    slot: Ints,
    code: int,
    line: Floats,
    over: Floats,
    under: Floats,
    present: np.ndarray,
) -> list[np.ndarray]:
    """Merge snapshots with equal line and odds into one row: first seen, last seen, number of snapshots."""
    minutes = np.array(HOURS_BEFORE) * 60
    jitter = (
        rng.integers(0, 5, size=(len(row), 1, SNAPSHOTS))
        + rng.integers(0, 60, size=(len(row), len(BOOKS), SNAPSHOTS)) / 60
    )
    minutes_before = np.broadcast_to(minutes, line.shape) + jitter
    owner = np.full(line.shape, -1)
    for snapshot in range(SNAPSHOTS):
        owner[:, :, snapshot] = np.where(present[:, :, snapshot], snapshot, -1)
        for before in range(snapshot):
            same = (line[:, :, snapshot] == line[:, :, before]) & (over[:, :, snapshot] == over[:, :, before])
            match = (
                same
                & (under[:, :, snapshot] == under[:, :, before])
                & (owner[:, :, before] == before)
                & present[:, :, snapshot]
            )
            owner[:, :, snapshot] = np.where(match & (owner[:, :, snapshot] == snapshot), before, owner[:, :, snapshot])
    final = np.where(present.any(axis=2), SNAPSHOTS - 1 - np.argmax(present[:, :, ::-1], axis=2), 0)
    closing_owner = np.take_along_axis(owner, final[:, :, None], axis=2)[:, :, 0]
    columns: list[list[np.ndarray]] = [[] for _ in range(11)]
    for snapshot in range(SNAPSHOTS):
        at, book = np.nonzero(owner[:, :, snapshot] == snapshot)
        members = owner[at, book] == snapshot
        last = SNAPSHOTS - 1 - np.argmax(members[:, ::-1], axis=1)
        values = (
            row[at], slot[at], np.full(len(at), code), book, line[at, book, snapshot],
            over[at, book, snapshot], under[at, book, snapshot],
            minutes_before[at, book, snapshot], minutes_before[at, book, last], members.sum(axis=1),
            closing_owner[at, book] == snapshot,
        )  # fmt: skip
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    return [np.concatenate(column) for column in columns]


def prop_board(rng: np.random.Generator, states: tuple[Outlook, Outlook, Outlook]) -> Board:
    """Quote all markets of all games; one row in a thousand is captured after tip-off and is never a closing line."""
    parts = [_board(rng, states, code) for code in range(len(MARKETS))]
    columns = [np.concatenate(values) for values in zip(*parts, strict=True)]
    count = len(columns[0])
    late = rng.choice(count, size=max(count // 1000, 1), replace=False)
    after = [column[late] for column in columns]
    after[4] = np.maximum(after[4] + rng.choice([-2.0, -1.0, 1.0, 2.0], len(late)), 0.5)
    after[7] = after[8] = -rng.integers(15, 110, len(late)).astype(float)
    after[9], after[10] = np.ones(len(late), dtype=np.int64), np.zeros(len(late), dtype=bool)
    return Board(*(np.concatenate([column, extra]) for column, extra in zip(columns, after, strict=True)))
