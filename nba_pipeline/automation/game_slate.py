"""The countable games of some days, as the source tells them: what schedules and alerts go by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nba_pipeline.asof.cutoffs import cutoff_of
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES
from nba_pipeline.sources import landing
from nba_pipeline.sources.protocol import Source


@dataclass(frozen=True)
class Game:
    """A game that counts. `cutoff` is the last moment at which information may enter a forecast of it."""

    game_id: str
    cutoff: datetime
    final: bool


Slate = Mapping[date, Sequence[Game]]


def slate(source: Source, days: Sequence[date]) -> dict[date, list[Game]]:
    """The games of every one of the days; a day without games has none. Raises SourceError where the source cannot say."""
    found: dict[date, list[Game]] = {d: [] for d in days}
    for row in source.read(landing.SCHEDULE, days).to_pylist():
        if row["game_date"] in found and str(row["game_id"])[:3] in COUNTABLE_PREFIXES:
            final = row["home_pts"] is not None and row["away_pts"] is not None
            found[row["game_date"]].append(
                Game(row["game_id"], cutoff_of(row["game_date"], row["game_datetime_utc"]), final)
            )
    return {d: sorted(games, key=lambda g: (g.cutoff, g.game_id)) for d, games in found.items()}
