"""Derive the skills of each player from talent, position and latent traits.

Rates are relative weights unless a unit is given: weights distribute the rebounds of a club, and do not change their
number. Zones, in this order everywhere: restricted area, rest of the paint, mid-range, corner three,
above-the-break three.
"""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.league import Floats, History

ZONES = 5
ZONE_VALUE = np.array([2, 2, 2, 3, 3])
# Rows: guard, wing, big. Attempt shares and field-goal percentages near those of the league.
_SHARES = np.array(
    [[0.22, 0.205, 0.125, 0.088, 0.352], [0.265, 0.165, 0.098, 0.155, 0.315], [0.46, 0.24, 0.078, 0.062, 0.17]]
)
_SHARE_SPREAD = np.array([0.32, 0.32, 0.48, 0.48, 0.36])
_PCT = np.array(
    [[0.632, 0.436, 0.422, 0.389, 0.355], [0.662, 0.433, 0.412, 0.389, 0.352], [0.688, 0.445, 0.412, 0.380, 0.342]]
)
_PCT_SPREAD = np.array([0.036, 0.026, 0.026, 0.022, 0.020])
_PCT_TALENT = np.array([0.008, 0.007, 0.006, 0.005, 0.006])
USAGE_LIMIT = 1.15  # log scale: keeps the best scorers of a season at 28 to 35 points a game
_FT = (0.835, 0.800, 0.730)
_OREB = (0.6, 1.05, 3.0)
_DREB = (3.5, 4.4, 7.6)
_AST = (5.6, 2.9, 2.3)
_STL = (1.25, 1.1, 0.85)
_BLK = (0.38, 0.6, 1.45)
_PF = (2.25, 2.5, 3.2)


@dataclass(frozen=True)
class Skills:
    """Skills, arrays by person; `usage` weights the plays a player ends, `turnover` and `foul_trip` are fractions."""

    talent: Floats
    usage: Floats
    turnover: Floats
    foul_trip: Floats
    shares: Floats  # (people, ZONES), rows sum to 1
    percentages: Floats  # (people, ZONES)
    ft_pct: Floats
    oreb: Floats
    dreb: Floats
    ast: Floats
    stl: Floats
    blk: Floats
    pf: Floats
    defence: Floats


def skills_of(history: History, year: int) -> Skills:
    """Compute the skills of all players in the season that opens in `year`; rookies are less efficient."""
    z, t, p = history.traits, history.talent, history.position
    raw = np.clip(t, -2.5, 3.5)
    rookie = (history.entry >= year).astype(float)
    shares = _SHARES[p] * np.exp(_SHARE_SPREAD * z[:, 1:6])
    shares[:, 3:] *= np.exp(0.28 * z[:, 8:9])  # good shooters shoot
    shares[:, 2] *= np.exp(0.12 * raw)
    shares[:, 3] *= np.exp(-0.18 * raw)
    shares /= shares.sum(axis=1, keepdims=True)
    accuracy = np.stack([z[:, 6], z[:, 7], z[:, 7], z[:, 8], z[:, 8]], axis=1)
    percentages = _PCT[p] + _PCT_SPREAD * accuracy + _PCT_TALENT * (raw[:, None] - 0.6) - 0.008 * rookie[:, None]

    def weight(by_position: tuple[float, float, float], spread: float, trait: int, talent: float = 0.0) -> Floats:
        return np.array(by_position)[p] * np.exp(spread * z[:, trait] + talent * raw)

    return Skills(
        talent=raw,
        usage=np.exp(USAGE_LIMIT * np.tanh((0.315 * raw + 0.25 * z[:, 0]) / USAGE_LIMIT)),
        turnover=np.clip(
            0.114 * np.exp(0.2 * z[:, 11] - 0.02 * raw) * np.array([1.03, 0.92, 1.08])[p] + 0.01 * rookie, 0.03, 0.3
        ),
        foul_trip=np.clip(0.076 * np.exp(0.38 * z[:, 10] + 0.12 * raw) * np.array([0.92, 0.92, 1.2])[p], 0.02, 0.25),
        shares=shares,
        percentages=percentages,
        ft_pct=np.clip(np.array(_FT)[p] + 0.06 * z[:, 9] + 0.03 * z[:, 8], 0.45, 0.94),
        oreb=weight(_OREB, 0.45, 12),
        dreb=weight(_DREB, 0.28, 13, 0.07),
        ast=weight(_AST, 0.36, 14, 0.21),
        stl=weight(_STL, 0.3, 15),
        blk=weight(_BLK, 0.6, 16),
        pf=weight(_PF, 0.2, 17, -0.1),
        defence=z[:, 18],
    )
