"""Plan the calls that a set of days needs: pure functions of schedule, stored answers and time.

A call is repeated until its answer is final: box scores and logs are corrected for 72 hours, the schedule of a season
changes until the season is over, a historical snapshot and a published report never change.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.domain.calendar import season_of, season_of_game
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import EASTERN

NBA_STATS, NBA_CDN, ODDS_API, INJURY_REPORTS = "nba_stats", "nba_cdn", "odds_api", "injury_reports"
NBA_LINEUPS = "nba_lineups"
SCHEDULE, BOXSCORES, SHOTS, LINES, INJURIES, ROSTERS = "schedule", "boxscores", "shots", "lines", "injuries", "rosters"
LINEUPS = "lineups"
KINDS = (SCHEDULE, BOXSCORES, SHOTS, LINES, INJURIES, ROSTERS, LINEUPS)
# Line-ups are listed shortly before a game; they are captured from this time before its tip-off on.
LINEUPS_BEFORE = timedelta(hours=2)

CDN_SCHEDULE, CDN_BOX_SCORE = "static_schedule", "live_box_score"
SEASON_CALL_PAYS = 3

# The service's names of season types. The log of cup finals is not requested: their box scores suffice.
SEASON_TYPES = {"002": "Regular Season", "004": "Playoffs", "005": "PlayIn", "006": "IST"}
LOGGED = ("002", "004", "005")

Have = Callable[[str, str, str], datetime | None]


class Stored(Protocol):
    """What is known of earlier calls."""

    def fetched(self, source: str, kind: str, key: str) -> datetime | None:
        """Return when a call was last answered; None if it never was."""
        ...

    def captures(self, source: str, kind: str, key: str) -> list[datetime]:
        """List when the stored answers to a call were fetched."""
        ...

    def absent(self, source: str, kind: str, key: str) -> datetime | None:
        """Return when the service last answered that the document of a call does not exist; None if it never did."""
        ...

    def keys(self, source: str, kind: str, beginning: str) -> list[str]:
        """List the keys of stored answers with a common beginning."""
        ...


@dataclass(frozen=True)
class Call:
    """A call to a service. `key` names it among the stored answers; `arguments` are the parameters of the request."""

    source: str
    kind: str
    key: str
    arguments: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return dict(self.arguments)[name]

    def get(self, name: str) -> str:
        """Return an argument; empty without one."""
        return dict(self.arguments).get(name, "")

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.key}"


def season_over(season: str) -> datetime:
    """Return the time from which the season no longer changes."""
    return datetime(int(season[:4]) + 1, 8, 1, tzinfo=UTC)


def final_from(day: date) -> datetime:
    """Return the time from which the facts of a day are final: `CORRECTED_FOR` after noon UTC of the next day."""
    return datetime.combine(day + timedelta(days=1), time(12), UTC) + CORRECTED_FOR


def schedule_calls(days: Iterable[date], have: Have, now: datetime, minutes: int = 0) -> list[Call]:
    """Plan a call per season whose schedule may have changed since it was fetched.

    Args:
        days: days of games.
        have: when a call was last answered.
        now: the time of planning.
        minutes: minutes in which the schedule of a season is requested once at most.
    """
    calls = [Call(NBA_STATS, "schedule", s, (("season", s),)) for s in sorted({season_of(d) for d in days})]
    return [c for c in calls if _is_due(have(c.source, c.kind, c.key), season_over(c.key), now, minutes)]


def _is_due(fetched: datetime | None, final: datetime, now: datetime, minutes: int) -> bool:
    return _before(fetched, final) and (fetched is None or now - fetched >= timedelta(minutes=minutes))


def roster_calls(days: Iterable[date], have: Have) -> list[Call]:
    """Plan the calls for player index and ages of every season."""
    calls = [
        Call(NBA_STATS, kind, s, (("season", s),))
        for s in sorted({season_of(d) for d in days})
        for kind in ("player_index", "player_bio")
    ]
    return [c for c in calls if _before(have(c.source, c.kind, c.key), season_over(c.key))]


def lineup_calls(games: Iterable[Game], now: datetime) -> list[Call]:
    """Plan a capture of the line-ups of each day with a game that begins within two hours; those of the past are nowhere.

    Args:
        games: games of the days.
        now: the time of planning.
    """
    due = {g.day for g in games if is_on(g) and g.tip_off and not g.over and now < g.tip_off <= now + LINEUPS_BEFORE}
    return [lineup_call(d) for d in sorted(due)]


def lineup_call(day: date) -> Call:
    """Build the call for the line-ups of a day."""
    return Call(NBA_LINEUPS, LINEUPS, f"{day}", (("file", f"00_daily_lineups_{day:%Y%m%d}.json"),))


def result_calls(games: Iterable[Game], have: Have) -> list[Call]:
    """Plan the logs of players and teams, per season or per day, whichever is fewer calls, and a box score per game."""
    over = [g for g in games if g.over and g.countable]
    calls = []
    for (season, prefix), group in _by_season_and_type(g for g in over if g.game_id[:3] in LOGGED).items():
        for kind in ("player_log", "team_log"):
            stale = [
                d for d in sorted({g.day for g in group}) if _before(_log(kind, season, prefix, d, have), final_from(d))
            ]
            if len(stale) > SEASON_CALL_PAYS:
                calls.append(log_call(kind, season, prefix))
            else:
                calls += [log_call(kind, season, prefix, d) for d in stale]
    for g in over:
        either = _newest([have(NBA_STATS, "box_score", g.game_id), have(NBA_CDN, CDN_BOX_SCORE, g.game_id)])
        if _before(either, final_from(g.day)):
            calls.append(Call(NBA_STATS, "box_score", g.game_id, (("game_id", g.game_id),)))
    return calls


def second_source(call: Call, now: datetime) -> Call | None:
    """Return the call to the second source of what a call asks for; None without one.

    Args:
        call: a call that its source did not answer.
        now: the time of planning: the second source has the schedule of the current season only.
    """
    if call.source != NBA_STATS:
        return None
    if call.kind == "box_score":
        return Call(NBA_CDN, CDN_BOX_SCORE, call.key, call.arguments)
    if call.kind == "schedule" and call.key == season_of(now.astimezone(EASTERN).date()):
        return Call(NBA_CDN, CDN_SCHEDULE, call.key, call.arguments)
    return None


def shot_calls(games: Iterable[Game], have: Have) -> list[Call]:
    """Plan the shot charts, per team and season or per day, whichever is fewer calls."""
    calls = []
    for (season, prefix), group in _by_season_and_type(g for g in games if g.over and g.countable).items():
        stale = [g for g in group if _before(_shots(season, prefix, g, have), final_from(g.day))]
        days = sorted({g.day for g in stale})
        teams = sorted({t for g in stale for t in (g.home, g.away) if t})
        if len(teams) < len(days):
            calls += [shot_call(season, prefix, team=t) for t in teams]
        else:
            calls += [shot_call(season, prefix, day=d) for d in days]
    return calls


def log_call(kind: str, season: str, prefix: str, day: date | None = None) -> Call:
    """Build the call for the log of a season and season type, or of one of its days."""
    kind_of_game = SEASON_TYPES[prefix]
    arguments = (("season", season), ("season_type", kind_of_game), *((("day", f"{day}"),) if day else ()))
    return Call(NBA_STATS, kind, _key(season, kind_of_game, day), arguments)


def shot_call(season: str, prefix: str, *, team: str | None = None, day: date | None = None) -> Call:
    """Build the call for the shots of a team's season, or of all teams on a day."""
    kind_of_game = SEASON_TYPES[prefix]
    restriction = ("team", team) if team else ("day", f"{day}")
    arguments = (("season", season), ("season_type", kind_of_game), restriction)
    return Call(NBA_STATS, "shots", _key(season, kind_of_game, team or day), arguments)


