"""Convert season files of sportsdataverse-data to rows of landing feeds: pure functions.

Box scores have the form of version 3 with the league's ids; shots come from play-by-play and have no zones; tip-offs come
from the schedule of ESPN. What the files lack stays empty.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.domain.teams import tricode
from nba_pipeline.sources.parsing.acceptance import SetAside, accepted
from nba_pipeline.sources.parsing.box_score import DID_NOT_PLAY
from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, Row, day

SOURCE = "sportsdataverse"
FLOOR = 0.9
COUNTS = {
    "pts": "points",
    "fgm": "field_goals_made",
    "fga": "field_goals_attempted",
    "fg3m": "three_pointers_made",
    "fg3a": "three_pointers_attempted",
    "ftm": "free_throws_made",
    "fta": "free_throws_attempted",
    "oreb": "rebounds_offensive",
    "dreb": "rebounds_defensive",
    "reb": "rebounds_total",
    "ast": "assists",
    "stl": "steals",
    "blk": "blocks",
    "tov": "turnovers",
    "pf": "fouls_personal",
}
MINUTES = re.compile(r"(\d{1,3})(?:\.\d*)?:([0-5]\d)")
CLOCK = re.compile(r"PT(\d{1,2})M(\d{1,2})(?:\.\d+)?S")
MADE, MISSED = "Made", "Missed"
HOME = "home"
FREE_THROW = ("1", "1.0")  # a file with an empty value elsewhere has numbers with a point
# Columns that each file must have.
SCHEDULE_COLUMNS = ("game_id", "game_date", "team_abbreviation", "matchup", "pts")
TEAM_COLUMNS = ("game_id", "team_tricode", "side", "minutes", *COUNTS.values())
PLAYER_COLUMNS = (
    *("game_id", "team_tricode", "side", "person_id", "first_name", "family_name", "position", "comment", "minutes"),
    *("plus_minus_points", *COUNTS.values()),
)
SHOT_COLUMNS = (
    *("game_id", "period", "clock", "person_id", "shot_result", "shot_value", "shot_distance"),
    *("x_legacy", "y_legacy", "sub_type"),
)
ROSTER_COLUMNS = ("player", "player_id", "birth_date", "age")
ESPN_COLUMNS = ("date", "home_abbreviation", "away_abbreviation")


@dataclass(frozen=True)
class TipOff:
    """What the schedule of ESPN adds to a game."""

    at: datetime | None
    neutral: bool | None
    arena: str | None


def schedule(
    log: Iterable[Row],
    teams: Iterable[Row],
    espn: Mapping[tuple[date, str, str], TipOff],
    set_aside: list[SetAside] | None = None,
) -> list[Row]:
    """Build rows of the feed `schedule` from a log of teams: finished games only, since the log has no others.

    Args:
        log: rows of the schedule file, one per team and game.
        teams: rows of the team box scores, which name the home team; a log shows two visitors at neutral sites.
        espn: tip-offs by day, home and away team.
        set_aside: receives the games that cannot be read.
    """
    sides = {(_game_id(r), _text(r, "team_tricode")): _text(r, "side") for r in teams}
    by_game: dict[str, list[Row]] = defaultdict(list)
    for r in log:
        by_game[_game_id(r)].append(r)
    elements = [(f"game {game_id}", partial(_game, game_id, rows, sides, espn)) for game_id, rows in by_game.items()]
    return accepted(elements, FLOOR, "games", set_aside)


def tip_offs(rows: Iterable[Row], set_aside: list[SetAside] | None = None) -> dict[tuple[date, str, str], TipOff]:
    """Index the games of ESPN's schedule by Eastern day, home and away team; a time that is marked as open is unknown."""
    pairs = accepted(
        [(f"ESPN game {i}", partial(_tip_off, r)) for i, r in enumerate(rows, 1)], FLOOR, "games", set_aside
    )
    return dict(pairs)


