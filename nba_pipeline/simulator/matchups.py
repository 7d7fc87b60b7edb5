"""Draw the pairings of a regular season: 82 games per club, 41 at home, in rounds of four days."""

import numpy as np

from nba_pipeline.simulator.clubs import CONFERENCE, DIVISION, TEAM_COUNT

Pair = tuple[int, int]  # (home, away)


def season_pairs(year: int) -> np.ndarray:
    """Count games by (home, away): 4 in the division, 4 or 3 in the rest of the conference, 2 against the others.

    Between two divisions of five, club i meets clubs i+k and i+k+1 three times; the third game is at home in the
    first and away in the second pairing, so every club has 41 home games. k moves with the year.
    """
    games = np.ones((TEAM_COUNT, TEAM_COUNT), dtype=np.int64)
    games[CONFERENCE[:, None] == CONFERENCE[None, :]] = 2
    np.fill_diagonal(games, 0)
    for first, second in ((0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)):
        a, b = np.flatnonzero(first == DIVISION), np.flatnonzero(second == DIVISION)
        for i in range(5):
            games[b[(i + year) % 5], a[i]] -= 1
            games[a[i], b[(i + year + 1) % 5]] -= 1
    return games


def closing_rounds(rng: np.random.Generator) -> tuple[list[Pair], list[Pair]]:
    """Draw two rounds of all clubs for the last two days: East against West, one home and one away game each.

    The union of two different matchings of East and West consists of even cycles; walking along each cycle alternates
    home and away.
    """
    while True:
        friday, sunday = rng.permutation(15), rng.permutation(15)
        if (friday != sunday).all():
            break
    rounds: tuple[list[Pair], list[Pair]] = ([], [])
    back = np.argsort(sunday)
    todo = set(range(15))
    while todo:
        east = min(todo)
        home_first = bool(rng.integers(2))
        while east in todo:
            todo.remove(east)
            west = int(friday[east])
            rounds[0].append((east, 15 + west) if home_first else (15 + west, east))
            east_next = int(back[west])
            rounds[1].append((15 + west, east_next) if home_first else (east_next, 15 + west))
            east = east_next
    return rounds


def _perfect_matching(games: np.ndarray, rng: np.random.Generator) -> list[Pair]:
    """Draw one home and one away game for every club (augmenting paths; a matching exists as degrees are equal)."""
    options = [rng.permutation(np.flatnonzero(row)).tolist() for row in games]
    host_of: dict[int, int] = {}

    def place(host: int, seen: set[int]) -> bool:
        for guest in options[host]:
            if guest not in seen:
                seen.add(guest)
                if guest not in host_of or place(host_of[guest], seen):
                    host_of[guest] = host
                    return True
        return False

    for host in rng.permutation(TEAM_COUNT).tolist():
        if not place(host, set()):
            raise ValueError("the remaining games do not give every club one home and one away game")
    return [(host, guest) for guest, host in host_of.items()]


def double_rounds(games: np.ndarray, rng: np.random.Generator) -> list[list[Pair]]:
    """Split all games into rounds of 30; in each, every club plays once at home and once away."""
    left = games.copy()
    rounds: list[list[Pair]] = []
    while left.any():
        matching = _perfect_matching(left, rng)
        for host, guest in matching:
            left[host, guest] -= 1
        rounds.append(matching)
    return rounds
