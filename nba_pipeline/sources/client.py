"""One polite client for every source that fetches: it keeps a distance between requests, tries again what may pass by
itself, and says by name what went wrong. No secret enters its errors or the log of the HTTP library."""

import logging
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
import tenacity
from requests.auth import AuthBase

from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.live_settings import Pace

SECRET_PARAMETER = "apiKey"
EXCERPT = 160
# What an overloaded service sends with status 200: nothing, blanks, or a JSON value without content. An empty list is an answer.
EMPTY = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*\}|null|\"\s*\")?\s*")
PASSING = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Unreachable(SourceError):
    """A service does not answer, or answers with errors of its own, after all attempts."""

    transient_by_default = True


class Refused(SourceError):
    """A service says no. `for_good`: because of who asks, so that further questions are useless."""

    def __init__(self, what: str, remedy: str, status: int) -> None:
        super().__init__(what, remedy)
        self.for_good = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED)


class _Passing(Exception):
    """An answer that may be another one later. `wait`: seconds that the service asks for."""

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.wait = wait


class KeyInQuery(AuthBase):
    """Adds the key to a request at the moment it is sent, so that no parameters that are kept or shown hold it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        assert r.url is not None
        r.prepare_url(r.url, {SECRET_PARAMETER: self._key})
        return r

    def hide(self, text: str) -> str:
        return text.replace(self._key, "***")


class _HideSecrets(logging.Filter):
    """Takes the key out of what the HTTP library logs about a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        hidden = re.sub(rf"({SECRET_PARAMETER}=)[^&\s\"']+", r"\1***", said)
        if hidden != said:
            record.msg, record.args = hidden, ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_HideSecrets())


class PoliteSession(requests.Session):
    """A `requests` session for one service, called `name` in errors.

    Tries again, with exponential back-off and jitter, after 429 (as long as `Retry-After` says), 5xx, time-outs, broken
    connections and answers without content; nothing else. Raises Unreachable when the attempts are used up, Refused for any
    other answer with an error.
    """

    def __init__(
        self, name: str, pace: Pace, secret: KeyInQuery | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__()
        self.name, self.pace, self.secret = name, pace, secret
        self._sleep = sleep
        self._last = float("-inf")

    def request(self, method: Any, url: Any, *arguments: Any, **more: Any) -> requests.Response:
        more = {**more, "timeout": self.pace.timeout} | ({"auth": self.secret} if self.secret else {})
        for attempt in self._attempts(url):
            with attempt:
                self._keep_distance()
                return self._judged(url, self._once(method, url, *arguments, **more))
        raise AssertionError("the attempts end with an answer or an error")

    def _attempts(self, url: str) -> tenacity.Retrying:
        backoff = tenacity.wait_random_exponential(multiplier=self.pace.first_wait, max=self.pace.longest_wait)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait if isinstance(error, _Passing) else None
            return backoff(state) if asked is None else asked

        def give_up(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            times = f"{state.attempt_number} attempt{'s' if state.attempt_number > 1 else ''}"
            raise Unreachable(
                f"{self.name}: {url}: {error} ({times})",
                "run the same command again later; what has been fetched is kept",
            ) from None

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=lambda state: state.attempt_number >= self.pace.attempts or self._asks_too_much(state),
            wait=wait,
            sleep=self._sleep,
            retry_error_callback=give_up,
        )

    def _asks_too_much(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return isinstance(error, _Passing) and (error.wait or 0) > self.pace.longest_wait

    def _keep_distance(self) -> None:
        early = self._last + self.pace.pause - time.monotonic()
        if early > 0:
            self._sleep(early)
        self._last = time.monotonic()

    def _once(self, method: str, url: str, *arguments: Any, **more: Any) -> requests.Response:
        """One request. The errors of the library hold the address with its parameters, so none of them is passed on."""
        error: Exception
        try:
            return super().request(method, url, *arguments, **more)
        except requests.Timeout:
            error = _Passing(f"no answer within {self.pace.timeout:g} s")
        except PASSING as e:
            error = _Passing(f"the connection failed ({_root(e)})")
        except requests.RequestException as e:
            error = SourceError(
                f"{self.name}: {url}: the request cannot be made ({type(e).__name__})", "check the configured address"
            )
        raise error

    def _judged(self, url: str, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = _retry_after(response.headers.get("Retry-After"))
            asked = "" if wait is None else f", asks to wait {wait:.0f} s"
            raise _Passing(f"too many requests (status 429{asked})", wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Passing(f"the service fails (status {status})")
        if not response.ok:
            excerpt = " ".join(response.text[:EXCERPT].split())
            said = self.secret.hide(excerpt) if self.secret else excerpt
            raise Refused(f"{self.name}: {url}: refused with status {status}: {said}", _remedy(status), status)
        if EMPTY.fullmatch(response.content):
            raise _Passing(f"an empty answer with status {status}")
        response.encoding = "utf-8"
        return response


def _remedy(status: int) -> str:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED):
        return "check the key of the service and what its plan includes (docs/sources.md)"
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
        return "the service has no such document, or does not give it to this machine; docs/sources.md says what is asked for"
    return "docs/sources.md says what is asked for; the service may have changed"


def _retry_after(header: str | None) -> float | None:
    """Seconds that `Retry-After` asks for: given as seconds, or as a moment (RFC 9110, 10.2.3); None where it is neither."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (moment - clock.now()).total_seconds())


def _root(error: BaseException) -> str:
    """The kind of the innermost error; its text may hold the address with its parameters and is not shown."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return type(error).__name__
