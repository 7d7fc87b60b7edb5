"""The pages above the days: states from the ledger, figures of a season, and no page that invents one."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pyarrow as pa
import pytest

from nba_pipeline.common.json_text import json_text
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.game_states import PENDING
from nba_pipeline.engine.waivers import NO_WAIVERS, Waiver, Waivers
from nba_pipeline.reporting.overview import calendars, cells, stretches, worst
from nba_pipeline.reporting.overview_pages import Context, checks, read_checks, write_overview
from nba_pipeline.reporting.season import read_season
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Warehouse
from nba_pipeline.warehouse.protocol import ENTRY_SCHEMA
from nba_pipeline_tests.support import report_tables as tables
from nba_pipeline_tests.support.report_pages import text_of
from nba_pipeline_tests.support.report_tables import DAY, HORN, TABLES, HandMadeWarehouse, before, entry, grade

IDS = [t.id for t in TABLES[:2]]
NOW = datetime(2024, 1, 16, 12, tzinfo=UTC)


def entry_row(table: Table = SCHEDULE, on: date = DAY, state: str = "published", **more: Any) -> dict[str, Any]:
    row = {"table_id": table.id, "day": on, "state": state, "rows": 5, "expected": 5, "games": 1, "recorded_at": NOW}
    return row | {"absent": "{}", "reasons": "[]", "unexplained": 0} | more


def ledger(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), ENTRY_SCHEMA)


def context(
    waivers: Waivers = NO_WAIVERS, *, simulated: bool = False, alerts: Sequence[dict[str, str]] = ()
) -> Context:
    return Context(NOW, simulated, waivers, alerts)


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([], "never run"),
        ([entry_row()], "published"),
        ([entry_row(games=0, rows=0)], "no games"),
        ([entry_row(absent=json.dumps({PENDING: 2}))], "waiting"),
        ([entry_row(), entry_row(state="refused", reasons='["coverage: 2 games are missing"]')], "refused"),
        ([entry_row(state="refused", reasons='["upstream_missing: needs nba_raw.schedule"]')], "waiting"),
    ],
)
def test_the_state_of_a_table_on_a_day_follows_from_the_ledger(entries: list[dict[str, Any]], state: str) -> None:
    ((cell,),) = cells(entries, [SCHEDULE.id], [DAY]).values()
    assert cell.state == state


def test_a_refused_day_names_its_failed_checks_and_keeps_the_rows_that_it_had() -> None:
    reasons = json.dumps(["coverage: 2 games are missing", "coverage: more", "contract: a key is doubled"])
    entries = [entry_row(rows=7), entry_row(state="refused", rows=0, reasons=reasons)]
    ((cell,),) = cells(entries, [SCHEDULE.id], [DAY]).values()
    assert (cell.rows, cell.codes) == (7, ["coverage", "contract"])


def test_a_day_is_as_bad_as_its_worst_table() -> None:
    assert worst(["published", "refused", "waiting"]) == "refused"
    assert worst(["published", "no games", "never run"]) == "in part"
    assert worst(["waiting", "never run"]) == "waiting"
    assert worst(["never run", "never run"]) == worst([]) == "never run"
    assert worst(["no games", "no games"]) == "no games"


def test_equal_states_of_consecutive_days_are_one_stretch() -> None:
    folded = stretches(["published", "published", "refused", "published"])
    assert [(s.state, s.first, s.days) for s in folded] == [("published", 0, 2), ("refused", 2, 1), ("published", 3, 1)]


def test_a_season_has_every_day_between_its_first_and_its_last_entry() -> None:
    (latest, earlier) = calendars([entry_row(), entry_row(on=before(2)), entry_row(on=date(2022, 1, 5))], IDS)
    assert (latest.label, earlier.label) == ("2023-24", "2021-22")
    assert latest.days == (before(2), before(1), DAY)
    assert latest.tables[SCHEDULE.id] == ("published", "never run", "published")


def test_the_dashboard_names_the_repair_of_every_refused_day_and_the_last_published_one() -> None:
    entries = ledger(entry_row(on=before(1)), entry_row(state="refused", reasons='["coverage: why"]'))
    found = checks(entries, [before(1), DAY], context())
    (problem,) = found.problems
    assert problem.repair == f"nba-pipeline backfill {DAY} {DAY} --missing"
    assert found.fresh[SCHEDULE.id] == before(1)
    told = found.as_json()
    assert told["counts"]["refused"] == 1
    assert told["tables"][SCHEDULE.id]["days"][str(DAY)]["codes"] == ["coverage"]


def test_the_last_published_day_may_lie_outside_the_days_of_the_dashboard() -> None:
    found = checks(ledger(entry_row(), entry_row(on=before(9))), [before(9), before(8)], context())
    assert found.fresh[SCHEDULE.id] == DAY


def test_a_waived_day_is_no_problem_and_is_listed_with_its_reason() -> None:
    waiver = Waiver(SCHEDULE.id, DAY, DAY, DAY, "Ann", "the feed lost it")
    found = checks(
        ledger(entry_row(on=before(1), state="refused"), entry_row(state="refused", reasons='["coverage: why"]')),
        [before(1), DAY],
        context(Waivers((waiver,))),
    )
    assert [p.day for p in found.problems] == [before(1)]
    assert [(w.table, w.day, w.state) for w in found.waived] == [(SCHEDULE.id, DAY, "refused")]
    assert "Ann" in found.as_json()["waived"][0]["why"]


class Pages(HandMadeWarehouse):
    """Also answers `ledger` of everything, and keeps what is published."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        refused = entry(TABLES[1], state="refused", reasons=("coverage: 2 games are missing",))
        super().__init__(rows, [*(entry(t, d) for t in TABLES for d in (before(1), DAY)), refused])
        self.pages: dict[str, str] = {}

    def ledger(self, *_: Any, **__: Any) -> Any:
        return super().ledger(graph_order(), date(2021, 1, 1), date(2030, 1, 1))

    def publish(self, kind: str, name: str, content: bytes) -> str:
        self.pages[name] = content.decode()
        return f"{kind}/{name}"

    def names(self, _: str) -> set[str]:
        return {f"{DAY}.html", *self.pages}


