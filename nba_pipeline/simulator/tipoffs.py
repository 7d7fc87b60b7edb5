"""Draw tip-off times: evenings in the host's time zone, some afternoons at weekends."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_pipeline.simulator.calendar import SeasonCalendar, nth_weekday
from nba_pipeline.simulator.clubs import ZONE_NAME

LEAGUE_ZONE = "America/New_York"
# Minutes after midnight, US Eastern, and their weights by the host's zone.
_EVENINGS = {
    "east": ((1140, 0.46), (1170, 0.38), (1200, 0.08), (1080, 0.05), (1230, 0.03)),
    "central": ((1200, 0.76), (1230, 0.10), (1140, 0.05), (1170, 0.05), (1290, 0.04)),
    "mountain": ((1260, 0.80), (1200, 0.10), (1320, 0.10)),
    "pacific": ((1320, 0.68), (1350, 0.20), (1290, 0.05), (1260, 0.07)),
}
_AFTERNOONS = ((720, 0.04), (780, 0.2), (900, 0.2), (930, 0.36), (1020, 0.12), (1080, 0.08))
_SUNDAY_AFTERNOON, _SATURDAY_AFTERNOON = 0.34, 0.14
_CHRISTMAS = (720, 870, 1020, 1200, 1350)


def _zone_group(zone: str) -> str:
    if zone in ("America/Los_Angeles",):
        return "pacific"
    if zone in ("America/Denver", "America/Phoenix"):
        return "mountain"
    return "central" if zone == "America/Chicago" else "east"


_ZONE_GROUPS = [_zone_group(zone) for zone in ZONE_NAME]


def _draw(rng: np.random.Generator, options: tuple[tuple[int, float], ...], count: int) -> np.ndarray:
    weights = np.array([weight for _, weight in options])
    return np.array([minute for minute, _ in options])[rng.choice(len(options), size=count, p=weights / weights.sum())]


def eastern_minutes(
    rng: np.random.Generator, calendar: SeasonCalendar, host: np.ndarray, day: np.ndarray
) -> np.ndarray:
    """Draw tip-offs in minutes after midnight Eastern for games at `host` on `day` (days since opening night)."""
    minutes = np.zeros(len(host), dtype=np.int64)
    groups = np.array(_ZONE_GROUPS)[host]
    for group, options in _EVENINGS.items():
        at = np.flatnonzero(groups == group)
        minutes[at] = _draw(rng, options, len(at))
    weekday = (calendar.opening.weekday() + day) % 7
    luck = rng.random(len(host))
    mlk = calendar.day_index(nth_weekday(calendar.year + 1, 1, 0, 3))
    early = (
        ((weekday == 6) & (luck < _SUNDAY_AFTERNOON))
        | ((weekday == 5) & (luck < _SATURDAY_AFTERNOON))
        | ((day == mlk) & (luck < 0.6))
    )
    afternoon = _draw(rng, _AFTERNOONS, len(host))
    west = (groups == "pacific") | (groups == "mountain")
    minutes = np.where(early, np.where(west, np.maximum(afternoon, 930), afternoon), minutes)
    christmas = np.flatnonzero(day == calendar.day_index(date(calendar.year, 12, 25)))
    by_host = christmas[np.argsort(np.isin(groups[christmas], ["pacific", "mountain"]), kind="stable")]
    for game, minute in zip(by_host, _CHRISTMAS, strict=False):
        minutes[game] = minute
    return minutes


def instants(calendar: SeasonCalendar, day: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """Convert Eastern clock times to UTC instants (datetime64[us])."""
    local = np.datetime64(calendar.opening, "m") + day.astype("timedelta64[D]") + minutes.astype("timedelta64[m]")
    utc = pd.DatetimeIndex(local).tz_localize(LEAGUE_ZONE).tz_convert("UTC").tz_localize(None)
    return utc.to_numpy().astype("datetime64[us]")


def clock(minutes: np.ndarray) -> list[str]:
    """Format minutes after midnight, such as `19:30:00`."""
    return [f"{m // 60:02d}:{m % 60:02d}:00" for m in minutes.tolist()]


def dates(calendar: SeasonCalendar, day: np.ndarray) -> list[date]:
    """Convert days since opening night to dates."""
    return [calendar.opening + timedelta(days=d) for d in day.tolist()]
