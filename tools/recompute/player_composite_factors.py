"""nba_precompute.player_composite_factors, computed a second time from the tables of the home that it reads."""

import numpy as np
import pandas as pd

from tools.recompute.league import League

TABLE = "nba_precompute.player_composite_factors"
LEFT_OUT: dict[str, str] = {}
CONTEXT = "nba_analytics.upcoming_player_game_context"
ZONES, DEFENSE = "nba_precompute.player_shot_zone_analysis", "nba_precompute.team_defense_zone_analysis"
# The columns of the zone that a player is compared in: the player's share of shots, the opponent's defence.
COMPARED = {"paint": "paint", "balanced": "paint", "mid_range": "mid_range", "perimeter": "three_pt"}
COPIED = (
    *("game_date", "player_id", "player_name", "player_lookup", "game_id", "season", "team", "opponent", "days_rest"),
    *("back_to_back", "games_in_last_7_days", "minutes_in_last_7_days", "avg_minutes_per_game_last_7"),
    *("back_to_backs_last_14_days", "player_age", "opponent_pace_last_10", "pace_differential"),
    *("avg_usage_rate_last_7_games", "projected_usage_rate", "star_teammates_out", "early_season_flag"),
)


def recompute(league: League) -> pd.DataFrame:
    """Compute the four factors of every listed player. One row per day and listed player."""
    rows = league.home(CONTEXT)[list(COPIED)]
    rows = pd.concat([rows, _matchup_inputs(rows, league)], axis=1)
    fatigue = _fatigue(rows)
    exact = pd.DataFrame(
        {
            "fatigue_adjustment": (fatigue - 100) / 20,
            "shot_zone_mismatch_score": _mismatch(rows),
            "pace_score": (rows.pace_differential / 2).clip(-3, 3),
            "usage_spike_score": _usage(rows),
        }
    )
    total = exact.sum(axis=1, min_count=1)
    return pd.concat([rows, exact], axis=1).assign(
        fatigue_score=fatigue,
        total_composite_adjustment=total,
        data_completeness_pct=20.0 * _known(rows).sum(axis=1),
        missing_data_fields=_joined(~_known(rows), ", "),
        warning_details=_joined(
            pd.DataFrame(
                {
                    "EXTREME_FATIGUE": fatigue < 50,
                    "EXTREME_MATCHUP": exact.shot_zone_mismatch_score.abs() > 8,
                    "EXTREME_ADJUSTMENT": total.abs() > 12,
                }
            ),
            "; ",
        ),
    )


def _matchup_inputs(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Return zone, share of shots and defence against it, in the order of `rows`."""
    zones = league.home(ZONES).rename(columns={"analysis_date": "game_date"})
    shares = [f"{zone}_rate_last_10" for zone in ("paint", "mid_range", "three_pt")]
    own = rows[["game_date", "player_id"]].merge(
        zones[["game_date", "player_id", "primary_scoring_zone", *shares]], on=["game_date", "player_id"], how="left"
    )
    defense = league.home(DEFENSE).rename(columns={"analysis_date": "game_date", "team": "opponent"})
    against = [f"{zone}_defense_vs_league_avg" for zone in ("paint", "mid_range", "three_pt")]
    other = rows[["game_date", "opponent"]].merge(
        defense[["game_date", "opponent", "weakest_zone", *against]], on=["game_date", "opponent"], how="left"
    )
    zone = own.primary_scoring_zone.map(COMPARED)
    rate, difference = (pd.Series(np.nan, rows.index) for _ in range(2))
    for name in set(COMPARED.values()):
        rate = rate.where(zone.ne(name).to_numpy(), own[f"{name}_rate_last_10"].to_numpy())
        difference = difference.where(zone.ne(name).to_numpy(), other[f"{name}_defense_vs_league_avg"].to_numpy())
    return pd.DataFrame(
        {
            "primary_scoring_zone": own.primary_scoring_zone.to_numpy(),
            "primary_zone_rate": rate,
            "opponent_zone_defense_vs_league_avg": difference,
            "opponent_weakest_zone": other.weakest_zone.to_numpy(),
        },
        index=rows.index,
    )


def _fatigue(rows: pd.DataFrame) -> pd.Series:
    """Add up the rules of freshness; an unknown input fires no rule, and a return from an absence has no score."""
    back_to_back = rows.back_to_back.astype(bool)
    pairs = rows.back_to_backs_last_14_days
    deductions = [
        15 * back_to_back,
        -5 * (~back_to_back & (rows.days_rest >= 3)),
        10 * (rows.games_in_last_7_days >= 4),
        10 * (rows.minutes_in_last_7_days > 240),
        8 * (rows.avg_minutes_per_game_last_7 > 35),
        12 * (pairs >= 2) + 5 * (pairs == 1),
        10 * (rows.player_age >= 35) + 5 * ((rows.player_age >= 30) & (rows.player_age < 35)),
    ]
    returns = (rows.days_rest >= 10) | (rows.days_rest.isna() & ~rows.early_season_flag.astype(bool))
    return (100 - pd.concat(deductions, axis=1).astype(float).sum(axis=1)).clip(0, 100).mask(returns)


def _mismatch(rows: pd.DataFrame) -> pd.Series:
    weighted = rows.opponent_zone_defense_vs_league_avg * (rows.primary_zone_rate / 50).clip(upper=1)
    return (weighted * np.where(weighted.abs() > 5, 1.2, 1.0)).clip(-10, 10)


def _usage(rows: pd.DataFrame) -> pd.Series:
    change = 0.3 * (rows.projected_usage_rate - rows.avg_usage_rate_last_7_games)
    stars = rows.star_teammates_out.fillna(0)
    boost = np.select([stars >= 2, stars == 1], [1.30, 1.15], 1.0)
    spike = (change * np.where(change > 0, boost, 1.0)).clip(-3, 3)
    return spike.mask((rows.avg_usage_rate_last_7_games == 0) & rows.projected_usage_rate.notna(), 0.0)


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "days_rest": rows.days_rest.notna(),
            "projected_usage_rate": rows.projected_usage_rate.notna(),
            "pace_differential": rows.pace_differential.notna(),
            "player_shot_zone": rows.primary_scoring_zone.notna(),
            "team_defense_zone": rows.opponent_weakest_zone.notna(),
        }
    )


def _joined(flags: pd.DataFrame, separator: str) -> pd.Series:
    """Join the names of the columns that are true; NULL where none is."""
    texts = [
        separator.join(str(name) for name, set_ in zip(flags, row, strict=True) if set_) for row in flags.to_numpy()
    ]
    return pd.Series([text or None for text in texts], flags.index, dtype="object")
