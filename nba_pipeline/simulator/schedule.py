"""Date the regular season: a feasible first schedule, improved by moves of single games."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from nba_pipeline.simulator.calendar import SeasonCalendar
from nba_pipeline.simulator.clubs import CONFERENCE, TEAM_COUNT
from nba_pipeline.simulator.matchups import Pair, closing_rounds, double_rounds, season_pairs
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.venues import improve_venues

# Games by weekday (Monday first) in published schedules: full Wednesdays and Fridays, thin Thursdays.
WEEKDAY_WEIGHTS = (173, 144, 233, 131, 226, 158, 165)
_WINDOW = 13  # days of a rest pattern that has a cost; its middle bit is the day of the moved game
_MIDDLE = _WINDOW // 2
_DATE_MOVES = 120_000


@dataclass
class Fixtures:
    """Regular games: day = days since opening night."""

    home: np.ndarray
    away: np.ndarray
    day: np.ndarray
    cup_semifinal: np.ndarray


def _pattern_costs() -> list[int]:
    """Compute the cost of every pattern of 13 days: back-to-backs, three in a row, four in five nights, gaps."""
    costs = []
    for pattern in range(1 << _WINDOW):
        bits = [(pattern >> i) & 1 for i in range(_WINDOW)]
        cost = 7 * sum(bits[i] & bits[i + 1] for i in range(_WINDOW - 1))
        cost += 1000 * sum(bits[i] & bits[i + 1] & bits[i + 2] for i in range(_WINDOW - 2))
        cost += 60 * sum(sum(bits[i : i + 5]) >= 4 for i in range(_WINDOW - 4))
        cost += 5 * sum(not any(bits[i : i + 4]) for i in range(_WINDOW - 3))
        costs.append(cost)
    return costs


def _day_targets(calendar: SeasonCalendar) -> dict[int, float]:
    """Compute target games per open day; the last two days and the cup semi-finals are filled separately."""
    targets = {calendar.day_index(day): float(WEEKDAY_WEIGHTS[day.weekday()]) for day in calendar.open_days}
    scale = 1230 / sum(targets.values())
    targets = {day: weight * scale for day, weight in targets.items()}
    targets[0], targets[1] = 2.0, 12.0
    christmas = calendar.day_index(date(calendar.year, 12, 25))
    targets[christmas] = 5.0
    return targets


def _first_dates(rounds: list[list[Pair]], days: list[int], rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Date the games as (home, away, day): about four consecutive days per round, one game a day per club."""
    placed = []
    for k, games in enumerate(rounds):
        chunk = days[k * len(days) // len(rounds) : (k + 1) * len(days) // len(rounds)]
        used: set[tuple[int, int]] = set()
        load = dict.fromkeys(chunk, 0)
        guest_of = dict(games)
        todo = set(guest_of)
        while todo:  # along each cycle of host -> guest -> its guest ..., neighbours never share a day
            host = min(todo)
            while host in todo:
                todo.remove(host)
                guest = guest_of[host]
                free = [d for d in chunk if (host, d) not in used and (guest, d) not in used]
                day = min(free, key=lambda d: (load[d], rng.integers(100)))
                used.update({(host, day), (guest, day)})
                load[day] += 1
                placed.append((host, guest, day))
                host = guest
    return placed


@dataclass
class _Board:
    """State of the search: nights per club as bit masks, back-to-backs per club, games per day."""

    nights: list[int]
    doubles: list[int]
    load: dict[int, int]
    targets: dict[int, float]
    costs: list[int]

    @classmethod
    def of(cls, games: list[list[int]], targets: dict[int, float]) -> "_Board":
        """Count nights, back-to-backs and games per day of dated games."""
        nights = [0] * TEAM_COUNT
        load: dict[int, int] = dict.fromkeys(targets, 0)
        for home, away, day in games:
            nights[home] |= 1 << (day + _WINDOW)
            nights[away] |= 1 << (day + _WINDOW)
            load[day] = load.get(day, 0) + 1
        return cls(nights, [(mask & (mask >> 1)).bit_count() for mask in nights], load, targets, _pattern_costs())

    def change(self, home: int, away: int, day: int, new: int) -> float | None:
        """Compute the change of cost when a game moves from `day` to `new`; None where it cannot move."""
        bit, left = 1 << (new + _WINDOW), 1 << (day + _WINDOW)
        if new not in self.targets or (self.nights[home] | self.nights[away]) & bit:
            return None
        full, middle, costs = (1 << _WINDOW) - 1, 1 << _MIDDLE, self.costs
        change = 0.0
        for team in (home, away):
            mask = self.nights[team]
            around = (mask >> (day + _WINDOW - _MIDDLE)) & full
            change += costs[around & ~middle] - costs[around]
            mask &= ~left
            around = (mask >> (new + _WINDOW - _MIDDLE)) & full
            change += costs[around | middle] - costs[around]
            mask |= bit
            change += ((mask & (mask >> 1)).bit_count() - 14) ** 2 - (self.doubles[team] - 14) ** 2
        change += (20 if new < 2 else 2) * (2 * (self.load[new] - self.targets[new]) + 1)
        change -= (20 if day < 2 else 2) * (2 * (self.load[day] - self.targets[day]) - 1)
        return change

    def move(self, game: list[int], new: int) -> None:
        """Move a game to the day `new`, in place."""
        for team in game[:2]:
            self.nights[team] = self.nights[team] & ~(1 << (game[2] + _WINDOW)) | 1 << (new + _WINDOW)
            self.doubles[team] = (self.nights[team] & (self.nights[team] >> 1)).bit_count()
        self.load[game[2]] -= 1
        self.load[new] += 1
        game[2] = new


def _improve_dates(
    games: list[list[int]], fixed: set[int], targets: dict[int, float], rng: np.random.Generator
) -> None:
    """Move single games by up to nine days, in place, where rest patterns and games per day get no worse."""
    board = _Board.of(games, targets)
    picks = rng.integers(len(games), size=_DATE_MOVES).tolist()
    shifts = (rng.integers(1, 10, size=_DATE_MOVES) * rng.choice([-1, 1], size=_DATE_MOVES)).tolist()
    slack = rng.integers(0, 100, size=_DATE_MOVES).tolist()
    for step, (pick, shift) in enumerate(zip(picks, shifts, strict=True)):
        game = games[pick]
        if pick in fixed:
            continue
        change = board.change(game[0], game[1], game[2], game[2] + shift)
        if change is not None and change <= (3 if slack[step] < 10 and step < _DATE_MOVES * 0.7 else 0):
            board.move(game, game[2] + shift)
    _part_triples(games, fixed, board)


def _part_triples(games: list[list[int]], fixed: set[int], board: _Board) -> None:
    """Break up three nights in a row that remain: move one of the games to the best day of the season."""
    for team in range(TEAM_COUNT):
        for _ in range(3):
            mask = board.nights[team]
            triple = mask & (mask >> 1) & (mask >> 2)
            if not triple:
                break
            first = triple.bit_length() - 1 - _WINDOW
            days = {first, first + 1, first + 2}
            options = [
                (change, g, new)
                for g, (home, away, day) in enumerate(games)
                if g not in fixed and team in (home, away) and day in days
                for new in board.targets
                if (change := board.change(home, away, day, new)) is not None
            ]
            if options:
                _, g, new = min(options)
                board.move(games[g], new)


def _cup_semifinals(games: list[list[int]], day: int, final: int) -> list[int]:
    """Select one East and one West game near the cup semi-finals, to be moved to their day."""
    chosen = []
    busy = {team for home, away, d in games for team in (home, away) if d in (day, final)}
    for conference in (0, 1):
        near = sorted(range(len(games)), key=lambda g: (abs(games[g][2] - day), g))
        chosen.append(
            next(
                g
                for g in near
                if CONFERENCE[games[g][0]] == CONFERENCE[games[g][1]] == conference
                and not {games[g][0], games[g][1]} & busy
            )
        )
    return chosen


def regular_season(calendar: SeasonCalendar, seed: int) -> Fixtures:
    """Schedule the 1,230 regular games of a season, ordered by day."""
    rng = stream(seed, calendar.season, "schedule")
    friday, sunday = closing_rounds(rng)
    left = season_pairs(calendar.year)
    for home, away in friday + sunday:
        left[home, away] -= 1
    targets = _day_targets(calendar)
    last = calendar.day_index(calendar.regular_end)
    reserved = {last, last - 2}
    semifinal_day = final_day = -1
    if calendar.cup_semifinals is not None and calendar.cup_final is not None:
        semifinal_day, final_day = calendar.day_index(calendar.cup_semifinals), calendar.day_index(calendar.cup_final)
        reserved.add(semifinal_day)
    days = sorted(set(targets) - reserved)
    placed = _first_dates(double_rounds(left, rng), days, rng)
    games = [list(game) for game in placed]
    games += [[*pair, last - 2] for pair in friday] + [[*pair, last] for pair in sunday]
    fixed = set(range(len(placed), len(games)))
    semifinals: list[int] = []
    if semifinal_day >= 0:
        semifinals = _cup_semifinals(games, semifinal_day, final_day)
        for g in semifinals:
            games[g][2] = semifinal_day
        fixed.update(semifinals)
    scale = sum(targets[d] for d in days)
    daily_targets = {d: targets[d] * (len(games) - len(fixed)) / scale for d in days} | {0: 2.0, 1: 12.0}
    blocked = dict.fromkeys(reserved, 0.0)
    _improve_dates(games, fixed, daily_targets, rng)
    assert not any(games[g][2] in blocked for g in range(len(games)) if g not in fixed)
    improve_venues(games, fixed, rng)
    table = np.array([[home, away, day, g in semifinals] for g, (home, away, day) in enumerate(games)], dtype=np.int64)
    table = table[np.lexsort((table[:, 0], table[:, 2]))]
    return Fixtures(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(bool))
