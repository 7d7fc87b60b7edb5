"""The API answers from the tables, in pages, as of a time, and tells a wrong question from an empty answer."""

from datetime import UTC, datetime
from threading import get_ident
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from nba_pipeline.engine.waivers import Waiver, Waivers
from nba_pipeline.reporting.api import Answers, application, openapi
from nba_pipeline.reporting.overview_pages import Context
from nba_pipeline.reporting.resources import RESOURCES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Warehouse
from nba_pipeline_tests.support import report_tables as tables
from nba_pipeline_tests.support.report_tables import DAY, KNEE, WholeLedger, before, call, entry, prediction

MORNING, EVENING = datetime(2024, 1, 15, 14, tzinfo=UTC), datetime(2024, 1, 15, 23, tzinfo=UTC)


class Api:
    """A client, the warehouse that it asks, and the version of its content."""

    def __init__(self, **more: list[dict[str, Any]]) -> None:
        self.warehouse = WholeLedger(tables.day(**more))
        self.version = "1"
        self.context = Context(EVENING, False, Waivers())
        self.client = TestClient(
            application(cast(Warehouse, self.warehouse), lambda: self.version, lambda: self.context),
            raise_server_exceptions=False,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)


def test_rows_of_a_day_are_filtered_and_ordered_by_their_key() -> None:
    api = Api(player_prop_predictions=[prediction(of=KNEE), prediction("last_5"), prediction()])
    found = api.get(f"/forecasts?day={DAY}").json()
    assert found["total"] == 3
    assert [(r["player_id"], r["system_id"]) for r in found["rows"]] == [
        (7, "ensemble_v1"),
        (7, "last_5"),
        (8, "ensemble_v1"),
    ]
    assert api.get(f"/forecasts?day={DAY}&system_id=last_5&player_id=7").json()["total"] == 1
    assert api.get("/forecasts?day=2020-01-01").json()["rows"] == []


def test_pages_together_are_all_rows_once() -> None:
    api = Api(player_prop_predictions=[prediction(of=KNEE), prediction("last_5"), prediction()])
    seen, offset = [], 0
    while offset is not None:
        page = api.get(f"/forecasts?day={DAY}&limit=1&offset={offset}").json()
        seen += [(r["player_id"], r["system_id"]) for r in page["rows"]]
        offset = page["next_offset"]
    assert seen == [(7, "ensemble_v1"), (7, "last_5"), (8, "ensemble_v1")]


@pytest.mark.parametrize(
    ("as_of", "rows"), [("2024-01-15T20:00:00Z", 1), ("2024-01-16T00:00:00%2B00:00", 2), ("2024-01-15T10:00:00Z", 0)]
)
def test_what_became_known_later_is_left_out(as_of: str, rows: int) -> None:
    api = Api(calls=[call(as_of=MORNING, snapshot="morning"), call(as_of=EVENING)])
    assert api.get(f"/calls?day={DAY}&as_of={as_of}").json()["total"] == rows


def test_an_unchanged_answer_has_no_body_and_a_new_content_has_a_new_tag() -> None:
    api = Api()
    path = f"/forecasts?day={DAY}"
    tag = api.get(path).headers["ETag"]
    again = api.get(path, **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    api.warehouse.rows["player_prop_predictions"].append(prediction("ewma"))
    assert api.get(path).headers["ETag"] == tag, "kept until something is published"
    api.version = "2"
    assert api.get(path, **{"If-None-Match": tag}).status_code == 200


def test_a_question_is_computed_once_while_nothing_is_published() -> None:
    api = Api()
    for _ in range(5):
        api.get(f"/prices?day={DAY}")
    assert api.warehouse.reads == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/forecasts", "day is missing"),
        ("/forecasts?day=tomorrow", "wrong value"),
        (f"/forecasts?day={DAY}&sort=x", "sort: no such parameter"),
        (f"/forecasts?day={DAY}&player_id=seven", "wrong value"),
        (f"/forecasts?day={DAY}&limit=0", "out of range"),
        (f"/forecasts?day={DAY}&as_of=2024-01-15T10:00:00", "no time zone"),
        (f"/forecasts?day={DAY}&as_of=9999-12-31T23:00:00-14:00", "wrong value"),
        (f"/forecasts?day={DAY}&as_of=", "wrong value"),
        (f"/forecasts?day={DAY}&player_id=99999999999999999999", "wrong value"),
        (f"/grades?day={DAY}&as_of=2024-01-15T10:00:00Z", "have no as_of"),
        (f"/call_grades?day={DAY}&as_of=2024-01-15T10:00:00Z", "have no as_of"),
        ("/status?start=2024-01-15&end=2024-01-01", "is after END"),
        ("/status?start=9999-12-31", "in the future"),
        ("/status?start=0001-01-01", "before the first partition"),
        ("/status?start=2022-01-01&end=2024-01-01", "too long"),
        ("/status", "missing"),
    ],
)
def test_a_wrong_question_is_refused_with_the_fix(path: str, said: str) -> None:
    found = Api().get(path)
    assert found.status_code == 400
    assert said in found.json()["error"]
    assert found.json()["fix"]


