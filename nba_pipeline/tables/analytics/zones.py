"""Shot zones of a game, counted from the shot log, per player or per team; and the formulas of shooting efficiency."""

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Rows, column
from nba_pipeline.tables.raw.shots import ZONES

TEAM_SHOTS_TOLERANCE = 2
GAME_MINUTES = 48

# Share of free throws that end a possession, as in Hollinger's possession estimate.
FREE_THROW_SHOTS = 0.44


class ZoneCounts(Rows):
    """Attempts and makes by zone; NULL, not 0, if the shot log of the game is incomplete.
    One row per box-score line."""

    paint_attempts: int = column("2-point attempts within 8 ft", unit="shots", nullable=True, ge=0)
    paint_makes: int = column("2-point makes within 8 ft", unit="shots", nullable=True, ge=0)
    mid_range_attempts: int = column("other 2-point attempts", unit="shots", nullable=True, ge=0)
    mid_range_makes: int = column("other 2-point makes", unit="shots", nullable=True, ge=0)
    corner_three_attempts: int = column("3-point attempts from the corners", unit="shots", nullable=True, ge=0)
    corner_three_makes: int = column("3-point makes from the corners", unit="shots", nullable=True, ge=0)
    above_break_three_attempts: int = column("other 3-point attempts", unit="shots", nullable=True, ge=0)
    above_break_three_makes: int = column("other 3-point makes", unit="shots", nullable=True, ge=0)


COUNTED = tuple(f"{zone}_{what}" for zone in ZONES for what in ("attempts", "makes"))


def zone_counts(shots: ir.Table, by: tuple[str, ...]) -> ir.Table:
    """Attempts and makes by zone for each group of shots, and `shots_logged`, their number."""
    counts = {}
    for zone in ZONES:
        here = shots.zone == zone
        counts[f"{zone}_attempts"] = here.cast("int64").sum()
        counts[f"{zone}_makes"] = (here & shots.made).cast("int64").sum()
    return shots.group_by(*by).aggregate(**counts, shots_logged=shots.count())


def known_zones(zones: ir.Table, complete: ir.BooleanValue, none_taken: ir.BooleanValue) -> dict[str, ir.Value]:
    """The zone columns: the counts where the log is complete, 0 where nothing was attempted, else NULL."""
    return {n: complete.fill_null(False).ifelse(zones[n], none_taken.fill_null(False).ifelse(0, None)) for n in COUNTED}


def true_shooting(points: ir.NumericValue, attempts: ir.NumericValue, free_throws: ir.NumericValue) -> ir.FloatingValue:
    """Points / (2·(FGA + 0.44·FTA)); NULL without an attempt."""
    return points / (2 * (attempts + FREE_THROW_SHOTS * free_throws)).nullif(0.0)


def effective_field_goals(
    makes: ir.NumericValue, threes: ir.NumericValue, attempts: ir.NumericValue
) -> ir.FloatingValue:
    """(FGM + 0.5·3PM) / FGA; NULL without an attempt."""
    return (makes + 0.5 * threes) / attempts.cast("float64").nullif(0.0)


def possessions(
    attempts: ir.Value, free_throws: ir.Value, offensive_rebounds: ir.Value, turnovers: ir.Value
) -> ir.FloatingValue:
    """FGA + 0.44·FTA - OREB + TOV."""
    return attempts + FREE_THROW_SHOTS * free_throws - offensive_rebounds + turnovers


def game_minutes(overtime_periods: ir.Value) -> ir.IntegerValue:
    """Return the length of a game: 48 minutes and 5 per overtime. An integer, because sums round fractions of minutes."""
    return GAME_MINUTES + 5 * overtime_periods


def possessions_of_rating(points: ir.Value, rating: ir.FloatingValue) -> ir.FloatingValue:
    """Return the possessions that a rating was computed with: 100·points / rating."""
    return 100 * points / rating
