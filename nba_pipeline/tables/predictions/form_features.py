"""Features of form: recent production in every market, minutes and shot volume.

Every market has the same features, made from the one list of markets: a model of rebounds reads `rebounds_form` where one of
points reads `points_form`. Two of them look beyond the season, at the 365 days before the day, so that a player is known
on opening night: a form that few games of the season make is balanced with the year's.
"""

from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.markets import MARKETS, Market
from nba_pipeline.tables.precompute.samples import MIN_GAMES
from nba_pipeline.tables.predictions.features import BASELINE_25, LAST_5, LAST_10, PLAYER_GAMES, SEASON, Feature
from nba_pipeline.tables.shared import exact_sums as exact

YEAR_DAYS = 365
HALF_LIFE = 8

# Chosen on 2022-23 and 2023-24. Games of the year that stand beside the season's form: with 1 or 2, points_form has the same
# MAE from 10 games on (4.65 in 2023-24), with 4 it is 0.007 worse; before 10 games 2 is best. Minutes at the year's rate beside
# the season's, and at the league's rate beside the year's: half or twice as much costs up to 0.003 (given the minutes played).
YEAR_GAMES = 2.0
YEAR_MINUTES = 250.0
LEAGUE_MINUTES = 75.0

LAST_3 = "last 3 games of the season"
YEAR = f"{YEAR_DAYS} days before the day"
SEASON_AND_YEAR = f"{SEASON}; {YEAR}"
NO_GAME, NO_YEAR = "before the player's first game of the season", "without a game in the year"


def _of_market(m: Market) -> tuple[Feature, ...]:
    def feature(
        name: str, description: str, window: str, missing: str, unit: str = m.unit, highest: int = 150
    ) -> Feature:
        return Feature(f"{m.name}_{name}", unit, description, PLAYER_GAMES, window, missing, bounds=(0, highest))

    per_minute = f"{m.unit} per minute"
    return (
        feature("avg_last_3", f"mean {m.name} of the player's last 3 games", LAST_3, "with fewer than 3"),
        feature("avg_last_5", f"mean {m.name} of the player's last 5 games", LAST_5, "with fewer than 5"),
        feature("avg_last_10", f"mean {m.name} of the player's last 10 games", LAST_10, "with fewer than 10"),
        feature("avg_season", f"mean {m.name} of the season", SEASON, "before the player's first game"),
        feature(
            "std_last_10", f"sample standard deviation of the player's {m.name}", LAST_10, "with fewer than 5 games"
        ),
        feature("ewma", f"mean {m.name}, the weight of a game halved every {HALF_LIFE} games", SEASON, NO_GAME),
        feature(
            "form",
            f"{m.name}_ewma balanced with the player's mean of the year: (w·ewma + {YEAR_GAMES:g}·mean) / (w + {YEAR_GAMES:g}),"
            f" w = Σ 0.5^(i/{HALF_LIFE}) over the player's games of the season",
            SEASON_AND_YEAR,
            NO_YEAR,
        ),
        feature(
            "per_minute",
            f"{m.name} per minute of the season, balanced with {YEAR_MINUTES:g} minutes at {m.name}_per_minute_year",
            SEASON_AND_YEAR,
            NO_YEAR,
            unit=per_minute,
            highest=20,
        ),
        feature(
            "per_minute_year",
            f"{m.name} per minute of the year, balanced with {LEAGUE_MINUTES:g} minutes at the rate of all players",
            YEAR,
            NO_YEAR,
            unit=per_minute,
            highest=20,
        ),
    )


def _minutes(name: str, description: str, window: str, missing: str, highest: float = 70) -> Feature:
    return Feature(f"minutes_{name}", "minutes", description, PLAYER_GAMES, window, missing, bounds=(0, highest))


def _attempts(name: str, what: str) -> Feature:
    return Feature(
        f"{name}_ewma",
        "shots",
        f"mean {what} a game, the weight of a game halved every {HALF_LIFE} games",
        PLAYER_GAMES,
        SEASON,
        NO_GAME,
        bounds=(0, 60),
    )


FORM_FEATURES: tuple[Feature, ...] = (
    *(f for m in MARKETS.values() for f in _of_market(m) if f.name not in BASELINE_25.names),
    _minutes("last_game", "minutes of the player's latest game", "latest game of the season", NO_GAME),
    _minutes("avg_last_3", "mean minutes of the player's last 3 games", LAST_3, "with fewer than 3"),
    _minutes("avg_last_5", "mean minutes of the player's last 5 games", LAST_5, "with fewer than 5"),
    _minutes("avg_last_10", "mean minutes of the player's last 10 games", LAST_10, "with fewer than 5"),
    _minutes("avg_season", "mean minutes of the season", SEASON, NO_GAME),
    _minutes(
        "std_last_10", "sample standard deviation of the player's minutes", LAST_10, "with fewer than 5 games", 40
    ),
    _minutes("form", "the player's minutes, weighted and balanced as points_form", SEASON_AND_YEAR, NO_YEAR),
    _minutes("avg_year", "mean minutes of the year", YEAR, NO_YEAR),
    _attempts("shots", "field-goal attempts"),
    _attempts("free_throws", "free-throw attempts"),
    Feature(
        "usage_rate_season",
        "percent",
        "usage rate, weighted by minutes",
        PLAYER_GAMES,
        SEASON,
        NO_GAME,
        bounds=(0, 1000),
    ),
)