def graded_calls(n: int) -> list[dict[str, Any]]:
    return [
        {"game_date": before(d), "player_id": HORN, "market": "points", "snapshot": snapshot, "bookmaker": "a"}
        | {"outcome": "win" if d % 2 else "loss", "profit": 0.9 if d % 2 else -1.0, "closing_value": 0.01}
        | {"backfilled": False}
        for d in range(1, n + 1)
        for snapshot in ("morning", "close")
    ]


def test_a_season_scores_each_call_once_with_an_interval_by_days() -> None:
    rows = tables.day() | {
        "call_grades": graded_calls(10),
        "prediction_accuracy": [
            grade(n, s, season_average=24.0, p_over=0.66, p_push=0.0)
            for n in range(1, 11)
            for s in ("ensemble_v1", "last_10")
        ],
    }
    season = read_season(cast(Warehouse, HandMadeWarehouse(rows)), "2023-24", before(30), DAY)
    every = next(c for c in season.calls if c.kind == "all")
    assert (every.n, every.bets, every.priced) == (10, 10, 10)
    assert every.roi is not None
    assert every.roi.mean == pytest.approx(-0.05)
    assert every.roi.low is not None
    assert {(c.kind, c.name) for c in season.calls} >= {("tier", "starter"), ("book", "a"), ("market", "points")}
    (found,) = season.calibration["ensemble_v1"]
    assert (found.n, found.forecast, found.observed) == (10, pytest.approx(0.66), 1.0)


def test_few_days_have_no_interval_and_no_calls_no_figures() -> None:
    season = read_season(
        cast(Warehouse, HandMadeWarehouse({"call_grades": graded_calls(3)})), "2023-24", before(30), DAY
    )
    assert season.calls[0].roi is not None
    assert season.calls[0].roi.low is None
    assert read_season(cast(Warehouse, HandMadeWarehouse({})), "2023-24", before(30), DAY).calls == ()


