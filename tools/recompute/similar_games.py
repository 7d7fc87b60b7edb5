"""A player's earlier games of the season, each counted by how similar its circumstances were and how recent it is."""

import numpy as np
import pandas as pd

from tools.recompute.history import before, in_last_days, last_games

PLAYER, TEAM = ["player_id", "season"], ["team", "season"]
GAMES, HALF_LIFE, UNKNOWN = 40, 15.0, 0.5
# Weight of a game with the same circumstance, one step away, and further.
CLOSENESS = {"defence": (1, 0.5, 0.25), "rest": (1, 0.6, 0.36), "venue": (1, 0.6, 0.6), "form": (1, 0.6, 0.36)}


def circumstances(rows: pd.DataFrame, facts: pd.DataFrame, defenses: pd.DataFrame) -> pd.DataFrame:
    """Describe opponent, rest, venue and form before each game, in the order of `rows`.

    Args:
        rows: game_date, season, player_id, opponent and home_away (1 at home, 0.5 on a neutral site, 0 away).
        facts: Facts of players.
        defenses: One row per game and defending team: team, points_allowed and possessions.
    """
    sides = rows[["game_date", "season", "opponent"]].rename(columns={"opponent": "team"})
    summed = ["points_allowed", "possessions"]
    fifteen = before(sides, "game_date", last_games(defenses, TEAM, summed, 15), TEAM)
    days = defenses.groupby(["season", "game_date"], as_index=False)[summed].sum()
    league = in_last_days(sides, "game_date", days, ["season"], summed, 30)
    rating = (100 * fifteen.points_allowed / fifteen.possessions).where(fifteen.games >= 5)
    beyond = rating - 100 * league.points_allowed / league.possessions.replace(0, np.nan)
    squares = facts.assign(squares=facts.points.astype(float) ** 2)
    five, season = (
        before(rows, "game_date", last_games(squares, PLAYER, ["points", "squares"], n), PLAYER)
        for n in (5, len(facts))
    )
    variance = (season.squares - season.points**2 / season.games) / (season.games - 1)
    spread = variance.clip(lower=0).pow(0.5).where(season.games >= 5)
    form = (five.points / 5).where(five.games == 5) - season.points / season.games
    rest = (pd.to_datetime(rows.game_date) - pd.to_datetime(season.game_date)).dt.days - 1
    return pd.DataFrame(
        {
            "defence": _steps(beyond, pd.Series(2.0, rows.index)),
            "rest": rest.clip(upper=3),
            "venue": 2 * rows.home_away,
            "form": _steps(form, 0.5 * spread),
        }
    )


def _steps(difference: pd.Series, width: pd.Series) -> pd.Series:
    """1 from the width on, -1 to its negative, 0 between; unknown without a difference."""
    steps = np.select([difference >= width - 1e-9, difference <= -width + 1e-9], [1.0, -1.0], 0.0)
    return pd.Series(steps, difference.index).where(difference.notna())


def similar(rows: pd.DataFrame, played: pd.DataFrame, markets: list[str]) -> pd.DataFrame:
    """Average the last 40 games of the season by similarity and recency.

    Args:
        rows: Listed players with `circumstances`.
        played: Facts of players with `circumstances` and a column per market.
        markets: The markets.

    Returns:
        similar_games_weight and a column per market, one row per row of `rows` in its order.
    """
    names = [*CLOSENESS]
    own = rows[["game_date", *PLAYER, *names]].assign(row=range(len(rows)))
    pairs = own.merge(played[["game_date", *PLAYER, *names, *markets]], on=PLAYER, suffixes=("", "_past"))
    pairs = pairs[pairs.game_date_past < pairs.game_date].sort_values("game_date_past", ascending=False)
    pairs = pairs.assign(back=pairs.groupby("row").cumcount())
    pairs = pairs[pairs.back < GAMES]
    weight = 0.5 ** (pairs.back / HALF_LIFE)
    for name, (same, near, far) in CLOSENESS.items():
        gap = (pairs[name] - pairs[f"{name}_past"]).abs()
        weight = weight * np.select([gap == 0, gap == 1, gap >= 2], [same, near, far], UNKNOWN)
    sums = pd.DataFrame({m: weight * pairs[m] for m in markets}).assign(weight=weight).groupby(pairs.row).sum()
    sums = sums.reindex(range(len(rows))).set_axis(rows.index)
    return pd.DataFrame(
        {"similar_games_weight": sums.weight, **{f"similar_{m}": sums[m] / sums.weight for m in markets}}
    )
