"""Name the tables and columns that pages are read from, and how far back."""

from collections.abc import Mapping

from nba_pipeline import asof
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.reporting import rolling
from nba_pipeline.reporting.forecasts import PLAYER
from nba_pipeline.reporting.reasons import EDGES, ROLE, allowed
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.analytics.upcoming_team_game_context import UPCOMING_TEAM_GAME_CONTEXT
from nba_pipeline.tables.grading.call_grades import CALL_GRADES
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.grading.system_daily_performance import SYSTEM_DAILY_PERFORMANCE
from nba_pipeline.tables.predictions.calls import CALLS as CALLS_MADE
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.raw.injury_reports import INJURY_REPORTS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE

REPORT = "nba_reports.daily_report"
WINDOW_DAYS = 30
HISTORY = asof.before(PREDICTION_ACCURACY, WINDOW_DAYS)
# Long enough for the last twenty games of a player in the first week of a season.
FORM = asof.before(PLAYER_GAME_SUMMARY, 300)

GRADES = ("played", "mae", "bias", "wins", "losses", "pushes", "priced_bets", "roi")

READS: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "schedule": (
        SCHEDULE,
        ("game_id", "game_date", "season", "season_type", "countable", "home_team", "away_team", "tip_off"),
    ),
    "teams": (UPCOMING_TEAM_GAME_CONTEXT, ("game_date", "game_id", "team", "game_spread", "game_total")),
    "players": (
        UPCOMING_PLAYER_GAME_CONTEXT,
        (
            *("game_date", "game_id", "player_id", "player_name", "team", "home_game", "days_rest", "back_to_back"),
            *(
                "injury_status",
                "injury_status_source",
                "injury_reported_on",
                "injuries_reported",
                "opening_points_line",
            ),
        ),
    ),
    "features": (
        ML_FEATURE_STORE,
        (
            *(*PLAYER, "feature_version", "points_avg_season", "pace_edge", "play_chance", *ROLE),
            *(f for edge in EDGES.values() for f in edge),
            *(allowed(m) for m in MARKETS),
        ),
    ),
    "predictions": (
        PLAYER_PROP_PREDICTIONS,
        (
            *("game_date", "player_id", "market", "system_id", "game_id", "player_name", "team", "opponent"),
            *("predicted_mean", "predicted_sd", "predicted_skewness", "q10", "q50", "q90", "point_forecast"),
            *("line", "line_books", "line_book_kind"),
            *(
                "p_over",
                "p_push",
                "recommendation",
                "components",
                "injury_status",
                "insufficient_data_reason",
            ),
        ),
    ),
    "prices": (
        PROP_PRICES,
        (
            *(
                "game_date",
                "player_id",
                "market",
                "system_id",
                "bookmaker",
                "book_kind",
                "line",
                "over_odds",
                "under_odds",
            ),
            *("p_over", "p_push", "ev_over", "ev_under", "best_over", "best_under", "exclusion", "quoted_at"),
        ),
    ),
    "lines": (
        PLAYER_PROP_LINES,
        (
            *("game_date", "player_id", "market", "bookmaker", "book_kind", "line", "line_kind", "captured_at"),
            *("last_seen_at", "evaluation_only"),
        ),
    ),
    "calls": (
        CALLS_MADE,
        (
            *("game_date", "player_id", "market", "snapshot", "side", "bookmaker", "line", "odds", "p_side"),
            *("expected_value", "as_of"),
        ),
    ),
    "call_grades": (CALL_GRADES, ("game_date", "player_id", "market", "snapshot", "outcome", "profit")),
}
READS_BEFORE: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "graded": (PREDICTION_ACCURACY, (*rolling.COLUMNS, "team", "recommendation", "predicted_mean")),
    "performance": (
        SYSTEM_DAILY_PERFORMANCE,
        ("game_date", "market", "system_id", *GRADES),
    ),
    "names": (UPCOMING_PLAYER_GAME_CONTEXT, (*PLAYER, "player_name")),
    "facts": (
        PLAYER_GAME_SUMMARY,
        ("game_date", "player_id", *sorted({c for m in MARKETS.values() for c in m.counts})),
    ),
    "injuries": (INJURY_REPORTS, ("report_date", "player_id", "reported_at", "record_type")),
}
# Grades of the day itself are read, too: they are its results, and nothing else of the page depends on them.
WITH_RESULTS = ("graded", "performance", "names", "injuries")