def player_boxscores(
    rows: Iterable[Row], games: Mapping[str, Row], set_aside: list[SetAside] | None = None
) -> tuple[list[Row], list[Row]]:
    """Build rows of the feeds `player_boxscores` and `injuries` (players who did not play).

    Args:
        rows: rows of the file.
        games: rows of the feed `schedule` by game id; lines of other games are set aside.
        set_aside: receives the lines that cannot be read.
    """
    elements = [(f"game {_game_id(r)}, player {r['person_id']}", partial(_player, r, games)) for r in rows]
    read = accepted(elements, FLOOR, "lines of players", set_aside)
    return [r for r in read if "pts" in r], [r for r in read if "pts" not in r]


def team_boxscores(rows: Iterable[Row], games: Mapping[str, Row], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Build rows of the feed `team_boxscores`; arguments as for `player_boxscores`."""

    def line(r: Row) -> Row:
        return _line(r, games) | {"min": round(_minutes(r))}

    elements = [(f"game {_game_id(r)}, team {r['team_tricode']}", partial(line, r)) for r in rows]
    return accepted(elements, FLOOR, "lines of teams", set_aside)


def shots(rows: Iterable[Row], games: Mapping[str, Row], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Build rows of the feed `shots`; free throws are left out, zones are not in the file. Arguments as before."""
    attempts = [r for r in rows if r["shot_result"] in (MADE, MISSED) and _text(r, "shot_value") not in FREE_THROW]
    elements = [(f"game {_game_id(r)}, attempt {i}", partial(_shot, r, games)) for i, r in enumerate(attempts, 1)]
    return accepted(elements, FLOOR, "attempts", set_aside)


def players(rosters: Iterable[Row], box: Iterable[Row]) -> list[Row]:
    """Build rows of the feed `players`: everyone on a roster, with birth date, and everyone in a box score."""
    found: dict[int, Row] = {}
    for r in box:
        found[r["player_id"]] = {"player_id": r["player_id"], "player_name": r["player_name"], "birth_date": None}
    for r in rosters:
        player_id, name = _whole(r, "player_id"), _text(r, "player")
        if player_id and name:
            found[player_id] = {"player_id": player_id, "player_name": name, "birth_date": _birth_date(r)}
    return [found[i] for i in sorted(found)]


def ages(rosters: Iterable[Row], season: str) -> list[Row]:
    """Build rows of the feed `player_ages`; players without an age are left out."""
    found = {_whole(r, "player_id"): _number(r, "age") for r in rosters}
    return [{"season": season, "player_id": i, "age": a} for i, a in found.items() if i and a is not None]


def _game(
    game_id: str,
    rows: list[Row],
    sides: Mapping[tuple[str, str | None], str | None],
    espn: Mapping[tuple[date, str, str], TipOff],
) -> Row:
    if len(rows) != 2:
        raise PayloadError(f"{len(rows)} teams are listed, not two")
    at_home = [r for r in rows if sides.get((game_id, _text(r, "team_abbreviation"))) == HOME]
    at_home = at_home or [r for r in rows if " vs. " in (_text(r, "matchup") or "")]
    if len(at_home) != 1:
        raise PayloadError("neither the box scores nor the matchups tell the home team")
    home = at_home[0]
    away = rows[1] if rows[0] is home else rows[0]
    on = day(f"{home['game_date']}")
    codes = tuple(tricode(_text(r, "team_abbreviation") or "") for r in (home, away))
    known = espn.get((on, codes[0], codes[1])) or TipOff(None, None, None)
    return {
        "game_id": game_id,
        "game_date": on,
        "game_datetime_utc": known.at,
        "home_team": codes[0],
        "away_team": codes[1],
        "home_pts": _whole(home, "pts"),
        "away_pts": _whole(away, "pts"),
        "neutral_site": known.neutral,
        "arena": known.arena,
        "status": None,
        "source": SOURCE,
    }


def _tip_off(r: Row) -> tuple[tuple[date, str, str], TipOff]:
    value = r["date"]
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(f"{value}")
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except ValueError:
        raise PayloadError(f"date is {value!r}, not a time") from None
    home, away = (tricode(_text(r, f"{side}_abbreviation") or "") for side in ("home", "away"))
    is_open = f"{r.get('time_valid')}".lower() in ("false", "0")
    neutral = {"true": True, "false": False}.get(f"{r.get('neutral_site')}".lower())
    arena = _text(r, "venue_full_name") if "venue_full_name" in r else None
    return (at.astimezone(EASTERN).date(), home, away), TipOff(None if is_open else at, neutral, arena)


def _line(r: Row, games: Mapping[str, Row]) -> Row:
    game = _game_of(r, games)
    team = tricode(_text(r, "team_tricode") or "")
    if team not in (game["home_team"], game["away_team"]):
        raise PayloadError(f"{team} does not play in this game")
    is_home = team == game["home_team"]
    return {
        "game_id": game["game_id"],
        "game_date": game["game_date"],
        "team": team,
        "opponent": game["away_team"] if is_home else game["home_team"],
        "is_home": is_home,
        **{name: _whole(r, column) for name, column in COUNTS.items()},
        "source": SOURCE,
    }


def _player(r: Row, games: Mapping[str, Row]) -> Row:
    name = " ".join(n for n in (_text(r, "first_name"), _text(r, "family_name")) if n)
    who = {"player_id": _whole(r, "person_id"), "player_name": name}
    if not who["player_id"] or not name:
        raise PayloadError("the player has no id or no name")
    if not _text(r, "minutes"):
        game = _game_of(r, games)
        return who | {
            "report_date": game["game_date"],
            "record_type": AFTER_GAME,
            "report_utc": None,
            "game_id": game["game_id"],
            "team": tricode(_text(r, "team_tricode") or ""),
            "player_name_source": name,
            "status": DID_NOT_PLAY,
            "reason": _text(r, "comment"),
            "source": SOURCE,
        }
    minutes = _minutes(r)
    return (
        _line(r, games)
        | who
        | {
            "starter": bool(_text(r, "position")),
            "min": int(minutes + 0.5),
            "min_exact": round(minutes, 3),
            "plus_minus": _whole(r, "plus_minus_points"),
        }
    )


def _shot(r: Row, games: Mapping[str, Row]) -> Row:
    game, clock = _game_of(r, games), CLOCK.fullmatch(_text(r, "clock") or "")
    value = _whole(r, "shot_value")
    if clock is None or value not in (2, 3):
        raise PayloadError(f"the clock is {r['clock']!r} and the value {r['shot_value']!r}")
    return {
        "game_id": game["game_id"],
        "game_date": game["game_date"],
        "player_id": _whole(r, "person_id"),
        "period": _whole(r, "period"),
        "mins_left": int(clock[1]),
        "secs_left": int(clock[2]),
        "shot_made": r["shot_result"] == MADE,
        "shot_value": value,
        "shot_distance": _whole(r, "shot_distance"),
        "loc_x": _whole(r, "x_legacy"),
        "loc_y": _whole(r, "y_legacy"),
        "zone_basic": None,
        "action_type": _text(r, "sub_type"),
    }


def _game_of(r: Row, games: Mapping[str, Row]) -> Row:
    game = games.get(_game_id(r))
    if game is None:
        raise PayloadError("the game is not in the schedule of the season")
    return game


def _game_id(r: Row) -> str:
    """Return the id with its zeros, which a CSV file may have lost."""
    return f"{r['game_id']}".strip().zfill(10)


def _minutes(r: Row) -> float:
    match = MINUTES.fullmatch(_text(r, "minutes") or "")
    if match is None:
        raise PayloadError(f"minutes are {r['minutes']!r}, not minutes:seconds")
    return int(match[1]) + int(match[2]) / 60


def _text(r: Row, name: str) -> str | None:
    value = r[name]
    return None if value is None else f"{value}".strip() or None


def _number(r: Row, name: str) -> float | None:
    text = _text(r, name)
    try:
        return None if text is None or text.lower() == "nan" else float(text)
    except ValueError:
        raise PayloadError(f"{name} is {text!r}, not a number") from None


def _whole(r: Row, name: str) -> int | None:
    value: Any = _number(r, name)
    if value is not None and not float(value).is_integer():
        raise PayloadError(f"{name} is {value!r}, not a whole number")
    return None if value is None else int(value)


def _birth_date(r: Row) -> date | None:
    """Parse `FEB 16, 1997`, or a date; None where it is neither."""
    text = _text(r, "birth_date") or ""
    for form in ("%b %d, %Y", "%Y-%m-%d"):
        try:
            written = text.title() if form.startswith("%b") else text[:10]
            return datetime.strptime(written, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None
