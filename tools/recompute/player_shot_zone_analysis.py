"""nba_precompute.player_shot_zone_analysis, computed a second time for the players that the home lists."""

import numpy as np
import pandas as pd

from tools.recompute import player_game_summary
from tools.recompute.history import before, last_games
from tools.recompute.league import League

TABLE = "nba_precompute.player_shot_zone_analysis"
LEFT_OUT = {"insufficient_data_reason": "wording"}
CONTEXT = "nba_analytics.upcoming_player_game_context"
PLAYER = ["player_id", "season"]
FEWEST = {10: 5, 20: 15}
ZONES = ("paint", "mid_range", "three_pt")


def recompute(league: League) -> pd.DataFrame:
    """Compute the shots by zone of every listed player before the day. One row per day and listed player."""
    rows = league.home(CONTEXT).rename(columns={"game_date": "analysis_date"})
    rows = rows[["analysis_date", "player_id", "player_name", "player_lookup", "team", "season", "early_season_flag"]]
    facts = player_game_summary.facts(league)
    facts = facts[facts.paint_attempts.notna()]
    summed = ["fg_attempts", *(f"{zone}_{what}" for zone in ZONES for what in ("attempts", "makes"))]
    samples = {n: before(rows, "analysis_date", last_games(facts, PLAYER, summed, n), PLAYER) for n in FEWEST}
    columns = pd.concat([_sample(n, sample) for n, sample in samples.items()], axis=1)
    ten = samples[10]
    for zone in ZONES:
        per_game = ten[f"{zone}_attempts"] / ten.games
        columns[f"{zone}_attempts_per_game"] = per_game.where(ten.games >= FEWEST[10])
    columns["total_shots_last_10"] = ten.fg_attempts
    return pd.concat([rows, columns, _primary(columns)], axis=1)


def _sample(count: int, sample: pd.DataFrame) -> pd.DataFrame:
    """Compute share and accuracy by zone over a sample of the last games."""
    enough = sample.games >= FEWEST[count]
    columns = {f"games_in_sample_{count}": sample.games.fillna(0)}
    for zone in ZONES:
        attempts, makes = sample[f"{zone}_attempts"], sample[f"{zone}_makes"]
        columns[f"{zone}_rate_last_{count}"] = (100 * attempts / sample.fg_attempts.replace(0, np.nan)).where(enough)
        columns[f"{zone}_pct_last_{count}"] = (makes / attempts.replace(0, np.nan)).where(enough)
    return pd.DataFrame(columns)


def _primary(columns: pd.DataFrame) -> pd.Series:
    """Name the zone that most shots come from: the first rule that holds of the last-10 shares."""
    paint, three, mid = (columns[f"{zone}_rate_last_10"] for zone in ("paint", "three_pt", "mid_range"))
    rules = [paint >= 40, three >= 40, mid >= 35]
    zone = pd.Series(np.select(rules, ["paint", "perimeter", "mid_range"], "balanced"), columns.index, dtype="object")
    return zone.where(paint.notna(), None).rename("primary_scoring_zone")
