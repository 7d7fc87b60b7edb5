"""Review the schedule as a whole: games of unknown state, and seasons that lack games."""

import re
from collections.abc import Iterator
from datetime import date

from nba_pipeline.common.errors import SourceError
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, GAME_ID, season_days
from nba_pipeline.domain.game_states import UNKNOWN
from nba_pipeline.domain.season_frame import ListedGame, SeasonFrame, season_frames
from nba_pipeline.engine.waivers import Waivers, waiver_line
from nba_pipeline.orchestration.preflight import Finding
from nba_pipeline.sources import landing
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days, Reader

REMEDY = "bring the source's schedule up to date and run the days that it lacked"
COLUMNS = ("game_id", "game_date", "countable", "home_team", "away_team", "status")


def unknown_games(warehouse: Reader, first: date, last: date, waivers: Waivers) -> list[tuple[date, str]]:
    """Published games of first..last whose state is unknown, with their day, as `id VISITORS at HOME`; waived days left out."""
    read = warehouse.read({"games": (SCHEDULE, Days(first, last, COLUMNS))})["games"].to_pylist()
    waived = waivers.of(SCHEDULE.id)
    return sorted(
        (g["game_date"], f"{g['game_id']} {g['away_team']} at {g['home_team']}")
        for g in read
        if g["status"] == UNKNOWN and g["countable"] and g["game_date"] not in waived
    )


def listed_seasons(source: Source, first: date, last: date, today: date | None = None) -> list[SeasonFrame]:
    """Read the frames of the seasons that the days from first to last belong to, as the source lists their games.

    Args:
        source: Where the schedule comes from.
        first: The first day.
        last: The last day.
        today: Today, where it is another day than the last one.
    """
    rows = source.read(landing.SCHEDULE.as_witness(), season_days([first, last])).to_pylist()
    return season_frames(
        (
            ListedGame(r["game_id"], r["home_team"], r["away_team"], r["game_date"])
            for r in rows
            if r["game_id"] and re.fullmatch(GAME_ID, r["game_id"]) and r["game_id"].startswith(COUNTABLE_PREFIXES)
        ),
        today or last,
    )


def review(
    warehouse: Reader, source: Source, first: date, last: date, waivers: Waivers, today: date
) -> Iterator[Finding]:
    """What `nba-pipeline check` says of the schedule of the seasons around first..last, as findings."""
    unknown = unknown_games(warehouse, first, last, waivers)
    if unknown:
        day = unknown[0][0]
        yield Finding(
            "game states",
            False,
            f"{len(unknown)} games without a known state: {'; '.join(f'{d} {g}' for d, g in unknown[:5])}",
            f"give the game's state in the column status of the schedule feed and run `nba-pipeline backfill {day} {day}`; "
            f"or waive the day by the line `{waiver_line(SCHEDULE.id, day, today)}` in waivers.csv",
        )
    try:
        frames = listed_seasons(source, first, last, today)
    except SourceError as e:
        yield Finding("season's frame", False, e.what, e.remedy)
        return
    for frame in frames:
        yield Finding(
            f"season's frame {frame.season}", not frame.is_wrong, str(frame), REMEDY if frame.is_wrong else ""
        )