MARKET_FORM = {
    "avg_last_3": lambda m: asof.mean(m, last=3, at_least=3),
    "avg_last_5": lambda m: asof.mean(m, last=5, at_least=5),
    "avg_last_10": lambda m: asof.mean(m, last=10, at_least=10),
    "avg_season": lambda m: asof.mean(m),
    "std_last_10": lambda m: asof.std(m, last=10, at_least=MIN_GAMES),
    "ewma": lambda m: asof.ewma(m, half_life=HALF_LIFE),
}
OTHER_FORM = {
    "minutes_last_game": asof.latest("minutes"),
    "minutes_avg_last_3": asof.mean("minutes", last=3, at_least=3),
    "minutes_avg_last_5": asof.mean("minutes", last=5, at_least=5),
    "minutes_avg_last_10": asof.mean("minutes", last=10, at_least=MIN_GAMES),
    "minutes_avg_season": asof.mean("minutes"),
    "minutes_std_last_10": asof.std("minutes", last=10, at_least=MIN_GAMES),
    "shots_ewma": asof.ewma("shots", half_life=HALF_LIFE),
    "free_throws_ewma": asof.ewma("free_throws", half_life=HALF_LIFE),
    "usage_rate_season": asof.ratio("used", "minutes"),
}
SEASON_SUMS = {
    "__games": asof.count(),
    "__minutes": asof.total("minutes"),
    "__minutes_ewma": asof.ewma("minutes", half_life=8),
}


def played(games: ir.Table) -> ir.Table:
    """Player facts under the names of this module, one row per game and player, every market a column."""
    return games.select(
        "game_date",
        "season",
        "player_id",
        **{m.name: m.actual(games) for m in MARKETS.values()},
        minutes=games.minutes_played,
        shots=games.fg_attempts,
        free_throws=games.ft_attempts,
        used=games.usage_rate * games.minutes_played,
    )


def form_features(listed: ir.Table, year: ir.Table) -> ir.Table:
    """`listed` (game_date, season, player_id, ...) with a column per feature of form, those of BASELINE_25 among them.

    `year` are player facts of the 365 days before the day.
    """
    facts = played(year)
    season = {f"{m}_{n}": make(m) for m in MARKETS for n, make in MARKET_FORM.items()}
    sums = {f"__{m}": asof.total(m) for m in MARKETS}
    rows = asof.attach(listed, facts, season | OTHER_FORM | SEASON_SUMS | sums, by=("player_id",))
    counted = ("minutes", *MARKETS)
    window = {"__games_year": asof.count(days=YEAR_DAYS)}
    window |= {f"__{c}_year": asof.total(c, days=YEAR_DAYS) for c in counted}
    rows = asof.attach(rows, facts, window, by=("player_id",), within=())
    of_the_day = facts.group_by("game_date").aggregate(**{c: exact.total(facts[c]) for c in counted})
    league = {f"__{c}_league": asof.total(c, days=YEAR_DAYS) for c in counted}
    rows = asof.attach(rows, of_the_day, league, by=(), within=())
    rates = rows.mutate(**{f"{m}_per_minute_year": _rate_of_year(rows, m) for m in MARKETS})
    balanced = {f"{m}_per_minute": _rate(rates, m) for m in MARKETS}
    balanced |= {f"{m}_form": _form(rates, rates[f"{m}_ewma"], m) for m in MARKETS}
    balanced |= {
        "minutes_form": _form(rates, rates["__minutes_ewma"], "minutes"),
        "minutes_avg_year": _mean(rates, "minutes"),
    }
    whole = rates.mutate(**balanced)
    return shared(whole.drop(*[c for c in whole.columns if c.startswith("__")]))


def _mean(t: ir.Table, column: str) -> ir.FloatingValue:
    """Mean a game of the year; NULL without a game."""
    return t[f"__{column}_year"] / t["__games_year"].nullif(0)


def _form(t: ir.Table, ewma: ir.FloatingValue, column: str) -> Any:
    halving = 0.5 ** (1 / HALF_LIFE)
    weight = (1 - ibis.literal(0.5) ** (t["__games"] / HALF_LIFE)) / (1 - halving)
    return (weight * ewma.fill_null(0.0) + YEAR_GAMES * _mean(t, column)) / (weight + YEAR_GAMES)


def _rate_of_year(t: ir.Table, market: str) -> Any:
    """NULL without minutes in the year, for the sums are NULL then."""
    league = t[f"__{market}_league"] / t["__minutes_league"].nullif(0.0)
    return (t[f"__{market}_year"] + LEAGUE_MINUTES * league) / (t["__minutes_year"] + LEAGUE_MINUTES)


def _rate(t: ir.Table, market: str) -> Any:
    season, minutes = t[f"__{market}"].fill_null(0), t["__minutes"].fill_null(0.0)
    return (season + YEAR_MINUTES * t[f"{market}_per_minute_year"]) / (minutes + YEAR_MINUTES)
