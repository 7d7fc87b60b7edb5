"""Plan the calls that a set of days needs: pure functions of schedule, stored answers and time.

A call is repeated until its answer is final: box scores and logs are corrected for 72 hours, the schedule of a season
changes until the season is over, a historical snapshot and a published report never change.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.domain.calendar import season_of_game
from nba_pipeline.sources import service_dates
from nba_pipeline.sources.parsing.odds import Event
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import EASTERN

NBA_STATS, ODDS_API, INJURY_REPORTS = "nba_stats", "odds_api", "injury_reports"
EVENTS, EVENTS_AT = "events", "events_at"
SCHEDULE, BOXSCORES, SHOTS, LINES, INJURIES, ROSTERS = "schedule", "boxscores", "shots", "lines", "injuries", "rosters"
KINDS = (SCHEDULE, BOXSCORES, SHOTS, LINES, INJURIES, ROSTERS)

SEASON_CALL_PAYS = 3
SNAPSHOT_MINUTES = 5
REPORT_MINUTE, REPORT_DELAY = 30, timedelta(minutes=15)
QUARTER_HOURLY_REPORTS = date(2025, 12, 22)
NOW = "now"

# The service's names of season types. The log of cup finals is not requested: their box scores suffice.
SEASON_TYPES = {"002": "Regular Season", "004": "Playoffs", "005": "PlayIn", "006": "IST"}
LOGGED = ("002", "004", "005")

Have = Callable[[str, str, str], datetime | None]


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


def season_of(day: date) -> str:
    """Return the season of a day, such as 2024-25; seasons begin on 1 August."""
    year = day.year if day.month >= 8 else day.year - 1
    return f"{year}-{(year + 1) % 100:02d}"


def season_over(season: str) -> datetime:
    """Return the time from which the season no longer changes."""
    return datetime(int(season[:4]) + 1, 8, 1, tzinfo=UTC)


def final_from(day: date) -> datetime:
    """Return the time from which the facts of a day are final: `CORRECTED_FOR` after noon UTC of the next day."""
    return datetime.combine(day + timedelta(days=1), time(12), UTC) + CORRECTED_FOR


def schedule_calls(days: Iterable[date], have: Have) -> list[Call]:
    """Plan a call per season whose schedule may have changed since it was fetched."""
    calls = [Call(NBA_STATS, "schedule", s, (("season", s),)) for s in sorted({season_of(d) for d in days})]
    return [c for c in calls if _before(have(c.source, c.kind, c.key), season_over(c.key))]


def roster_calls(days: Iterable[date], have: Have) -> list[Call]:
    """Plan the calls for player index and ages of every season."""
    calls = [
        Call(NBA_STATS, kind, s, (("season", s),))
        for s in sorted({season_of(d) for d in days})
        for kind in ("player_index", "player_bio")
    ]
    return [c for c in calls if _before(have(c.source, c.kind, c.key), season_over(c.key))]


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
        if _before(have(NBA_STATS, "box_score", g.game_id), final_from(g.day)):
            calls.append(Call(NBA_STATS, "box_score", g.game_id, (("game_id", g.game_id),)))
    return calls


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


def report_calls(games: Iterable[Game], hours: Sequence[int], now: datetime, have: Have) -> list[Call]:
    """Plan the published injury reports of days with games.

    Args:
        games: games of the days.
        hours: US-Eastern hours; reports are published at half past.
        now: the time of planning.
        have: when a call was last answered.
    """
    calls = []
    for day in sorted({g.day for g in games if g.countable}):
        for hour in hours:
            moment = datetime.combine(day, time(hour, REPORT_MINUTE), EASTERN)
            call = Call(INJURY_REPORTS, "report", f"{moment:%Y-%m-%d_%H%M}", (("file", report_file(moment)),))
            if moment + REPORT_DELAY <= now and have(call.source, call.kind, call.key) is None:
                calls.append(call)
    return calls


def report_file(moment: datetime) -> str:
    """Return the file name of a report: by the hour, since 22 December 2025 by the quarter of an hour."""
    clock = f"{moment:%I_%M%p}" if moment.date() >= QUARTER_HOURLY_REPORTS else f"{moment:%I%p}"
    return f"Injury-Report_{moment:%Y-%m-%d}_{clock}.pdf"


def event_calls(games: Iterable[Game], minutes: Sequence[int], now: datetime, have: Have) -> list[Call]:
    """Plan the lists of events of the days of these games.

    Args:
        games: games of the days.
        minutes: minutes before tip-off at which quotes of earlier days are requested.
        now: the time of planning.
        have: when a call was last answered.

    Returns:
        The current list for a day with upcoming games; the list at the first snapshot for an earlier day.
    """
    calls = []
    today = now.astimezone(EASTERN).date()
    for day, group in sorted(_by_day(g for g in games if _is_on(g)).items()):
        tips = [g.tip_off for g in group if g.tip_off and service_dates.has_odds(g.tip_off)]
        if day >= today:
            if any(_to_come(g, now) for g in group):
                calls.append(Call(ODDS_API, EVENTS, f"{day}"))
        elif tips:
            call = _events_at(f"{day}", min(tips), max(minutes))
            if have(call.source, call.kind, call.key) is None:
                calls.append(call)
    return calls


def later_event_calls(
    games: Iterable[Game], events: Mapping[str, Event], minutes: Sequence[int], now: datetime, have: Have
) -> list[Call]:
    """Plan a second list of events, shortly before tip-off, for games of earlier days that the first list lacks.

    Args:
        games: games of the days.
        events: listed events by game id.
        minutes: minutes before tip-off at which quotes are requested.
        now: the time of planning.
        have: when a call was last answered.
    """
    today = now.astimezone(EASTERN).date()
    missing = {
        (g.day, g.tip_off)
        for g in games
        if _is_on(g) and g.day < today and g.game_id not in events and g.tip_off and service_dates.has_odds(g.tip_off)
    }
    calls = [
        _events_at(f"{day}_{_snapshot(tip_off, min(minutes)):%Y%m%dT%H%MZ}", tip_off, min(minutes))
        for day, tip_off in sorted(missing)
        if have(ODDS_API, EVENTS_AT, f"{day}") is not None
    ]
    return [c for c in dict.fromkeys(calls) if have(c.source, c.kind, c.key) is None]


def line_calls(
    games: Iterable[Game], events: Mapping[str, Event], minutes: Sequence[int], now: datetime, have: Have
) -> list[Call]:
    """Plan the calls for quotes on games.

    Args:
        games: games of the days.
        events: events by game id.
        minutes: minutes before tip-off at which quotes of earlier days are requested.
        now: the time of planning.
        have: when a call was last answered.

    Returns:
        Current quotes for upcoming games; for earlier games, unless captured live, the quotes at these minutes before
        tip-off in the markets that the service has for that date.
    """
    calls = []
    today = now.astimezone(EASTERN).date()
    for g in games:
        event = events.get(g.game_id)
        if event is None or not _is_on(g):
            continue
        live = Call(ODDS_API, "event_odds", odds_key(g.day, event.id, NOW), (("event", event.id),))
        if g.day >= today:
            calls += [live] if _to_come(g, now) else []
        elif g.tip_off and have(live.source, live.kind, live.key) is None:
            for before in sorted(minutes, reverse=True):
                at = _snapshot(g.tip_off, before)
                key = odds_key(g.day, event.id, f"{at:%Y%m%dT%H%MZ}")
                call = Call(ODDS_API, "event_odds_at", key, (("event", event.id), ("date", _iso(at))))
                if service_dates.has_odds(at) and have(call.source, call.kind, call.key) is None:
                    calls.append(call)
    return calls


def with_quotes(games: Iterable[Game], now: datetime) -> list[Game]:
    """Select the games whose quotes can be requested: upcoming countable games, and earlier ones that the service has."""
    today = now.astimezone(EASTERN).date()
    return [
        g
        for g in games
        if _is_on(g)
        and (_to_come(g, now) if g.day >= today else g.tip_off is not None and service_dates.has_odds(g.tip_off))
    ]


def _events_at(key: str, tip_off: datetime, minutes: int) -> Call:
    return Call(ODDS_API, EVENTS_AT, key, (("date", _iso(_snapshot(tip_off, minutes))),))


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


def odds_key(day: date, event: str, at: str) -> str:
    """Build the key of a call for quotes."""
    return f"{day}_{event}_{at}"


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


def _is_on(game: Game) -> bool:
    """Whether the game is countable and not called off; books quote no others."""
    return game.countable and not game.called_off


def _to_come(game: Game, now: datetime) -> bool:
    return not game.over and (game.tip_off is None or game.tip_off > now)


def _snapshot(tip_off: datetime, minutes: int) -> datetime:
    """Round a time before tip-off down to five minutes, the interval of the service's snapshots."""
    at = tip_off - timedelta(minutes=minutes)
    return at.replace(minute=at.minute - at.minute % SNAPSHOT_MINUTES, second=0, microsecond=0)


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _by_day(games: Iterable[Game]) -> dict[date, list[Game]]:
    by_day: dict[date, list[Game]] = defaultdict(list)
    for g in games:
        by_day[g.day].append(g)
    return by_day


def _by_season_and_type(games: Iterable[Game]) -> dict[tuple[str, str], list[Game]]:
    groups: dict[tuple[str, str], list[Game]] = defaultdict(list)
    for g in sorted(games, key=lambda g: (g.day, g.game_id)):
        groups[season_of_game(g.game_id), g.game_id[:3]].append(g)
    return groups
