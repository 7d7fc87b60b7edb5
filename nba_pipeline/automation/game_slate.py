"""The countable games of some days, as the source reports them: the calendar of schedules and alerts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nba_pipeline.asof.cutoffs import cutoff_of
from nba_pipeline.common.errors import SourceError
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, GAME_ID
from nba_pipeline.domain.game_states import CALLED_OFF, state_of
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
    """Return the games of each day that are not called off, in order of their cutoffs; a day without games has an empty list.

    Raises:
        SourceError: The source cannot be read.
    """
    games: dict[date, list[Game]] = {d: [] for d in days}
    for row in source.read(landing.SCHEDULE, days).to_pylist():
        listed = row["game_date"] in games and state_of(row["status"]) not in CALLED_OFF
        if listed and str(row["game_id"])[:3] in COUNTABLE_PREFIXES:
            final = (row["home_pts"] or 0) + (row["away_pts"] or 0) > 0
            cutoff = cutoff_of(row["game_date"], row["game_datetime_utc"])
            games[row["game_date"]].append(Game(row["game_id"], cutoff, final))
    return {d: sorted(of_day, key=lambda g: (g.cutoff, g.game_id)) for d, of_day in games.items()}


def believed_slate(source: Source, days: Sequence[date], published: Mapping[date, int]) -> dict[date, list[Game]]:
    """As `slate`, but a source is not believed that a day has no games where something speaks for some.

    Args:
        source: Where the schedule comes from.
        days: The days asked for.
        published: Games of days that were published earlier, or that were refused (at least one).

    Raises:
        SourceError: A day without games has rows whose game id cannot be read, or had games when it was published.
    """
    games = slate(source, days)
    empty = [d for d in days if not games[d]]
    if not empty:
        return games
    rows = source.read(landing.SCHEDULE, empty).to_pylist()
    off = {r["game_date"] for r in rows if state_of(r["status"]) in CALLED_OFF}
    for day in empty:
        odd = [r["game_id"] for r in rows if r["game_date"] == day and not re.fullmatch(GAME_ID, r["game_id"] or "")]
        if odd:
            raise SourceError(
                f"the schedule of {day} has rows whose game id cannot be read, such as {odd[0]!r}",
                "write game ids as text of ten characters; docs/landing.md describes the layout",
            )
        if published.get(day) and day not in off:
            raise SourceError(
                f"the source lists no game on {day}, for which games are known",
                "bring the source's schedule up to date",
            )
    return games
