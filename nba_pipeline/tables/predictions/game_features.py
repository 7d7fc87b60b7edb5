"""Features of the game: the market's view, the opponent's defence and known absences."""

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.tables.precompute.samples import MIN_GAMES
from nba_pipeline.tables.predictions.features import CONTEXT, SEASON, TEAM_GAMES, Feature

TEAM_CONTEXT = "nba_analytics.upcoming_team_game_context"
LEAGUE_DAYS = 30
QUOTES = "quotes in force at the cut-off"
NO_LINES = "without lines of the game"

GAME_FEATURES: tuple[Feature, ...] = (
    Feature(
        "game_spread",
        "points",
        "point spread of the player's team; negative: favoured",
        TEAM_CONTEXT,
        QUOTES,
        NO_LINES,
        bounds=(-60, 60),
    ),
    Feature(
        "spread_size",
        "points",
        "|game_spread|: how one-sided the game may be",
        TEAM_CONTEXT,
        QUOTES,
        NO_LINES,
        bounds=(0, 60),
    ),
    Feature(
        "implied_team_total",
        "points",
        "points of the player's team implied by spread and total",
        TEAM_CONTEXT,
        QUOTES,
        NO_LINES,
        bounds=(40, 200),
    ),
    *(
        Feature(
            f"opponent_{m.name}_allowed",
            m.unit,
            f"{m.name} of its opponents a game of the season, minus the mean of all teams in the last {LEAGUE_DAYS} days;"
            " positive: weaker defence",
            TEAM_GAMES,
            SEASON,
            "before the opponent's fifth game",
            bounds=(-150, 150),
        )
        for m in MARKETS.values()
    ),
    Feature(
        "projected_usage_rate",
        "percent",
        "usage rate to expect with the absences known at the cut-off",
        CONTEXT,
        "last 7 games of the season; statements in force at the cut-off",
        "without injury statements or with fewer than 3 games",
        bounds=(0, 400),
    ),
    Feature(
        "star_teammates_out",
        "players",
        "team-mates ruled out who average 18 points or more",
        CONTEXT,
        "statements in force at the cut-off",
        "if the source reports on no player",
        bounds=(0, 10),
    ),
)

FROM_CONTEXT = ("projected_usage_rate", "star_teammates_out")
FROM_TEAM_CONTEXT = ("game_spread", "implied_team_total")


def allowed(context: ir.Table, offense: ir.Table) -> ir.Table:
    """What every opponent of the day allows in each market beyond the league: one row per (game_date, opponent)."""
    counts = {m.name: m.actual(offense) for m in MARKETS.values()}
    facts = offense.select("game_date", "season", team=offense.opponent, **counts)
    sides = context.select("game_date", "season", team=context.opponent).distinct()
    own = {f"own_{m}": asof.mean(m, at_least=MIN_GAMES) for m in MARKETS}
    league = {f"league_{m}": asof.mean(m, days=LEAGUE_DAYS) for m in MARKETS}
    rows = asof.attach(asof.attach(sides, facts, own, by=("team",)), facts, league, by=())
    beyond = {f"opponent_{m}_allowed": rows[f"own_{m}"] - rows[f"league_{m}"] for m in MARKETS}
    return shared(rows.select("game_date", opponent=rows.team, **beyond))


def game_features(context: ir.Table, team_context: ir.Table, offense: ir.Table) -> ir.Table:
    """The features of `GAME_FEATURES`, one row per (game_date, player_id) of the context."""
    opponents = allowed(context, offense)
    joined = context.left_join(
        team_context, [context.game_date == team_context.game_date, context.team == team_context.team]
    ).left_join(opponents, [context.game_date == opponents.game_date, context.opponent == opponents.opponent])
    return shared(
        joined.select(
            context.game_date,
            context.player_id,
            *[context[c] for c in FROM_CONTEXT],
            *[team_context[c] for c in FROM_TEAM_CONTEXT],
            spread_size=team_context.game_spread.abs(),
            **{f"opponent_{m}_allowed": opponents[f"opponent_{m}_allowed"] for m in MARKETS},
        )
    )
