"""The server of the pages gives what the store has, to requests by its own name only."""

from typing import cast

import pytest
from starlette.testclient import TestClient

from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.cli.own_pages import LOCAL_NAMES
from nba_pipeline.cli.page_server import application
from nba_pipeline.common.errors import ArtifactError

PAGES = {"index.html": b"<p>index", "2024-01-15.html": b"<p>day", "checks.json": b"{}"}


class Store:
    """Answers `read` from pages by name; a store that is down fails."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.asked: list[str] = []

    def read(self, kind: str, name: str) -> bytes | None:
        assert kind == "reports"
        self.asked.append(name)
        if self.down:
            raise ArtifactError("no answer", "check the network")
        return PAGES.get(name)


def client(store: Store) -> TestClient:
    return TestClient(application(cast(ArtifactStore, store), LOCAL_NAMES), base_url="http://localhost:3003")


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("/", b"<p>index", "text/html; charset=utf-8"),
        ("/index.html", b"<p>index", "text/html; charset=utf-8"),
        ("/2024-01-15.html", b"<p>day", "text/html; charset=utf-8"),
        ("/checks.json", b"{}", "application/json"),
    ],
)
def test_a_page_is_given_as_it_was_written(path: str, content: bytes, kind: str) -> None:
    answer = client(Store()).get(path)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, kind)


def test_a_page_that_is_not_there_names_the_command_that_writes_it() -> None:
    answer = client(Store()).get("/2024-01-16.html")
    assert answer.status_code == 404
    assert "nba-pipeline report DAY" in answer.text


@pytest.mark.parametrize(
    "path", ["/..%2Fmodels%2Fa.html", "/a/b.html", "/models", "/.hidden.html", "/%2e%2e/nba.duckdb"]
)
def test_only_pages_are_looked_for(path: str) -> None:
    store = Store()
    assert client(store).get(path).status_code == 404
    assert store.asked == []


def test_a_store_that_fails_is_named_with_the_remedy() -> None:
    answer = client(Store(down=True)).get("/")
    assert (answer.status_code, "Fix: check the network" in answer.text) == (503, True)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example.org"}, {"Origin": "http://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_requests_of_other_pages_and_hosts_are_refused(headers: dict[str, str]) -> None:
    assert client(Store()).get("/", headers=headers).status_code == 403


def test_nothing_can_be_changed() -> None:
    assert client(Store()).post("/index.html").status_code == 405
