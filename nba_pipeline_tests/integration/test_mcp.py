"""The process `nba-pipeline mcp` speaks the Model Context Protocol: lines of JSON-RPC on standard input and output."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline_tests.support.homes import LAST, Home

PROTOCOL = "2025-06-18"
SECONDS = 60


class Agent:
    """Asks the process one question after the other, as a client of the protocol does."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.asked = 0

    def send(self, **message: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        self.asked += 1
        self.send(id=self.asked, method=method, params=params)
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        assert answer["id"] == self.asked, answer
        return answer["result"]

    def call(self, name: str, **arguments: Any) -> tuple[dict[str, Any], bool]:
        """The answer of a tool, and whether it is an error."""
        result = self.request("tools/call", name=name, arguments=arguments)
        (content,) = result["content"]
        return json.loads(content["text"]), result.get("isError", False)


@contextmanager
def agent_of(home: Home) -> Iterator[Agent]:
    command = [sys.executable, "-m", "nba_pipeline.cli", "mcp"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=home.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            agent = Agent(process)
            client = {"name": "test", "version": "1"}
            begun = agent.request("initialize", protocolVersion=PROTOCOL, capabilities={}, clientInfo=client)
            assert begun["protocolVersion"] == PROTOCOL
            assert "tools" in begun["capabilities"]
            assert "priced_wrong" in begun["instructions"]
            agent.send(method="notifications/initialized")
            yield agent
            output, errors = process.communicate(timeout=SECONDS)
            assert (process.returncode, output, errors) == (0, "", "")
        finally:
            process.kill()


def test_ctrl_c_ends_it_while_it_waits_for_the_agent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nba_pipeline.cli", "mcp"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=Home(tmp_path).environment, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            agent = Agent(process)
            agent.request(
                "initialize", protocolVersion=PROTOCOL, capabilities={}, clientInfo={"name": "t", "version": "1"}
            )
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=5) == -signal.SIGINT
        finally:
            process.kill()


@pytest.fixture(scope="module")
def answers(finished_home: Home) -> dict[str, Any]:
    """What one conversation gave."""
    day = str(LAST)
    with agent_of(finished_home) as agent:
        return {
            "tools": agent.request("tools/list")["tools"],
            "wrong": agent.call("priced_wrong", day=day, market="points", least_value=-1, limit=3),
            "forecasts": agent.call("forecasts", day=day, limit=2),
            "status": agent.call("status", start=day),
            "future": agent.call("priced_wrong", day="9999-12-31"),
            "unknown": agent.call("odds", day=day),
        }


def test_every_tool_is_listed_with_the_schema_of_its_parameters(answers: dict[str, Any]) -> None:
    listed = {t["name"]: t for t in answers["tools"]}
    assert {"forecasts", "prices", "calls", "grades", "status", "priced_wrong"} <= set(listed)
    assert set(listed["priced_wrong"]["inputSchema"]["properties"]) >= {"day", "market", "least_value"}
    assert all(t["annotations"]["readOnlyHint"] for t in listed.values())


def test_a_day_without_forecasts_says_why_nobody_is_priced_wrong(answers: dict[str, Any]) -> None:
    found, is_error = answers["wrong"]
    assert not is_error
    assert (found["forecasts"], found["prices"]) == (0, [])
    assert any("no model this month" in reason for reason in found["players_without_forecast"])


def test_answers_of_an_invented_league_say_so(answers: dict[str, Any]) -> None:
    for name in ("wrong", "forecasts", "status"):
        assert answers[name][0]["simulated"] is True
        assert "invented" in answers[name][0]["note"]


def test_rows_come_in_pages_and_the_status_has_no_problem(answers: dict[str, Any]) -> None:
    rows, _ = answers["forecasts"]
    assert (len(rows["rows"]), rows["next_offset"], rows["state"]) == (2, 2, "published")
    assert answers["status"][0]["problems"] == []


@pytest.mark.parametrize(("asked", "said"), [("future", "in the future"), ("unknown", "there is no tool odds")])
def test_an_error_is_a_result_with_its_fix(answers: dict[str, Any], asked: str, said: str) -> None:
    told, is_error = answers[asked]
    assert is_error
    assert said in told["error"]
    assert told["fix"]
