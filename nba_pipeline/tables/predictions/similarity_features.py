"""Features of similar games: the player's production in earlier games of the season under similar circumstances.

Circumstances are the opponent's defence, rest, venue and form, each as of before that game: a past game is described
by the information before it, as the day itself is.
"""

from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.tables.analytics.zones import possessions_of_rating
from nba_pipeline.tables.precompute.samples import MIN_GAMES
from nba_pipeline.tables.precompute.team_defense_zone_analysis import LEAGUE_DAYS, WINDOW
from nba_pipeline.tables.predictions.features import PLAYER_GAMES, Feature

LAST = 40
RECENCY_HALF_LIFE = 15.0
TIER_WIDTH = 2.0
LONGEST_REST = 3
FORM_WIDTH = 0.5
WEIGHT_SCALE = 1_000_000
UNKNOWN = 0.5

# How much a past game counts that is like the day, one step away, or further. Chosen on 2021-22 and 2022-23, where 20 such
# choices, from no difference at all to these, lay within 0.004 points of MAE.
CLOSENESS = {
    "defence_tier": (1.0, 0.5, 0.25),
    "rest": (1.0, 0.6, 0.36),
    "venue": (1.0, 0.6, 0.6),  # a neutral site is one step from either
    "form": (1.0, 0.6, 0.36),
}

WINDOW_TEXT = f"last {LAST} games of the season"

SIMILARITY_FEATURES: tuple[Feature, ...] = (
    Feature(
        "similar_games_weight",
        "games",
        "the player's earlier games, each counted by how similar its circumstances were and how recent it is",
        PLAYER_GAMES,
        WINDOW_TEXT,
        "before the player's first game",
        bounds=(0, LAST),
    ),
    *(
        Feature(
            f"similar_{m.name}",
            m.unit,
            f"mean {m.name} of the player's earlier games, weighted by similarity of circumstances and recency",
            PLAYER_GAMES,
            WINDOW_TEXT,
            "before the player's first game",
            bounds=(0, 150),
        )
        for m in MARKETS.values()
    ),
)


def tier(rating: ir.FloatingValue, league: ir.FloatingValue) -> ir.IntegerValue:
    """-1 for a defence better than the league's by 2 points per 100 possessions, 1 for one that is worse by as much, else 0."""
    return _step(rating - league, TIER_WIDTH)


def form(last_5: ir.FloatingValue, season: ir.FloatingValue, season_sd: ir.FloatingValue) -> ir.IntegerValue:
    """1 where the player's last 5 games are half a standard deviation above the player's season, -1 where below it, else 0."""
    return _step(last_5 - season, FORM_WIDTH * season_sd)


def _step(difference: ir.FloatingValue, width: Any) -> ir.IntegerValue:
    return ibis.cases(
        (difference >= width, 1), (difference <= -width, -1), (difference.notnull(), 0), else_=ibis.null("int64")
    )


def circumstances(days: ir.Table, games: ir.Table, defense_games: ir.Table, *, past: bool = False) -> ir.Table:
    """The rows of `days` with `defence_tier`, `rest`, `venue` and `form` as of before the day; NULL if unknown.

    Shapes: `days` has (game_date, season, player_id, opponent, at_home: 1 at home, 0.5 on a neutral site, 0 away); `games`
    are player facts (game_date, season, player_id, points), `defense_games` team facts (game_date, season, team, points_100,
    opponent_possessions). `past` says that they are of many days (see `asof.attach`).
    """
    ratings = {"rating": asof.ratio("points_100", "opponent_possessions", last=WINDOW, at_least=MIN_GAMES)}
    opponents = days.select("game_date", "season", team=days.opponent).distinct()
    rated = asof.attach(opponents, defense_games, ratings, by=("team",), past=past)
    league = {"league": asof.ratio("points_100", "opponent_possessions", days=LEAGUE_DAYS)}
    rated = asof.attach(rated, defense_games, league, by=(), past=past)
    own = {
        "last_5": asof.mean("points", last=5, at_least=5),
        "season_mean": asof.mean("points"),
        "season_sd": asof.std("points", at_least=MIN_GAMES),
        "latest": asof.latest("played_on"),
    }
    dated = games.select("game_date", "season", "player_id", "points", played_on=games.game_date)
    rows = asof.attach(days, dated, own, by=("player_id",), past=past)
    joined = rows.left_join(rated, [rows.game_date == rated.game_date, rows.opponent == rated.team])
    rest = rows.game_date.delta(rows.latest, unit="day") - 1
    return shared(
        joined.select(
            *[rows[c] for c in days.columns],
            defence_tier=tier(rated.rating, rated.league),
            rest=(rest > LONGEST_REST).ifelse(LONGEST_REST, rest),
            venue=(2 * rows.at_home).cast("int64"),
            form=form(rows.last_5, rows.season_mean, rows.season_sd),
        )
    )


