"""nba_predictions.ml_feature_store_v2, computed a second time for the players that the home lists.

Contexts, caches, factors and zones are those of the home, each computed a second time by its own module; games are those of the
landing files. The order of the features in the array is the published list of the version.
"""

import numpy as np
import pandas as pd

from nba_pipeline.tables.predictions.versions import VERSIONS
from tools.recompute import player_game_summary, team_defense_game_summary, team_offense_game_summary
from tools.recompute.attendance import attendance, chances, shared_minutes
from tools.recompute.form import Form
from tools.recompute.history import before, in_last_days, last_games
from tools.recompute.league import League
from tools.recompute.similar_games import circumstances, similar

TABLE = "nba_predictions.ml_feature_store_v2"
LEFT_OUT = {"insufficient_data_reason": "wording"}
# Minutes of team-mates are summed in whole ten-thousandths, so that no sum depends on the order of rows.
TOLERANCES = {"minutes_expected": 0.01, "minutes_vacated": 0.01, "features": 0.01}
CONTEXT, TEAM_CONTEXT = "nba_analytics.upcoming_player_game_context", "nba_analytics.upcoming_team_game_context"
CACHE, FACTORS = "nba_precompute.player_daily_cache", "nba_precompute.player_composite_factors"
ZONES, DEFENSE = "nba_precompute.player_shot_zone_analysis", "nba_precompute.team_defense_zone_analysis"
MARKETS = ["points", "rebounds", "assists", "threes", "pra"]
SHOT_ZONES = {"paint": 2, "mid_range": 2, "three_pt": 3}
PLAYER, TEAM = ["player_id", "season"], ["team", "season"]
GRADES = {"out": 3, "doubtful": 3, "questionable": 2, "probable": 1, "available": 0}
FORM_NAMES = ("points_avg_last_5", "points_avg_last_10", "points_avg_season", "points_std_last_10")


def recompute(league: League) -> pd.DataFrame:
    """Compute every feature of every listed player. One row per day, listed player and feature version."""
    context = league.home(CONTEXT)
    rows, facts = _joined(context, league), _facts(league)
    team_facts = team_offense_game_summary.recompute(league)
    form = Form(rows, facts, [*MARKETS, "minutes_played", "fg_attempts", "ft_attempts", "ft_makes"])
    columns = _baseline(rows, form, team_facts) | _form(rows, form) | _game(rows, team_facts)
    features = pd.concat(
        [
            pd.DataFrame(columns),
            _role(rows, facts, team_facts, columns["minutes_form"], league),
            _matchup(rows, form, league),
            _similar(rows, facts, columns["home_away"], league),
        ],
        axis=1,
    )
    table = pd.concat([rows[[*KEPT]], features], axis=1)
    return pd.concat([_of_version(table, name) for name in VERSIONS], ignore_index=True)


def _of_version(table: pd.DataFrame, version: str) -> pd.DataFrame:
    """Keep the features of a version, and none of another, and describe them."""
    declared = {f.name for f in VERSIONS[version].features}
    others = {f.name for v in VERSIONS.values() for f in v.features} - declared
    rows = table.assign(feature_version=version, **dict.fromkeys(others, np.nan))
    return pd.concat([rows, _summary(rows, version)], axis=1)


KEPT = (
    *("game_date", "player_id", "player_name", "player_lookup", "game_id", "season", "season_type", "team", "opponent"),
    *("home_game", "days_rest", "games_played_season", "early_season_flag"),
)


def _facts(league: League) -> pd.DataFrame:
    facts = player_game_summary.facts(league)
    return facts.assign(threes=facts.three_pt_makes, pra=facts.points + facts.rebounds + facts.assists)


