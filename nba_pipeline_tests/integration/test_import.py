"""History from files that others have collected: the rows are theirs, what they lack is absent, and an import goes on."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from pyarrow.csv import write_csv

from nba_pipeline.cli.main import main
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import (
    INJURIES,
    PLAYER_AGES,
    PLAYER_BOXSCORES,
    PLAYERS,
    SCHEDULE,
    SHOTS,
    TEAM_BOXSCORES,
    Feed,
)
from nba_pipeline.sources.landing_files import write_rows
from nba_pipeline_tests.support.loopback import Answer, loopback
from nba_pipeline_tests.support.service_answers import V3_COUNTS
from nba_pipeline_tests.support.small_league import BOSTON, DAY, DENVER, services

STEMS = {
    "nba_stats_schedules": "nba_stats_schedule_2025",
    "nba_stats_team_boxscores": "team_boxscores_2025",
    "nba_stats_player_boxscores": "player_boxscores_2025",
    "nba_stats_shots": "shots_2025",
    "nba_stats_rosters": "rosters_2025",
    "espn_nba_schedules": "nba_schedule_2025",
}
ESPN = {"NYK": "NY", "GSW": "GS"}


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def season_files() -> dict[str, list[dict[str, Any]]]:
    """The files of a season in the public form, of the evening of the small league."""
    league = services()
    over = [g for g in league.games if g["home_pts"] is not None]

    def counts(r: dict[str, Any]) -> dict[str, Any]:
        return {snake(name): r[ours] for name, ours in V3_COUNTS.items()}

    def box(r: dict[str, Any]) -> dict[str, Any]:
        side = "home" if r["is_home"] else "away"
        return {"game_id": r["game_id"], "team_tricode": r["team"], "side": side, **counts(r)}

    played = [
        box(p)
        | {
            "person_id": p["player_id"],
            "first_name": p["player_name"].split()[0],
            "family_name": p["player_name"].split()[1],
            "position": "F" if p["starter"] else "",
            "comment": "",
            "minutes": "30:30" if p["min_exact"] == 30.5 else "29:30",
            "plus_minus_points": float(p["plus_minus"]),
        }
        for p in league.players
    ]
    absent = [
        played[0]
        | {"team_tricode": a["team"], "person_id": a["player_id"], "first_name": "A", "family_name": "Absent"}
        | {"minutes": "", "comment": a["reason"], "game_id": a["game_id"]}
        for a in league.absent
    ]
    return {
        "nba_stats_schedules": [
            {
                "game_id": t["game_id"],
                "game_date": f"{t['game_date']}",
                "team_abbreviation": t["team"],
                "matchup": f"{t['team']} @ {t['opponent']}",  # as at neutral sites
                "pts": t["pts"],
            }
            for t in league.teams
        ],
        "nba_stats_team_boxscores": [box(t) | {"minutes": "240:00"} for t in league.teams],
        "nba_stats_player_boxscores": [*played, *absent],
        "nba_stats_shots": [
            {
                "game_id": s["game_id"],
                "period": s["period"],
                "clock": f"PT{s['mins_left']:02d}M{s['secs_left']:02d}.00S",
                "person_id": s["player_id"],
                "shot_result": "Made" if s["shot_made"] else "Missed",
                "shot_value": s["shot_value"],
                "shot_distance": s["shot_distance"],
                "x_legacy": s["loc_x"],
                "y_legacy": s["loc_y"],
                "sub_type": s["action_type"],
            }
            for s in league.shots
        ],
        "nba_stats_rosters": [
            {"player": p["player_name"], "player_id": p["player_id"], "birth_date": "FEB 16, 1997", "age": 27.0}
            for p in league.players
        ],
        "espn_nba_schedules": [
            {
                "date": f"{g['game_datetime_utc']:%Y-%m-%dT%H:%MZ}",
                "home_abbreviation": ESPN.get(g["home_team"], g["home_team"]),
                "away_abbreviation": ESPN.get(g["away_team"], g["away_team"]),
                "time_valid": g["game_id"] != DENVER,
                "neutral_site": False,
                "venue_full_name": "Arena",
            }
            for g in over
        ],
    }


def written(place: Path, files: dict[str, list[dict[str, Any]]], suffix: str = "parquet") -> Path:
    for folder, rows in files.items():
        (place / folder).mkdir(parents=True, exist_ok=True)
        path = place / folder / f"{STEMS[folder]}.{suffix}"
        pq.write_table(pa.Table.from_pylist(rows), path.with_suffix(".parquet"))
        if suffix == "csv":
            write_csv(pq.read_table(path.with_suffix(".parquet")), path)
            path.with_suffix(".parquet").unlink()
    return place


class Home:
    def __init__(self, place: Path) -> None:
        self.place = place

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        environment = {"NBA_PIPELINE_HOME": str(self.place), "NBA_PIPELINE_SOURCE": "nba_stats"}
        result = CliRunner().invoke(main, ["import", *arguments, "--json"], env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        begins = result.stdout.find("{")
        return result.exit_code, json.loads(result.stdout[begins:]) if begins >= 0 else {"error": result.output}

    def rows(self, feed: Feed) -> list[dict[str, Any]]:
        return FilesSource(self.place / "landing").read(feed, [DAY]).to_pylist()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_season_of_files_becomes_landing_files(home: Home, tmp_path: Path, suffix: str) -> None:
    code, said = home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, season_files(), suffix)))
    assert code == 0 and said["2024-25"]["missing"] == []
    games = {g["game_id"]: g for g in home.rows(SCHEDULE)}
    assert set(games) == {BOSTON, DENVER}
    assert (games[BOSTON]["home_team"], games[BOSTON]["away_team"], games[BOSTON]["home_pts"]) == ("BOS", "NYK", 80)
    assert f"{games[BOSTON]['game_datetime_utc']:%Y-%m-%dT%H:%M}" == "2024-11-06T00:30"
    assert games[DENVER]["game_datetime_utc"] is None  # its time is marked as open
    assert (len(home.rows(PLAYER_BOXSCORES)), len(home.rows(TEAM_BOXSCORES)), len(home.rows(SHOTS))) == (32, 4, 160)
    first = min(home.rows(PLAYER_BOXSCORES), key=lambda r: r["player_id"])
    assert (first["starter"], first["min_exact"], first["source"]) == (True, 29.5, "sportsdataverse")
    assert {r["zone_basic"] for r in home.rows(SHOTS)} == {None}
    assert {(r["status"], r["report_utc"]) for r in home.rows(INJURIES)} == {("did_not_play", None)}
    assert f"{home.rows(PLAYERS)[0]['birth_date']}" == "1997-02-16"
    assert len(said["2024-25"]["files"]) == 6 and all(len(sha) == 64 for sha in said["2024-25"]["files"].values())


def test_what_a_place_lacks_is_named_and_absent(home: Home, tmp_path: Path) -> None:
    files = season_files()
    for name in ("nba_stats_shots", "espn_nba_schedules"):
        del files[name]
    code, said = home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, files)))
    assert code == 0
    assert said["2024-25"]["missing"] == ["espn_nba_schedules/nba_schedule_2025", "nba_stats_shots/shots_2025"]
    assert home.rows(SHOTS) == [] and not (home.place / "landing" / "shots").exists()
    assert {g["game_datetime_utc"] for g in home.rows(SCHEDULE)} == {None}


def test_an_import_goes_on_where_it_stopped_and_leaves_days_with_rows(home: Home, tmp_path: Path) -> None:
    place = written(tmp_path, season_files())
    home.run("sportsdataverse", "2024-25", "--from", str(place))
    before = {p: p.read_bytes() for p in (home.place / "landing").rglob("*.parquet")}
    (home.place / "landing" / "team_boxscores" / f"{DAY}.parquet").unlink()
    code, again = home.run("sportsdataverse", "2024-25", "--from", str(place))
    assert code == 0 and again["2024-25"]["unchanged"] == ["player_boxscores_2025.parquet", "shots_2025.parquet"]
    assert again["2024-25"]["rows"]["team_boxscores"] == 4
    assert {p: p.read_bytes() for p in (home.place / "landing").rglob("*.parquet")} == before


@pytest.mark.parametrize("value", [1, 1.0, "1"])
def test_free_throws_are_no_attempts_however_their_value_is_written(home: Home, tmp_path: Path, value: Any) -> None:
    files = season_files()
    free = [shot | {"shot_value": type(value)(shot["shot_value"])} for shot in files["nba_stats_shots"]]
    files["nba_stats_shots"] = [*free, *(shot | {"shot_value": value} for shot in free)]
    code, said = home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, files)))
    assert (code, said["2024-25"]["set_aside"], len(home.rows(SHOTS))) == (0, [], 160)


def test_a_row_that_cannot_be_read_is_set_aside_by_name_and_too_many_refuse_the_file(
    home: Home, tmp_path: Path
) -> None:
    files = season_files()
    files["nba_stats_shots"][3]["clock"] = "soon"
    code, said = home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, files)))
    assert code == 1 and len(home.rows(SHOTS)) == 159
    assert said["2024-25"]["set_aside"] == [f"game {BOSTON}, attempt 4: the clock is 'soon' and the value 2"]
    for shot in files["nba_stats_shots"]:
        shot["clock"] = "soon"
    code, said = home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, files)), "--replace")
    assert code == 1 and "attempts cannot be read" in said["error"]


@pytest.mark.parametrize("place", ["http://[", "//[none"])
def test_a_place_that_cannot_be_read_is_told_with_a_remedy(place: str, home: Home) -> None:
    code, said = home.run("sportsdataverse", "2024-25", "--from", place)
    assert code == 1 and place in said["error"]


def test_files_from_an_address_are_fetched_once_and_a_truncated_one_never_counts(home: Home, tmp_path: Path) -> None:
    place = written(tmp_path, season_files())
    with loopback() as server:
        cut = "shots_2025"

        def rule(request: Any) -> Answer | None:
            path = place / request.path.removeprefix("/files/")
            return Answer(path.read_bytes(), cut=10 if cut and cut in request.path else 0) if path.is_file() else None

        server.rule = rule
        code, said = home.run("sportsdataverse", "2024-25", "--from", f"{server.url}/files")
        assert code == 1 and "cannot be fetched" in said["error"]
        cut = ""
        asked = len(server.requests)
        code, said = home.run("sportsdataverse", "2024-25", "--from", f"{server.url}/files")
        assert code == 0 and len(home.rows(SHOTS)) == 160
        assert len(server.requests) - asked == 2  # the shots, and the rosters after them


def test_a_directory_of_the_landing_layout_is_imported_by_day(home: Home, tmp_path: Path) -> None:
    home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path / "files", season_files())))
    other = tmp_path / "other"
    other.mkdir()
    for feed in ("schedule", "player_boxscores"):
        write_csv(pq.read_table(home.place / "landing" / feed / f"{DAY}.parquet"), other / f"{feed}.csv")
    lines = (other / "player_boxscores.csv").read_text().splitlines()
    lines[1] = lines[1].replace("2024-11-05", "yesterday")
    (other / "player_boxscores.csv").write_text("\n".join(lines))
    second = Home(tmp_path / "second")
    code, said = second.run("directory", str(other))
    (done,) = said.values()
    assert code == 1 and done["rows"] == {"schedule": 2, "player_boxscores": 31}
    assert done["set_aside"] == ["player_boxscores: game_date: 'yesterday' is not a date"]
    assert "shots" in done["missing"] and len(second.rows(PLAYER_BOXSCORES)) == 31


def test_an_import_that_stopped_before_the_lists_of_players_goes_on_with_all_of_them(
    home: Home, tmp_path: Path
) -> None:
    files = season_files()
    files["nba_stats_rosters"] = files["nba_stats_rosters"][:3]
    place = written(tmp_path, files)
    home.run("sportsdataverse", "2024-25", "--from", str(place))
    whole = home.rows(PLAYERS)
    assert len(whole) == 32
    (home.place / "landing" / "players" / "2024-25.parquet").unlink()
    code, again = home.run("sportsdataverse", "2024-25", "--from", str(place))
    assert code == 0 and "player_boxscores_2025.parquet" in again["2024-25"]["unchanged"]
    assert home.rows(PLAYERS) == whole


def test_replace_renews_the_lists_of_players_and_without_it_they_stay(home: Home, tmp_path: Path) -> None:
    files = season_files()
    home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, files)))
    for row in files["nba_stats_rosters"]:
        row |= {"birth_date": "MAR 1, 1999", "age": 25.0}
    for option, year, age in (((), 1997, 27.0), (("--replace",), 1999, 25.0)):
        home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, files)), *option)
        assert {r["birth_date"].year for r in home.rows(PLAYERS)} == {year}
        assert {r["age"] for r in home.rows(PLAYER_AGES)} == {age}


REPORT = {"report_date": DAY, "record_type": "official_report", "player_name_source": "Jo Doe", "status": "out"}


@pytest.mark.parametrize("options", [(), ("--replace",)])
def test_an_import_of_box_scores_leaves_the_reports_of_a_day_and_adds_who_did_not_play(
    home: Home, tmp_path: Path, options: tuple[str, ...]
) -> None:
    write_rows(home.place / "landing" / "injuries" / f"{DAY}.parquet", INJURIES, [REPORT])
    home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path, season_files())), *options)
    kinds = [r["record_type"] for r in home.rows(INJURIES)]
    assert (kinds.count("official_report"), kinds.count("boxscore_dnp")) == (1, len(services().absent))


def test_a_row_without_a_day_or_of_an_impossible_one_is_set_aside_by_name(home: Home, tmp_path: Path) -> None:
    head = "game_date,game_id,player_id,player_name,market,bookmaker,line"
    rows = [f"{day},{BOSTON},1,Jo Doe,points,draftkings,10.5" for day in (DAY, "", "1024-11-05", "soon")]
    for these in (rows, rows[1:]):
        (tmp_path / "prop_lines.csv").write_text("\n".join([head, *these]) + "\n")
        code, said = home.run("directory", str(tmp_path))
        (done,) = said.values()
        assert code == 1 and sorted(done["set_aside"]) == [
            "prop_lines: game_date is empty",
            "prop_lines: game_date: 'soon' is not a date",
            "prop_lines: game_date: 1024-11-05 cannot be the day of a game",
        ]
    assert [p.stem for p in (home.place / "landing" / "prop_lines").iterdir()] == [f"{DAY}"]


def test_replace_leaves_each_player_once_and_keeps_those_the_directory_lacks(home: Home, tmp_path: Path) -> None:
    home.run("sportsdataverse", "2024-25", "--from", str(written(tmp_path / "files", season_files())))
    before = {r["player_id"] for r in home.rows(PLAYERS)}
    other = tmp_path / "other"
    other.mkdir()
    (other / "players.csv").write_text(f"player_id,player_name\n{min(before)},Another Name\n1,Somebody New\n")
    code, said = home.run("directory", str(other))
    assert (
        code == 0
        and said[str(other)]["kept"] == {"players": 1}
        and {r["player_id"] for r in home.rows(PLAYERS)} == before
    )
    for _ in range(2):
        home.run("directory", str(other), "--replace")
        found = {r["player_id"]: r["player_name"] for r in home.rows(PLAYERS)}
        assert len(found) == len(home.rows(PLAYERS)) and found.keys() == {*before, 1}
        assert found[min(before)] == "Another Name"


def test_a_damaged_list_of_players_is_named_with_what_to_do(home: Home, tmp_path: Path) -> None:
    (tmp_path / "players.csv").write_text("player_id,player_name\n1,Somebody New\n")
    torn = home.place / "landing" / "players" / "2024-25.parquet"
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"torn")
    code, said = home.run("directory", str(tmp_path), "--replace")
    assert code == 1 and "2024-25.parquet cannot be read" in " ".join(said["error"].split())


def test_shot_charts_in_bulk_are_imported_although_the_ids_lost_their_zeros(home: Home, tmp_path: Path) -> None:
    chart = services().shot_chart({"SeasonType": "Regular Season", "TeamID": "0"})["resultSets"][0]
    rows = [dict(zip(chart["headers"], values, strict=True)) for values in chart["rowSet"]]
    write_csv(
        pa.Table.from_pylist([r | {"GAME_ID": int(r["GAME_ID"])} for r in rows]), tmp_path / "shotdetail_2024.csv"
    )
    code, said = home.run("nba-data", str(tmp_path))
    assert code == 0 and said["shot charts"]["rows"] == {"shots": 160}
    assert {r["game_id"] for r in home.rows(SHOTS)} == {BOSTON, DENVER}
    assert {r["zone_basic"] for r in home.rows(SHOTS)} == {"Above the Break 3", "Restricted Area"}


@pytest.mark.parametrize("season", ["2024", "24-25", "2024-26"])
def test_what_is_no_season_is_refused_before_anything_is_read(home: Home, season: str) -> None:
    code, said = home.run("sportsdataverse", season)
    assert code == 2 and f"{season} is no season" in said["error"]
