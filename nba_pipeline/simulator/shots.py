"""Draw time and location of every field-goal attempt: tenths of feet from the hoop, y away from the baseline."""

import numpy as np

from nba_pipeline.simulator.league import Floats, Ints
from nba_pipeline.simulator.postseason import Batch
from nba_pipeline.simulator.rotation import FIRST_STRETCH

RESTRICTED, PAINT, MID_RANGE, CORNER_THREE, ABOVE_BREAK = range(5)
# Distance from the hoop in the restricted area, shares by foot: makes are closer than misses.
_RESTRICTED_MADE = (0.287, 0.324, 0.248, 0.141)
_RESTRICTED_MISSED = (0.174, 0.238, 0.318, 0.270)
_PAINT_FEET = np.arange(4, 15)
_PAINT_WEIGHTS = np.array([8166, 6823, 5855, 5000, 4130, 3050, 2700, 2500, 2050, 1560, 1130], dtype=float)
_MID_FEET = np.arange(8, 23)
_MID_WEIGHTS = np.array(
    [434, 1000, 1200, 1420, 1680, 1750, 1940, 2500, 2860, 2600, 2268, 1879, 1349, 859, 500], dtype=float
)
_HEAVES = 0.0065  # fraction of missed above-the-break threes that are thrown from the own half as a period ends

BASIC = np.array(
    [
        "Restricted Area",
        "In The Paint (Non-RA)",
        "Mid-Range",
        "Left Corner 3",
        "Right Corner 3",
        "Above the Break 3",
        "Backcourt",
    ]
)
AREAS = np.array(["Center", "Left Side", "Right Side", "Left Side Center", "Right Side Center", "Back Court"])
RANGES = np.array(["Less Than 8 ft.", "8-16 ft.", "16-24 ft.", "24+ ft.", "Back Court Shot"])
ZONES_PMT = np.array(["paint", "mid_range", "three_pt"])
_ACTIONS = {
    0: (("Driving Layup Shot", 0.30), ("Running Layup Shot", 0.13), ("Driving Finger Roll Layup Shot", 0.11),
        ("Tip Layup Shot", 0.10),
        ("Cutting Layup Shot", 0.10), ("Layup Shot", 0.10), ("Dunk Shot", 0.07), ("Cutting Dunk Shot", 0.09)),
    1: (("Driving Floating Jump Shot", 0.32), ("Driving Layup Shot", 0.20), ("Pullup Jump shot", 0.16),
        ("Floating Jump shot", 0.12),
        ("Hook Shot", 0.12), ("Turnaround Hook Shot", 0.08)),
    2: (("Pullup Jump shot", 0.45), ("Jump Shot", 0.20), ("Step Back Jump shot", 0.16), ("Fadeaway Jump Shot", 0.10),
        ("Turnaround Fadeaway shot", 0.09)),
    3: (("Jump Shot", 0.86), ("Running Jump Shot", 0.08), ("Step Back Jump shot", 0.06)),
    4: (("Jump Shot", 0.63), ("Pullup Jump shot", 0.18), ("Step Back Jump shot", 0.11), ("Running Jump Shot", 0.08)),
}  # fmt: skip
ACTIONS = np.array(sorted({name for options in _ACTIONS.values() for name, _ in options}))


def _polar(feet: Floats, angle: Floats) -> tuple[Floats, Floats]:
    return feet * 10 * np.sin(angle), feet * 10 * np.cos(angle)


def _places(rng: np.random.Generator, zone: Ints, made: np.ndarray, heave: np.ndarray) -> tuple[Ints, Ints]:
    """Draw whole coordinates within each attempt's zone. Angle 0 is straight on; the paint is 16 feet wide."""
    n = len(zone)
    x, y = np.zeros(n), np.zeros(n)
    for value in (True, False):
        at = np.flatnonzero((zone == RESTRICTED) & (made == value))
        feet = rng.choice(4, size=len(at), p=_RESTRICTED_MADE if value else _RESTRICTED_MISSED) + rng.uniform(
            0, 0.92, len(at)
        )
        side = rng.uniform(-2.0, 2.0, len(at))
        x[at], y[at] = _polar(feet, side)
    at = np.flatnonzero(zone == PAINT)
    feet = rng.choice(_PAINT_FEET, size=len(at), p=_PAINT_WEIGHTS / _PAINT_WEIGHTS.sum()) + rng.uniform(
        0.1, 0.9, len(at)
    )
    widest = np.arcsin(np.minimum(7.9 / feet, 1.0))  # keeps |x| under 7.9 feet
    lowest = np.where(feet < 7.9, 1.75, widest)
    x[at], y[at] = _polar(
        feet, rng.uniform(-1, 1, len(at)) * np.minimum(lowest, np.arccos(np.clip(-3.9 / feet, -1, 1)))
    )
    far = feet > 13.8  # the free-throw line ends the paint: only the sides are that far away
    x[at], y[at] = (
        np.where(far, np.sign(x[at]) * 60.0 + x[at] * 0.05, x[at]),
        np.where(far, np.minimum(y[at], 130.0), y[at]),
    )
    at = np.flatnonzero(zone == MID_RANGE)
    feet = rng.choice(_MID_FEET, size=len(at), p=_MID_WEIGHTS / _MID_WEIGHTS.sum()) + rng.uniform(0.1, 0.9, len(at))
    inner = np.where(feet < 14.4, np.arcsin(np.minimum(8.15 / feet, 1.0)), 0.0)
    outer = np.where(feet > 21.5, np.arcsin(np.minimum(21.5 / feet, 1.0)), np.arccos(np.clip(-3.0 / feet, -1, 1)))
    x[at], y[at] = _polar(feet, rng.choice([-1.0, 1.0], len(at)) * (inner + (outer - inner) * rng.random(len(at))))
    at = np.flatnonzero(zone == CORNER_THREE)
    left = rng.random(len(at)) < 0.52
    across = np.clip(231 + 5 * rng.standard_normal(len(at)), 221, 246)
    x[at], y[at] = np.where(left, -across, across), np.clip(18 + 26 * rng.standard_normal(len(at)), -47, 84)
    at = np.flatnonzero(zone == ABOVE_BREAK)
    feet = np.minimum(23.95 + rng.gamma(1.6, 1.25, len(at)), 40.0)
    outer = np.minimum(np.arccos(np.clip(9.4 / feet, -1, 1)), np.arcsin(np.clip(24.6 / feet, -1, 1)))
    x[at], y[at] = _polar(feet, rng.uniform(-1, 1, len(at)) * outer)
    at = np.flatnonzero(heave)
    x[at], y[at] = rng.uniform(-225, 225, len(at)), rng.uniform(421, 800, len(at))
    return np.round(x).astype(np.int64), np.round(y).astype(np.int64)