def _joined(context: pd.DataFrame, league: League) -> pd.DataFrame:
    """Put beside each listed player what the home's other tables of the day say."""
    rows = context
    for name, day, prefix in (
        (CACHE, "cache_date", "cache_"),
        (FACTORS, "game_date", "factor_"),
        (ZONES, "analysis_date", "zone_"),
    ):
        other = league.home(name).rename(columns={day: "game_date"})
        keys = ["game_date", "player_id"]
        renamed = other.rename(columns={c: prefix + c for c in other.columns if c not in keys})
        rows = rows.merge(renamed, on=keys, how="left", validate="1:1")
    defense = league.home(DEFENSE).rename(columns={"analysis_date": "game_date", "team": "opponent"})
    keys = ["game_date", "opponent"]
    renamed = defense.rename(columns={c: "against_" + c for c in defense.columns if c not in keys})
    rows = rows.merge(renamed, on=keys, how="left", validate="m:1")
    teams = league.home(TEAM_CONTEXT)[
        ["game_date", "team", "team_days_rest", "neutral_site", "game_spread", "implied_team_total"]
    ]
    return rows.merge(teams, on=["game_date", "team"], how="left", validate="m:1")


def _baseline(rows: pd.DataFrame, form: Form, team_facts: pd.DataFrame) -> dict[str, pd.Series]:
    three, five = form.of[3], form.of[5]
    trend = (three.points / 3 - (five.points - three.points) / 2).where(five.games == 5)
    share = rows.cache_minutes_avg_last_10 / rows.cache_minutes_avg_season
    wins = team_facts.assign(wins=team_facts.win_flag.astype(float))
    team = before(rows, "game_date", last_games(wins, TEAM, ["wins"]), TEAM)
    ten = form.of[10]
    neutral = rows.neutral_site.astype("boolean").fillna(False).astype(bool)
    rest = rows[["days_rest", "team_days_rest"]].min(axis=1, skipna=False)
    unmapped = rows.injury_status.isna() & rows.injury_reported_on.notna()
    return {
        **{name: rows[f"cache_{name}"] for name in (*FORM_NAMES, "games_in_last_7_days")},
        **{
            name: rows[f"factor_{name}"]
            for name in ("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score")
        },
        "rest_advantage": (rest - rows.opponent_days_rest).clip(-2, 2),
        "injury_risk": rows.injury_status.map(GRADES).fillna(0).where(rows.injuries_reported).mask(unmapped),
        "recent_trend": _grade(trend, (2, 5)),
        "minutes_change": _grade(share - 1, (0.10, 0.20)).where(rows.games_played_season > 10),
        "opponent_def_rating": rows.against_defensive_rating_last_15,
        "opponent_pace": rows.against_opponent_pace,
        "home_away": rows.home_game.astype(float).mask(neutral, 0.5),
        "back_to_back": rows.back_to_back.astype(float),
        "playoff_game": rows.game_id.str.startswith("004").astype(float),
        "pct_paint": rows.zone_paint_rate_last_10 / 100,
        "pct_mid_range": rows.zone_mid_range_rate_last_10 / 100,
        "pct_three": rows.zone_three_pt_rate_last_10 / 100,
        "pct_free_throw": (ten.ft_makes / ten.points.replace(0, np.nan)).clip(upper=0.5).where(ten.games >= 5),
        "team_pace": rows.cache_team_pace_last_10,
        "team_off_rating": rows.cache_team_off_rating_last_10,
        "team_win_pct": (team.wins / team.games).where(team.games >= 5),
    }


def _grade(value: pd.Series, steps: tuple[float, float]) -> pd.Series:
    """Grade from -2 to 2 by two thresholds to either side."""
    low, high = steps
    size = (value.abs() >= low - 1e-9).astype(float) + (value.abs() >= high - 1e-9)
    return (size * value.map(np.sign)).where(value.notna())


def _form(rows: pd.DataFrame, form: Form) -> dict[str, pd.Series]:
    columns = {}
    for market in MARKETS:
        if market != "points":
            columns |= {
                f"{market}_avg_last_5": form.mean(market, 5, 5),
                f"{market}_avg_last_10": form.mean(market, 10, 10),
                f"{market}_avg_season": form.mean(market, 0, 1),
                f"{market}_std_last_10": form.spread(market),
            }
        columns |= {
            f"{market}_avg_last_3": form.mean(market, 3, 3),
            f"{market}_ewma": form.ewma(market),
            f"{market}_form": form.form(market),
            f"{market}_per_minute": form.per_minute(market),
            f"{market}_per_minute_year": form.per_minute_year(market),
        }
    latest = before(rows, "game_date", form.facts[[*PLAYER, "game_date", "minutes_played"]], PLAYER)
    minutes = "minutes_played"
    return columns | {
        "minutes_last_game": latest.minutes_played,
        "minutes_avg_last_3": form.mean(minutes, 3, 3),
        "minutes_avg_last_5": form.mean(minutes, 5, 5),
        "minutes_avg_last_10": form.mean(minutes, 10, 5),
        "minutes_avg_season": form.mean(minutes, 0, 1),
        "minutes_std_last_10": form.spread(minutes),
        "minutes_form": form.form(minutes),
        "minutes_avg_year": form.year[minutes] / form.year.games.where(form.year.games > 0),
        "shots_ewma": form.ewma("fg_attempts"),
        "free_throws_ewma": form.ewma("ft_attempts"),
        "usage_rate_season": rows.cache_player_usage_rate_season,
    }


