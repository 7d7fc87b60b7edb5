"""The client of all services: what it tries again, how long it waits, and what it says when it gives up."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.client import Key, KeyInHeader, KeyInQuery, Manners, Refused, ThrottledSession, Unreachable
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


@pytest.mark.parametrize("zone", [" -0000", ""])
def test_a_moment_to_retry_at_without_a_zone_is_one_of_utc(server: Loopback, zone: str) -> None:
    at = f"{clock.now() + timedelta(seconds=30):%a, %d %b %Y %H:%M:%S}{zone}"
    server.script(Answer(status=429, headers={"Retry-After": at}), FINE)
    sleeps = Sleeps()
    get(server, sleeps)
    assert 25 < sleeps[0] <= 30


@pytest.mark.parametrize(
    "odd", ["soon", "\xb2", "-1", "9" * 400, "Fri, 31 Dec 9999 23:59:59 -9959", "Mon, 99 Foo 2024"]
)
def test_a_wait_that_cannot_be_read_is_none(server: Loopback, odd: str) -> None:
    server.script(Answer(status=429, headers={"Retry-After": odd}), FINE)
    sleeps = Sleeps()
    assert get(server, sleeps) == FINE.content
    assert sleeps[0] <= 0.01


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


@pytest.mark.parametrize("key", [KeyInQuery(CANARY), KeyInHeader(CANARY, "X-Key")], ids=["query", "header"])
def test_another_host_gets_neither_the_key_nor_private_headers_and_the_same_host_does(
    server: Loopback, key: Key
) -> None:
    with loopback() as other:
        for host, keeps in (
            (server.url, True),
            (other.url, False),
            (server.url.replace("127.0.0.1", "localhost"), False),
        ):
            place = f"{host}/elsewhere?a=b{f'&apiKey={CANARY}' if isinstance(key, KeyInQuery) else ''}"
            server.rule = lambda r, at=place: FINE if "else" in r.path else Answer(status=302, headers={"Location": at})
            other.rule = lambda _: FINE
            manners = Manners(private=frozenset({"x-session"}))
            session = ThrottledSession("the service", QUICK, key, Sleeps(), manners=manners)
            session.headers["X-Session"] = CANARY
            assert session.get(f"{server.url}/thing", params={"a": "b"}).text == FINE.content
            (*_, last) = server.asked("elsewhere") + other.requests
            sent = f"{last.parameters} {last.headers}"
            assert (CANARY in sent, last.parameters["a"]) == (keeps, "b")


@pytest.mark.parametrize(
    "key",
    [KeyInQuery("k\u00e9y \u20ac"), KeyInHeader("k\u00e9y\n", "X-Key"), KeyInHeader("\u20ac", "X-Key")],
    ids=["query", "line end", "not latin"],
)
def test_a_key_that_cannot_be_sent_ends_with_an_error_that_does_not_show_it(server: Loopback, key: Key) -> None:
    server.rule = lambda r: Answer(f"bad {r.parameters} {'%E2%82%AC'}", 401)
    session = ThrottledSession("the service", QUICK, key, Sleeps())
    with pytest.raises(SourceError) as error:
        session.get(f"{server.url}/thing")
    assert "\u20ac" not in f"{error.value!r}" and "k\u00e9y" not in f"{error.value!r}"
    assert error.value.__cause__ is None and error.value.__context__ is None


def test_nothing_listens_is_a_named_error() -> None:
    with loopback() as gone:
        pass
    with pytest.raises(Unreachable, match=r"the connection failed \(ConnectionRefusedError\)"):
        get(gone)