def _areas(x: Ints, y: Ints, feet: Ints, basic: Ints) -> Ints:
    """Classify locations by the league's areas: centre, left and right side, and side centres."""
    angle = np.degrees(np.arctan2(x, y))
    wide = np.where(feet >= 16, np.abs(angle) > 62, np.abs(angle) > 36)
    middle = np.where(feet >= 16, np.abs(angle) < 18, ~wide)
    area = np.where(middle, 0, np.where(wide, np.where(x < 0, 1, 2), np.where(x < 0, 3, 4)))
    area = np.where((basic == 0) | ((basic == 1) & (feet < 8)), 0, area)
    area = np.where(basic == 3, 1, np.where(basic == 4, 2, area))
    area = np.where((basic == 5) & (area == 1), 3, np.where((basic == 5) & (area == 2), 4, area))
    return np.where(basic == 6, 5, area)


def shot_columns(rng: np.random.Generator, batch: Batch) -> dict[str, np.ndarray]:
    """Draw the attempts in order of game and time, by landing column; text columns as codes (`*_code`)."""
    played = batch.played
    rows, slots, zones, made, second = [], [], [], [], []
    parts = (
        (played.counts, (played.closing, played.extra), 0.0, FIRST_STRETCH * 60),
        (played.closing, (), FIRST_STRETCH * 60, 2880.0),
        (played.extra, (), 2880.0, 0.0),  # the end depends on the number of overtimes
    )
    for counts, minus, start, end in parts:
        attempts = counts.attempts - sum((c.attempts for c in minus), start=np.zeros_like(counts.attempts))
        makes = counts.makes - sum((c.makes for c in minus), start=np.zeros_like(counts.makes))
        for hit, number in ((True, makes), (False, attempts - makes)):
            row, slot, zone = np.nonzero(number)
            times = number[row, slot, zone]
            row, slot, zone = (np.repeat(values, times) for values in (row, slot, zone))
            finish = end if end else 2880.0 + 300.0 * played.overtimes[row]
            rows.append(row)
            slots.append(slot)
            zones.append(zone)
            made.append(np.full(len(row), hit))
            second.append(np.floor(start + (finish - start) * rng.random(len(row))))
    row, slot, zone, hit, when = (np.concatenate(values) for values in (rows, slots, zones, made, second))
    when = when.astype(np.int64)
    heave = (zone == ABOVE_BREAK) & ~hit & (rng.random(len(zone)) < _HEAVES)
    when = np.where(heave & (when < 2880), when // 720 * 720 + 717 + when % 3, when)
    order = np.lexsort((slot, row % 2, when, row // 2))
    row, slot, zone, hit, when, heave = (values[order] for values in (row, slot, zone, hit, when, heave))
    x, y = _places(rng, zone, hit, heave)
    feet = np.floor(np.hypot(x, y) / 10).astype(np.int64)
    value = np.where(zone >= CORNER_THREE, 3, 2)
    basic = np.select([heave, zone <= MID_RANGE, zone == CORNER_THREE], [6, zone, np.where(x < 0, 3, 4)], default=5)
    reach = np.digitize(feet, [8, 16, 24])
    reach = np.where(basic == 0, 0, np.where(basic == 6, 4, np.where((basic >= 3) & (basic <= 5), 3, reach)))
    action = np.zeros(len(zone), dtype=np.int64)
    for kind, options in _ACTIONS.items():
        at = np.flatnonzero(zone == kind)
        weights = np.array([weight for _, weight in options])
        codes = np.searchsorted(ACTIONS, [name for name, _ in options])
        action[at] = codes[rng.choice(len(options), size=len(at), p=weights / weights.sum())]
    overtime = when >= 2880
    period = np.where(overtime, 5 + (when - 2880) // 300, 1 + when // 720)
    left = np.where(overtime, 299 - (when - 2880) % 300, 719 - when % 720)
    return {
        "row": row, "person": batch.slate.person[row, slot], "period": period,
        "mins_left": left // 60, "secs_left": left % 60,
        "shot_made": hit, "shot_value": value, "action_code": action,
        "basic_code": basic, "area_code": _areas(x, y, feet, basic),
        "range_code": reach, "shot_distance": feet, "loc_x": x, "loc_y": y,
        "pmt_code": np.where(value == 3, 2, np.where(feet <= 8, 0, 1)),
    }  # fmt: skip
