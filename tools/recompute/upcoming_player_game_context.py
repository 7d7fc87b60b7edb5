"""nba_analytics.upcoming_player_game_context, computed a second time.

The raw quotes, rosters and statements are taken as the home has them; all else follows from the landing files.
"""

import numpy as np
import pandas as pd

from tools.recompute import availability, listed, player_game_summary, quotes, team_offense_game_summary
from tools.recompute.history import before, in_last_days, last_games
from tools.recompute.league import League

TABLE = "nba_analytics.upcoming_player_game_context"
LEFT_OUT: dict[str, str] = {}
PLAYER, TEAM = ["player_id", "season"], ["team", "season"]
STAR_POINTS, STAR_GAMES = 18, 5


def recompute(league: League) -> pd.DataFrame:
    """Compute load, form, opponent and usage of every listed player. One row per listed player of a scheduled game."""
    games = _games(league)
    rows = listed.players(league, games)
    sides = league.teams_of_games[
        ["game_date", "team", "opponent", "game_id", "season", "season_type", "home_game", "cutoff_at"]
    ]
    rows = rows.merge(sides, on=["game_date", "team"], how="left", validate="m:1")
    latest = before(rows, "game_date", games[[*PLAYER, "game_date", "game_id"]], PLAYER)
    latest = latest.assign(cutoff_at=latest.game_id.map(league.games.set_index("game_id").cutoff_at))
    rows = pd.concat(
        [
            rows,
            _load(rows, games),
            _opponent(rows, league),
            availability.statuses(rows, latest, league),
            _lines(rows, league),
            _ages(rows, league),
        ],
        axis=1,
    )
    early = pd.to_datetime(rows.game_date) < rows.season.map(league.openings) + pd.Timedelta(days=14)
    return pd.concat([rows.assign(early_season_flag=early), _usage(rows, games), _streaks(rows, league)], axis=1)


def _games(league: League) -> pd.DataFrame:
    facts = player_game_summary.facts(league)
    known = facts.usage_rate.notna()
    return facts.assign(
        usage_minutes=facts.usage_rate.round(4) * facts.minutes_played,
        minutes_of_usage=facts.minutes_played.where(known),
        usage_known=known,
        pair=_day_before(facts),
    )


def _day_before(facts: pd.DataFrame) -> pd.Series:
    """Tell which games of a player follow one of the day before."""
    ordered = facts.sort_values("game_date")
    days = pd.to_datetime(ordered.game_date)
    return (days - days.groupby([ordered.player_id, ordered.season]).shift() == pd.Timedelta(days=1)).reindex(
        facts.index
    )


def _load(rows: pd.DataFrame, games: pd.DataFrame) -> pd.DataFrame:
    """Compute rest, load and form of the player, in the order of `rows`."""
    five, ten, season = (
        before(rows, "game_date", last_games(games, PLAYER, ["points"], n), PLAYER) for n in (5, 10, len(games))
    )
    day, week, fortnight = (in_last_days(rows, "game_date", games, PLAYER, ["minutes_played"], n) for n in (1, 7, 14))
    # A pair lies in the fortnight when its later game does and its earlier one, too: the later one within 13 days.
    pairs = in_last_days(rows, "game_date", games, PLAYER, ["pair"], 13).pair
    since = (pd.to_datetime(rows.game_date) - pd.to_datetime(season.game_date)).dt.days
    return pd.DataFrame(
        {
            "games_played_season": season.games.fillna(0),
            "days_rest": since - 1,
            "back_to_back": day.games > 0,
            "games_in_last_7_days": week.games,
            "games_in_last_14_days": fortnight.games,
            "minutes_in_last_7_days": week.minutes_played,
            "minutes_in_last_14_days": fortnight.minutes_played,
            "avg_minutes_per_game_last_7": week.minutes_played / week.games.replace(0, np.nan),
            "back_to_backs_last_14_days": pairs,
            "points_avg_last_5": (five.points / 5).where(five.games == 5),
            "points_avg_last_10": (ten.points / 10).where(ten.games == 10),
        }
    )


