"""The frame of a season: how many games it has, and how many of them each team plays."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from nba_pipeline.domain.calendar import season_of_game
from nba_pipeline.domain.teams import TRICODES

GAMES_OF_A_TEAM = 82
REGULAR_SEASON, PLAY_IN, CUP_FINAL = "002", "005", "006"
REGULAR_GAMES = len(TRICODES) * GAMES_OF_A_TEAM // 2
PLAY_IN_GAMES, CUP_FINALS = 6, 1
FIRST_CUP_SEASON = "2023-24"
# Until the cup's groups are played, two games of each team are still to be set.
GAMES_SET_LATER = 2

# A feed with fewer regular-season games is no list of a whole season: its frame is told, not judged.
LEAST_JUDGED = 1000


@dataclass(frozen=True)
class ListedGame:
    """A game as a schedule lists it."""

    game_id: str
    home: str | None
    away: str | None
    day: date | None = None


@dataclass(frozen=True)
class SeasonFrame:
    """What a schedule lists of a season, and where that differs from the season's frame.

    Attributes:
        season: The season's label.
        games: Regular-season games listed.
        faults: Differences that no season has: a regular season of other than 1,230 games, a team with other than 82.
        remarks: Other differences, such as play-in games that a source does not list or that are yet to be set.
    """

    season: str
    games: int
    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether enough is listed to judge it as a list of the whole season."""
        return self.games >= LEAST_JUDGED

    @property
    def is_wrong(self) -> bool:
        """Whether a list of the whole season differs from what every season has."""
        return self.is_whole and bool(self.faults)

    def __str__(self) -> str:
        return "; ".join((*self.faults, *self.remarks)) or "complete"


def season_frames(games: Iterable[ListedGame], today: date | None = None) -> list[SeasonFrame]:
    """Compare listed games, each counted once however often it is listed, with the frame of their seasons.

    Args:
        games: Listed games of any seasons.
        today: While games of this day or later are listed, those that follow from the cup's groups may be missing.
    """
    by_season: dict[str, dict[str, ListedGame]] = {}
    for game in games:
        by_season.setdefault(season_of_game(game.game_id), {})[game.game_id] = game
    return [_frame(season, list(listed.values()), today) for season, listed in sorted(by_season.items())]


def _frame(season: str, games: list[ListedGame], today: date | None) -> SeasonFrame:
    kinds = Counter(g.game_id[:3] for g in games)
    regular = [g for g in games if g.game_id.startswith(REGULAR_SEASON)]
    teams = Counter(t for g in regular for t in (g.home, g.away) if t in TRICODES)
    odd = [f"{t} {teams[t]}" for t in TRICODES if teams[t] != GAMES_OF_A_TEAM]
    faults = []
    if len(regular) != REGULAR_GAMES:
        faults.append(f"{len(regular):,} of {REGULAR_GAMES:,} regular-season games")
    if odd:
        faults.append(f"teams with other than {GAMES_OF_A_TEAM} games: {', '.join(odd)}")
    remarks = []
    if faults and _may_be_set_later(season, regular, teams, today):
        faults, remarks = [], [*faults, "the games that follow from the cup's groups are still to be set"]
    if kinds[PLAY_IN] != PLAY_IN_GAMES:
        remarks.append(f"{kinds[PLAY_IN]} of {PLAY_IN_GAMES} play-in games")
    if season >= FIRST_CUP_SEASON and kinds[CUP_FINAL] != CUP_FINALS:
        remarks.append(f"{kinds[CUP_FINAL]} of {CUP_FINALS} cup finals")
    return SeasonFrame(season, len(regular), tuple(faults), tuple(remarks))


def _may_be_set_later(season: str, regular: list[ListedGame], teams: Counter[str], today: date | None) -> bool:
    """Whether all that is missing are games that follow from the groups of the cup."""
    open_ended = today is not None and any(g.day is not None and g.day >= today for g in regular)
    least = GAMES_OF_A_TEAM - GAMES_SET_LATER
    settled = all(least <= teams[t] <= GAMES_OF_A_TEAM for t in TRICODES) and len(regular) <= REGULAR_GAMES
    return season >= FIRST_CUP_SEASON and open_ended and settled
