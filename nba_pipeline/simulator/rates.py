"""What is known about a slate before tip-off, as rates: who uses plays, where from, how well, against whom."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.league import Floats
from nba_pipeline.simulator.skills import ZONE_VALUE
from nba_pipeline.simulator.slate import Slate, World, opponent, per_game

# Indices of a club's style latents.
ATTACK, DEFENCE, PACE, ZONE_DEFENCE, ZONE_ALLOWED, OREB, AST = 0, 1, 2, slice(3, 8), slice(8, 13), 13, 14
POSSESSIONS = 101.3  # per 48 minutes
PACE_SPREAD = 2.3
OFFENSIVE_REBOUND_SHARE = 0.2165
MISSES_PER_POSSESSION = 0.487
AND_ONE = 0.066  # per made two from the paint
DREB_CREDITED = 0.865  # of the misses that are not rebounded by the attack; the rest are team rebounds
THIRD_FREE_THROW = 0.05  # per trip to the line
# Field-goal percentage points added (0.01 is worth about two points a game).
HOME_COURT = 0.0068
BACK_TO_BACK = -0.0055
ATTACK_STYLE = 0.0195
DEFENCE_STYLE = 0.0195
EASED = 0.70  # share of the expected margin that is left because leaders ease off (see `engine.EASING`)
TALENT_ATTACK = 0.028  # per unit of minutes-weighted talent
TALENT_DEFENCE = 0.028
DEFENDER = 0.010  # per unit of minutes-weighted defensive trait
ZONE_STYLE = 0.011


@dataclass(frozen=True)
class Rates:
    """Per row and slot (and zone); `lift`: percentage points per row and zone, `pace`: possessions per 48 minutes."""

    usage: Floats
    turnover: Floats
    foul_trip: Floats
    shares: Floats
    percentages: Floats
    ft_pct: Floats
    oreb: Floats
    dreb: Floats
    ast: Floats
    stl: Floats
    blk: Floats
    pf: Floats
    talent: Floats
    defence: Floats
    lift: Floats
    pace: Floats
    oreb_share: Floats
    assist_share: Floats


def rates_of(world: World, slate: Slate) -> Rates:
    """Rates for every slot of the slate; persons that are not members are masked by zero minutes, not here."""
    s, who = world.skills, np.maximum(slate.person, 0)
    style = world.clubs.style[slate.club]
    other = opponent(style)
    at_home = np.where(np.arange(len(slate.club)) % 2 == 0, 1.0, -1.0) * ~per_game(slate.neutral)
    lift = HOME_COURT * at_home + BACK_TO_BACK * (slate.days_off == 0) - BACK_TO_BACK * (slate.days_off >= 2) * 0.25
    lift = lift + ATTACK_STYLE * style[:, ATTACK] - DEFENCE_STYLE * other[:, DEFENCE]
    zones = lift[:, None] - ZONE_STYLE * other[:, ZONE_DEFENCE]
    shares = s.shares[who] * np.exp(0.06 * other[:, ZONE_ALLOWED])[:, None, :]
    shares /= shares.sum(axis=2, keepdims=True)
    pace = POSSESSIONS + PACE_SPREAD * 0.75 * (style[:, PACE] + other[:, PACE])
    return Rates(
        s.usage[who], s.turnover[who], s.foul_trip[who], shares, s.percentages[who], s.ft_pct[who],
        s.oreb[who], s.dreb[who],
        s.ast[who], s.stl[who], s.blk[who], s.pf[who], s.talent[who], s.defence[who], zones, pace,
        OFFENSIVE_REBOUND_SHARE * np.exp(0.07 * style[:, OREB]), 0.640 * np.exp(0.03 * style[:, AST]),
    )  # fmt: skip


def lineup_lift(rates: Rates, minutes: Floats) -> Floats:
    """Percentage points per row from who is on the court: own talent against the opponent's talent and defence.

    0.83 is the league's minutes-weighted mean talent: the average line-up gets nothing.
    """
    weight = minutes / np.maximum(minutes.sum(axis=1, keepdims=True), 1e-9)
    talent = (weight * rates.talent).sum(axis=1) - 0.83
    defence = (weight * rates.defence).sum(axis=1)
    return TALENT_ATTACK * talent - opponent(TALENT_DEFENCE * talent + DEFENDER * defence)


def share_of_plays(rates: Rates, minutes: Floats, form: Floats | float = 1.0) -> Floats:
    """Share of the club's plays that each player ends while on the court (rows sum to 1)."""
    weight = rates.usage * minutes * form
    return weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class Expected:
    """Means before the game, per row and slot; `team_points` per row."""

    points: Floats
    rebounds: Floats
    assists: Floats
    threes: Floats
    team_points: Floats


def expected(rates: Rates, minutes: Floats) -> Expected:
    """Means given minutes (rows sum to 240): the arithmetic of `engine.play_stretch` without its randomness."""
    possessions = rates.pace
    boards = MISSES_PER_POSSESSION * possessions * rates.oreb_share
    plays = (possessions + boards)[:, None] * share_of_plays(rates, minutes)
    trips = plays * rates.foul_trip
    shots = plays * (1 - rates.turnover - rates.foul_trip)
    pct = rates.percentages + (rates.lift + lineup_lift(rates, minutes)[:, None])[:, None, :]
    made = shots[:, :, None] * rates.shares * pct
    free = trips * (2 + THIRD_FREE_THROW) + AND_ONE * made[:, :, :2].sum(axis=2)
    points = (made * ZONE_VALUE).sum(axis=2) + free * rates.ft_pct
    oreb = boards[:, None] * portion(rates.oreb, minutes)
    missed = (shots - made.sum(axis=2)).sum(axis=1) * 1.045
    dreb = opponent(missed * (1 - rates.oreb_share)) * DREB_CREDITED
    assists = made.sum(axis=(1, 2)) * rates.assist_share
    return Expected(
        points,
        oreb + dreb[:, None] * portion(rates.dreb, minutes),
        assists[:, None] * portion(rates.ast, minutes),
        made[:, :, 3:].sum(axis=2),
        (1 + EASED) / 2 * points.sum(axis=1) + (1 - EASED) / 2 * opponent(points.sum(axis=1)),
    )


def portion(weight: Floats, minutes: Floats) -> Floats:
    """Each player's share of a club's count when it goes by weight and minutes (rows sum to 1)."""
    product = weight * minutes
    return product / np.maximum(product.sum(axis=1, keepdims=True), 1e-12)
