"""What was known before a day: the games of a season as running figures, looked up strictly before it."""

from collections.abc import Sequence

import pandas as pd

ENDLESS = 10_000


def last_games(games: pd.DataFrame, by: Sequence[str], columns: Sequence[str], count: int = ENDLESS) -> pd.DataFrame:
    """Sum columns over the last games of each group, up to and with each game.

    Args:
        games: One row per game and group, with `game_date`.
        by: Columns of a group, such as player and season.
        columns: What is summed; an unknown value counts as 0.
        count: How many games back, all by default.

    Returns:
        `by` and `game_date` with a sum per column and `games`, how many games the sums stand on.
    """
    games = games.sort_values("game_date", kind="stable").assign(games=1.0)
    names = [*columns, "games"]
    games[names] = games[names].astype("float64").fillna(0.0)
    summed = games.groupby(list(by), sort=False)[names].rolling(count, min_periods=1).sum()
    summed = summed.reset_index(level=list(range(len(by))), drop=True)
    return games[[*by, "game_date"]].join(summed)


def before(rows: pd.DataFrame, day: str, running: pd.DataFrame, by: Sequence[str], days: int = 0) -> pd.DataFrame:
    """Look the running figures up as they were before a day.

    Args:
        rows: Rows with the columns of `by` and a day.
        day: Name of the column of the day.
        running: Figures per group and `game_date`.
        by: Columns of a group.
        days: How many days earlier to look; 7 gives what was known before the last seven days.

    Returns:
        The figures, one row per row of `rows` in its order; NULL before the first game of the group. `game_date` is the
        date of the latest game.
    """
    moments = rows[list(by)].assign(_moment=pd.to_datetime(rows[day]) - pd.Timedelta(days=days), _row=range(len(rows)))
    right = running.assign(_latest=pd.to_datetime(running.game_date)).sort_values("_latest", kind="stable")
    found = pd.merge_asof(
        moments.sort_values("_moment", kind="stable"),
        right,
        left_on="_moment",
        right_on="_latest",
        by=list(by),
        allow_exact_matches=False,
    )
    return found.sort_values("_row").set_axis(rows.index).drop(columns=[*by, "_moment", "_row", "_latest"])


def in_last_days(
    rows: pd.DataFrame, day: str, games: pd.DataFrame, by: Sequence[str], columns: Sequence[str], days: int
) -> pd.DataFrame:
    """Sum columns over the games in [day - days, day - 1]; 0 without a game. One row per row of `rows`, in its order."""
    running = last_games(games, by, columns)
    names = [*columns, "games"]
    now, then = (before(rows, day, running, by, n)[names].fillna(0.0) for n in (0, days))
    return now - then
