"""Compute the market's expected box scores in three states of information; results do not enter.

Morning: players listed as out are out; other listed players sit with the probability of their status. After the final
report: availability but for late scratches. Close: availability including late scratches.
"""

from dataclasses import dataclass, replace

import numpy as np

from nba_pipeline.simulator.availability import DOUBTFUL, SITS, Availability
from nba_pipeline.simulator.league import Floats
from nba_pipeline.simulator.rates import FORM_ACCURACY, FORM_USAGE, Expected, Rates, expected, rates_of
from nba_pipeline.simulator.rotation import fill, planned_minutes
from nba_pipeline.simulator.slate import Slate, World, expected_latent, scores

# Planned minutes assume a close game; blow-outs take from the regulars and give to the end of the bench. Measured on
# simulated games.
_PLANNED = (0.0, 1.0, 5.0, 11.0, 14.0, 18.0, 22.0, 26.0, 29.0, 31.0, 33.0, 35.0, 37.0, 40.0)
_PLAYED = (0.6, 3.4, 6.6, 10.8, 14.5, 18.6, 22.1, 25.3, 27.8, 29.8, 31.4, 33.3, 35.0, 38.1)

_MEAN_FOULS, _FOUL_TROUBLE = 2.3, 0.012  # fouls per 36 minutes; minutes (fraction) that one more of them costs

MORNING, REPORTED, CLOSE = range(3)
LAG = 1  # days after which a change of role or form is known to the market


@dataclass(frozen=True)
class Outlook:
    """Expected box score and minutes in one state of information; `active`: the market offers the player."""

    minutes: Floats
    box: Expected
    active: np.ndarray


def expected_minutes(slate: Slate, status: Availability, available: np.ndarray, pf: Floats) -> Floats:
    """Compute mean minutes given the available players and their fouls, averaged over close games and blow-outs."""
    planned = planned_minutes(slate.score * status.returning, available, slate.playoff)
    played = np.interp(planned, _PLANNED, _PLAYED) * (1 - _FOUL_TROUBLE * (pf - _MEAN_FOULS))
    return fill(np.where(available, played, 0.0), 240.0, 44.0)


def _mixed(a: Expected, b: Expected, weight: Floats) -> Expected:
    w = weight[:, None]
    return Expected(
        a.points * (1 - w) + b.points * w,
        a.rebounds * (1 - w) + b.rebounds * w,
        a.assists * (1 - w) + b.assists * w,
        a.threes * (1 - w) + b.threes * w,
        a.team_points * (1 - weight) + b.team_points * weight,
    )


def _outlook(rates: Rates, slate: Slate, status: Availability, available: np.ndarray) -> tuple[Floats, Expected]:
    minutes = expected_minutes(slate, status, available, rates.pf)
    return minutes, expected(rates, minutes)


def _known_rates(world: World, slate: Slate) -> Rates:
    """Compute the rates with the form that the market knows."""
    rates = rates_of(world, slate)
    form = expected_latent(world.form, np.maximum(slate.person, 0), slate.row_day, LAG)
    return replace(
        rates,
        usage=rates.usage * np.exp(FORM_USAGE * form),
        percentages=rates.percentages + (FORM_ACCURACY * form)[:, :, None],
    )


def outlooks(world: World, slate: Slate, status: Availability) -> tuple[Outlook, Outlook, Outlook]:
    """Compute the outlooks of the three states, in order."""
    rates = _known_rates(world, slate)
    slate = replace(slate, score=scores(world, slate.club, slate.person, slate.row_day, LAG))
    sure = slate.member & (status.listed < DOUBTFUL)
    doubt = sure & (SITS[status.listed] > 0)
    all_in, box_in = _outlook(rates, slate, status, sure)
    _, box_out = _outlook(rates, slate, status, sure & ~doubt)
    # One weight per club: the minutes-weighted chance that its doubtful players sit.
    at_stake = (all_in * doubt).sum(axis=1)
    sits = (all_in * SITS[status.listed] * doubt).sum(axis=1) / np.maximum(at_stake, 1e-9)
    morning = _mixed(box_in, box_out, np.where(at_stake > 0, sits, 0.0))
    # The line of a doubtful player assumes that the player plays: bets on players who sit are void.
    own = Expected(
        np.where(doubt, box_in.points, morning.points),
        np.where(doubt, box_in.rebounds, morning.rebounds),
        np.where(doubt, box_in.assists, morning.assists),
        np.where(doubt, box_in.threes, morning.threes),
        morning.team_points,
    )
    states = [Outlook(all_in, own, sure)]
    for available in (slate.member & (~status.out | status.scratched), slate.member & ~status.out):
        minutes, box = _outlook(rates, slate, status, available)
        states.append(Outlook(minutes, box, available))
    return states[0], states[1], states[2]
