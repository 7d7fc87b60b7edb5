"""Play stretches of many games at once in integer counts, so that box-score identities hold by construction."""

from dataclasses import dataclass, fields

import numpy as np

from nba_pipeline.simulator.league import Floats, Ints
from nba_pipeline.simulator.rates import (
    AND_ONE,
    DREB_CREDITED,
    FORM_ACCURACY,
    FORM_USAGE,
    THIRD_FREE_THROW,
    Rates,
    lineup_lift,
    portion,
    share_of_plays,
)
from nba_pipeline.simulator.skills import ZONE_VALUE, ZONES
from nba_pipeline.simulator.slate import opponent, per_game

FOUL_LIMIT = 6
POSSESSION_SD = 3.25  # per game, around the clubs' pace
STEALS_PER_TURNOVER = 0.578
BLOCKS_PER_MISS = 0.205  # of two-point misses
SECOND_CHANCES = 3  # rounds of attempts after offensive rebounds; a fourth would happen once in ten games
# Shooting (fraction) that a leader loses and a trailing club gains per point of lead.
EASING = 0.0019
# Shooting (fraction) that both clubs lose per point above the expected total: without it totals vary too much.
TIGHTENING = 0.0008
OTHER_FOULS = 7.0  # per 48 minutes, in addition to those that lead to free throws


@dataclass
class Counts:
    """Counts per row and slot, shape (rows, slots); `attempts` and `makes` also by zone, (rows, slots, ZONES)."""

    attempts: Ints
    makes: Ints
    fta: Ints
    ftm: Ints
    oreb: Ints
    dreb: Ints
    ast: Ints
    stl: Ints
    blk: Ints
    tov: Ints
    pf: Ints

    @property
    def points(self) -> Ints:
        """Points per row and slot."""
        return (self.makes * ZONE_VALUE).sum(axis=2) + self.ftm

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    def add_rows(self, rows: Ints, other: "Counts") -> None:
        """Add counts to some rows, in place."""
        for f in fields(Counts):
            getattr(self, f.name)[rows] += getattr(other, f.name)


@dataclass(frozen=True)
class Luck:
    """Random effects of one game day, unpredictable before tip-off."""

    usage: Floats  # factor per row and slot
    accuracy: Floats  # added to the field-goal percentage (fraction), per row and slot
    shooting: Floats  # added to the field-goal percentage (fraction), per row
    pace: Floats  # possessions per 48 minutes per row, the same for both clubs of a game
    whistle: Floats  # factor on free-throw trips per row
    care: Floats  # factor on turnovers per row


