"""The countable games of some days, as the source reports them: the calendar of schedules and alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nba_pipeline.asof.cutoffs import cutoff_of
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES
from nba_pipeline.sources import landing
from nba_pipeline.sources.protocol import Source


@dataclass(frozen=True)
class Game:
    """A countable game. `cutoff` is the last time at which information may enter a forecast of it."""

    game_id: str
    cutoff: datetime
    final: bool


Slate = Mapping[date, Sequence[Game]]


def slate(source: Source, days: Sequence[date]) -> dict[date, list[Game]]:
    """Return the games of each day in order of their cutoffs; a day without games has an empty list.

    Raises:
        SourceError: The source cannot be read.
    """
    games: dict[date, list[Game]] = {d: [] for d in days}
    for row in source.read(landing.SCHEDULE, days).to_pylist():
        if row["game_date"] in games and str(row["game_id"])[:3] in COUNTABLE_PREFIXES:
            final = row["home_pts"] is not None and row["away_pts"] is not None
            cutoff = cutoff_of(row["game_date"], row["game_datetime_utc"])
            games[row["game_date"]].append(Game(row["game_id"], cutoff, final))
    return {d: sorted(of_day, key=lambda g: (g.cutoff, g.game_id)) for d, of_day in games.items()}
