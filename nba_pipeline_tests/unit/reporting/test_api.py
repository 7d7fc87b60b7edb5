"""The API answers from the tables, in pages, as of a time, and tells a wrong question from an empty answer."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from nba_pipeline.reporting.api import application, openapi
from nba_pipeline.reporting.resources import RESOURCES
from nba_pipeline.warehouse import Warehouse
from nba_pipeline_tests.support import report_tables as tables
from nba_pipeline_tests.support.report_tables import DAY, KNEE, HandMadeWarehouse, call, prediction

MORNING, EVENING = datetime(2024, 1, 15, 14, tzinfo=UTC), datetime(2024, 1, 15, 23, tzinfo=UTC)


class Api:
    """A client, the warehouse that it asks, and the version of its content."""

    def __init__(self, **more: list[dict[str, Any]]) -> None:
        self.warehouse = HandMadeWarehouse(tables.day(**more))
        self.version = "1"
        self.client = TestClient(application(cast(Warehouse, self.warehouse), lambda: self.version))

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
        (f"/call_grades?day={DAY}&as_of=2024-01-15T10:00:00Z", "have no as_of"),
        ("/status?start=2024-01-15&end=2024-01-01", "reversed"),
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


def test_prices_are_known_since_they_were_quoted() -> None:
    late = tables.price("late") | {"quoted_at": EVENING}
    api = Api(prop_prices=[tables.price("early") | {"quoted_at": MORNING}, late])
    found = api.get(f"/prices?day={DAY}&as_of=2024-01-15T20:00:00Z").json()
    assert [r["bookmaker"] for r in found["rows"]] == ["early"]
