"""The harness of odd elements: sound parsers hold, and a parser that refuses or drops for one element is told."""

from typing import Any

import pytest

from nba_pipeline.sources.answers import parsed
from nba_pipeline.sources.parsing.values import PayloadError
from tools.reliability import feed_fuzz


def test_one_odd_element_costs_no_answer() -> None:
    proof = feed_fuzz.answers_proof(54)
    assert proof.holds, proof.examples


@pytest.mark.parametrize("fault", ["the whole answer is refused", "rows are dropped"])
def test_a_parser_that_loses_more_than_the_odd_element_is_red(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def faulty(kind: str, key: str, content: bytes, fetched_at: Any, games: Any, set_aside: list[Any]) -> Any:
        found = parsed(kind, key, content, fetched_at, games, set_aside)
        if not set_aside or kind != "schedule":
            return found
        if fault == "rows are dropped":
            return found[:3]
        raise PayloadError("odd")

    monkeypatch.setattr(feed_fuzz, "parsed", lambda *a: faulty(*a) if len(a) > 5 else parsed(*a))
    proof = feed_fuzz.answers_proof(54)
    assert not proof.holds
    assert all("schedule" in example for example in proof.examples)