def closeness(what: str, one: ir.IntegerValue, other: ir.IntegerValue) -> ir.FloatingValue:
    """How much a past game counts by one of its circumstances: between the extremes where either is unknown."""
    same, near, far = CLOSENESS[what]
    gap = (one - other).abs()
    return ibis.cases((gap == 0, same), (gap == 1, near), (gap >= 2, far), else_=UNKNOWN)


def defense_facts(defense_games: ir.Table) -> ir.Table:
    """Return what pooled defensive ratings are made of: points allowed times 100, and possessions."""
    return defense_games.select(
        *("game_date", "season"),
        points_100=100 * defense_games.points_allowed,
        opponent_possessions=possessions_of_rating(defense_games.points_allowed, defense_games.defensive_rating),
        team=defense_games.defending_team,
    )


def at_home(home_game: ir.BooleanValue, neutral_site: ir.BooleanValue) -> ir.FloatingValue:
    """Return 1 for a team in its own arena, 0 for a visitor of one, 0.5 for both teams of a game on a neutral site."""
    # BigQuery casts a boolean to a whole number only.
    return neutral_site.fill_null(False).ifelse(0.5, home_game.cast("int64").cast("float64"))


def _with_venue(rows: ir.Table, sites: ir.Table, *, by: tuple[str, ...]) -> ir.Table:
    beside = rows.left_join(sites.select(*by, "neutral_site"), list(by))
    return shared(beside.select(rows, at_home=at_home(rows.home_game, beside.neutral_site)))


def similarity_features(
    context: ir.Table, games: ir.Table, defense_games: ir.Table, team_context: ir.Table, season_games: ir.Table
) -> ir.Table:
    """Compute the features of `SIMILARITY_FEATURES`, one row per (game_date, player_id) of the context with an earlier game.

    Args:
        context: Listed players of the day.
        games: Facts of players of the season.
        defense_games: Facts of defences of the season.
        team_context: Teams of the day, with `neutral_site`.
        season_games: Games of the schedule of the season, with `neutral_site`.
    """
    day = ("game_date", "season", "player_id", "opponent", "at_home")
    defenses = defense_facts(defense_games)
    outcomes = {m.name: m.actual(games) for m in MARKETS.values()}
    played = _with_venue(games.mutate(**outcomes), season_games, by=("game_date", "game_id"))
    facts = circumstances(played.select(*day, *outcomes), games, defenses, past=True)
    listed = _with_venue(context, team_context, by=("game_date", "team"))
    slate = circumstances(listed.select(*day), games, defenses)
    pairs = asof.earlier_facts(
        slate, facts.drop("opponent", "at_home"), last=LAST, by=("player_id",), fact_day="game_date"
    )
    rows = slate.inner_join(pairs, ["game_date", "season", "player_id"])
    likeness: Any = 1.0
    for what in CLOSENESS:
        likeness = likeness * closeness(what, slate[what], pairs[f"past_{what}"])
    recency = ibis.literal(0.5) ** ((pairs.facts_ago - 1).cast("float64") / RECENCY_HALF_LIFE)
    weighted = rows.select(
        slate.game_date,
        slate.player_id,
        weight=(WEIGHT_SCALE * likeness * recency).round().cast("int64"),
        **{m: pairs[f"past_{m}"] for m in MARKETS},
    )
    total = weighted.weight.sum()
    means = {f"similar_{m}": (weighted.weight * weighted[m]).sum().cast("float64") / total for m in MARKETS}
    return shared(
        weighted.group_by("game_date", "player_id").aggregate(
            similar_games_weight=total.cast("float64") / WEIGHT_SCALE, **means
        )
    )
