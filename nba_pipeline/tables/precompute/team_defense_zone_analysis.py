"""nba_precompute.team_defense_zone_analysis: each team's recent defence by zone and against the league."""

from datetime import date
from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics._slate import is_early, playable, season_openings
from nba_pipeline.tables.analytics.team_defense_game_summary import TEAM_DEFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.zones import GAME_MINUTES, game_minutes, possessions_of_rating
from nba_pipeline.tables.precompute.samples import MIN_GAMES, shortfall
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.tables.shared import columns

WINDOW = 15
LEAGUE_DAYS = 30
ZONES = {"paint": "paint", "mid_range": "mid_range", "three_pt": "perimeter"}
THREES = ("corner_three", "above_break_three")
ZONE_POINTS = {
    "paint": "points_in_paint_allowed",
    "mid_range": "mid_range_points_allowed",
    "three_pt": "three_pt_points_allowed",
}
SINCE = f"unknown with fewer than {MIN_GAMES} such games"


def _allowed(what: str, games: str) -> dict[str, Any]:
    return {
        "pct": column(
            f"share of {what} that opponents made; {SINCE}",
            unit="fraction",
            formula=f"Σ makes / Σ attempts over the last {WINDOW} games, {games}",
            nullable=True,
            ge=0,
            le=1,
        ),
        "attempts": column(
            f"{what} that opponents attempted per game; {SINCE}",
            unit="shots per game",
            formula=f"Σ attempts / games, {games}, of the last {WINDOW}",
            nullable=True,
            ge=0,
            le=100,
        ),
        "points": column(
            f"points that opponents made from {what} per game; {SINCE}",
            unit="points per game",
            formula=f"Σ points / games, {games}, of the last {WINDOW}",
            nullable=True,
            ge=0,
            le=150,
        ),
        "league": column(
            f"share of {what} made in the league lately",
            unit="fraction",
            formula=f"Σ makes / Σ attempts of all teams in [D - {LEAGUE_DAYS}, D - 1], same season",
            nullable=True,
            ge=0,
            le=1,
        ),
        "versus": column(
            f"{what}: pct allowed against the league; positive: weaker defence",
            unit="percentage points",
            formula="100·(pct allowed - league pct)",
            nullable=True,
            ge=-100,
            le=100,
        ),
    }


def _three_share(which: str) -> Any:
    return column(
        f"{which} among all shots of opponents; {SINCE}",
        unit="fraction",
        formula=f"Σ attempts / Σ FGA over the last {WINDOW} games, games with shot data",
        nullable=True,
        ge=0,
        le=1,
    )


_PAINT = _allowed("2-pointers within 8 ft", "games with shot data")
_MID = _allowed("other 2-pointers", "games with shot data")
_THREE = _allowed("3-pointers", "all games (box score)")
_CORNER = _allowed("corner threes", "games with shot data")
_ABOVE = _allowed("threes above the break", "games with shot data")


