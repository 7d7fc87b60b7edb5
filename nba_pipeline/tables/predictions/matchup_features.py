"""Features of the matchup: what the opponent's defence adds to a player's scoring, zone by zone, and the pace of the game.

All of them are edges: 0 where the opponent is as the league, positive where it allows more. An edge is unknown, never 0, where
either side of it is.
"""

from typing import Any

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.tables.precompute.samples import MIN_GAMES
from nba_pipeline.tables.precompute.team_defense_zone_analysis import WINDOW
from nba_pipeline.tables.predictions.features import DEFENSE_ZONES, LAST_10, LAST_15, Feature
from nba_pipeline.tables.shared import exact_sums as exact

POINTS_PER_MAKE = {"paint": 2, "mid_range": 2, "three_pt": 3}
ZONE_NAMES = {"paint": "the paint", "mid_range": "mid-range", "three_pt": "behind the arc"}

# His accuracy in a zone is balanced with this many shots at the league's: ten games hold 5 to 90 shots of a zone.
LEAGUE_SHOTS = 100
DEFENSE_GAMES = "nba_analytics.team_defense_game_summary"
NO_ZONES = f"with fewer than {MIN_GAMES} games with shot data of player or opponent"


def _volume(zone: str) -> Feature:
    return Feature(
        f"{zone}_volume_edge",
        "points",
        f"the player's points per game from {ZONE_NAMES[zone]}, times the opponent's share of such attempts allowed beyond"
        " the mean of all teams",
        DEFENSE_ZONES,
        f"{LAST_10}; opponent {LAST_15}",
        NO_ZONES,
        bounds=(-30, 30),
    )


def _accuracy(zone: str) -> Feature:
    return Feature(
        f"{zone}_accuracy_edge",
        "points",
        f"the player's {ZONE_NAMES[zone]} attempts per game times points per make, times the opponent's percentage allowed beyond"
        " the league's",
        DEFENSE_ZONES,
        f"{LAST_10}; opponent {LAST_15}",
        NO_ZONES,
        bounds=(-30, 30),
    )


MATCHUP_FEATURES: tuple[Feature, ...] = (
    *(_volume(z) for z in POINTS_PER_MAKE),
    *(_accuracy(z) for z in POINTS_PER_MAKE),
    Feature(
        "free_throw_edge",
        "points",
        "free throws made per game times the share of free throws that the opponent allows beyond the mean of all teams",
        DEFENSE_GAMES,
        f"{LAST_10}; opponent {LAST_15}",
        f"with fewer than {MIN_GAMES} games of player or opponent",
        bounds=(-20, 20),
    ),
    Feature(
        "pace_edge",
        "fraction",
        "possessions that the opponent adds to the team's own pace",
        DEFENSE_ZONES,
        f"{LAST_10}; opponent {LAST_15}",
        "before either team's fifth game",
        bounds=(-0.5, 0.5),
    ),
)


def worth(
    attempts: ir.FloatingValue, pct: ir.FloatingValue, games: ir.IntegerValue, league_pct: ir.FloatingValue
) -> Any:
    """Makes a game to expect of a zone: attempts a game times the player's percentage over `games`, balanced with the league's.

    A percentage is NULL only without such a shot; the league's percentage then applies alone.
    """
    shots = attempts * games
    return attempts * (shots * pct.fill_null(0.0) + LEAGUE_SHOTS * league_pct) / (shots + LEAGUE_SHOTS)


def beyond(allowed: ir.FloatingValue, league: ir.FloatingValue) -> Any:
    """The share by which a team allows more than the league: 0.1 is ten percent more."""
    return allowed / league.nullif(0.0) - 1


def defences(defense: ir.Table, defense_games: ir.Table) -> ir.Table:
    """What each team allows beyond the mean of all teams of the day, one row per (analysis_date, team)."""
    games = defense_games.select("game_date", "season", "opp_ft_makes", team=defense_games.defending_team)
    free_throws = {"opponent_ft_makes": asof.mean("opp_ft_makes", last=WINDOW, at_least=MIN_GAMES)}
    rows = asof.attach(defense, games, free_throws, by=("team",), day="analysis_date")
    measures = [*(f"{z}_attempts_allowed_per_game" for z in POINTS_PER_MAKE), "opponent_ft_makes", "opponent_pace"]
    league = rows.group_by("analysis_date").aggregate(**{m: exact.mean(rows[m]) for m in measures})
    joined = rows.left_join(league, "analysis_date")
    return shared(
        joined.select(
            rows.analysis_date,
            rows.team,
            **{f"{z}_league_pct": rows[f"{z}_league_pct"] for z in POINTS_PER_MAKE},
            **{f"{z}_pct_beyond": rows[f"{z}_defense_vs_league_avg"] / 100 for z in POINTS_PER_MAKE},
            **{f"{m}_beyond": beyond(rows[m], league[m]) for m in measures},
            pace_beyond=rows.opponent_pace - league.opponent_pace,
        )
    )


def matchup_features(
    context: ir.Table,
    games: ir.Table,
    cache: ir.Table,
    zones: ir.Table,
    defense: ir.Table,
    defense_games: ir.Table,
) -> ir.Table:
    """The features of `MATCHUP_FEATURES`, one row per (game_date, player_id) of the context."""
    listed = context.select("game_date", "season", "player_id", "opponent")
    free_throws = {"ft_makes": asof.mean("ft_makes", last=10, at_least=MIN_GAMES)}
    played = games.select("game_date", "season", "player_id", "ft_makes")
    own = asof.attach(listed, played, free_throws, by=("player_id",))
    against = defences(defense, defense_games)
    joined = (
        own.left_join(cache, [own.game_date == cache.cache_date, own.player_id == cache.player_id])
        .left_join(zones, [own.game_date == zones.analysis_date, own.player_id == zones.player_id])
        .left_join(against, [own.game_date == against.analysis_date, own.opponent == against.team])
    )
    edges: dict[str, Any] = {}
    for zone, points in POINTS_PER_MAKE.items():
        attempts = zones[f"{zone}_attempts_per_game"]
        makes = worth(attempts, zones[f"{zone}_pct_last_10"], zones.games_in_sample_10, against[f"{zone}_league_pct"])
        edges[f"{zone}_volume_edge"] = points * makes * against[f"{zone}_attempts_allowed_per_game_beyond"]
        edges[f"{zone}_accuracy_edge"] = points * attempts * against[f"{zone}_pct_beyond"]
    edges["free_throw_edge"] = own.ft_makes * against.opponent_ft_makes_beyond
    edges["pace_edge"] = against.pace_beyond / cache.team_pace_last_10.nullif(0.0)
    return shared(joined.select(own.game_date, own.player_id, **edges))