def _lines(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Look up the consensus of points at the cut-off and at the opening, in the order of `rows`."""
    points = league.home(quotes.QUOTES)
    lines = quotes.consensus(quotes.in_force(points[points.market == "points"], rows))
    names = {
        "line": "current_points_line",
        "opening_line": "opening_points_line",
        "books": "points_line_books",
        "line_source": "points_line_source",
        "captured_at": "line_captured_at",
    }
    found = quotes.of_market(lines, rows, "points", names)
    return found.assign(
        has_prop_line=found.current_points_line.notna(),
        line_movement=found.current_points_line - found.opening_points_line,
        points_line_books=found.points_line_books.fillna(0),
    )


def _ages(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Compute the age on the day: by the date of birth, else by the latest list of an earlier season, in the order of `rows`."""
    people = pd.read_parquet(league.directory / "players.parquet")
    born = people.set_index("player_id").birth_date if "birth_date" in people else pd.Series(dtype="object")
    lists = pd.read_parquet(league.directory / "player_ages.parquet").dropna(subset=["player_id", "age"])
    lists = lists.astype({"player_id": "int64"}).groupby(["season", "player_id"], as_index=False).age.max()
    lists = lists.assign(number=lists.season.str[:4].astype(int) + 1)
    own = rows[["player_id"]].assign(number=rows.season.str[:4].astype(int) + 1, row=range(len(rows)))
    found = pd.merge_asof(
        own.sort_values("number"),
        lists.drop(columns="season").assign(listed=lists.number).sort_values("number"),
        on="number",
        by="player_id",
        allow_exact_matches=False,
    )
    found = found.sort_values("row").set_axis(rows.index)
    day = pd.to_datetime(rows.game_date)
    end = pd.to_datetime(found.listed.map(lambda year: f"{year:.0f}-06-30", na_action="ignore"))
    exact = found.age + 0.5 * (found.age % 1 == 0)
    by_list = exact + (day - end).dt.days / 365.25
    by_birth = (day - pd.to_datetime(rows.player_id.map(born))).dt.days / 365.25
    return pd.DataFrame({"player_age": by_birth.fillna(by_list)})


def _opponent(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Compute rest and pace of the opponent, and pace of the league in the last 30 days, in the order of `rows`."""
    games = team_offense_game_summary.recompute(league)
    sides = rows[["game_date", "season", "opponent"]].rename(columns={"opponent": "team"})
    ten = before(sides, "game_date", last_games(games, TEAM, ["possessions", "minutes"], 10), TEAM)
    days = games.groupby(["season", "game_date"], as_index=False)[["possessions", "minutes"]].sum()
    lately = in_last_days(sides, "game_date", days, ["season"], ["possessions", "minutes"], 30)
    pace = (48 * ten.possessions / (ten.minutes / 5)).where(ten.games >= 5)
    since = (pd.to_datetime(rows.game_date) - pd.to_datetime(ten.game_date)).dt.days
    return pd.DataFrame(
        {
            "opponent_days_rest": since - 1,
            "opponent_pace_last_10": pace,
            "pace_differential": pace - 48 * lately.possessions / (lately.minutes / 5).replace(0, np.nan),
        }
    )


def _usage(rows: pd.DataFrame, games: pd.DataFrame) -> pd.DataFrame:
    """Compute usage, stars ruled out and the usage to expect with the absences, in the order of `rows`."""
    summed = ["usage_minutes", "minutes_of_usage", "usage_known", "minutes_played"]
    seven = before(rows, "game_date", last_games(games, PLAYER, summed, 7), PLAYER)
    season = before(rows, "game_date", last_games(games, PLAYER, ["points"]), PLAYER)
    usage = (seven.usage_minutes / seven.minutes_of_usage).where(seven.usage_known >= 3)
    out = rows.injury_status == "out"
    star = out & (season.games >= STAR_GAMES) & (season.points / season.games >= STAR_POINTS)
    team = [rows.game_date, rows.team]
    stars = star.astype(int).groupby(team).transform("sum") - star
    minutes = seven.minutes_played / seven.games
    weight = minutes.where(usage.notna())
    present = ~out & usage.notna()
    level = (usage * weight).where(present, 0).groupby(team).transform("sum") / weight.where(present, 0).groupby(
        team
    ).transform("sum")
    surplus = ((usage - level).clip(lower=0) * weight).where(out & usage.notna(), 0)
    all_minutes = weight.fillna(0).groupby(team).transform("sum")
    absent = surplus.groupby(team).transform("sum") - surplus
    projected = usage * (1 + absent / (level * all_minutes))
    return pd.DataFrame(
        {
            "avg_usage_rate_last_7_games": usage,
            "star_teammates_out": stars.where(rows.injuries_reported),
            "projected_usage_rate": projected.where(rows.injuries_reported),
        }
    )


def _streaks(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Count the latest games in a row over and under the line; the lines are those of the home's facts."""
    facts = league.home(player_game_summary.TABLE, history=True)
    decided = facts[facts.over_under_result.isin(["OVER", "UNDER"])].sort_values("game_date")
    columns = {}
    for result in ("OVER", "UNDER"):
        holds = decided.over_under_result == result
        keys = [decided.player_id, decided.season]
        breaks = (~holds).groupby(keys).cumsum()
        columns[f"prop_{result.lower()}_streak"] = holds.astype(float).groupby([*keys, breaks]).cumsum()
    running = decided[[*PLAYER, "game_date"]].assign(**columns)
    return before(rows, "game_date", running, PLAYER)[list(columns)]