class TeamDefenseZoneAnalysis(Rows):
    """A team's defence over its last 15 games of the season, all strictly before the day, by shot zone and against the league
    of the last 30 days. On days with countable games, all teams from their first finished game of the season on, also those
    that do not play that day. One row per day and team.
    """

    analysis_date: date = column("US-Eastern calendar date of the game; the row knows only earlier games")
    team: str = tricode("tricode of the defending team")
    season: str = columns.SEASON
    games_in_sample: int = column(f"number of games in the sample, at most {WINDOW}", unit="games", ge=1, le=WINDOW)
    games_with_shot_data: int = column("of these, games with a complete shot log", unit="games", ge=0, le=WINDOW)

    paint_pct_allowed_last_15: float = _PAINT["pct"]
    paint_attempts_allowed_per_game: float = _PAINT["attempts"]
    paint_points_allowed_per_game: float = _PAINT["points"]
    paint_league_pct: float = _PAINT["league"]
    paint_defense_vs_league_avg: float = _PAINT["versus"]
    mid_range_pct_allowed_last_15: float = _MID["pct"]
    mid_range_attempts_allowed_per_game: float = _MID["attempts"]
    mid_range_points_allowed_per_game: float = _MID["points"]
    mid_range_league_pct: float = _MID["league"]
    mid_range_defense_vs_league_avg: float = _MID["versus"]
    three_pt_pct_allowed_last_15: float = _THREE["pct"]
    three_pt_attempts_allowed_per_game: float = _THREE["attempts"]
    three_pt_points_allowed_per_game: float = _THREE["points"]
    three_pt_league_pct: float = _THREE["league"]
    three_pt_defense_vs_league_avg: float = _THREE["versus"]
    corner_three_pct_allowed_last_15: float = _CORNER["pct"]
    corner_three_share_allowed_last_15: float = _three_share("corner threes")
    above_break_three_pct_allowed_last_15: float = _ABOVE["pct"]
    above_break_three_share_allowed_last_15: float = _three_share("threes above the break")

    defensive_rating_last_15: float = column(
        f"opponents' points per 100 possessions; {SINCE}",
        unit="points",
        formula=f"100·Σ points allowed / Σ opponents' possessions over the last {WINDOW} games",
        nullable=True,
        ge=50,
        le=170,
    )
    opponent_points_per_game: float = column(
        f"points allowed per game; {SINCE}",
        unit="points",
        formula=f"mean over the last {WINDOW}",
        nullable=True,
        ge=40,
        le=200,
    )
    opponent_pace: float = column(
        f"opponents' possessions per 48 minutes; {SINCE}",
        unit="possessions",
        formula=f"48·Σ opponent_possessions / Σ(minutes / 5) over the last {WINDOW} games",
        nullable=True,
        ge=60,
        le=140,
    )
    strongest_zone: str = column(
        "zone with the lowest difference to the league; NULL unless all three are known",
        formula="ties in the order paint, mid_range, perimeter",
        nullable=True,
        isin=list(ZONES.values()),
    )
    weakest_zone: str = column(
        "zone with the highest difference to the league; NULL unless all three are known",
        formula="ties in the order paint, mid_range, perimeter",
        nullable=True,
        isin=list(ZONES.values()),
    )
    early_season_flag: bool = column(
        "true in the first 14 days of the season", formula="D < date of the season's first regular-season game + 14"
    )
    insufficient_data_reason: str = column(f"how many games are missing to {WINDOW}; NULL where none is", nullable=True)


TEAM_DEFENSE_ZONE_ANALYSIS = Table(
    model=TeamDefenseZoneAnalysis,
    name="team_defense_zone_analysis",
    dataset="nba_precompute",
    key=("analysis_date", "team"),
    partition="analysis_date",
    cluster=("team",),
    rules={
        "more games with shot data than games": lambda t: t.games_with_shot_data <= t.games_in_sample,
        "strongest and weakest zone are the same": lambda t: (
            (t.strongest_zone != t.weakest_zone)
            | ((t.paint_defense_vs_league_avg - t.mid_range_defense_vs_league_avg).abs() < 0.001)
        ),
        "a zone differs from the league by something else": lambda t: _differences_hold(t),
        "a rating stands on too few games": lambda t: (
            t.defensive_rating_last_15.isnull() | (t.games_in_sample >= MIN_GAMES)
        ),
        "sample and reason contradict each other": lambda t: (
            (t.games_in_sample < WINDOW) == t.insufficient_data_reason.notnull()
        ),
    },
)


def _differences_hold(t: ir.Table) -> ir.BooleanValue:
    agrees = ibis.literal(True)
    for zone in ZONES:
        difference = 100 * (t[f"{zone}_pct_allowed_last_15"] - t[f"{zone}_league_pct"])
        agrees = agrees & ((t[f"{zone}_defense_vs_league_avg"] - difference).abs() < 0.02).fill_null(True)
    return agrees


def _counts(zone: str) -> tuple[str, str]:
    return f"opp_{zone}_makes", f"opp_{zone}_attempts"


