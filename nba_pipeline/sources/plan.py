"""Which calls a set of days needs: pure functions of the schedule, of what is kept already, and of the moment.

A question is asked again until its answer is final: box scores and logs are corrected for 72 hours, the schedule of a season
changes until the season is over, a snapshot of the past and a published report never change.
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

# What the service calls the kinds of games. The log of cup finals is not asked for: their box scores say it all.
SEASON_TYPES = {"002": "Regular Season", "004": "Playoffs", "005": "PlayIn", "006": "IST"}
LOGGED = ("002", "004", "005")

Have = Callable[[str, str, str], datetime | None]


@dataclass(frozen=True)
class Call:
    """A question to a service. `key` names it among the kept answers; `arguments` are what its source needs to ask it."""

    source: str
    kind: str
    key: str
    arguments: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return dict(self.arguments)[name]

    def get(self, name: str) -> str:
        return dict(self.arguments).get(name, "")

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.key}"


def season_of(day: date) -> str:
    """The season that a day belongs to, 2024-25; seasons turn on 1 August."""
    year = day.year if day.month >= 8 else day.year - 1
    return f"{year}-{(year + 1) % 100:02d}"


def season_over(season: str) -> datetime:
    """From when on nothing of the season changes."""
    return datetime(int(season[:4]) + 1, 8, 1, tzinfo=UTC)


def final_from(day: date) -> datetime:
    """From when on the facts of a day are final: `CORRECTED_FOR` after noon UTC (early morning, Eastern) of the day after."""
    return datetime.combine(day + timedelta(days=1), time(12), UTC) + CORRECTED_FOR


def schedule_calls(days: Iterable[date], have: Have) -> list[Call]:
    """A call per season whose schedule may have changed since it was fetched."""
    calls = [Call(NBA_STATS, "schedule", s, (("season", s),)) for s in sorted({season_of(d) for d in days})]
    return [c for c in calls if _before(have(c.source, c.kind, c.key), season_over(c.key))]


def roster_calls(days: Iterable[date], have: Have) -> list[Call]:
    """The player index and the ages of every season."""
    calls = [
        Call(NBA_STATS, kind, s, (("season", s),))
        for s in sorted({season_of(d) for d in days})
        for kind in ("player_index", "player_bio")
    ]
    return [c for c in calls if _before(have(c.source, c.kind, c.key), season_over(c.key))]


def result_calls(games: Iterable[Game], have: Have) -> list[Call]:
    """Logs of players and teams, in one call per season or day by day, whichever is less; and a box score per game."""
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
    """Shot charts of whole teams' seasons or day by day, whichever is fewer calls."""
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
    """The injury reports of these hours (Eastern, half past) on every day with games, as far as they are published."""
    calls = []
    for day in sorted({g.day for g in games if g.countable}):
        for hour in hours:
            moment = datetime.combine(day, time(hour, REPORT_MINUTE), EASTERN)
            call = Call(INJURY_REPORTS, "report", f"{moment:%Y-%m-%d_%H%M}", (("file", report_file(moment)),))
            if moment + REPORT_DELAY <= now and have(call.source, call.kind, call.key) is None:
                calls.append(call)
    return calls


def report_file(moment: datetime) -> str:
    """The name of a report: hourly ones are named by the hour, since 22 December 2025 by the quarter of an hour."""
    clock = f"{moment:%I_%M%p}" if moment.date() >= QUARTER_HOURLY_REPORTS else f"{moment:%I%p}"
    return f"Injury-Report_{moment:%Y-%m-%d}_{clock}.pdf"


def event_calls(games: Iterable[Game], minutes: Sequence[int], now: datetime, have: Have) -> list[Call]:
    """Plan the lists of events of the days of these games.

    Args:
        games: of the days.
        minutes: before tip-off, at which quotes of earlier days are asked for.
        now: the moment of planning.
        have: when a question was last answered.

    Returns:
        Of a day with games to come, the list of now; of an earlier day, the list at its first snapshot.
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
    """Plan a second list of events, shortly before tip-off, for games of earlier days that the first did not have.

    Args:
        games: of the days.
        events: game id -> event, as far as listed.
        minutes: before tip-off, at which quotes are asked for.
        now: the moment of planning.
        have: when a question was last answered.
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
        games: of the days.
        events: game id -> event.
        minutes: before tip-off, at which quotes of earlier days are asked for.
        now: the moment of planning.
        have: when a question was last answered.

    Returns:
        For games to come, the quotes of now; for those of earlier days the quotes at these minutes before tip-off, unless
        they were captured live, and of the markets that the service has for that date.
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
    """The games whose quotes can be asked for: countable ones to come, and earlier ones since the service keeps odds."""
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
    """The log of a season and kind of game, or of one day of it."""
    kind_of_game = SEASON_TYPES[prefix]
    arguments = (("season", season), ("season_type", kind_of_game), *((("day", f"{day}"),) if day else ()))
    return Call(NBA_STATS, kind, _key(season, kind_of_game, day), arguments)


def shot_call(season: str, prefix: str, *, team: str | None = None, day: date | None = None) -> Call:
    """The shots of a team's season, or of all teams on a day."""
    kind_of_game = SEASON_TYPES[prefix]
    what = ("team", team) if team else ("day", f"{day}")
    arguments = (("season", season), ("season_type", kind_of_game), what)
    return Call(NBA_STATS, "shots", _key(season, kind_of_game, team or day), arguments)


def odds_key(day: date, event: str, at: str) -> str:
    return f"{day}_{event}_{at}"


def _log(kind: str, season: str, prefix: str, day: date, have: Have) -> datetime | None:
    return _newest(have(NBA_STATS, kind, log_call(kind, season, prefix, d).key) for d in (None, day))


def _shots(season: str, prefix: str, game: Game, have: Have) -> datetime | None:
    """When the game's shots were last fetched: with its day, or with both of its teams."""
    of_day = have(NBA_STATS, "shots", shot_call(season, prefix, day=game.day).key)
    of_teams = [have(NBA_STATS, "shots", shot_call(season, prefix, team=t).key) for t in (game.home, game.away) if t]
    known = [t for t in of_teams if t is not None]
    return _newest([of_day, min(known) if len(known) == 2 else None])


def _key(season: str, kind_of_game: str, part: object) -> str:
    return "_".join([season, kind_of_game.replace(" ", "-"), *([f"{part}"] if part else [])])


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((m for m in moments if m is not None), default=None)


def _before(fetched: datetime | None, final: datetime) -> bool:
    return fetched is None or fetched < final


def _is_on(game: Game) -> bool:
    """Whether the game counts and is not called off: nobody quotes others."""
    return game.countable and not game.called_off


def _to_come(game: Game, now: datetime) -> bool:
    return not game.over and (game.tip_off is None or game.tip_off > now)


def _snapshot(tip_off: datetime, minutes: int) -> datetime:
    """The moment asked for, at a full five minutes, as often as the service takes snapshots."""
    at = tip_off - timedelta(minutes=minutes)
    return at.replace(minute=at.minute - at.minute % SNAPSHOT_MINUTES, second=0, microsecond=0)


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _by_day(games: Iterable[Game]) -> dict[date, list[Game]]:
    found: dict[date, list[Game]] = defaultdict(list)
    for g in games:
        found[g.day].append(g)
    return found


def _by_season_and_type(games: Iterable[Game]) -> dict[tuple[str, str], list[Game]]:
    found: dict[tuple[str, str], list[Game]] = defaultdict(list)
    for g in sorted(games, key=lambda g: (g.day, g.game_id)):
        found[season_of_game(g.game_id), g.game_id[:3]].append(g)
    return found
