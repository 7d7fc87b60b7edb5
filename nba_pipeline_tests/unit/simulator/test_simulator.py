"""The rules of the invented league: layout, identities, determinism, schedule shape, time rules, realism."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nba_pipeline.simulator import FEEDS, simulate_season
from nba_pipeline.simulator.calendar import season_calendar
from nba_pipeline.simulator.clubs import CLUBS
from nba_pipeline.simulator.league import PERSON_ID_BASE, replay
from nba_pipeline.simulator.market import outlooks
from nba_pipeline.simulator.market_tables import game_lines_table, prop_lines_table
from nba_pipeline.simulator.schedule import regular_season
from nba_pipeline.simulator.season import play_season

SEASON, SEED = "2024-25", 11
COUNTABLE = ("002", "004", "005", "006")
Frames = dict[str, pd.DataFrame]


def digest(tables: dict[str, pa.Table]) -> str:
    """One hash over the bytes of every feed."""
    total = hashlib.sha256()
    for feed in FEEDS:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, tables[feed].schema) as writer:
            writer.write_table(tables[feed].combine_chunks())
        total.update(sink.getvalue().to_pybytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return simulate_season(SEASON, SEED)


@pytest.fixture(scope="module")
def frames(tables: dict[str, pa.Table]) -> Frames:
    return {feed: table.to_pandas() for feed, table in tables.items()}


@pytest.fixture(scope="module")
def countable(frames: Frames) -> pd.DataFrame:
    schedule = frames["schedule"]
    return schedule[schedule["game_id"].str[:3].isin(COUNTABLE)]


@pytest.fixture(scope="module")
def regular(frames: Frames) -> pd.DataFrame:
    schedule = frames["schedule"]
    return schedule[schedule["game_id"].str.startswith("002")]


def team_days(games: pd.DataFrame) -> pd.DataFrame:
    """One row per club and game, ordered by club and day."""
    sides = [games[["game_date", side]].set_axis(["day", "team"], axis=1) for side in ("home_team", "away_team")]
    both = pd.concat(sides).sort_values(["team", "day"], ignore_index=True)
    return both.assign(day=pd.to_datetime(both["day"]))


class TestDeterminism:
    @pytest.mark.integration
    def test_another_process_with_another_hash_seed_zone_and_order_gives_equal_bytes(self, tables: dict[str, pa.Table]):
        code = (
            "from nba_pipeline.simulator import simulate_season\n"
            "from nba_pipeline_tests.unit.simulator.test_simulator import digest\n"
            f"simulate_season('2021-22', 3)\nprint(digest(simulate_season({SEASON!r}, {SEED})))\n"
        )
        root = Path(__file__).resolve().parents[3]
        environment = os.environ | {"PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo", "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == digest(tables)

    def test_another_seed_is_another_league(self):
        one, other = replay(SEED, 2024)[0], replay(SEED + 1, 2024)[0]
        assert set(one.names) != set(other.names)
        assert not np.array_equal(
            regular_season(season_calendar(2024), SEED).day, regular_season(season_calendar(2024), SEED + 1).day
        )

    @pytest.mark.parametrize("season", ["2024-26", "2024", "24-25", "1999-00", ""])
    def test_a_season_label_that_is_none_is_refused(self, season: str):
        with pytest.raises(ValueError, match="must look like 2024-25"):
            simulate_season(season, SEED)


class TestLayout:
    def test_feeds_and_key_columns(self, tables: dict[str, pa.Table]):
        assert tuple(tables) == FEEDS
        assert tables["prop_lines"].schema.field("first_seen_utc").type == pa.timestamp("us", tz="UTC")
        assert tables["player_boxscores"].schema.field("pts").type == pa.int16()
        assert tables["schedule"].schema.field("game_date").type == pa.date32()

    def test_keys_are_unique(self, frames: Frames):
        for feed, key in (
            ("schedule", ["game_id"]),
            ("player_boxscores", ["game_id", "player_id"]),
            ("team_boxscores", ["game_id", "team"]),
            ("players", ["player_id"]),
            ("players", ["player_name"]),
            ("player_ages", ["season", "player_id"]),
            ("game_lines", ["game_id", "bookmaker", "line_kind"]),
        ):
            assert not frames[feed].duplicated(key).any(), feed

    def test_prop_rows_are_distinct_line_and_odds_per_book(self, frames: Frames):
        lines = frames["prop_lines"]
        key = ["bookmaker", "player_name", "market", "game_id", "line", "over_odds", "under_odds"]
        before_tip = lines.merge(frames["schedule"][["game_id", "game_datetime_utc"]], on="game_id")
        before_tip = before_tip[before_tip["first_seen_utc"] < before_tip["game_datetime_utc"]]
        assert not before_tip.duplicated(key).any()

    def test_names_exercise_the_normaliser(self, frames: Frames):
        names = frames["players"]["player_name"]
        for pattern in (r"[^\x00-\x7f]", r"(?:Jr\.|II|III)$", "'", "-"):
            assert names.str.contains(pattern).any(), pattern

    def test_clubs_are_the_real_ones_and_people_have_ids_of_their_own(self, frames: Frames):
        box = frames["team_boxscores"]
        assert set(zip(box["team"], box["team_id"], strict=True)) == {(c.tricode, c.team_id) for c in CLUBS}
        assert frames["players"]["player_id"].min() >= PERSON_ID_BASE

    def test_every_person_of_every_feed_is_known(self, frames: Frames):
        known = set(frames["players"]["player_id"])
        for feed in ("player_boxscores", "shots", "prop_lines", "injuries"):
            assert set(frames[feed]["player_id"].dropna().astype(int)) <= known, feed
        ages = frames["player_ages"]
        assert set(ages["player_id"][ages["season"] == ages["season"].max()]) <= known


class TestIdentities:
    def test_points_and_rebounds_add_up(self, frames: Frames):
        for feed in ("player_boxscores", "team_boxscores"):
            b = frames[feed].drop(columns=["source"]).select_dtypes("number").astype(int, errors="ignore")
            assert (b["pts"] == 2 * (b["fgm"] - b["fg3m"]) + 3 * b["fg3m"] + b["ftm"]).all()
            assert (b["reb"] == b["oreb"] + b["dreb"]).all()
            for made, tried in (("fgm", "fga"), ("fg3m", "fg3a"), ("ftm", "fta"), ("fg3m", "fgm"), ("fg3a", "fga")):
                assert (b[made] <= b[tried]).all()

    def test_player_rows_sum_to_team_rows_and_to_the_schedule(self, frames: Frames, countable: pd.DataFrame):
        stats = ["min", "pts", "fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "reb", "ast", "stl", "blk"]
        stats += ["tov", "pf"]
        key = ["game_id", "team"]
        sums = frames["player_boxscores"].groupby(key)[stats].sum().sort_index()
        team = frames["team_boxscores"].set_index(key).sort_index()
        assert (sums == team[stats]).all().all()
        home = countable.set_index(["game_id", "home_team"])["home_pts"].rename_axis(key)
        away = countable.set_index(["game_id", "away_team"])["away_pts"].rename_axis(key)
        scores = pd.concat([home, away]).sort_index()
        assert (scores == team["pts"]).all() and len(scores) == len(team)
        assert (countable["home_pts"] != countable["away_pts"]).all()

    def test_minutes_are_240_and_25_per_overtime(self, frames: Frames):
        exact = frames["player_boxscores"].groupby(["game_id", "team"])["min_exact"].sum()
        overtimes = ((exact - 240) / 25).round()
        assert ((exact - 240 - 25 * overtimes).abs() < 0.02).all()
        assert 0.02 < (overtimes > 0).mean() < 0.09 and overtimes.max() <= 4
        assert (frames["player_boxscores"]["min_exact"] <= 48 + 25 / 5 * 4).all()

    def test_plus_minus_sums_to_five_times_the_margin(self, frames: Frames):
        key = ["game_id", "team"]
        sums = frames["player_boxscores"].groupby(key)["plus_minus"].sum().sort_index()
        assert (sums == 5 * frames["team_boxscores"].set_index(key)["plus_minus"].sort_index()).all()

    def test_five_starters_a_side_and_at_most_six_fouls(self, frames: Frames):
        box = frames["player_boxscores"]
        assert (box.groupby(["game_id", "team"])["starter"].sum() == 5).all()
        assert (box["start_position"].notna() == box["starter"]).all()
        assert box["pf"].max() <= 6

    def test_shots_match_the_box_score(self, frames: Frames):
        shots = frames["shots"]
        three = shots["shot_value"] == 3
        counted = shots.assign(
            fga=1, fgm=shots["shot_made"], fg3a=three, fg3m=three & shots["shot_made"], key=shots["player_id"]
        )
        columns = ["fgm", "fga", "fg3m", "fg3a"]
        sums = counted.groupby(["game_id", "player_id"])[columns].sum()
        box = frames["player_boxscores"].set_index(["game_id", "player_id"])[columns].astype(int)
        joined = box.join(sums, rsuffix="_shots").fillna(0)
        assert len(sums.index.difference(box.index)) == 0
        assert all((joined[c] == joined[f"{c}_shots"]).all() for c in columns)

    def test_shot_places_follow_the_landing_conventions(self, frames: Frames):
        s = frames["shots"]
        feet = np.hypot(s["loc_x"].astype(float), s["loc_y"].astype(float)) / 10
        assert (np.floor(feet) == s["shot_distance"]).all()
        two = s["shot_value"] == 2
        zone = np.where(~two, "three_pt", np.where(s["shot_distance"] <= 8, "paint", "mid_range"))
        assert (s["zone_pmt"] == zone).all()
        corner = s["zone_basic"].isin(["Left Corner 3", "Right Corner 3"])
        assert (s.loc[corner, "loc_x"].abs() >= 219).all() and (s.loc[corner, "loc_y"] <= 89).all()
        assert ((s["zone_basic"] == "Left Corner 3") <= (s["loc_x"] < 0)).all()
        assert (s.loc[s["zone_basic"] == "Restricted Area", "shot_distance"] <= 3).all()
        assert (s.loc[s["zone_basic"] == "In The Paint (Non-RA)", "loc_x"].abs() <= 81).all()
        assert (s.loc[s["zone_basic"] == "Above the Break 3", "shot_distance"] >= 23).all()
        assert (s.loc[two, "shot_distance"] <= 23).all() and s["loc_y"].min() >= -52 and s["loc_x"].abs().max() <= 250
        assert s["period"].between(1, 8).all() and s["secs_left"].between(0, 59).all()
        assert s["mins_left"].between(0, 11).all() and (s.loc[s["period"] > 4, "mins_left"] < 5).all()


class TestSchedule:
    @pytest.mark.parametrize("year", range(2021, 2031))
    def test_regular_season_of_every_year(self, year: int):
        calendar = season_calendar(year)
        fixtures = regular_season(calendar, SEED)
        assert len(fixtures.day) == 1230
        assert (np.bincount(fixtures.home) == 41).all() and (np.bincount(fixtures.away) == 41).all()
        open_days = {calendar.day_index(day) for day in calendar.open_days}
        assert set(fixtures.day.tolist()) <= open_days
        doubles, crowded = [], 0
        for club in range(30):
            nights = np.sort(fixtures.day[(fixtures.home == club) | (fixtures.away == club)])
            assert len(set(nights.tolist())) == 82
            doubles.append(int((np.diff(nights) == 1).sum()))
            crowded += int((nights[4:] - nights[:-4] <= 4).sum())
            assert (nights[2:] - nights[:-2] > 2).all(), "never three nights in a row"
        assert 12.5 <= np.mean(doubles) <= 16 and min(doubles) >= 8 and max(doubles) <= 20
        assert crowded == 0, "never five games in five nights"

    def test_meetings_by_division_and_conference(self, regular: pd.DataFrame):
        division = {c.tricode: c.division for c in CLUBS}
        pairs = regular.apply(lambda g: tuple(sorted((g["home_team"], g["away_team"]))), axis=1).value_counts()
        for (a, b), games in pairs.items():  # type: ignore[misc]
            same_division, same_conference = division[a] == division[b], division[a] // 3 == division[b] // 3
            assert games in ({4} if same_division else {3, 4} if same_conference else {2})
        assert len(pairs) == 30 * 29 // 2

    @pytest.mark.parametrize(
        ("year", "opening", "end", "playoffs", "break_start"),
        [
            (2021, "2021-10-19", "2022-04-10", "2022-04-16", "2022-02-18"),
            (2022, "2022-10-18", "2023-04-09", "2023-04-15", "2023-02-17"),
            (2023, "2023-10-24", "2024-04-14", "2024-04-20", "2024-02-16"),
            (2024, "2024-10-22", "2025-04-13", "2025-04-19", "2025-02-14"),
            (2025, "2025-10-21", "2026-04-12", "2026-04-18", "2026-02-13"),
        ],
    )
    def test_known_calendars(self, year: int, opening: str, end: str, playoffs: str, break_start: str):
        c = season_calendar(year)
        found = (c.opening, c.regular_end, c.playoffs_start, c.all_star[0])
        assert tuple(day.isoformat() for day in found) == (opening, end, playoffs, break_start)

    def test_id_prefixes_and_what_has_a_box_score(self, frames: Frames, countable: pd.DataFrame):
        schedule = frames["schedule"]
        counts = schedule["game_id"].str[:3].value_counts()
        assert counts["002"] == 1230 and counts["005"] == 6 and counts["006"] == 1
        assert 60 <= counts["004"] <= 105 and counts["001"] > 50 and counts["003"] > 0
        assert set(frames["player_boxscores"]["game_id"]) == set(countable["game_id"])
        assert (schedule["game_id"].str.len() == 10).all() and (schedule["game_id"].str[3:5] == "24").all()

    def test_playoff_series_are_best_of_seven(self, countable: pd.DataFrame):
        games = countable[countable["game_id"].str.startswith("004")]
        assert games["game_id"].str[:9].nunique() == 15
        for _, series in games.sort_values("game_date").groupby(games["game_id"].str[:9]):
            winner = series["home_team"].where(series["home_pts"] > series["away_pts"], series["away_team"])
            wins = winner.value_counts()
            assert wins.iloc[0] == 4 and winner.iloc[-1] == wins.index[0]
            assert series["game_id"].str[9].astype(int).tolist() == list(range(1, len(series) + 1))
        finals = games[games["game_id"].str[7] == "4"]
        assert pd.Timestamp("2025-06-10") <= pd.Timestamp(str(finals["game_date"].max())) <= pd.Timestamp("2025-06-22")

    def test_no_club_plays_twice_a_day(self, countable: pd.DataFrame):
        assert not team_days(countable).duplicated().any()

    def test_empty_days(self, countable: pd.DataFrame):
        days = {str(day) for day in countable["game_date"]}
        empty = ["2024-11-05", "2024-11-28", "2024-12-24", *(f"2025-02-{d}" for d in range(14, 19)), "2025-04-12"]
        assert not days & set(empty)
        assert "2024-10-22" in days and "2024-12-25" in days

    def test_tip_off_is_the_eastern_clock_time_of_the_game_date(self, frames: Frames):
        s = frames["schedule"]
        local = s["game_datetime_utc"].dt.tz_convert("America/New_York")
        assert (local.dt.date == s["game_date"]).all()
        assert (local.dt.strftime("%H:%M:%S") == s["game_time_et"]).all()
        assert 0.03 < (local.dt.hour < 18).mean() < 0.2

    def test_some_games_are_on_neutral_ground(self, regular: pd.DataFrame):
        assert 3 <= regular["neutral_site"].sum() <= 8


class TestMarketAndReports:
    def test_lines_do_not_depend_on_results(self):
        season = play_season("2022-23", SEED)
        states = outlooks(season.world, season.games.slate, season.games.status)
        played = season.games.played
        counts = replace(played.counts, makes=played.counts.makes * 0, ftm=played.counts.ftm + 3)
        changed = replace(season, games=replace(season.games, played=replace(played, counts=counts)))
        again = outlooks(changed.world, changed.games.slate, changed.games.status)
        assert prop_lines_table(changed, again).equals(prop_lines_table(season, states))
        assert game_lines_table(changed, again).equals(game_lines_table(season, states))

    def test_about_one_row_in_a_thousand_is_captured_after_tip_off(self, frames: Frames):
        tips = frames["schedule"].set_index("game_id")["game_datetime_utc"]
        for feed, column, low, high in (
            ("prop_lines", "last_seen_utc", 0.0005, 0.002),
            ("game_lines", "snapshot_utc", 0.0, 0.003),
        ):
            rows = frames[feed]
            late = rows[column] > rows["game_id"].map(tips)
            assert low <= late.mean() <= high, feed
            if feed == "prop_lines":
                assert not rows.loc[late, "is_closing_main"].any()
                assert (rows["first_seen_utc"] <= rows["last_seen_utc"]).all()

    def test_one_closing_row_per_book_player_market_and_game(self, frames: Frames):
        lines = frames["prop_lines"]
        closing = lines.groupby(["bookmaker", "player_name_source", "market", "game_id"])["is_closing_main"].sum()
        assert (closing <= 1).all() and (closing == 1).mean() > 0.999

    def test_odds_carry_a_margin_and_lines_are_halves_or_wholes(self, frames: Frames):
        lines = frames["prop_lines"]
        implied = [
            np.where(lines[c] < 0, -lines[c] / (100 - lines[c]), 100 / (100 + lines[c]))
            for c in ("over_odds", "under_odds")
        ]
        margin = implied[0] + implied[1]
        assert (margin > 1.0).all() and 1.05 < margin.mean() < 1.08
        assert ((lines["line"] * 2) % 1 == 0).all() and (lines["line"] > 0).all()
        whole = lines["line"] % 1 == 0
        assert 0.005 < whole.mean() < 0.2
        assert (lines[["over_odds", "under_odds"]].abs() >= 100).all().all()

    def test_lines_move_and_markets_are_there(self, frames: Frames):
        lines = frames["prop_lines"]
        assert set(lines["market"]) == {"points", "rebounds", "assists", "threes", "pra"}
        rows = lines[lines["market"] == "points"].groupby(["bookmaker", "player_name_source", "game_id"])["line"]
        assert rows.size().mean() > 1.3 and 0.05 < (rows.nunique() > 1).mean() < 0.7
        books = lines[lines["market"] == "points"].groupby(["player_name", "game_id"])["bookmaker"].nunique()
        assert books.mean() > 3

    def test_a_few_names_stay_unresolved(self, frames: Frames):
        lines = frames["prop_lines"]
        unknown = lines["player_id"].isna()
        assert 0 < unknown.sum() < 0.002 * len(lines)
        assert not set(lines.loc[unknown, "player_name"]) & set(frames["players"]["player_name"])
        assert lines.loc[unknown, "team"].isna().all()

    def test_reports_come_before_the_game_and_absences_after(self, frames: Frames):
        reports = frames["injuries"]
        tips = frames["schedule"].set_index("game_id")["game_datetime_utc"]
        known = reports[reports["report_utc"].notna()]
        assert (known["report_utc"] < known["game_id"].map(tips)).all()
        local = known["report_utc"].dt.tz_convert("America/New_York").dt.date
        assert (local == known["report_date"]).all()
        assert set(reports["record_type"]) == {"transaction", "status_snapshot", "boxscore_dnp"}
        assert reports.loc[reports["record_type"] == "boxscore_dnp", "report_utc"].isna().all()

    def test_who_is_out_does_not_play_and_who_does_not_play_has_no_row(self, frames: Frames):
        reports = frames["injuries"]
        played = set(zip(frames["player_boxscores"]["game_id"], frames["player_boxscores"]["player_id"], strict=True))
        snapshots = reports[reports["record_type"] == "status_snapshot"].sort_values("report_utc")
        last = snapshots.groupby(["game_id", "player_id"]).tail(1)
        shows = [(g, int(p)) in played for g, p in zip(last["game_id"], last["player_id"], strict=True)]
        share = pd.Series(shows, index=last.index).groupby(last["status"]).mean()
        assert share["out"] == 0 and share["out for season"] == 0 and share["available"] > 0.8
        absent = reports[reports["record_type"] == "boxscore_dnp"]
        assert not {(g, int(p)) for g, p in zip(absent["game_id"], absent["player_id"], strict=True)} & played

    def test_spread_has_the_sign_of_the_home_side(self, frames: Frames):
        closing = frames["game_lines"].query("line_kind == 'closing'").groupby("game_id")[["spread_home", "total"]]
        joined = frames["schedule"].set_index("game_id").join(closing.median(), how="inner")
        margin = joined["home_pts"] - joined["away_pts"]
        assert margin.corr(joined["spread_home"]) < -0.3
        assert (frames["game_lines"]["ml_home"] < 0).mean() > 0.4


class TestHistory:
    def test_people_persist_age_move_and_retire(self):
        before, stints_before = replay(SEED, 2023)
        after, stints_after = replay(SEED, 2024)
        known = len(before.names)
        assert after.names[:known] == before.names and np.array_equal(after.birth[:known], before.birth)
        first, second = set(stints_before.person.tolist()), set(stints_after.person.tolist())
        assert 0.7 < len(first & second) / len(first) < 0.95
        assert any(person >= known for person in second), "newcomers"
        closing = {
            int(p): int(c)
            for p, c, last in zip(stints_before.person, stints_before.club, stints_before.last_day, strict=True)
            if last >= 200
        }
        opening = {
            int(p): int(c)
            for p, c, start in zip(stints_after.person, stints_after.club, stints_after.first_day, strict=True)
            if start == 0
        }
        stayed = [closing[p] == opening[p] for p in closing.keys() & opening.keys()]
        assert 0.55 < float(np.mean(stayed)) < 0.95

    def test_nobody_is_in_two_clubs_on_a_day(self):
        _, stints = replay(SEED, 2025)
        order = np.lexsort((stints.first_day, stints.person))
        person, first, last = stints.person[order], stints.first_day[order], stints.last_day[order]
        same = person[1:] == person[:-1]
        assert same.any() and (first[1:][same] > last[:-1][same]).all()

    def test_clubs_field_at_least_eight_players(self, frames: Frames):
        assert frames["player_boxscores"].groupby(["game_id", "team"]).size().min() >= 8


class TestRealism:
    """Wide bounds around published league figures; the benchmark compares in detail."""

    def test_box_score_levels(self, frames: Frames):
        t = frames["team_boxscores"]
        p = frames["player_boxscores"]
        bounds = {
            "points": (t["pts"].mean(), 109, 119),
            "points sd": (t["pts"].std(), 11, 15),
            "fg %": (100 * t["fgm"].sum() / t["fga"].sum(), 45.5, 49.5),
            "3p %": (100 * t["fg3m"].sum() / t["fg3a"].sum(), 34.5, 38.5),
            "3p share": (100 * t["fg3a"].sum() / t["fga"].sum(), 36, 43),
            "ft %": (100 * t["ftm"].sum() / t["fta"].sum(), 76, 81),
            "possessions": (t["possessions_est"].mean(), 98, 104),
            "rebounds": (t["reb"].mean(), 41, 46.5),
            "assists": (t["ast"].mean(), 24.5, 29),
            "turnovers": (t["tov"].mean(), 11.5, 14.5),
            "player points": (p["pts"].mean(), 10, 11.6),
            "player points sd": (p["pts"].std(), 8.2, 9.8),
            "players per side": (len(p) / len(t), 10, 11.5),
            "margin sd": (t.loc[t["is_home"], "plus_minus"].std(), 13.5, 17.5),
            "home wins": (100 * (t.loc[t["is_home"], "wl"] == "W").mean(), 50, 62),
        }
        wrong = {k: v for k, (v, low, high) in bounds.items() if not low <= v <= high}
        assert not wrong

    def test_simple_forecasts_err_as_on_recorded_seasons(self, frames: Frames):
        p = frames["player_boxscores"]
        p = p[p["season_type"] == "Regular Season"].sort_values(["player_id", "game_date"])
        points = p.groupby("player_id")["pts"]
        enough = points.cumcount() >= 10
        last_5 = points.transform(lambda s: s.shift().rolling(5).mean())
        average = points.transform(lambda s: s.shift().expanding().mean())
        error_5, error = (p["pts"] - last_5)[enough].abs().mean(), (p["pts"] - average)[enough].abs().mean()
        assert 4.6 < error_5 < 5.1 and 4.4 < error < 5.0 and error_5 > error
        lines = frames["prop_lines"].query("market == 'points' and is_closing_main").dropna(subset=["player_id"])
        line = lines.groupby(["game_id", "player_id"])["line"].median().rename("line").reset_index()
        joined = p.assign(average=average)[enough].merge(line, on=["game_id", "player_id"])
        off = joined["pts"] - joined["line"]
        assert 4.75 < off.abs().mean() < 5.4
        assert off.abs().mean() < (joined["pts"] - joined["average"]).abs().mean(), "the market beats the average"
        assert 0.45 < (off > 0).sum() / (off != 0).sum() < 0.53

    def test_shot_zones(self, frames: Frames):
        s = frames["shots"]
        share = s["zone_pmt"].value_counts(normalize=True)
        made = s.groupby("zone_pmt")["shot_made"].mean()
        assert 0.39 < share["paint"] < 0.48 and 0.14 < share["mid_range"] < 0.21
        assert 0.56 < made["paint"] < 0.62 and 0.40 < made["mid_range"] < 0.46 and 0.34 < made["three_pt"] < 0.39

    def test_absent_stars_give_usage_to_team_mates(self, frames: Frames):
        p = frames["player_boxscores"]
        means = p.groupby(["team", "player_id"])["pts"].agg(["mean", "size"]).reset_index()
        regulars = means[means["size"] >= 40].sort_values(["team", "mean"], ascending=[True, False])
        star = regulars.groupby("team").head(1).set_index("team")["player_id"]
        second = regulars[regulars.groupby("team").cumcount() == 1].set_index("team")["player_id"]
        with_star = set(zip(p["game_id"], p["player_id"], strict=True))
        gains = []
        for team in second.index.tolist():
            person = second[team]
            rows = p[(p["team"] == team) & (p["player_id"] == person)]
            there = np.array([(game, star[team]) in with_star for game in rows["game_id"]])
            if (~there).sum() >= 5:
                gains.append(rows["pts"].to_numpy()[~there].mean() - rows["pts"].to_numpy()[there].mean())
        assert len(gains) > 5 and float(np.mean(gains)) > 0.3