def draw_luck(rng: np.random.Generator, form: Floats) -> Luck:
    """Draw the effects of a game day, sized to the variance of real box scores.

    `form` (rows, slots) is the slow component in standard deviations.
    """
    rows, slots = form.shape
    game = per_game(rng.normal(0, 1, rows // 2))
    return Luck(
        np.exp(FORM_USAGE * form + 0.03 * rng.standard_normal((rows, slots))),
        FORM_ACCURACY * form,
        0.003 * rng.normal(0, 1, rows),
        POSSESSION_SD * game,
        np.exp(0.04 * per_game(rng.normal(0, 1, rows // 2)) + 0.07 * rng.normal(0, 1, rows)),
        np.exp(0.06 * rng.normal(0, 1, rows)),
    )


def take_rows(values: object, rows: Ints) -> object:
    """Restrict a dataclass of arrays to some rows."""
    return type(values)(*(getattr(values, f.name)[rows] for f in fields(values)))  # type: ignore[arg-type]


def _spread(rng: np.random.Generator, total: Ints, weight: Floats, minutes: Floats) -> Ints:
    return rng.multinomial(total, portion(weight, minutes))


def _fouls(rng: np.random.Generator, total: Ints, rates: Rates, minutes: Floats, before: Ints) -> Ints:
    """Distribute personal fouls; the excess over six of a player goes to players with fewer."""
    fouls = np.zeros_like(before)
    for _ in range(6):
        room = FOUL_LIMIT - before - fouls
        fouls += rng.multinomial(total, portion(rates.pf * (room > 0), minutes))
        over = np.maximum(before + fouls - FOUL_LIMIT, 0)
        fouls -= over
        total = over.sum(axis=1)
        if not total.any():
            break
    return fouls


def _attack(rng: np.random.Generator, plays: Ints, rates: "_PlayRates") -> tuple[Ints, Ints, Ints, Ints]:
    """Draw (turnovers, trips to the line, attempts by zone, makes by zone) for the plays of each row."""
    uses = rng.multinomial(plays, rates.share)
    tov = rng.binomial(uses, rates.turnover)
    trips = rng.binomial(uses - tov, rates.trip)
    attempts = rng.multinomial(uses - tov - trips, rates.shares)
    return tov, trips, attempts, rng.binomial(attempts, rates.pct)


@dataclass(frozen=True)
class Score:
    """Score of a game per row: own lead, and points of both clubs above their expected total so far."""

    lead: Ints | int
    excess: Floats | int


@dataclass(frozen=True)
class _PlayRates:
    """Probabilities of one stretch, including the effects of the day and of line-ups."""

    share: Floats
    turnover: Floats
    trip: Floats
    shares: Floats
    pct: Floats


def play_stretch(
    rng: np.random.Generator, rates: Rates, luck: Luck, minutes: Floats, fouls_before: Ints, score: Score
) -> Counts:
    """Play one stretch of every game.

    The attack may rebound a miss and then has another play, which offsets part of poor shooting, as in real games.
    Leading clubs ease off, trailing clubs press, and defences tighten in high-scoring games.

    Args:
        rng: random generator of the batch.
        rates: rates per row and slot.
        luck: random effects of the game day.
        minutes: minutes of the stretch, (rows, slots); a row's sum divided by five is the length of the stretch.
        fouls_before: personal fouls before the stretch, (rows, slots).
        score: score before the stretch, per row.
    """
    length = minutes.sum(axis=1) / 5.0
    pace = np.maximum(rates.pace + luck.pace, 80.0) * length / 48.0
    jitter = per_game(rng.normal(0, 0.6, len(pace) // 2)) + rng.normal(0, 0.3, len(pace))
    turnover = np.clip(rates.turnover * luck.care[:, None], 0, 0.5)
    lift = (
        rates.lift
        + (lineup_lift(rates, minutes) + luck.shooting - EASING * score.lead - TIGHTENING * score.excess)[:, None]
    )
    chances = _PlayRates(
        share_of_plays(rates, minutes, luck.usage),
        turnover,
        np.clip(rates.foul_trip * luck.whistle[:, None] / (1 - turnover), 0, 0.6),
        rates.shares,
        np.clip(rates.percentages + lift[:, None, :] + luck.accuracy[:, :, None], 0.05, 0.95),
    )
    plays = np.maximum(np.round(pace + jitter), 1).astype(np.int64)
    tov, trips, attempts, makes = _attack(rng, plays, chances)
    boards = np.zeros(len(plays), dtype=np.int64)
    missed = attempts.sum(axis=(1, 2)) - makes.sum(axis=(1, 2))
    for _ in range(SECOND_CHANCES):
        again = rng.binomial(missed, np.clip(rates.oreb_share, 0.02, 0.6))
        boards += again
        more = _attack(rng, again, chances)
        missed = more[2].sum(axis=(1, 2)) - more[3].sum(axis=(1, 2))
        tov, trips, attempts, makes = tov + more[0], trips + more[1], attempts + more[2], makes + more[3]
    missed = attempts.sum(axis=(1, 2)) - makes.sum(axis=(1, 2))
    and_ones = rng.binomial(makes[:, :, :2].sum(axis=2), np.clip(AND_ONE * luck.whistle, 0, 1)[:, None])
    fta = 2 * trips + rng.binomial(trips, THIRD_FREE_THROW) + and_ones
    ftm = rng.binomial(fta, rates.ft_pct)
    left = opponent(missed + rng.binomial((fta - ftm).sum(axis=1), 0.45) - boards)
    dreb = rng.binomial(left, DREB_CREDITED)
    missed_twos = (attempts - makes)[:, :, :3].sum(axis=(1, 2))
    fouls = opponent((trips + and_ones).sum(axis=1)) + rng.poisson(OTHER_FOULS * length / 48.0)
    return Counts(
        attempts,
        makes,
        fta,
        ftm,
        _spread(rng, boards, rates.oreb, minutes),
        _spread(rng, dreb, rates.dreb, minutes),
        _spread(rng, rng.binomial(makes.sum(axis=(1, 2)), np.clip(rates.assist_share, 0, 0.9)), rates.ast, minutes),
        _spread(rng, rng.binomial(opponent(tov.sum(axis=1)), STEALS_PER_TURNOVER), rates.stl, minutes),
        _spread(rng, rng.binomial(opponent(missed_twos), BLOCKS_PER_MISS), rates.blk, minutes),
        tov,
        _fouls(rng, fouls, rates, minutes, fouls_before),
    )


def force_ties(rng: np.random.Generator, counts: Counts, margin: Ints, chance: float) -> None:
    """Tie some of the games that are one to three points apart, in place.

    `margin` is own points minus the opponent's, per row. The trailing club turns one miss of the needed value into a
    make: a free throw, a two or a three.
    """
    games = np.flatnonzero((np.abs(margin[::2]) <= 3) & (margin[::2] != 0))
    for game in games[rng.random(len(games)) < chance]:
        row = 2 * game + int(margin[2 * game] > 0)
        gap = int(abs(margin[2 * game]))
        missed = (counts.attempts - counts.makes)[row] if gap > 1 else None
        if missed is None:
            slots = np.flatnonzero(counts.fta[row] > counts.ftm[row])
            if len(slots):
                counts.ftm[row, rng.choice(slots)] += 1
        else:
            zones = slice(0, 3) if gap == 2 else slice(3, ZONES)
            slot, zone = np.nonzero(missed[:, zones])
            if len(slot):
                pick = int(rng.integers(len(slot)))
                counts.makes[row, slot[pick], zone[pick] + (0 if gap == 2 else 3)] += 1
