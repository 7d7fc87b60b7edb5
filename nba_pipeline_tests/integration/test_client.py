"""The client of all services: what it tries again, how long it waits, and what it says when it gives up."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.client import KeyInQuery, Refused, ThrottledSession, Unreachable
from nba_pipeline.sources.live_settings import Pace
from nba_pipeline_tests.support.loopback import Answer, Loopback, loopback

QUICK = Pace(pause=0, timeout=0.3, attempts=3, first_wait=0.01, longest_wait=60)
FINE = Answer('{"fine": true}')
CANARY = "canary-key-4711"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as running:
        yield running


class Sleeps(list[float]):
    """Remembers how long it was asked to sleep, and does not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def get(server: Loopback, sleeps: Sleeps | None = None, pace: Pace = QUICK, key: KeyInQuery | None = None) -> str:
    session = ThrottledSession("the service", pace, key, sleeps if sleeps is not None else Sleeps())
    return session.get(f"{server.url}/thing", params={"a": "b"}).text


def test_too_many_requests_waits_as_long_as_the_service_asks(server: Loopback) -> None:
    server.script(Answer(status=429, headers={"Retry-After": "7"}), FINE)
    sleeps = Sleeps()
    assert get(server, sleeps) == FINE.content
    assert sleeps == [7.0]
    assert len(server.requests) == 2


def test_a_moment_to_retry_at_is_understood_too(server: Loopback) -> None:
    at = format_datetime(clock.now() + timedelta(seconds=30), usegmt=True)
    server.script(Answer(status=429, headers={"Retry-After": at}), FINE)
    sleeps = Sleeps()
    get(server, sleeps)
    assert 25 < sleeps[0] <= 30


def test_a_wait_that_is_too_long_is_an_error_at_once(server: Loopback) -> None:
    server.script(Answer(status=429, headers={"Retry-After": "3600"}), FINE)
    with pytest.raises(Unreachable, match="requests a wait of 3600 s"):
        get(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Answer(status=500),
        Answer(status=503),
        Answer(status=429),
        Answer(delay=1.0),
        Answer(reset=True),
        Answer('{"fine"', cut=100),
    ],
    ids=["500", "503", "429 without a wait", "slow", "connection reset", "cut off on the way"],
)
def test_what_may_pass_is_tried_again_with_growing_random_waits(server: Loopback, broken: Answer) -> None:
    server.script(broken, broken, FINE)
    sleeps = Sleeps()
    assert get(server, sleeps) == FINE.content
    assert len(server.requests) == 3
    assert len(sleeps) == 2 and sleeps[0] <= 0.01 and sleeps[1] <= 0.02


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Answer(status=500), "the service fails .status 500. .3 attempts"),
        (Answer(delay=1.0), "no answer within 0.3 s"),
        (Answer(reset=True), "the connection failed"),
    ],
)
def test_what_does_not_pass_ends_with_an_error_that_names_service_address_and_attempts(
    server: Loopback, broken: Answer, said: str
) -> None:
    server.script(broken)
    with pytest.raises(Unreachable, match=f"the service: {server.url}/thing: {said}") as e:
        get(server)
    assert len(server.requests) == QUICK.attempts
    assert "run the same command again" in e.value.remedy


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again(server: Loopback, status: int) -> None:
    server.script(Answer("no such thing", status), FINE)
    with pytest.raises(Refused, match=f"refused with status {status}: no such thing"):
        get(server)
    assert len(server.requests) == 1


def test_requests_keep_their_distance(server: Loopback) -> None:
    server.script(FINE)
    sleeps = Sleeps()
    session = ThrottledSession("the service", Pace(pause=5), None, sleeps)
    for _ in range(3):
        session.get(server.url)
    assert len(sleeps) == 2 and all(4 < s <= 5 for s in sleeps)


def test_the_key_is_sent_and_never_shown(server: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (FINE, Answer(f"bad key {CANARY}", 401), Answer(status=500), Answer(reset=True), Answer(delay=1.0)):
        server.script(answer)
        try:
            get(server, key=KeyInQuery(CANARY))
        except SourceError as e:
            chain: BaseException | None = e
            while chain is not None:
                assert CANARY not in f"{chain!r} {chain}"
                chain = chain.__cause__ or chain.__context__
    assert all(r.parameters == {"a": "b", "apiKey": CANARY} for r in server.requests)
    assert "apiKey=***" in caplog.text
    assert CANARY not in caplog.text


def test_nothing_listens_is_a_named_error() -> None:
    with loopback() as gone:
        pass
    with pytest.raises(Unreachable, match=r"the connection failed \(ConnectionRefusedError\)"):
        get(gone)
