"""The guard of the web servers refuses whatever is not plainly its own, and takes no name by which nothing would be its own."""

from typing import Any

import pytest
from click.testing import CliRunner

from nba_pipeline.cli import dev, serve
from nba_pipeline.cli.main import main
from nba_pipeline.cli.own_pages import LOCAL_NAMES, host_name, refusal
from nba_pipeline.common.errors import ConfigurationError

NO_NAMES = (
    "https://ui.example.org",
    "ui.example.org:3000",
    "ui.example.org/",
    "[::1]:3000",
    "1:2",
    "*.example.org",
    "",
)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "["},
        {"host": "a[b"},
        {"host": "::1"},
        {},
        {"host": "localhost", "origin": "http://["},
        {"host": "localhost", "origin": "]"},
    ],
)
def test_an_address_that_cannot_be_read_is_refused(headers: dict[str, str]) -> None:
    assert refusal(headers, "/", LOCAL_NAMES) is not None


def test_own_addresses_are_answered() -> None:
    for host in ("localhost", "LOCALHOST:3000", "[::1]:3000"):
        assert refusal({"host": host, "origin": f"http://{host}"}, "/", LOCAL_NAMES) is None


@pytest.mark.parametrize("given", ["UI.example.org", "127.0.0.2", "fd00::1", "[FD00::1]", "fd00:0:0::1", "my_host"])
def test_requests_by_a_name_that_is_taken_are_answered(given: str) -> None:
    name = host_name(given)
    host = f"[{name}]:3000" if ":" in name else f"{name}:3000"
    assert refusal({"host": host}, "/", {name}) is None


@pytest.mark.parametrize("given", NO_NAMES)
def test_a_name_by_which_no_request_would_be_answered_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="without scheme and port"):
        host_name(given)


@pytest.mark.parametrize("given", NO_NAMES)
def test_the_api_does_not_start_with_such_a_name(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(serve, "run_api", lambda *given: started.append(given))
    done = CliRunner().invoke(main, ["api", "--allow-host", given])
    assert (done.exit_code, started) == (2, [])
    assert "without scheme and port" in " ".join(done.output.split())


def test_nor_does_the_ui(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    prepared: list[Any] = []
    monkeypatch.setattr(dev, "prepare", prepared.append)
    monkeypatch.setattr("sys.argv", ["dev", "--allow-host", "https://ui.example.org"])
    with pytest.raises(SystemExit) as end:
        dev.main()
    assert (end.value.code, prepared) == (2, [])
    assert "without scheme and port" in capsys.readouterr().err


def test_the_api_gets_the_names_as_requests_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(serve, "run_api", lambda *given: started.append(given))
    CliRunner().invoke(main, ["api", "--allow-host", "API.example.org", "--allow-host", "[::1]"])
    assert started == [("127.0.0.1", 3002, ("api.example.org", "::1"))]