def _windows() -> dict[str, asof.Aggregate]:
    """The aggregates over a team's last 15 games."""
    windows = {
        "games_in_sample": asof.count(last=WINDOW),
        "games_with_shot_data": asof.count("opp_paint_attempts", last=WINDOW),
    }
    for zone in (*ZONES, *THREES):
        windows[f"{zone}_pct_allowed_last_15"] = asof.ratio(*_counts(zone), last=WINDOW, at_least=MIN_GAMES)
    for zone in ZONES:
        windows[f"{zone}_attempts_allowed_per_game"] = asof.mean(
            f"opp_{zone}_attempts", last=WINDOW, at_least=MIN_GAMES
        )
        windows[f"{zone}_points_allowed_per_game"] = asof.mean(ZONE_POINTS[zone], last=WINDOW, at_least=MIN_GAMES)
    for zone in THREES:
        windows[f"{zone}_share_allowed_last_15"] = asof.ratio(
            f"opp_{zone}_attempts", "opp_fg_attempts", last=WINDOW, at_least=MIN_GAMES
        )
    return windows | {
        "defensive_rating_last_15": asof.ratio("points_100", "opponent_possessions", last=WINDOW, at_least=MIN_GAMES),
        "opponent_points_per_game": asof.mean("points_allowed", last=WINDOW, at_least=MIN_GAMES),
        "opponent_pace": asof.ratio("opponent_possessions_48", "minutes", last=WINDOW, at_least=MIN_GAMES),
    }


def _team_games(defense: ir.Table) -> ir.Table:
    """The facts that count, under the name `team`."""
    facts = defense.mutate(
        points_100=100 * defense.points_allowed,
        opponent_possessions=possessions_of_rating(defense.points_allowed, defense.defensive_rating),
        minutes=game_minutes(defense.overtime_periods),
    )
    facts = facts.mutate(opponent_possessions_48=GAME_MINUTES * facts.opponent_possessions)
    needed = {c for a in _windows().values() for c in (a.column, a.over) if c}
    return facts.select("game_date", "season", *sorted(needed), team=facts.defending_team)


def _team_days(slate: ir.Table, games: ir.Table) -> ir.Table:
    """Every day with countable games, for every team of its season."""
    days = playable(slate).select("game_date", "season").distinct()
    teams = games.select("season", "team").distinct()
    return days.inner_join(teams, "season").select(days, teams.team)


def build(slate: ir.Table, defense: ir.Table) -> ir.Table:
    """The last 15 games of every team, and the league of the last 30 days beside them."""
    games = _team_games(defense)
    teams = asof.attach(_team_days(slate, games), games, _windows(), by=("team",))
    league = {f"{zone}_league_pct": asof.ratio(*_counts(zone), days=LEAGUE_DAYS) for zone in ZONES}
    rows = asof.attach(teams.filter(teams.games_in_sample > 0), games, league, by=())
    versus = {z: 100 * (rows[f"{z}_pct_allowed_last_15"] - rows[f"{z}_league_pct"]) for z in ZONES}
    openings = season_openings(slate, defense)
    joined = rows.left_join(openings, "season")
    return joined.select(
        analysis_date=rows.game_date,
        season=rows.season,
        team=rows.team,
        **{n: rows[n] for n in (*_windows(), *league)},
        **{f"{z}_defense_vs_league_avg": v for z, v in versus.items()},
        strongest_zone=_zone_at(ibis.least(*versus.values()), versus),
        weakest_zone=_zone_at(ibis.greatest(*versus.values()), versus),
        early_season_flag=is_early(rows.game_date, openings.opening),
        insufficient_data_reason=shortfall(rows.games_in_sample, WINDOW),
    )


def _zone_at(extreme: ir.FloatingValue, versus: dict[str, ir.FloatingValue]) -> ir.StringValue:
    """The first zone that has the extreme value; NULL unless all zones are known."""
    known = ibis.literal(True)
    for value in versus.values():
        known = known & value.notnull()
    return ibis.cases(*[(known & (v == extreme), ZONES[z]) for z, v in versus.items()], else_=ibis.null("string"))


def expected(slate: ir.Table, defense: ir.Table) -> ir.Table:
    """Every team that has finished a game of the season, on every day with countable games."""
    games = _team_games(defense)
    counted = asof.attach(_team_days(slate, games), games, {"games": asof.count()}, by=("team",))
    started = counted.filter(counted.games > 0)
    return started.select("team", analysis_date=started.game_date, reason=ibis.null("string"))


TRANSFORM = Transform(
    TEAM_DEFENSE_ZONE_ANALYSIS,
    build,
    reads={"slate": SLATE, "defense": asof.season_to_date(TEAM_DEFENSE_GAME_SUMMARY)},
    expected=expected,
    watched=("paint_defense_vs_league_avg", "defensive_rating_last_15"),
)
