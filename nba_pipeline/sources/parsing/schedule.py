"""Parse the schedule of a season (`scheduleleaguev2`): every game, played or not."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, GAME_ID
from nba_pipeline.domain.game_states import CALLED_OFF, FINAL, IN_PROGRESS, SCHEDULED, SUSPENDED, UNKNOWN, state_of
from nba_pipeline.sources.parsing.acceptance import SetAside, accepted
from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, Row, integer, part, required, shown, text

OVER = 3
# States by `gameStatus`; other numbers are unknown.
CODES = {1: SCHEDULED, 2: IN_PROGRESS, OVER: FINAL}
FLOOR = 0.9
NO_TIME = "TBD"
# Values of `postponedStatus` for games played as listed.
AS_LISTED = ("", "A", "N", "FALSE")
POSTPONED_FLAGS = ("P", "Y", "TRUE", "PPD", "POSTPONED")
# In a season in which more games than this, and most games without a result, have the flag, it is ignored.
LARGEST_FLAGGED, LARGEST_SHARE = 30, 0.5


@dataclass(frozen=True)
class Game:
    """A game of the schedule.

    `tip_off` is UTC, None where it is open; points only for finished games; `status` is the service's text, None where the
    state follows from the score; `source` who gave it, None for the statistics service.
    """

    game_id: str
    day: date
    tip_off: datetime | None
    home: str | None
    away: str | None
    home_points: int | None
    away_points: int | None
    neutral: bool | None
    arena: str | None
    status: str | None = None
    source: str | None = None

    @property
    def called_off(self) -> bool:
        """Whether the game is not played on this day: postponed, cancelled or not needed."""
        return state_of(self.status) in CALLED_OFF

    @property
    def over(self) -> bool:
        """Whether the game has a final score."""
        return self.home_points is not None and self.away_points is not None

    @property
    def countable(self) -> bool:
        """Whether the game belongs to the regular season, cup final, play-in or playoffs."""
        return self.game_id[:3] in COUNTABLE_PREFIXES and re.fullmatch(GAME_ID, self.game_id) is not None

    def opponent(self, team: str | None) -> str | None:
        """Return the other team of the game; None for a team that does not play in it."""
        return {self.home: self.away, self.away: self.home}.get(team) if team else None

    def row(self) -> Row:
        """Return the game in the landing layout."""
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
            "status": self.status,
            "source": self.source,
        }


def games(payload: Any, set_aside: list[SetAside] | None = None) -> list[Game]:
    """Read all games of a schedule.

    Args:
        payload: the answer.
        set_aside: receives the games that cannot be read, such as an exhibition without teams.

    Raises:
        PayloadError: the answer has another form, no game, or too many games that cannot be read.
    """
    dates = part(part(payload, "leagueSchedule", dict), "gameDates", list)
    listed = [g for d in dates for g in part(d, "games", list)]
    if not listed:
        raise PayloadError("the schedule has no games")
    flags = _flags_tell(listed)
    return accepted([(_name(g), partial(_game, g, flags)) for g in listed], FLOOR, "games", set_aside)


def by_id(listed: Iterable[Game]) -> dict[str, Game]:
    """Index the games by id; a game listed on several days counts where it is over, else where it is still scheduled."""

    def precedence(game: Game) -> tuple[bool, bool, date]:
        return game.over, not game.called_off, game.day

    return {g.game_id: g for g in sorted(listed, key=precedence)}


def season(payload: Any) -> str:
    """Return the label of the season, such as 2024-25."""
    return part(part(payload, "leagueSchedule", dict), "seasonYear", str)


def _name(g: Any) -> str:
    return f"game {shown(g.get('gameId') if isinstance(g, dict) else g)}"


def _game(g: Row, flags_tell: bool) -> Game:
    game_id = required(g, "gameId")
    home, away = part(g, "homeTeam", dict), part(g, "awayTeam", dict)
    scores = integer(home, "score"), integer(away, "score")
    over = part(g, "gameStatus", int) == OVER and sum(s or 0 for s in scores) > 0
    local = _eastern(required(g, "gameDateTimeEst"))
    words = _words(g, over, flags_tell)
    unsettled = NO_TIME in (text(g, "gameStatusText") or "").upper() or state_of(words) in CALLED_OFF
    neutral = g.get("isNeutral")
    return Game(
        game_id=game_id,
        day=local.date(),
        tip_off=None if unsettled else local.astimezone(UTC),
        home=text(home, "teamTricode"),
        away=text(away, "teamTricode"),
        home_points=scores[0] if over else None,
        away_points=scores[1] if over else None,
        neutral=neutral if isinstance(neutral, bool) else None,
        arena=text(g, "arenaName"),
        status=words,
    )


def _words(g: Row, over: bool, flags_tell: bool) -> str | None:
    """Return the service's text for the state of a game, else flag or code; None where the score gives the state."""
    status_text, code = text(g, "gameStatusText"), part(g, "gameStatus", int)
    state, of_code = state_of(status_text), CODES.get(code, UNKNOWN)
    if state in (*CALLED_OFF, SUSPENDED):
        return status_text
    if over:
        return None
    if flags_tell and _flag(g) not in AS_LISTED:
        return "Postponed" if _flag(g) in POSTPONED_FLAGS else f"postponedStatus {_flag(g)}"
    if of_code in (IN_PROGRESS, FINAL):
        return of_code.capitalize()
    if of_code == UNKNOWN:
        return f"gameStatus {code}"
    return None if state in (None, SCHEDULED) else status_text


def _flag(g: Any) -> str:
    return str(g.get("postponedStatus") or "").strip().upper() if isinstance(g, dict) else ""


def _flags_tell(listed: Sequence[Any]) -> bool:
    """Return whether `postponedStatus` is informative: the service once set it for a whole season by mistake."""
    open_games = [_flag(g) not in AS_LISTED for g in listed if isinstance(g, dict) and g.get("gameStatus") != OVER]
    return sum(open_games) <= max(LARGEST_FLAGGED, LARGEST_SHARE * len(open_games))


def _eastern(value: str) -> datetime:
    """Parse Eastern wall-clock time, which the service writes with a wrong `Z`."""
    try:
        local = datetime.fromisoformat(value).replace(tzinfo=EASTERN)
        local.astimezone(UTC)
        return local
    except (ValueError, OverflowError):
        raise PayloadError(f"gameDateTimeEst is {value!r}, not a time") from None
