"""Simulated season beside a recorded one: `python -m benchmarks.simulator_realism [DIRECTORY] [--seeds 7 8] [--table]`.

DIRECTORY holds recorded seasons in the landing layout (one Parquet file per feed); without it, or where a feed or
season is absent there, the second column says so. Both columns are computed by the same functions. Regular season
only.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from benchmarks import recorded_figures
from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.simulator import simulate_season

Frames = dict[str, pd.DataFrame]
USED = ("schedule", "player_boxscores", "team_boxscores", "shots", "prop_lines", "game_lines", "injuries")
HISTORY = 10  # earlier games of the season before a player-game counts in the error rows


def _regular(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["game_id"].str.startswith("002", na=False)]


def recorded(directory: Path, season: str) -> Frames:
    """The feeds of one recorded season; feeds that are absent are left out."""
    frames: Frames = {}
    for feed in USED:
        path = directory / f"{feed}.parquet"
        if path.exists():
            frame = pd.read_parquet(path, filters=[("season", "==", season)])
            if len(frame):
                frames[feed] = _regular(frame) if feed != "injuries" else frame
    return frames


def simulated(season: str, seed: int) -> Frames:
    tables = simulate_season(season, seed)
    frames = {feed: tables[feed].to_pandas() for feed in USED}
    return {feed: frame if feed == "injuries" else _regular(frame) for feed, frame in frames.items()}


def box_figures(frames: Frames) -> dict[str, float]:
    p, t = frames["player_boxscores"], frames["team_boxscores"]
    minutes = p["min_exact"].where(p["min_exact"].notna(), p["min"])
    team = p.merge(t[["game_id", "team_id", "fga", "fta", "tov"]], on=["game_id", "team_id"], suffixes=("", "_team"))
    team_minutes = minutes.groupby([p["game_id"], p["team_id"]]).transform("sum").to_numpy()
    plays = team["fga"] + 0.44 * team["fta"] + team["tov"]
    team_plays = team["fga_team"] + 0.44 * team["fta_team"] + team["tov_team"]
    usage = 100 * plays.to_numpy() * team_minutes / 5 / (np.maximum(minutes.to_numpy(), 0.01) * team_plays.to_numpy())
    usage = usage[minutes.to_numpy() >= 5]
    by_rank = p.assign(m=minutes).sort_values("m", ascending=False).groupby(["game_id", "team_id"])["m"]
    long = p[minutes >= 20]
    per36 = (
        long.groupby("player_id")[["pts", "ast", "reb", "fg3a"]]
        .sum()
        .div(minutes[long.index].groupby(long["player_id"]).sum(), axis=0)
        * 36
    )
    per36 = per36[long.groupby("player_id").size() >= 30]
    out = {
        "players per game": len(p) / p["game_id"].nunique(),
        "players used": p["player_id"].nunique(),
        "points mean": p["pts"].mean(),
        "points sd": p["pts"].std(),
        **{f"points q{q}": p["pts"].quantile(q / 100) for q in (10, 25, 50, 75, 90, 99)},
        "points max": p["pts"].max(),
        "minutes mean": minutes.mean(),
        "minutes sd": minutes.std(),
        "minutes of 1st": by_rank.nth(0).mean(),
        "minutes of 5th": by_rank.nth(4).mean(),
        "minutes of 8th": by_rank.nth(7).mean(),
        "minutes of 10th": by_rank.nth(9).mean(),
        "usage mean (5+ min)": float(np.mean(usage)),
        "usage sd (5+ min)": float(np.std(usage)),
        "per 36 points sd between": per36["pts"].std(),
        "per 36 assists sd between": per36["ast"].std(),
        "per 36 rebounds sd between": per36["reb"].std(),
        "per 36 threes tried sd between": per36["fg3a"].std(),
    }
    for name in ("oreb", "dreb", "ast", "stl", "blk", "tov", "pf"):
        out[f"player {name} mean"] = p[name].mean()
        out[f"player {name} sd"] = p[name].std()
    out["player fga sd"], out["player fta sd"], out["plus-minus sd"] = (
        p["fga"].std(),
        p["fta"].std(),
        p["plus_minus"].std(),
    )
    return out


def team_figures(frames: Frames) -> dict[str, float]:
    t = frames["team_boxscores"]
    total = t[["fgm", "fga", "fg3m", "fg3a", "ftm", "fta"]].sum()
    home = t[t["is_home"]]
    return {
        "team points mean": t["pts"].mean(),
        "team points sd": t["pts"].std(),
        "field goal %": 100 * total["fgm"] / total["fga"],
        "three-point %": 100 * total["fg3m"] / total["fg3a"],
        "three-point share %": 100 * total["fg3a"] / total["fga"],
        "free throw %": 100 * total["ftm"] / total["fta"],
        "team fga": t["fga"].mean(),
        "team fta": t["fta"].mean(),
        "team fta sd": t["fta"].std(),
        "team rebounds": t["reb"].mean(),
        "team assists": t["ast"].mean(),
        "team turnovers": t["tov"].mean(),
        "possessions": t["possessions_est"].mean(),
        "possessions sd": t["possessions_est"].std(),
        "margin sd": home["plus_minus"].std(),
        "home margin": home["plus_minus"].mean(),
        "home win %": 100 * (home["wl"] == "W").mean(),
        "overtime %": 100 * (t["min"] >= 255).mean(),
        "club margin sd": t.groupby("team")["plus_minus"].mean().std(),
        "club points sd": t.groupby("team")["pts"].mean().std(),
        "both teams' points r": home["pts"].corr(home["opponent_pts"]),
    }


def shot_figures(frames: Frames) -> dict[str, float]:
    s = frames["shots"]
    out = {}
    corner = s["zone_basic"].isin(["Left Corner 3", "Right Corner 3"])
    zones = {"paint": s["zone_pmt"] == "paint", "mid-range": s["zone_pmt"] == "mid_range"}
    zones |= {"corner three": corner, "above-break three": (s["zone_pmt"] == "three_pt") & ~corner}
    for name, mask in zones.items():
        out[f"shots {name} share %"] = 100 * mask.mean()
        out[f"shots {name} made %"] = 100 * s.loc[mask, "shot_made"].mean()
    out["shots distance mean"] = s["shot_distance"].mean()
    return out


def _history(p: pd.DataFrame) -> pd.DataFrame:
    p = p.sort_values(["player_id", "game_date", "game_id"])
    points = p.groupby("player_id")["pts"]
    past = pd.DataFrame({"season average": points.transform(lambda s: s.shift().expanding().mean())})
    for n in (5, 10):
        past[f"last {n}"] = points.transform(lambda s, n=n: s.shift().rolling(n).mean())
    past["EWM half-life 8"] = points.transform(lambda s: s.shift().ewm(halflife=8).mean())
    enough = points.cumcount() >= HISTORY
    return pd.concat([p[["game_id", "game_date", "player_id", "pts", "min"]], past], axis=1)[enough]


def error_figures(frames: Frames) -> dict[str, float]:
    h = _history(frames["player_boxscores"])
    past = ["last 5", "last 10", "season average", "EWM half-life 8"]
    out = {f"MAE {name}": (h["pts"] - h[name]).abs().mean() for name in past}
    if "prop_lines" in frames:
        c = frames["prop_lines"]
        c = c[c["is_closing_main"] & (c["market"] == "points") & c["player_id"].notna()]
        line = c.groupby(["player_id", "game_date"])["line"].median().rename("line").reset_index()
        j = h.merge(line, on=["player_id", "game_date"])
        off = j["pts"] - j["line"]
        out |= {
            "rows with a line": len(j),
            "MAE market line": off.abs().mean(),
            **{f"MAE {name}, rows with a line": (j["pts"] - j[name]).abs().mean() for name in past},
            "line bias": off.mean(),
            "over %": 100 * (off > 0).sum() / (off != 0).sum(),
            "line mean": line["line"].mean(),
            "line sd": line["line"].std(),
            "line r points": j["line"].corr(j["pts"]),
        }
    return out


def persistence_figures(frames: Frames) -> dict[str, float]:
    """Correlations of a player's deviations from the mean of his season, 1 and 5 games apart, and noise of minutes.

    Players with 41 games and 15 minutes a game. Deviations from a finite mean are negatively correlated by about
    1 / games, which is the same in both columns.
    """
    p = frames["player_boxscores"].sort_values(["player_id", "game_date", "game_id"])
    minutes = p["min_exact"].where(p["min_exact"].notna(), p["min"]).astype(float)
    p = p.assign(minutes=minutes, rate=p["pts"] / minutes.where(minutes >= 5))
    by = p.groupby("player_id")
    p = p[(by["minutes"].transform("size") >= 41) & (by["minutes"].transform("mean") >= 15)]
    out = {}
    for name, column in (("points", "pts"), ("minutes", "minutes"), ("points a minute", "rate")):
        deviation = p[column] - p.groupby("player_id")[column].transform("mean")
        for lag in (1, 5):
            out[f"{name} autocorrelation {lag}"] = deviation.corr(deviation.groupby(p["player_id"]).shift(lag))
        out[f"{name} sd within a player"] = deviation.std()
    return out


def script_figures(frames: Frames) -> dict[str, float]:
    """How often games are decided early, and what that does to the minutes of the starters."""
    p, t = frames["player_boxscores"], frames["team_boxscores"]
    margin = t.set_index(["game_id", "team_id"])["plus_minus"].abs()
    top = p.assign(m=p["min"]).sort_values("m", ascending=False).groupby(["game_id", "team_id"])["m"]
    mean_of_five = top.apply(lambda m: m.head(5).mean())
    size = margin.reindex(mean_of_five.index)
    return {
        "margins of 20 and more %": 100 * (margin >= 20).mean(),
        "margins up to 5 %": 100 * (margin <= 5).mean(),
        "first five's minutes, margin up to 5": mean_of_five[size <= 5].mean(),
        "first five's minutes, margin 20 and more": mean_of_five[size >= 20].mean(),
    }


def _closing_points(frames: Frames) -> pd.DataFrame:
    """Closing points lines beside what happened and what the history says. One row per player-game with a line."""
    c = frames["prop_lines"]
    c = c[c["is_closing_main"] & (c["market"] == "points") & c["player_id"].notna()]
    line = c.groupby(["player_id", "game_date"])["line"].median().rename("line").reset_index()
    return _history(frames["player_boxscores"]).merge(line, on=["player_id", "game_date"])


def market_figures(frames: Frames) -> dict[str, float]:
    """What a bettor could take from the points market: bias by size of line, news in the history, margin."""
    j = _closing_points(frames)
    off, news = j["pts"] - j["line"], j["EWM half-life 8"] - j["line"]
    decided = off != 0
    out = {"EWM beyond the line, points per point": news.cov(off) / news.var()}
    for name, low, high in (("up to 11.5", 0, 12), ("12 to 18.5", 12, 19), ("19 and more", 19, 99)):
        here = decided & (j["line"] >= low) & (j["line"] < high)
        out[f"over %, lines {name}"] = 100 * (off[here] > 0).mean()
    for name, here in (("above the EWM by 2", news < -2), ("below the EWM by 2", news > 2)):
        out[f"over %, lines {name}"] = 100 * (off[here & decided] > 0).mean()
    out["line off the EWM sd"] = news.std()
    c = frames["prop_lines"]
    both = c[(c["market"] == "points") & c["is_closing_main"] & c["over_odds"].notna() & c["under_odds"].notna()]
    if len(both):
        implied = _implied(both["over_odds"]) + _implied(both["under_odds"])
        out["vig of points %"] = 100 * (implied[(implied > 1) & (implied < 1.12)] - 1).mean()
        keys = [both["player_id"], both["game_date"]]
        out["books' lines range"] = (both["line"].groupby(keys).max() - both["line"].groupby(keys).min()).mean()
    return out


def _implied(odds: pd.Series) -> pd.Series:
    return (100 / (odds + 100)).where(odds > 0, -odds / (100 - odds))


def movement_figures(frames: Frames) -> dict[str, float]:
    """How far game lines move from the morning to the close."""
    g = frames["game_lines"]
    medians = g.groupby(["game_id", "line_kind"])[["spread_home", "total"]].median().unstack("line_kind")
    out = {}
    for column, name in (("spread_home", "spread"), ("total", "total")):
        if ("closing" in medians[column]) and ("snapshot_morning" in medians[column]):
            moved = (medians[column]["closing"] - medians[column]["snapshot_morning"]).abs().dropna()
            out |= {f"{name} moves, mean": moved.mean(), f"{name} moves by 2 and more %": 100 * (moved >= 2).mean()}
    return out


def game_line_figures(frames: Frames) -> dict[str, float]:
    g = frames["game_lines"]
    g = g[g["line_kind"] == "closing"].groupby("game_id")[["spread_home", "total"]].median()
    j = frames["schedule"].set_index("game_id").join(g, how="inner")
    margin, total = j["home_pts"] - j["away_pts"], j["home_pts"] + j["away_pts"]
    return {
        "MAE spread": (margin + j["spread_home"]).abs().mean(),
        "MAE total": (total - j["total"]).abs().mean(),
        "spread sd": j["spread_home"].std(),
        "total sd": j["total"].std(),
        "game total sd": total.std(),
        "home covers %": 100 * ((margin + j["spread_home"]) > 0).mean(),
    }


def volume_figures(frames: Frames) -> dict[str, float]:
    s, injuries, p = frames["schedule"], frames["injuries"], frames["player_boxscores"]
    team_games = pd.concat([s[["game_date", c]].set_axis(["day", "team"], axis=1) for c in ("home_team", "away_team")])
    gap = (
        pd.to_datetime(team_games["day"])
        .groupby(team_games["team"])
        .transform(lambda d: d.sort_values().diff().dt.days)
    )
    regulars = (
        p.groupby(["team_id", "player_id"])["min"]
        .agg(["mean", "size"])
        .query("mean >= 24 and size >= 20")
        .reset_index()
    )
    spans = p.merge(regulars[["team_id", "player_id"]], on=["team_id", "player_id"]).groupby(["team_id", "player_id"])[
        "game_date"
    ]
    first, last = spans.min(), spans.max()
    dates = {
        t: np.sort(d.to_numpy()) for t, d in p.drop_duplicates(["team_id", "game_id"]).groupby("team_id")["game_date"]
    }
    during = sum(
        int(((dates[t] >= a) & (dates[t] <= b)).sum()) for (t, _), a, b in zip(first.index, first, last, strict=True)
    )
    reports = injuries[injuries["record_type"] == "status_snapshot"]
    listed = reports.groupby(["report_date", "team"])["player_name_source"].nunique()
    return {
        "game days": s["game_date"].nunique(),
        "player rows per day": len(p) / s["game_date"].nunique(),
        "back-to-backs per team": float((gap == 1).sum()) / 30,
        "games missed by regulars %": 100 * (1 - spans.size().sum() / during),
        "absences in box scores per game": (injuries["record_type"] == AFTER_GAME).sum() / s["game_id"].nunique(),
        "listed per team and report day": listed.mean(),
        "out of listed %": 100 * reports["status"].isin(["out", "out for season", "injured"]).mean(),
    }


GROUPS: tuple[tuple[Callable[[Frames], dict[str, float]], tuple[str, ...]], ...] = (
    (box_figures, ("player_boxscores", "team_boxscores")),
    (team_figures, ("team_boxscores",)),
    (shot_figures, ("shots",)),
    (error_figures, ("player_boxscores",)),
    (persistence_figures, ("player_boxscores",)),
    (script_figures, ("player_boxscores", "team_boxscores")),
    (market_figures, ("player_boxscores", "prop_lines")),
    (game_line_figures, ("game_lines", "schedule")),
    (movement_figures, ("game_lines",)),
    (volume_figures, ("schedule", "injuries", "player_boxscores")),
)


def figures(frames: Frames) -> dict[str, float]:
    """All figures whose feeds are there."""
    return {k: float(v) for compute, needs in GROUPS if set(needs) <= set(frames) for k, v in compute(frames).items()}


def mean_figures(season: str, seeds: Sequence[int]) -> dict[str, float]:
    """Return the figures of simulated seasons of several seeds, averaged."""
    runs = [figures(simulated(season, seed)) for seed in seeds]
    return {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, help="recorded seasons in the landing layout")
    parser.add_argument("--season", default="2023-24")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--table", action="store_true", help="write the table of docs/simulator.md instead")
    options = parser.parse_args()
    if options.table:
        print(recorded_figures.table(mean_figures(options.season, options.seeds)))
        return
    real: dict[str, float] = {}
    if options.directory is not None and options.directory.is_dir():
        real = figures(recorded(options.directory, options.season))
    else:
        print("no recorded seasons given: the column of recorded figures is skipped")
    started = perf_counter()
    runs = [figures(simulated(options.season, seed)) for seed in options.seeds]
    taken = (perf_counter() - started) / len(runs)
    print(f"season {options.season}, seeds {options.seeds}, {taken:.1f} s per simulated season with its figures\n")
    print(f"{'figure':36s}{'simulated':>12s}{'recorded':>12s}{'difference':>12s}")
    for name in runs[0]:
        value = float(np.mean([run[name] for run in runs]))
        if name not in real:
            print(f"{name:36s}{value:12.3f}{'skipped':>12s}")
            continue
        difference = f"{100 * (value / real[name] - 1):+11.1f}%" if abs(real[name]) > 1e-9 else ""
        print(f"{name:36s}{value:12.3f}{real[name]:12.3f}{difference:>12s}")


if __name__ == "__main__":
    main()
