"""One evening of a made-up league: two games that are over and one that is to come, consistent to the last point."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from nba_pipeline_tests.support.service_answers import IDS, Services

Row = dict[str, Any]
SEASON = "2024-25"
DAY, NEXT_DAY = date(2024, 11, 5), date(2024, 11, 6)
TIP = datetime(2024, 11, 6, 0, 30, tzinfo=UTC)
BOSTON, DENVER, TO_COME = "0022400101", "0022400102", "0022400111"
STARTERS, PLAYERS = 5, 8
BOOK = "draftkings"


def services() -> Services:
    """The services, with results, shots, absences, quotes and a report of the evening."""
    games = [
        game_of(BOSTON, DAY, TIP, "BOS", "NYK", over=True),
        game_of(DENVER, DAY, TIP + timedelta(hours=2), "DEN", "LAL", over=True),
        game_of(TO_COME, NEXT_DAY, TIP + timedelta(days=1), "MIA", "CHI", over=False),
        game_of("0032400001", date(2025, 2, 16), datetime(2025, 2, 17, 1, 20, tzinfo=UTC), "CHK", "SHQ", over=False),
    ]
    results = [g for g in games if g["home_pts"] is not None]
    players = [p for g in results for side in ("home", "away") for p in players_of(g, side)]
    made = Services(
        SEASON,
        games,
        players=players,
        teams=[team_of(players, g, side) for g in results for side in ("home", "away")],
        shots=[s for p in players for s in shots_of(p)],
        absent=[absent_of(g, side) for g in results for side in ("home", "away")],
        props=[prop_of(p) for p in players if p["starter"]],
        lines=[line_of(g) for g in games[:3]],
    )
    published = datetime(2024, 11, 5, 18, 30, tzinfo=UTC)
    made.reports["Injury-Report_2024-11-05_01PM.pdf"] = (
        published,
        [
            (games[0], "NYK", "O'Neal Jr., Gómez", "Questionable", "Injury/Illness - Left Knee; Soreness"),
            (games[0], "BOS", "Absent, BOS", "Out", "Rest"),
            (games[1], "LAL", "van Absent, LAL", "Doubtful", "G League - Two-Way"),
        ],
    )
    return made


def game_of(game_id: str, day: date, tip: datetime, home: str, away: str, *, over: bool) -> Row:
    return {
        "game_id": game_id,
        "game_date": day,
        "game_datetime_utc": tip,
        "home_team": home,
        "away_team": away,
        "home_pts": 80 if over else None,
        "away_pts": 72 if over else None,
        "neutral_site": False,
        "arena": "Arena",
    }


def players_of(game: Row, side: str) -> list[Row]:
    """Eight players with 10 or 9 points each: two threes, a two, and two free throws at home, one away."""
    team, other = game[f"{side}_team"], game["away_team" if side == "home" else "home_team"]
    rows = []
    for n in range(PLAYERS):
        free = 2 if side == "home" else 1
        rows.append(
            {
                "game_id": game["game_id"],
                "game_date": game["game_date"],
                "team": team,
                "team_id": IDS[team],
                "opponent": other,
                "is_home": side == "home",
                "player_id": IDS[team] % 1000 * 100 + n,
                "player_name": f"{team} Player{'abcdefgh'[n]}",
                "starter": n < STARTERS,
                "min": 30,
                "min_exact": 30.5 if n % 2 else 29.5,
                "pts": 8 + free,
                "fgm": 3,
                "fga": 5,
                "fg3m": 2,
                "fg3a": 3,
                "ftm": free,
                "fta": 2,
                "oreb": 1,
                "dreb": 3,
                "reb": 4,
                "ast": 2,
                "stl": 1,
                "blk": 0,
                "tov": 1,
                "pf": 2,
                "plus_minus": 5 if side == "home" else -5,
            }
        )
    return rows


def team_of(players: list[Row], game: Row, side: str) -> Row:
    here = [p for p in players if p["game_id"] == game["game_id"] and p["team"] == game[f"{side}_team"]]
    counts = (
        "pts",
        "fgm",
        "fga",
        "fg3m",
        "fg3a",
        "ftm",
        "fta",
        "oreb",
        "dreb",
        "reb",
        "ast",
        "stl",
        "blk",
        "tov",
        "pf",
    )
    return {k: here[0][k] for k in ("game_id", "game_date", "team", "opponent", "is_home")} | {
        "min": 240,
        **{c: sum(p[c] for p in here) for c in counts},
    }


def shots_of(player: Row) -> list[Row]:
    """Five attempts: two threes made, one missed, a two made, a two missed."""
    kinds = [(3, True), (3, True), (3, False), (2, True), (2, False)]
    return [
        {k: player[k] for k in ("game_id", "game_date", "player_id", "team_id")}
        | {
            "period": 1 + n // 2,
            "mins_left": 10 - n,
            "secs_left": 30,
            "shot_made": made,
            "shot_value": value,
            "shot_distance": 25 if value == 3 else 3,
            "loc_x": 10 * n,
            "loc_y": 240 if value == 3 else 20,
            "zone_basic": "Above the Break 3" if value == 3 else "Restricted Area",
            "action_type": "Jump Shot",
        }
        for n, (value, made) in enumerate(kinds)
    ]


def absent_of(game: Row, side: str) -> Row:
    team = game[f"{side}_team"]
    return {
        "game_id": game["game_id"],
        "team": team,
        "player_id": IDS[team] % 1000 * 100 + 99,
        "player_name": f"{team} Absent",
        "reason": "DNP - Coach's Decision",
    }


def prop_of(player: Row) -> Row:
    return {
        "game_id": player["game_id"],
        "bookmaker": BOOK,
        "market": "points",
        "player_name_source": player["player_name"],
        "line": 9.5,
        "over_odds": -115,
        "under_odds": -105,
    }


def line_of(game: Row) -> Row:
    return {
        "game_id": game["game_id"],
        "bookmaker": BOOK,
        "spread_home": -3.5,
        "total": 220.5,
        "ml_home": -160,
        "ml_away": 140,
    }
