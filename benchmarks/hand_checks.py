"""Counts that an analyst checks by hand, from the published tables of a warehouse: what must be 0, and what is known to be rare.

python benchmarks/hand_checks.py WAREHOUSE
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from nba_pipeline.common import duckdb as duck

FEATURES = "(SELECT * FROM nba_predictions.ml_feature_store_v2 WHERE feature_version = 'v2')"
CONTEXT, TEAMS = "nba_analytics.upcoming_player_game_context", "nba_analytics.upcoming_team_game_context"
FACTS, GAMES = "nba_analytics.player_game_summary", "nba_raw.schedule"
PLAYER_QUOTES, FORECASTS = "nba_raw.player_prop_lines", "nba_predictions.player_prop_predictions"
IMPLIED = "(CASE WHEN {0} < 0 THEN -{0} / (100 - {0}) ELSE 100 / (100 + {0}) END)"

# What is counted: the columns of one row.
CHECKS: dict[str, str] = {
    "minutes expected": f"""
        WITH team AS (
            SELECT f.game_date, f.team, sum(play_chance * minutes_expected) AS total, max(minutes_expected) AS most
            FROM {FEATURES} f JOIN {TEAMS} t USING (game_date, team) WHERE game_number_in_season > 1 GROUP BY ALL)
        SELECT count(*) AS teams, count_if(abs(total - 240) > 0.05) AS "not 240 minutes", count_if(most > 48) AS "over 48"
        FROM team""",
    "first games of a season": f"""
        SELECT count(*) AS "forecasts of ensemble_v1", round(avg(signed_error), 2) AS bias, round(avg(absolute_error), 2) AS mae,
            count_if(recommendation IN ('OVER', 'UNDER')) AS recommended
        FROM nba_predictions.prediction_accuracy JOIN {TEAMS} USING (game_date, team)
        WHERE game_number_in_season = 1 AND system_id = 'ensemble_v1' AND market = 'points' AND actual_value IS NOT NULL""",
    "listed for another team than the next game's": f"""
        SELECT count(*) AS listed, count_if(f.team <> l.team) AS "for another team"
        FROM {CONTEXT} l ASOF JOIN {FACTS} f
            ON l.season = f.season AND l.player_id = f.player_id AND l.game_date <= f.game_date""",
    "first games for another team": f"""
        WITH moves AS (
            SELECT *, lag(team) OVER (PARTITION BY player_id ORDER BY game_date) AS earlier FROM {FACTS})
        SELECT count(*) AS games, count_if(l.team = m.team) AS "listed for it", count_if(l.team <> m.team) AS "for another"
        FROM moves m LEFT JOIN {CONTEXT} l USING (player_id, game_date) WHERE m.team <> earlier""",
    "lines of another game": f"""
        SELECT count(*) AS "rows with a line", count_if(NOT EXISTS (
            SELECT 1 FROM {PLAYER_QUOTES} q WHERE q.game_date = c.game_date AND q.player_id = c.player_id
            AND q.market = 'points' AND coalesce(q.game_id, c.game_id) = c.game_id)) AS "of another game"
        FROM {CONTEXT} c WHERE has_prop_line""",
    "quoted on points without a forecast": f"""
        WITH quoted AS (
            SELECT DISTINCT game_date, player_id FROM {PLAYER_QUOTES} JOIN {GAMES} USING (game_id, game_date)
            WHERE market = 'points' AND player_id IS NOT NULL AND line_kind = 'main' AND book_kind IN ('sportsbook', 'dfs')
            AND NOT coalesce(evaluation_only, false) AND countable)
        SELECT count(*) AS "player-days", count_if(p.player_id IS NULL) AS "without"
        FROM quoted LEFT JOIN (SELECT DISTINCT game_date, player_id FROM {FORECASTS}) p USING (game_date, player_id)""",
    "ages": f"""
        SELECT count_if(player_age IS NULL) AS "without an age",
            round(avg(CASE WHEN player_age IS NULL THEN (f.player_id IS NOT NULL)::int END), 2) AS "of these played",
            round(avg(CASE WHEN player_age IS NOT NULL THEN (f.player_id IS NOT NULL)::int END), 2) AS "of the others"
        FROM {CONTEXT} c LEFT JOIN {FACTS} f USING (game_id, player_id)""",
    "game lines": f"""
        SELECT count(*) // 2 AS games, count_if(game_spread IS NULL) // 2 AS "without a spread",
            count_if(closing_spread IS NULL AND game_line_captured_at < cutoff_at - INTERVAL 6 HOUR) // 2 AS "six hours old",
            count_if(opening_spread IS NULL AND spread_movement IS NOT NULL) // 2 AS "movement without an opening"
        FROM {TEAMS}""",
    "pairs of moneylines": f"""
        WITH pair AS (
            SELECT {IMPLIED.format("moneyline_home")} + {IMPLIED.format("moneyline_away")} AS total FROM nba_raw.game_lines
            WHERE moneyline_home IS NOT NULL AND moneyline_away IS NOT NULL)
        SELECT count(*) AS pairs, count_if(total < 1 - 1e-9 OR total > 1.12) AS impossible FROM pair""",
    "spread and moneyline of a team": f"""
        SELECT count(*) AS teams, count_if(game_spread <= -3 AND moneyline > 100) AS "favoured by three and a dog" FROM {TEAMS}
        WHERE game_spread IS NOT NULL AND moneyline IS NOT NULL""",
    "consensus lines": f"""
        SELECT count(*) AS lines, count_if(NOT EXISTS (
            SELECT 1 FROM {PLAYER_QUOTES} q WHERE q.game_date = p.game_date AND q.player_id = p.player_id
            AND q.market = p.market AND q.line = p.line AND q.line_kind = 'main')) AS "that no book quotes"
        FROM {FORECASTS} p WHERE system_id = 'ensemble_v1' AND line IS NOT NULL""",
    "recorded calls": 'SELECT count(*) AS calls, count_if(odds IS NULL) AS "without a price" FROM nba_predictions.calls',
    "turnovers of teams": """
        WITH players AS (
            SELECT game_id, game_date, team, sum(turnovers) AS total FROM nba_raw.player_boxscores GROUP BY ALL)
        SELECT count(*) AS "team lines", count_if(turnovers <> total) AS "not the players' sum",
            round(avg(turnovers) FILTER (season_type = 'Regular Season'), 1) AS "a game",
            round(avg(turnovers) FILTER (season_type = 'Playoffs'), 1) AS "in the play-offs"
        FROM nba_analytics.team_offense_game_summary JOIN players USING (game_id, game_date, team)""",
    "neutral sites": f"""
        SELECT count(DISTINCT game_id) AS games, count_if(home_away <> 0.5) AS "rows with a home advantage"
        FROM {FEATURES} JOIN {GAMES} s USING (game_id, game_date) WHERE s.neutral_site""",
    "returns after ten days": f"""
        SELECT count(*) AS rows_of_players, count_if(fatigue_score IS NOT NULL) AS "with a score of freshness",
            count_if(rest_advantage > 2) AS "with more than two days of advantage"
        FROM {FEATURES} JOIN (SELECT game_date, player_id, days_rest AS rest FROM {CONTEXT}) USING (game_date, player_id)
        WHERE rest >= 10""",
    "edge and probability": f"""
        SELECT count(*) AS rows_with_a_line, count_if(edge > 0 AND p_over < 0.5 * (1 - p_push)) AS "over, but less likely",
            count_if(edge < 0 AND p_over > 0.5 * (1 - p_push)) AS "under, but less likely"
        FROM {FORECASTS} WHERE edge IS NOT NULL""",
    "usage over 100 %": f"""
        SELECT (SELECT count_if(usage_rate > 100) FROM {FACTS}) AS games,
            (SELECT count_if(usage_rate_last_10 > 100) FROM nba_precompute.player_daily_cache) AS "of ten games",
            (SELECT count_if(avg_usage_rate_last_7_games > 100) FROM {CONTEXT}) AS "of seven games" """,
    "appearances of no minute": f"""
        SELECT count(*) AS rows_of_players, count_if(usage_rate IS NOT NULL) AS "with a usage" FROM {FACTS}
        WHERE minutes_played = 0""",
    "closes kept for evaluation": f"""
        SELECT count_if(evaluation_only AND market = 'pra') AS "of pra", count_if(evaluation_only) AS "of all markets"
        FROM {PLAYER_QUOTES}""",
}


def counts(warehouse: Path) -> dict[str, dict[str, object]]:
    """Read every check: its counts by their names."""
    with duck.connect(warehouse, read_only=True) as db:
        found = {}
        for name, statement in CHECKS.items():
            row = db.execute(statement)
            found[name] = dict(zip([c[0] for c in row.description or ()], row.fetchone() or (), strict=True))
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warehouse", type=Path)
    grid = Grid("what", "counts")
    for name, values in counts(parser.parse_args().warehouse).items():
        grid.add_row(name, ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in values.items()))
    Console(width=180).print(grid)


if __name__ == "__main__":
    main()