def _game(rows: pd.DataFrame, team_facts: pd.DataFrame) -> dict[str, pd.Series]:
    lines = team_facts.assign(
        threes=team_facts.three_pt_makes, pra=team_facts.points + team_facts.rebounds + team_facts.assists
    )
    allowed = lines.drop(columns="team").rename(columns={"opponent": "team"})
    sides = rows[["game_date", "season", "opponent"]].rename(columns={"opponent": "team"})
    season = before(sides, "game_date", last_games(allowed, TEAM, MARKETS), TEAM)
    league = in_last_days(sides, "game_date", _by_day(lines), ["season"], [*MARKETS, "teams"], 30)
    columns = {
        f"opponent_{m}_allowed": (season[m] / season.games - league[m] / league.teams.replace(0, np.nan)).where(
            season.games >= 5
        )
        for m in MARKETS
    }
    return columns | {
        "game_spread": rows.game_spread,
        "spread_size": rows.game_spread.abs(),
        "implied_team_total": rows.implied_team_total,
        "projected_usage_rate": rows.projected_usage_rate,
        "star_teammates_out": rows.star_teammates_out,
    }


def _by_day(lines: pd.DataFrame) -> pd.DataFrame:
    return lines.assign(teams=1.0).groupby(["season", "game_date"], as_index=False)[[*MARKETS, "teams"]].sum()


def _role(
    rows: pd.DataFrame, facts: pd.DataFrame, team_facts: pd.DataFrame, minutes_form: pd.Series, league: League
) -> pd.DataFrame:
    past = league.home(CONTEXT, history=True)
    past = past[past.season.isin(rows.season)].reset_index(drop=True)
    past = pd.concat([past, attendance(past, facts, team_facts)], axis=1)
    own = pd.concat([rows, attendance(rows, facts, team_facts)], axis=1)
    own = own.assign(minutes_form=minutes_form, play_chance=chances(own, past, facts, team_facts, minutes_form))
    chance, minutes = own.play_chance.fillna(0), own.minutes_form.fillna(0)
    team = [own.game_date, own.team]
    vacated = minutes * own.appearance_share.fillna(0) * (1 - chance)
    newly = minutes.where((own.injury_status == "out") & (own.team_games_missed == 0), 0)
    begun = own.team_games > 0
    columns = {
        **{name: own[name] for name in ATTENDANCE},
        "play_chance": own.play_chance,
        "rotation_rank": _rank(own, chance, minutes),
        "minutes_expected": shared_minutes(own),
        "minutes_vacated": (vacated.groupby(team).transform("sum") - vacated).where(begun),
        "minutes_newly_out": (newly.groupby(team).transform("sum") - newly).where(begun & own.injuries_reported),
    }
    return pd.DataFrame(columns)


ATTENDANCE = (
    *("team_games_missed", "appearance_share", "starter_last_game"),
    *("starter_share_last_5", "minutes_rank_last_5"),
)


def _rank(rows: pd.DataFrame, chance: pd.Series, minutes: pd.Series) -> pd.Series:
    """1 + team-mates who are more likely than not to play and have as many minutes or more."""
    own = rows[["game_date", "team"]].assign(row=range(len(rows)), minutes=minutes.round(4), plays=chance >= 0.5)
    pairs = own.merge(own[own.plays], on=["game_date", "team"], suffixes=("", "_mate"))
    pairs = pairs[pairs.row != pairs.row_mate]
    more = (pairs.minutes_mate >= pairs.minutes).groupby(pairs.row).sum()
    rank = 1.0 + more.reindex(range(len(rows)), fill_value=0).to_numpy()
    return pd.Series(rank, rows.index).where(rows.minutes_form.notna())