def test_index_season_and_checks_are_linked_and_name_what_is_wrong() -> None:
    home = Pages(tables.day() | {"call_grades": graded_calls(10)})
    alert = {"kind": "gap", "text": "a <gap>", "opened_at": "2024-01-15T10:00:00"}
    write_overview(cast(Warehouse, home), cast(Any, home), context(simulated=True, alerts=[alert]))
    assert set(home.pages) == {"season-2023-24.html", "checks.html", "checks.json", "index.html"}
    for name in ("index.html", "checks.html", "season-2023-24.html"):
        assert "Simulated. An invented league" in text_of(home.pages[name])
        assert "http" not in home.pages[name]
    assert f'<a href="{DAY}.html"' in home.pages["index.html"]
    assert 'href="season-2023-24.html"' in home.pages["index.html"]
    shown = text_of(home.pages["checks.html"])
    assert "a <gap>" in shown
    assert f"{TABLES[1].id} {DAY} refused: coverage: 2 games are missing" in shown
    assert json.loads(home.pages["checks.json"])["problems"][0]["table"] == TABLES[1].id
    assert f"refused: {DAY}" in text_of(home.pages["season-2023-24.html"])


def test_days_that_wait_stand_below_the_refused_ones_that_they_wait_for() -> None:
    home = Pages(tables.day())
    waits = entry(TABLES[0], state="refused", reasons=("upstream_missing: needs the day itself",))
    home.entries.append(waits)
    write_overview(cast(Warehouse, home), cast(Any, home), context(), seasons=[])
    shown = text_of(home.pages["checks.html"])
    assert shown.index(f"{TABLES[1].id} {DAY} refused") < shown.index("1 table-day waiting for other tables")
    assert f"{TABLES[0].id} {DAY} waiting: upstream_missing" in shown
    assert "<details><summary>1 table-day waiting" in home.pages["checks.html"], "folded beside its cause"
    home.entries.remove(next(e for e in home.entries if e.reasons == ("coverage: 2 games are missing",)))
    write_overview(cast(Warehouse, home), cast(Any, home), context(), seasons=[])
    assert "<details open><summary>1 table-day waiting" in home.pages["checks.html"], "open where nothing else is told"


def test_the_index_links_only_pages_that_exist() -> None:
    home = Pages(tables.day())
    home.pages["season-2020-21.html"] = "of another league"
    written = write_overview(cast(Warehouse, home), cast(Any, home), context(), seasons=[])
    assert set(written.pages) == {"checks.html", "checks.json", "index.html"}
    linked = set(re.findall(r'href="([^"#]+)"', home.pages["index.html"]))
    assert linked == {"checks.html", f"{DAY}.html"}


def test_the_figures_of_the_written_dashboard_are_those_returned() -> None:
    home = Pages(tables.day())
    written = write_overview(cast(Warehouse, home), cast(Any, home), context())
    assert written.checks is not None
    assert json.loads(home.pages["checks.json"]) == json.loads(json_text(written.checks.as_json()))


def test_the_first_day_alone_stands_for_the_days_from_it_to_the_last_that_was_run() -> None:
    home = cast(Warehouse, Pages(tables.day()))
    found = [read_checks(home, context(), (first, None)) for first in (before(3), DAY + timedelta(days=2))]
    assert [f and (f.days[0], f.days[-1]) for f in found] == [(before(3), DAY), (DAY + timedelta(days=2),) * 2]


def test_without_a_ledger_there_is_no_page_and_no_figure() -> None:
    home = Pages(tables.day())
    home.entries = []
    written = write_overview(cast(Warehouse, home), cast(Any, home), context())
    assert (written.pages, written.checks, home.pages) == ({}, None, {})


def test_the_dashboard_covers_the_range_that_is_asked_for() -> None:
    home = Pages(tables.day())
    write_overview(cast(Warehouse, home), cast(Any, home), context(), checked=(before(3), DAY), seasons=[])
    assert set(home.pages) == {"checks.html", "checks.json", "index.html"}
    told = json.loads(home.pages["checks.json"])
    assert (told["start"], told["end"]) == (str(before(3)), str(DAY))
    assert len(told["tables"][SCHEDULE.id]["days"]) == (DAY - before(3)) / timedelta(days=1) + 1
