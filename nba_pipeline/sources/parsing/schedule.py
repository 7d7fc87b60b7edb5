"""The schedule of a season (`scheduleleaguev2`): every game, played or not."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, GAME_ID
from nba_pipeline.sources.parsing.acceptance import SetAside, accepted
from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, Row, integer, part, required, shown, text

FINAL = 3
FLOOR = 0.9
NO_TIME = ("TBD", "PPD")


@dataclass(frozen=True)
class Game:
    """A game as the schedule has it. `tip_off` in UTC, None where it is not settled; points only of a game that is over."""

    game_id: str
    day: date
    tip_off: datetime | None
    home: str | None
    away: str | None
    home_points: int | None
    away_points: int | None
    neutral: bool | None
    arena: str | None

    @property
    def over(self) -> bool:
        return self.home_points is not None and self.away_points is not None

    @property
    def countable(self) -> bool:
        return self.game_id[:3] in COUNTABLE_PREFIXES and re.fullmatch(GAME_ID, self.game_id) is not None

    def opponent(self, team: str | None) -> str | None:
        """The other team of the game; None for a team that does not play in it."""
        return {self.home: self.away, self.away: self.home}.get(team) if team else None

    def row(self) -> Row:
        """The game in the landing layout."""
        return {
            "game_id": self.game_id,
            "game_date": self.day,
            "game_datetime_utc": self.tip_off,
            "home_team": self.home,
            "away_team": self.away,
            "home_pts": self.home_points,
            "away_pts": self.away_points,
            "neutral_site": self.neutral,
            "arena": self.arena,
        }


def games(payload: Any, set_aside: list[SetAside] | None = None) -> list[Game]:
    """Read all games of a schedule.

    Args:
        payload: the answer.
        set_aside: takes the games that cannot be read, with the reason (an exhibition without teams, a date to come).

    Raises:
        PayloadError: for an answer of another form, without a game, or with too many that cannot be read.
    """
    dates = part(part(payload, "leagueSchedule", dict), "gameDates", list)
    listed = [g for d in dates for g in part(d, "games", list)]
    if not listed:
        raise PayloadError("the schedule has no games")
    return accepted([(_name(g), partial(_game, g)) for g in listed], FLOOR, "games", set_aside)


def season(payload: Any) -> str:
    """The season's label, 2024-25."""
    return part(part(payload, "leagueSchedule", dict), "seasonYear", str)


def _name(g: Any) -> str:
    return f"game {shown(g.get('gameId') if isinstance(g, dict) else g)}"


def _game(g: Row) -> Game:
    game_id = required(g, "gameId")
    home, away = part(g, "homeTeam", dict), part(g, "awayTeam", dict)
    over = part(g, "gameStatus", int) == FINAL
    local = _eastern(required(g, "gameDateTimeEst"))
    unsettled = any(w in (text(g, "gameStatusText") or "").upper() for w in NO_TIME)
    neutral = g.get("isNeutral")
    return Game(
        game_id=game_id,
        day=local.date(),
        tip_off=None if unsettled else local.astimezone(UTC),
        home=text(home, "teamTricode"),
        away=text(away, "teamTricode"),
        home_points=integer(home, "score") if over else None,
        away_points=integer(away, "score") if over else None,
        neutral=neutral if isinstance(neutral, bool) else None,
        arena=text(g, "arenaName"),
    )


def _eastern(value: str) -> datetime:
    """The service writes Eastern wall-clock time with a Z that does not belong there."""
    try:
        local = datetime.fromisoformat(value).replace(tzinfo=EASTERN)
        local.astimezone(UTC)
        return local
    except (ValueError, OverflowError):
        raise PayloadError(f"gameDateTimeEst is {value!r}, not a moment") from None
