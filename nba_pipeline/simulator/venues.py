"""Lengthen home stands and road trips by swapping the venues of two games of a pair."""

import numpy as np

from nba_pipeline.simulator.clubs import TEAM_COUNT
from nba_pipeline.simulator.matchups import Pair

_VENUE_MOVES = 30_000


def _stretch_cost(venues: list[int], at: int) -> int:
    """Compute the cost of the home/away run around one game: single games cost, runs over five cost more."""
    low, high = max(at - 7, 0), min(at + 8, len(venues))
    cost = run = 0
    for i in range(low, high):
        run = run + 1 if i > low and venues[i] == venues[i - 1] else 1
        cost += (2 if run == 1 else 0) + (6 if run > 5 else 0)
    return cost


def improve_venues(games: list[list[int]], fixed: set[int], rng: np.random.Generator) -> None:
    """Swap the venues of two games of a pair, in place, where home stands and road trips get longer."""
    order = sorted(range(len(games)), key=lambda g: games[g][2])
    venues: list[list[int]] = [[] for _ in range(TEAM_COUNT)]
    position: dict[tuple[int, int], int] = {}
    by_pair: dict[Pair, list[int]] = {}
    for g in order:
        home, away, _ = games[g]
        for team, venue in ((home, 1), (away, 0)):
            position[g, team] = len(venues[team])
            venues[team].append(venue)
        by_pair.setdefault((min(home, away), max(home, away)), []).append(g)
    pairs = sorted(by_pair)
    for pick in rng.integers(len(pairs), size=_VENUE_MOVES).tolist():
        members = [g for g in by_pair[pairs[pick]] if g not in fixed]
        if len(members) < 2:
            continue
        g, h = members[int(rng.integers(len(members)))], members[int(rng.integers(len(members)))]
        if games[g][0] == games[h][0]:
            continue
        teams = (games[g][0], games[g][1])
        places = [(team, position[game, team]) for team in teams for game in (g, h)]
        before = sum(_stretch_cost(venues[team], at) for team, at in places)
        for team, at in places:
            venues[team][at] ^= 1
        if sum(_stretch_cost(venues[team], at) for team, at in places) <= before:
            for game in (g, h):
                games[game][0], games[game][1] = games[game][1], games[game][0]
        else:
            for team, at in places:
                venues[team][at] ^= 1