def test_nothing_can_be_changed() -> None:
    client = Api().client
    for verb in ("post", "put", "delete", "patch"):
        assert getattr(client, verb)(f"/forecasts?day={DAY}").status_code == 405


def test_the_description_names_every_path_parameter_and_column() -> None:
    described = openapi()
    assert set(described["paths"]) == {*(f"/{n}" for n in RESOURCES), "/status"}
    for name, resource in RESOURCES.items():
        parameters = {p["name"] for p in described["paths"][f"/{name}"]["get"]["parameters"]}
        assert parameters >= {"day", "limit", "offset", *resource.filters}
        assert set(described["components"]["schemas"][name]["properties"]) == set(resource.table.columns)
        assert set(resource.filters) <= set(resource.table.columns)


@pytest.mark.parametrize(
    ("as_of", "books"),
    [
        ("2024-01-15T13:59:00Z", []),
        ("2024-01-15T18:59:00Z", []),
        ("2024-01-15T19:00:00Z", ["early"]),
        ("2024-01-15T22:59:00Z", ["early"]),
        ("2024-01-15T23:00:00Z", ["early", "late"]),
    ],
)
def test_a_price_is_known_from_the_later_of_its_quote_and_the_forecast_that_it_follows_from(
    as_of: str, books: list[str]
) -> None:
    noon = datetime(2024, 1, 15, 19, tzinfo=UTC)
    prices = [tables.price(b) | {"quoted_at": at} for b, at in (("early", MORNING), ("late", EVENING))]
    prices.append(tables.price("never timed"))
    api = Api(player_prop_predictions=[prediction(as_of=noon), prediction("last_5", as_of=MORNING)], prop_prices=prices)
    found = api.get(f"/prices?day={DAY}&as_of={as_of}").json()
    assert [r["bookmaker"] for r in found["rows"]] == books


def test_the_last_published_day_of_the_status_may_lie_outside_its_range() -> None:
    api = Api()
    api.warehouse.entries = [entry(SCHEDULE, DAY), entry(SCHEDULE, before(5))]
    told = api.get(f"/status?start={before(5)}").json()
    assert told["tables"][SCHEDULE.id]["last_published"] == str(DAY)


def test_the_status_has_open_alerts_and_waivers_as_they_are_now() -> None:
    api = Api()
    api.warehouse.entries = [entry(SCHEDULE, DAY, state="refused", reasons=("coverage: why",))]
    path = f"/status?start={DAY}"
    assert [len(api.get(path).json()[k]) for k in ("problems", "waived", "alerts")] == [1, 0, 0]
    alert = {"kind": "gap", "text": "a gap", "opened_at": "2024-01-15T10:00:00"}
    api.context = Context(EVENING, False, Waivers((Waiver(SCHEDULE.id, DAY, DAY, DAY, "Ann", "lost"),)), [alert])
    told = api.get(path).json()
    assert (told["problems"], told["alerts"]) == ([], [alert])
    assert told["waived"][0]["table"] == SCHEDULE.id


def test_the_root_lists_the_paths_and_an_unknown_path_names_it() -> None:
    api = Api()
    assert set(api.get("/").json()["paths"]) == set(openapi()["paths"])
    missing = api.get("/forecast")
    assert (missing.status_code, missing.json()["fix"]) == (404, "GET / lists the paths")


def test_an_offset_behind_the_last_row_is_an_empty_page() -> None:
    assert Api().get(f"/forecasts?day={DAY}&offset=99999999999999999999").json()["rows"] == []


def test_a_number_that_is_none_is_null() -> None:
    api = Api(player_prop_predictions=[prediction(predicted_mean=float("nan"))])
    assert api.get(f"/forecasts?day={DAY}").json()["rows"][0]["predicted_mean"] is None


def test_kept_answers_take_no_more_room_than_allowed_and_those_of_an_old_version_none() -> None:
    version = ["1"]
    answers = Answers(lambda: version[0], most_bytes=3_000)
    for n in range(20):
        answers.get(f"{n}", lambda n=n: [str(n)] * 100)
    assert 0 < answers.bytes <= 3_000
    version[0] = "2"
    answers.get("new", list)
    assert answers.bytes < 100


def test_an_error_is_not_kept_and_is_asked_again() -> None:
    answers = Answers(lambda: "1")
    with pytest.raises(ZeroDivisionError):
        answers.get("a", lambda: 1 // 0)
    assert answers.get("a", lambda: 1).body == b"1"


def test_nothing_is_read_in_the_loop_of_the_server() -> None:
    api, loops, readers = Api(), set[int](), set[int]()

    def version() -> str:
        readers.add(get_ident())
        return "1"

    app = application(cast(Warehouse, api.warehouse), version, lambda: api.context)

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        loops.add(get_ident())
        await app(scope, receive, send)

    with TestClient(watched) as client:  # one loop, in a thread that lives as long as the readers'
        assert [client.get(p).status_code for p in (f"/forecasts?day={DAY}", f"/status?start={DAY}")] == [200, 200]
    assert loops
    assert readers
    assert not loops & readers