def _matchup(rows: pd.DataFrame, form: Form, league: League) -> pd.DataFrame:
    """Compute what the opponent allows beyond the mean of all teams, times what the player makes of it."""
    defense = league.home(DEFENSE)
    own_games = team_defense_game_summary.recompute(league).rename(columns={"defending_team": "team"})
    sides = defense.rename(columns={"analysis_date": "game_date"})
    fifteen = before(sides, "game_date", last_games(own_games, TEAM, ["opp_ft_makes"], 15), TEAM)
    throws = (fifteen.opp_ft_makes / fifteen.games).where(fifteen.games >= 5)
    defense = sides.assign(throws=throws)
    measures = {z: f"{z}_attempts_allowed_per_game" for z in SHOT_ZONES} | {"throws": "throws", "pace": "opponent_pace"}
    means = defense.groupby("game_date")[[*measures.values()]].transform("mean")
    beyond = pd.DataFrame({name: defense[c] / means[c].replace(0, np.nan) - 1 for name, c in measures.items()})
    beyond["pace"] = defense.opponent_pace - means.opponent_pace
    keyed = pd.concat([defense[["game_date", "team"]].rename(columns={"team": "opponent"}), beyond], axis=1)
    against = rows[["game_date", "opponent"]].merge(keyed, on=["game_date", "opponent"], how="left", validate="m:1")
    columns = {}
    for zone, points in SHOT_ZONES.items():
        attempts, made = rows[f"zone_{zone}_attempts_per_game"], rows[f"zone_{zone}_pct_last_10"]
        shots = attempts * rows.zone_games_in_sample_10
        # His percentage is balanced with a hundred shots at the league's.
        share = (shots * made.fillna(0) + 100 * rows[f"against_{zone}_league_pct"]) / (shots + 100)
        columns[f"{zone}_volume_edge"] = points * attempts * share * against[zone]
        columns[f"{zone}_accuracy_edge"] = points * attempts * rows[f"against_{zone}_defense_vs_league_avg"] / 100
    return pd.DataFrame(columns).assign(
        free_throw_edge=form.mean("ft_makes", 10, 5) * against.throws,
        pace_edge=against.pace / rows.cache_team_pace_last_10.replace(0, np.nan),
    )


def _similar(rows: pd.DataFrame, facts: pd.DataFrame, home_away: pd.Series, league: League) -> pd.DataFrame:
    defenses = team_defense_game_summary.recompute(league).rename(columns={"defending_team": "team"})
    possessions = 100 * defenses.points_allowed / defenses.defensive_rating
    defenses = defenses.assign(possessions=possessions)
    facts = facts[facts.season.isin(rows.season)].reset_index(drop=True)
    neutral = facts.game_id.map(league.games.set_index("game_id").neutral_site).astype("boolean").fillna(False)
    past = facts.assign(home_away=facts.home_game.astype(float).mask(neutral.astype(bool), 0.5))
    past = pd.concat([past, circumstances(past, facts, defenses)], axis=1)
    own = rows[["game_date", *PLAYER, "opponent"]].assign(home_away=home_away)
    return similar(pd.concat([own, circumstances(own, facts, defenses)], axis=1), past, MARKETS)


def _summary(rows: pd.DataFrame, version: str) -> pd.DataFrame:
    """Describe the list of features of a version: values, how many are known, and the share by weight."""
    declared = VERSIONS[version].features
    values = rows[[f.name for f in declared]].astype(float)
    known = values.notna()
    weight = np.array([3.0 if f.name in FORM_NAMES else float(bool(f.missing)) for f in declared])
    names = [", ".join(f.name for f, k in zip(declared, row, strict=True) if not k) for row in known.to_numpy()]
    return pd.DataFrame(
        {
            "features": list(values.to_numpy()),
            "feature_count": len(declared),
            "known_features": known.sum(axis=1),
            "unknown_features": pd.Series(names, rows.index).replace("", None),
            "feature_quality_score": 100 * (known.to_numpy() * weight).sum(axis=1) / weight.sum(),
            "is_production_ready": (rows.games_played_season >= 10) & known[[*FORM_NAMES[:3]]].all(axis=1),
        }
    )
