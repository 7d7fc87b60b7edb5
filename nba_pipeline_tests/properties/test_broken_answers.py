"""Whatever is changed in an answer, it is refused by name or gives rows that a landing file can hold."""

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nba_pipeline.sources import landing as feeds
from nba_pipeline.sources.answers import BOX_SCORE_SOURCE, parsed
from nba_pipeline.sources.landing_files import write_rows
from nba_pipeline.sources.parsing import box_score, injury_report, odds, quote_rows, schedule
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline_tests.support.small_league import BOSTON, DAY, SEASON, services
from nba_pipeline_tests.support.small_pdf import injury_report_pdf

NOW = datetime(2024, 11, 6, 12, tzinfo=UTC)
PLAYED = services()
GAMES = {g.game_id: g for g in schedule.games(PLAYED.schedule({}))}
EVENT = f"event{BOSTON}"


def log(who: str) -> Any:
    return PLAYED.game_log({"PlayerOrTeam": who, "SeasonType": "Regular Season"})


def quotes() -> Any:
    game = PLAYED.games[0]
    return PLAYED._event(game) | {"bookmakers": PLAYED._books(game, set(odds.MARKETS))}


ANSWERS: dict[str, tuple[str, Any]] = {
    "schedule": (SEASON, PLAYED.schedule({})),
    "player_log": (f"{SEASON}_Regular-Season", log("P")),
    "team_log": (f"{SEASON}_Regular-Season", log("T")),
    "box_score": (BOSTON, PLAYED.box_score(BOSTON)),
    "shots": (f"{SEASON}_Regular-Season_{DAY}", PLAYED.shot_chart({"SeasonType": "Regular Season", "TeamID": "0"})),
    "player_index": (SEASON, PLAYED.player_index()),
    "player_bio": (SEASON, PLAYED.bios()),
    "events": (f"{DAY}", [PLAYED._event(g) for g in PLAYED.games]),
    "event_odds": (f"{DAY}_{EVENT}_now", quotes()),
    "slate_odds": (f"{DAY}_now", [quotes() | {"commence_time": "2024-11-07T00:30:00Z"}] * 2),
    "live_box_score": (BOSTON, PLAYED.live_box_score(BOSTON)),
}
ODD = st.sampled_from(
    [
        *(
            None,
            True,
            "",
            " ",
            "x" * 2000,
            "0",
            "12:30",
            "TBD",
            "2024-13-45",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ),
        *(-1, 0, 3, 10**18, 10**30, -0.5, 1e308, float("nan"), float("inf"), [], {}, [[]], {"a": 1}),
        *("Ünïcødé 名前", "\ud800", "'; DROP TABLE x; --", "../../x", "{0}", "\x00", "0022400999", "BOS"),
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for k, v in inner for p in places(v, (*path, k)))]


PLACES = {kind: places(payload) for kind, (_, payload) in ANSWERS.items()}


def changed(payload: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    if not path:
        return value
    payload = copy.deepcopy(payload)
    *above, last = path
    holder = payload
    for step in above:
        holder = holder[step]
    if how == "replace":
        holder[last] = value
    elif how == "remove":
        del holder[last]
    elif isinstance(holder, list):
        holder.insert(last, copy.deepcopy(holder[last]))
    else:
        holder[f"{last}_renamed"] = holder.pop(last)
    return payload


def landed(kind: str, found: Any) -> list[tuple[feeds.Feed, list[dict[str, Any]]]]:
    """The rows that become of what an answer says."""
    if kind == "slate_odds":
        return [pair for s in found for pair in landed("event_odds", s)]
    if isinstance(found, odds.Snapshot):
        games = {found.event.id: GAMES[BOSTON]}
        return [
            (feeds.PROP_LINES, quote_rows.prop_rows([found], DAY, games)),
            (feeds.GAME_LINES, quote_rows.line_rows([found], DAY, games)),
        ]
    if isinstance(found, box_score.BoxScore):
        return [
            (feeds.PLAYER_BOXSCORES, found.players),
            (feeds.TEAM_BOXSCORES, found.teams),
            (feeds.INJURIES, found.absent),
        ]
    return {
        "schedule": lambda: [(feeds.SCHEDULE, [g.row() for g in found])],
        "player_log": lambda: [(feeds.PLAYER_BOXSCORES, found)],
        "team_log": lambda: [(feeds.TEAM_BOXSCORES, found)],
        "shots": lambda: [(feeds.SHOTS, [row for _, row in found])],
        "player_index": lambda: [(feeds.PLAYERS, found)],
        "player_bio": lambda: [(feeds.PLAYER_AGES, found)],
        "events": list,
    }[kind]()


def read(kind: str, key: str, payload: Any, folder: Path) -> None:
    found = parsed(kind, key, json.dumps(payload).encode(), NOW, GAMES)
    for feed, rows in landed(kind, found):
        write_rows(folder / f"{feed.name}.parquet", feed, rows)


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_as_it_should_be_is_read(kind: str, tmp_path: Path) -> None:
    read(kind, *ANSWERS[kind], tmp_path)


@pytest.mark.parametrize("kind", ANSWERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_changed_answer_is_refused_by_name_or_gives_rows(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    key, payload = ANSWERS[kind]
    how = data.draw(st.sampled_from(["replace", "remove", "other"]))
    broken = changed(payload, data.draw(st.sampled_from(PLACES[kind])), how, data.draw(ODD))
    with suppress(PayloadError):
        read(kind, key, broken, tmp_path)


@pytest.mark.parametrize("kind", ANSWERS)
@settings(max_examples=40, deadline=None)
@given(part=st.floats(0, 0.999))
def test_an_answer_that_is_cut_off_is_refused(kind: str, part: float) -> None:
    key, payload = ANSWERS[kind]
    whole = json.dumps(payload).encode()
    with pytest.raises(PayloadError):
        parsed(kind, key, whole[: int(len(whole) * part)], NOW, GAMES)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_report_is_refused_by_name_or_read(data: st.DataObject) -> None:
    whole = injury_report_pdf(*next(iter(PLAYED.reports.values())))
    at = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.binary(max_size=8))
    with suppress(PayloadError):
        found = injury_report.report(injury_report.words(whole[:at] + damage + whole[at + len(damage) :]))
        assert injury_report.rows(found, GAMES.values())


def test_a_box_score_names_its_source() -> None:
    found = parsed("box_score", BOSTON, json.dumps(ANSWERS["box_score"][1]).encode(), NOW, GAMES)
    assert {r["source"] for r in found.absent} == {BOX_SCORE_SOURCE}
