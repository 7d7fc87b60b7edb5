"""Inputs that users of comparable tools reported in public, read in place: each must come out right, or be refused by name."""

import csv
import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nba_pipeline.domain.identity.aliases import read_aliases
from nba_pipeline.domain.identity.resolver import Appearance, People, Player, Question
from nba_pipeline.sources.parsing import odds, schedule
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT as CONTEXT
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES as LINES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Days
from tools.reliability.fuzz import FACTS
from tools.reliability.ground import RAW, Ground, ground, refused, stretch

CASES = Path(os.environ.get("NBA_PIPELINE_TEST_CASES") or Path(__file__).parents[2] / ".." / "shared" / "cases")
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}; set NBA_PIPELINE_TEST_CASES")
OPENING, NEXT = date(2024, 10, 22), date(2024, 10, 23)
NOW = datetime(2024, 10, 25, 16, tzinfo=UTC)


def lines_of(here: Ground, *columns: str) -> list[tuple]:
    """The published prop lines, as tuples of these columns."""
    rows = here.warehouse.read({"lines": (LINES, Days(OPENING, NEXT))})["lines"].to_pylist()
    return sorted(tuple(r[c] for c in columns) for r in rows)


def counts(here: Ground, days: Sequence[date]) -> dict[str, int]:
    """Rows of each table on these days."""
    found: dict[str, int] = {}
    for (table, day), (rows, _) in here.contents(days[0], days[-1], (*RAW, *FACTS)).items():
        if day in days:
            found[table] = found.get(table, 0) + rows
    return found


def test_all_four_dfs_operators_are_told_from_sportsbooks() -> None:
    with ground(CASES / "dfs-books" / "data") as here:
        here.publish([OPENING], RAW, at=NOW)
        kinds = {book: kind for book, kind in lines_of(here, "bookmaker", "book_kind")}
    assert {b: kinds[b] for b in ("prizepicks", "underdog", "pick6", "betr_us_dfs")} == dict.fromkeys(
        ("prizepicks", "underdog", "pick6", "betr_us_dfs"), "dfs"
    )


def test_a_main_line_in_the_alternate_ladder_stays_the_main_line() -> None:
    with ground(CASES / "main-line-beside-its-alternate" / "data") as here:
        here.publish([OPENING], RAW, at=NOW)
        rows = lines_of(here, "line", "line_kind", "over_odds", "under_odds")
    assert (20.5, "main", -115, -105) in rows


def test_a_day_whose_game_ids_lost_their_zeros_is_refused_and_keeps_its_rows() -> None:
    with ground(CASES / "numeric-game-ids" / "good") as here:
        assert refused(here.publish([OPENING], (*RAW, *FACTS), at=NOW)) == {}
        good = counts(here, [OPENING])
        assert good[FACTS[0]] == 18
        with ground(CASES / "numeric-game-ids" / "bad") as bad:
            why = refused(here.publish([OPENING], (*RAW, *FACTS), source=bad.source, at=NOW))
        assert SCHEDULE.id in why
        assert counts(here, [OPENING]) == good


def test_a_game_that_was_not_played_blocks_no_later_day() -> None:
    tables = (*RAW, *FACTS, CONTEXT.id)
    with ground(CASES / "postponed-game" / "data") as here:
        here.publish(stretch("2024-02-20", "2024-10-22"), tables, at=NOW)
        done = here.publish([NEXT, date(2024, 10, 24)], tables, at=NOW)
        slate = here.contents(date(2024, 10, 24), date(2024, 10, 24), [CONTEXT.id])
    assert CONTEXT.id not in refused(done)
    assert slate[CONTEXT.id, date(2024, 10, 24)][0] > 0


def test_a_game_under_its_utc_date_is_refused_by_name() -> None:
    with ground(CASES / "utc-dated-schedule" / "data") as here:
        why = refused(here.publish([OPENING, NEXT], (*RAW, *FACTS), at=NOW))
        published = counts(here, [NEXT])
    assert list(why[SCHEDULE.id]) == [NEXT]
    assert "0022400002: the tip-off 2024-10-23T02:30Z is on 2024-10-22 in New York" in why[SCHEDULE.id][NEXT]
    assert published == {}


def test_a_book_that_lists_a_line_twice_loses_none_of_its_quotes() -> None:
    answer = json.loads((CASES / "odds-duplicate-line" / "answer.json").read_text(encoding="utf-8"))
    props = odds.snapshot(answer, datetime(2024, 2, 23, tzinfo=UTC)).props
    asked = sum(o["name"] == "Over" for b in answer["bookmakers"] for m in b["markets"] for o in m["outcomes"])
    assert len(props) == asked


def test_cup_games_without_teams_have_no_teams_and_no_tip_off() -> None:
    answer = json.loads((CASES / "schedule-cup-tbd" / "schedule.json").read_text(encoding="utf-8"))
    games = {g.game_id: (g.home, g.away, g.tip_off) for g in schedule.games(answer)}
    assert games["0022601201"] == games["0022601202"] == (None, None, None)
    assert games["0022600339"][:2] == ("BOS", "NYK")


def variants() -> list[tuple[str, str]]:
    with (CASES / "name-variants" / "variants.tsv").open(encoding="utf-8") as file:
        return [(row[0], row[1]) for row in list(csv.reader(file, delimiter="\t"))[1:]]


def test_a_name_as_a_source_prints_it_means_the_listed_player() -> None:
    pairs = variants()
    players = [Player(i, listed) for i, (_, listed) in enumerate(pairs, 1)]
    people = People(players, read_aliases())
    before = {(p.player_id, "2026-01-10"): Appearance("BOS", p.name) for p in players}
    for printed, listed in pairs:
        found = people.answer(Question(printed, "2026-01-10", frozenset(["BOS"])), before).player
        assert found is not None and found.name == listed, printed