def _log(kind: str, season: str, prefix: str, day: date, have: Have) -> datetime | None:
    return _newest(have(NBA_STATS, kind, log_call(kind, season, prefix, d).key) for d in (None, day))


def _shots(season: str, prefix: str, game: Game, have: Have) -> datetime | None:
    """Return when the game's shots were last fetched, with its day or with both of its teams."""
    of_day = have(NBA_STATS, "shots", shot_call(season, prefix, day=game.day).key)
    of_teams = [have(NBA_STATS, "shots", shot_call(season, prefix, team=t).key) for t in (game.home, game.away) if t]
    times = [t for t in of_teams if t is not None]
    return _newest([of_day, min(times) if len(times) == 2 else None])


def _key(season: str, kind_of_game: str, part: object) -> str:
    return "_".join([season, kind_of_game.replace(" ", "-"), *([f"{part}"] if part else [])])


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((m for m in moments if m is not None), default=None)


def _before(fetched: datetime | None, final: datetime) -> bool:
    return fetched is None or fetched < final


def is_on(game: Game) -> bool:
    """Return whether the game is countable and not called off; books quote no others."""
    return game.countable and not game.called_off


def is_to_come(game: Game, now: datetime) -> bool:
    """Return whether the game has not begun."""
    return not game.over and (game.tip_off is None or game.tip_off > now)


def by_day(games: Iterable[Game]) -> dict[date, list[Game]]:
    """Group games by their day."""
    groups: dict[date, list[Game]] = defaultdict(list)
    for g in games:
        groups[g.day].append(g)
    return groups


def _by_season_and_type(games: Iterable[Game]) -> dict[tuple[str, str], list[Game]]:
    groups: dict[tuple[str, str], list[Game]] = defaultdict(list)
    for g in sorted(games, key=lambda g: (g.day, g.game_id)):
        groups[season_of_game(g.game_id), g.game_id[:3]].append(g)
    return groups
