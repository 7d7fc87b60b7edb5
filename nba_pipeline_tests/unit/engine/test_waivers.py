"""A waiver is a dated line with an author and a reason; it opens the way for later days and is never silent."""

from datetime import date
from pathlib import Path

import pytest

from nba_pipeline import asof
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.coverage import by_table, table_status
from nba_pipeline.engine.readiness import PENDING, unmet, waived
from nba_pipeline.engine.waivers import COLUMNS, FILE, NO_WAIVERS, Waiver, Waivers, read_waivers
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline_tests.support import day
from nba_pipeline_tests.unit.engine.test_readiness import ALL, REFUSED, START, WAITING, ledger, on

TABLES = [SCHEDULE.id]
LINE = f"2024-02-01,{SCHEDULE.id},2024-01-04,2024-01-04,,ann,the arena lost the sheet"
WAIVER = Waiver(SCHEDULE.id, day("2024-01-04"), day("2024-01-04"), day("2024-02-01"), "ann", "lost")


def written(home: Path, *lines: str) -> Path:
    (home / FILE).write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
    return home


def test_a_line_waives_its_days_and_says_who_when_and_why(tmp_path: Path) -> None:
    found = read_waivers(written(tmp_path, LINE), TABLES, day("2024-03-01"))
    assert list(found.of(SCHEDULE.id)) == [day("2024-01-04")]
    assert str(found.holding[0]) == (
        "nba_raw.schedule 2024-01-04 waived by ann on 2024-02-01: the arena lost the sheet"
    )


def test_a_waiver_ends_after_its_last_day(tmp_path: Path) -> None:
    line = LINE.replace(",,ann", ",2024-02-10,ann")
    for today, holds in (("2024-02-10", 1), ("2024-02-11", 0)):
        assert len(read_waivers(written(tmp_path, line), TABLES, day(today)).holding) == holds


def test_without_a_file_nothing_is_waived(tmp_path: Path) -> None:
    assert read_waivers(tmp_path, TABLES, day("2024-03-01")) == NO_WAIVERS


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (LINE.replace("schedule", "schedules"), "line 2: there is no table 'nba_raw.schedules'"),
        (LINE.replace("ann", " "), "line 2: by is empty"),
        (LINE.replace("the arena lost the sheet", ""), "line 2: reason is empty"),
        (LINE.replace("2024-02-01", "yesterday"), "line 2, written: 'yesterday' is not a day"),
        (LINE.replace("2024-01-04,,", "2024-01-03,,"), "is not a range of 1 to 400 days"),
        (LINE.replace("2024-01-04,,", "2026-01-04,,"), "is not a range of 1 to 400 days"),
    ],
)
def test_a_faulty_line_is_refused_by_its_number(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_waivers(written(tmp_path, line), TABLES, day("2024-03-01"))


def test_a_waived_gap_blocks_nobody_and_is_named_on_every_day_that_looks_back_on_it() -> None:
    entries, days = ledger(ALL | {3: REFUSED}), on(3, 4, 8, 9)
    reads, waivers = {"t": asof.before(SCHEDULE, 5)}, Waivers((WAIVER,))
    assert set(unmet(reads, entries, days)) == set(on(4, 8))
    assert unmet(reads, entries, days, waivers) == {}
    assert waived(reads, entries, days, waivers) == dict.fromkeys(on(4, 8), (WAIVER,))


def test_a_gap_beside_the_waived_one_still_blocks() -> None:
    entries = ledger(ALL | {3: REFUSED, 4: WAITING})
    found = unmet({"t": asof.before(SCHEDULE, 5)}, entries, on(8), Waivers((WAIVER,)))
    assert "lacks 2024-01-05" in found[on(8)[0]]


def status(states: dict[int, str], waivers: Waivers):
    days = days_between(START, date(2024, 1, 6))
    entries = by_table(ledger(states)).get(SCHEDULE.id, [])
    held = {e["day"]: e["rows"] for e in entries if e["state"] == "published"}
    return table_status(SCHEDULE, "rows", days, entries, held, {}, waivers.of(SCHEDULE.id))


@pytest.mark.parametrize("fault", [{3: REFUSED}, {3: WAITING}, {}], ids=["refused", "waiting", "missing"])
def test_status_is_complete_but_for_the_waived_day_which_is_shown(fault: dict[int, str]) -> None:
    states = {n: s for n, s in ALL.items() if 0 <= n < 6 and n != 3} | fault
    assert not status(states, NO_WAIVERS).complete
    found = status(states, Waivers((WAIVER,)))
    assert found.complete
    assert "waived by ann on 2024-02-01: lost" in found.waived[day("2024-01-04")]
    assert found.as_json()["days_waived"].keys() == {"2024-01-04"}
    assert PENDING not in found.explained


def test_a_waiver_of_a_day_that_is_fine_says_nothing() -> None:
    assert status({n: s for n, s in ALL.items() if 0 <= n < 6}, Waivers((WAIVER,))).waived == {}
