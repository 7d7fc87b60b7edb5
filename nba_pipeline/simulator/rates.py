"""Compute the rates of a slate before tip-off: usage, shot locations, efficiency, opponent."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.league import Floats
from nba_pipeline.simulator.skills import ZONE_VALUE
from nba_pipeline.simulator.slate import Slate, World, opponent, per_game

# Indices of the style latents of a club.
ATTACK, DEFENCE, PACE, ZONE_DEFENCE, ZONE_ALLOWED, OREB, AST = 0, 1, 2, slice(3, 8), slice(8, 13), 13, 14
POSSESSIONS = 101.3  # per 48 minutes
PACE_SPREAD = 2.3
OFFENSIVE_REBOUND_SHARE = 0.2165
MISSES_PER_POSSESSION = 0.487
AND_ONE = 0.066  # per made two-pointer in the paint
DREB_CREDITED = 0.865  # of the misses that are not rebounded by the attack; the rest are team rebounds
THIRD_FREE_THROW = 0.05  # per trip to the line
# Added to the field-goal percentage as a fraction (0.01 is worth about two points a game).
HOME_COURT = 0.0068
BACK_TO_BACK = -0.0055
ATTACK_STYLE = 0.0195
DEFENCE_STYLE = 0.0195
EASED = 0.70  # fraction of the expected margin that remains as leaders ease off (see `engine.EASING`)
TALENT_ATTACK = 0.028  # per unit of minutes-weighted talent
TALENT_DEFENCE = 0.028
DEFENDER = 0.010  # per unit of minutes-weighted defensive trait
ZONE_STYLE = 0.011
# Effect of a standard deviation of form: on usage (log scale), and on the field-goal percentage (fraction).
FORM_USAGE, FORM_ACCURACY = 0.06, 0.010


@dataclass(frozen=True)
class Rates:
    """Rates per row and slot (and zone).

    `lift` is added to the field-goal percentage (fraction) per row and zone; `pace` is possessions per 48 minutes.
    """

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
    """Compute the rates of every slot; slots without a member are masked later, by zero minutes."""
    s, person = world.skills, np.maximum(slate.person, 0)
    style = world.clubs.style[slate.club]
    other = opponent(style)
    at_home = np.where(np.arange(len(slate.club)) % 2 == 0, 1.0, -1.0) * ~per_game(slate.neutral)
    lift = HOME_COURT * at_home + BACK_TO_BACK * (slate.days_off == 0) - BACK_TO_BACK * (slate.days_off >= 2) * 0.25
    lift = lift + ATTACK_STYLE * style[:, ATTACK] - DEFENCE_STYLE * other[:, DEFENCE]
    zones = lift[:, None] - ZONE_STYLE * other[:, ZONE_DEFENCE]
    shares = s.shares[person] * np.exp(0.06 * other[:, ZONE_ALLOWED])[:, None, :]
    shares /= shares.sum(axis=2, keepdims=True)
    pace = POSSESSIONS + PACE_SPREAD * 0.75 * (style[:, PACE] + other[:, PACE])
    return Rates(
        s.usage[person], s.turnover[person], s.foul_trip[person], shares, s.percentages[person], s.ft_pct[person],
        s.oreb[person], s.dreb[person],
        s.ast[person], s.stl[person], s.blk[person], s.pf[person], s.talent[person], s.defence[person], zones, pace,
        OFFENSIVE_REBOUND_SHARE * np.exp(0.07 * style[:, OREB]), 0.640 * np.exp(0.03 * style[:, AST]),
    )  # fmt: skip


def lineup_lift(rates: Rates, minutes: Floats) -> Floats:
    """Compute the shooting lift (fraction) per row of own talent against the opponent's talent and defence.

    0.83 is the league's minutes-weighted mean talent: the lift of the average line-up is zero.
    """
    weight = minutes / np.maximum(minutes.sum(axis=1, keepdims=True), 1e-9)
    talent = (weight * rates.talent).sum(axis=1) - 0.83
    defence = (weight * rates.defence).sum(axis=1)
    return TALENT_ATTACK * talent - opponent(TALENT_DEFENCE * talent + DEFENDER * defence)


def share_of_plays(rates: Rates, minutes: Floats, form: Floats | float = 1.0) -> Floats:
    """Compute the fraction of the club's plays that each player ends (rows sum to 1)."""
    weight = rates.usage * minutes * form
    return weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class Expected:
    """Expected counts before the game, per row and slot; `team_points` per row."""

    points: Floats
    rebounds: Floats
    assists: Floats
    threes: Floats
    team_points: Floats


def expected(rates: Rates, minutes: Floats) -> Expected:
    """Compute expected counts given minutes (rows sum to 240): `engine.play_stretch` without randomness."""
    possessions = rates.pace
    boards = MISSES_PER_POSSESSION * possessions * rates.oreb_share
    plays = (possessions + boards)[:, None] * share_of_plays(rates, minutes)
    trips = plays * rates.foul_trip
    shots = plays * (1 - rates.turnover - rates.foul_trip)
    pct = rates.percentages + (rates.lift + lineup_lift(rates, minutes)[:, None])[:, None, :]
    makes = shots[:, :, None] * rates.shares * pct
    free = trips * (2 + THIRD_FREE_THROW) + AND_ONE * makes[:, :, :2].sum(axis=2)
    points = (makes * ZONE_VALUE).sum(axis=2) + free * rates.ft_pct
    oreb = boards[:, None] * portion(rates.oreb, minutes)
    missed = (shots - makes.sum(axis=2)).sum(axis=1) * 1.045
    dreb = opponent(missed * (1 - rates.oreb_share)) * DREB_CREDITED
    assists = makes.sum(axis=(1, 2)) * rates.assist_share
    return Expected(
        points,
        oreb + dreb[:, None] * portion(rates.dreb, minutes),
        assists[:, None] * portion(rates.ast, minutes),
        makes[:, :, 3:].sum(axis=2),
        (1 + EASED) / 2 * points.sum(axis=1) + (1 - EASED) / 2 * opponent(points.sum(axis=1)),
    )


def portion(weight: Floats, minutes: Floats) -> Floats:
    """Compute each player's fraction of a club's count, proportional to weight times minutes (rows sum to 1)."""
    product = weight * minutes
    return product / np.maximum(product.sum(axis=1, keepdims=True), 1e-12)
