"""Build the schedule: all countable games, and preseason and all-star games, which differ by id prefix."""

import numpy as np
import pyarrow as pa

from nba_pipeline.domain.calendar import SEASON_TYPES
from nba_pipeline.simulator.clubs import ALL_STAR_IDS, ALL_STAR_TRICODES, TEAM_COUNT, TEAM_ID, TRICODE, arena
from nba_pipeline.simulator.columns import (  # fmt: skip
    DATE,
    FLAG,
    INT64,
    NUMBER,
    SOURCE,
    TEXT,
    UTC,
    constant,
    game_dates,
    moments,
    nulls,
    table,
    text,
)
from nba_pipeline.simulator.season import Season
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.tipoffs import clock, eastern_minutes, instants

_PRESEASON_FIRST, _PRESEASON_LAST = -17, -4  # days relative to opening night
_PRESEASON_NIGHTS = 10


def _exhibitions(season: Season) -> tuple[list[str], list[int], list[int], list[int], np.ndarray]:
    """Draw (ids, home, away, day, points) of preseason and all-star games; clubs 30 and 31 are the all-star sides."""
    rng = stream(season.world.seed, season.calendar.season, "exhibitions")
    year = season.calendar.year % 100
    games: list[tuple[int, int, int]] = []
    for day in np.sort(
        rng.choice(np.arange(_PRESEASON_FIRST, _PRESEASON_LAST + 1), _PRESEASON_NIGHTS, replace=False)
    ).tolist():
        clubs = rng.permutation(TEAM_COUNT)[: 2 * int(rng.integers(5, 10))].tolist()
        games += [(home, away, day) for home, away in zip(clubs[::2], clubs[1::2], strict=True)]
    ids = [f"001{year:02d}{n:05d}" for n in range(1, len(games) + 1)]
    first = season.calendar.day_index(season.calendar.all_star[0])
    stars = [(30, 31, first), (31, 30, first), (30, 31, first), (30, 31, first + 2)]
    ids += [f"003{year:02d}{n:05d}" for n in (2, 3, 4, 1)]
    points = np.round(rng.normal(111, 11, size=(len(games) + len(stars), 2))).astype(np.int64)
    points[points[:, 0] == points[:, 1], 0] += 3
    home, away, days = (list(column) for column in zip(*games, *stars, strict=True))
    return ids, home, away, days, points


def schedule_table(season: Season) -> pa.Table:
    """Build the schedule, ordered by date and id. One row per game."""
    slate = season.games.slate
    ids, home, away, day, points = _exhibitions(season)
    rng = stream(season.world.seed, season.calendar.season, "exhibition times")
    hosts = np.array(home)
    minutes = np.where(
        hosts >= TEAM_COUNT, 1200, eastern_minutes(rng, season.calendar, hosts % TEAM_COUNT, np.array(day))
    )
    all_ids = season.games.game_id.tolist() + ids
    all_home, all_away = np.concatenate([slate.home, home]), np.concatenate([slate.away, away])
    all_day = np.concatenate([slate.day, day])
    all_minutes = np.concatenate([season.tip_minutes, minutes])
    tip = np.concatenate([season.tip, instants(season.calendar, np.array(day), minutes)])
    scores = np.concatenate([season.games.played.points.reshape(-1, 2), points])
    showcase = arena(
        int(stream(season.world.seed, season.calendar.season, "all-star city").integers(TEAM_COUNT)),
        season.calendar.year,
    )
    places = season.arena + [showcase if h >= TEAM_COUNT else arena(h, season.calendar.year) for h in home]
    neutral = np.concatenate([slate.neutral, hosts >= TEAM_COUNT])
    team_id, tricode = np.concatenate([TEAM_ID, ALL_STAR_IDS]), np.concatenate([TRICODE, ALL_STAR_TRICODES])
    order = np.lexsort((np.array(all_ids), all_day))
    n = len(order)
    return table(
        {
            "season": (TEXT, constant(season.calendar.season, n)),
            "season_type": (TEXT, text([SEASON_TYPES[i[:3]] for i in all_ids], order)),
            "game_id": (TEXT, text(all_ids, order)),
            "game_date": (DATE, game_dates(season, all_day[order])),
            "game_time_et": (TEXT, text(clock(all_minutes), order)),
            "game_datetime_utc": (UTC, moments(tip[order])),
            "home_team_id": (INT64, team_id[all_home[order]]),
            "home_team": (TEXT, text(tricode, all_home[order])),
            "away_team_id": (INT64, team_id[all_away[order]]),
            "away_team": (TEXT, text(tricode, all_away[order])),
            "home_pts": (INT64, scores[order, 0]),
            "away_pts": (INT64, scores[order, 1]),
            "neutral_site": (FLAG, neutral[order]),
            "arena": (TEXT, text(places, order)),
            "attendance": (NUMBER, nulls(NUMBER, n)),
            "time_source": (TEXT, constant(SOURCE, n)),
            "game_id_is_synthetic": (FLAG, np.zeros(n, dtype=bool)),
        }
    )
