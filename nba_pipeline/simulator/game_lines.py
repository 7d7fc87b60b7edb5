"""Quote spread, total and moneyline in the morning and at the close, from the expected scores at that time."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.league import Floats, Ints
from nba_pipeline.simulator.market import Outlook
from nba_pipeline.simulator.odds import american, normal_cdf

BOOKS = np.array(["betmgm", "bovada", "draftkings", "fanduel"])
KINDS = np.array(["snapshot_morning", "closing"])
MARGIN_SD, TOTAL_SD = 13.5, 18.0  # standard deviation of the result around the line, points
_ERROR = np.array([1.5, 1.1])  # error of the market's margin in the morning and at the close, points
_TOTAL_MOVE = 2.3  # standard deviation of the move of the total from morning to close, points
_BEFORE_TIP = (8.5 * 60, 5.0)  # minutes


@dataclass(frozen=True)
class GameBoard:
    """Game lines, one element per game, book and kind; `before`: minutes before tip-off (negative: after)."""

    game: Ints
    book: Ints
    kind: Ints
    spread_home: Floats
    spread_price_home: Floats
    spread_price_away: Floats
    total: Floats
    over: Floats
    under: Floats
    ml_home: Floats
    ml_away: Floats
    before: Floats


def game_board(rng: np.random.Generator, states: tuple[Outlook, Outlook, Outlook]) -> GameBoard:
    """Quote the lines of all games; about one row in a thousand is captured after tip-off."""
    parts = []
    games = len(states[0].box.team_points) // 2
    common = rng.standard_normal((2, games))
    early = _TOTAL_MOVE * rng.standard_normal(games)
    for kind, state in ((0, states[0]), (1, states[2])):
        points = state.box.team_points.reshape(-1, 2)
        moved = common[0] if kind == 0 else 0.8 * common[0] + 0.6 * rng.standard_normal(games)
        margin = points[:, 0] - points[:, 1] + _ERROR[kind] * moved
        total = points.sum(axis=1) + 1.5 + 2.0 * common[1] + (early if kind == 0 else 0.0)
        for book in range(len(BOOKS)):
            own = margin + rng.normal(0, 0.35, games)
            spread = np.where(np.abs(own) < 0.75, np.where(own >= 0, -1.0, 1.0), -np.round(own * 2) / 2)
            number = np.round((total + rng.normal(0, 0.5, games)) * 2) / 2
            cover = normal_cdf((own + spread) / MARGIN_SD)
            above = normal_cdf((total - number) / TOTAL_SD)
            win = normal_cdf(own / MARGIN_SD)
            grid = 5.0 if book < 2 else 2.0
            before = _BEFORE_TIP[kind] + rng.integers(0, 5, games)
            before = np.where((rng.random(games) < 0.001) & (kind == 1), -rng.integers(12, 100, games), before)
            columns = (
                np.arange(games), np.full(games, book), np.full(games, kind), spread, american(cover, grid),
                american(1 - cover, grid), number, american(above, grid), american(1 - above, grid), american(win, 5.0),
                american(1 - win, 5.0), before.astype(float),
            )  # fmt: skip
            parts.append(columns)
    return GameBoard(*(np.concatenate(values) for values in zip(*parts, strict=True)))
