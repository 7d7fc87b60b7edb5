"""Send HTTP requests to the live services: pause between requests, retry transient failures, name the cause of errors.

No secret enters the errors or the log of the HTTP library.
"""

import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

import requests
import tenacity
from requests.auth import AuthBase

from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.live_settings import Pace

SECRET_PARAMETER = "apiKey"
EXCERPT = 160
# An overloaded service answers with status 200 and no content: blanks or an empty JSON value. An empty list is an answer.
EMPTY = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*\}|null|\"\s*\")?\s*")
TRANSIENT = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Unreachable(SourceError):
    """A service did not answer, or failed, in all attempts. `wait`: seconds that it asks to wait, if it does."""

    transient_by_default = True

    def __init__(self, what: str, remedy: str, wait: float | None = None) -> None:
        super().__init__(what, remedy)
        self.wait = wait


class Absent(SourceError):
    """A service answered that it has no such document. `is_certain`: False where a blocked machine gets the same answer."""

    def __init__(self, what: str, remedy: str, is_certain: bool) -> None:
        super().__init__(what, remedy)
        self.is_certain = is_certain


class Refused(SourceError):
    """A service refused a request by a status. `permanent`: the key or plan is rejected, so every further request would be."""

    def __init__(self, what: str, remedy: str, status: int) -> None:
        super().__init__(what, remedy)
        self.status = status
        self.permanent = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED)


class _Transient(Exception):
    """A transient response; retry. `wait`: seconds that the service requests."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


class Key(AuthBase, ABC):
    """A key that is added to a request when it is sent, so that stored and displayed parameters never contain it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def hide(self, text: str) -> str:
        """Mask the key in a text, also as it is written in an address."""
        for written in sorted({self._key, quote(self._key, safe=""), quote_plus(self._key)}, key=len, reverse=True):
            text = text.replace(written, "***")
        return text

    @abstractmethod
    def withdraw(self, r: requests.PreparedRequest) -> None:
        """Take the key out of a request that another host will get."""


class KeyInQuery(Key):
    """Add the key as a parameter."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        assert r.url is not None
        r.prepare_url(r.url, {SECRET_PARAMETER: self._key})
        return r

    def withdraw(self, r: requests.PreparedRequest) -> None:
        assert r.url is not None
        parts = urlsplit(r.url)
        others = [(n, v) for n, v in parse_qsl(parts.query, keep_blank_values=True) if n != SECRET_PARAMETER]
        r.url = parts._replace(query=urlencode(others)).geturl()


class KeyInHeader(Key):
    """Add the key as a header of this name."""

    def __init__(self, key: str, header: str) -> None:
        super().__init__(key)
        self._header = header

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers[self._header] = self._key
        return r

    def withdraw(self, r: requests.PreparedRequest) -> None:
        r.headers.pop(self._header, None)


@dataclass(frozen=True)
class Manners:
    """How a service answers, and how it is reached.

    Attributes:
        transient: Statuses besides 429 and 5xx that pass: a service that throttles by 403 answers again later.
        absent: Statuses of a document that does not exist.
        doubtful: Statuses of a document that does not exist, and of any document where the machine is turned away.
        private: Names of headers that only the service may get, not another host that it redirects to.
        proxy: Address of a proxy, which may contain a password; None for that of HTTPS_PROXY, if set.
    """

    transient: frozenset[int] = frozenset()
    absent: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()
    private: frozenset[str] = frozenset()
    proxy: str | None = field(default=None, repr=False)


class _HideSecrets(logging.Filter):
    """Mask the key in the log of the HTTP library."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = re.sub(rf"({SECRET_PARAMETER}=)[^&\s\"']+", r"\1***", message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_HideSecrets())


class ThrottledSession(requests.Session):
    """A `requests` session for one service, named `name` in errors.

    It retries with exponential back-off and jitter after 429 (waiting for `Retry-After`), 5xx, time-outs, broken connections
    and empty answers. It raises Unreachable after the last attempt, and Refused for any other error status.
    """

    def __init__(
        self,
        name: str,
        pace: Pace,
        secret: Key | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        manners: Manners | None = None,
    ) -> None:
        super().__init__()
        self.name, self.pace, self.secret = name, pace, secret
        self.manners = manners or Manners()
        self._sleep, self._monotonic = sleep, monotonic
        self._last = float("-inf")

    def request(self, method: Any, url: Any, *arguments: Any, **more: Any) -> requests.Response:
        """Send a request and return its answer.

        Raises:
            Unreachable: all attempts failed.
            Absent: the service has no such document.
            Refused: the service refused the request.
            SourceError: the request cannot be sent to the configured address.
        """
        more = {**more, "timeout": self.pace.timeout} | ({"auth": self.secret} if self.secret else {})
        if self.manners.proxy:
            more["proxies"] = {"http": self.manners.proxy, "https": self.manners.proxy}
        for attempt in self._attempts(url):
            with attempt:
                self._pause()
                return self._checked(url, self._once(method, url, *arguments, **more))
        raise AssertionError("the attempts end with an answer or an error")

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take key and private headers out of a redirected request where another host will get it."""
        super().rebuild_auth(prepared_request, response)
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            for name in self.manners.private:
                prepared_request.headers.pop(name, None)
            if self.secret:
                self.secret.withdraw(prepared_request)

    def _attempts(self, url: str) -> tenacity.Retrying:
        backoff = tenacity.wait_random_exponential(multiplier=self.pace.first_wait, max=self.pace.longest_wait)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            requested = error.wait if isinstance(error, _Transient) else None
            return backoff(state) if requested is None else requested

        def give_up(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            times = f"{state.attempt_number} attempt{'s' if state.attempt_number > 1 else ''}"
            raise Unreachable(
                f"{self.name}: {url}: {error} ({times})",
                "run the same command again later; answers fetched so far are stored",
                error.wait if isinstance(error, _Transient) else None,
            ) from None

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Transient),
            stop=lambda state: state.attempt_number >= self.pace.attempts or self._wait_is_too_long(state),
            wait=wait,
            sleep=self._sleep,
            retry_error_callback=give_up,
        )

    def _wait_is_too_long(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return isinstance(error, _Transient) and (error.wait or 0) > self.pace.longest_wait

    def _pause(self) -> None:
        early = self._last + self.pace.pause - self._monotonic()
        if early > 0:
            self._sleep(early)
        self._last = self._monotonic()

    def _once(self, method: str, url: str, *arguments: Any, **more: Any) -> requests.Response:
        """Send one request. The library's errors contain the address with its parameters, so none is passed on."""
        error: Exception
        try:
            return super().request(method, url, *arguments, **more)
        except requests.Timeout:
            error = _Transient(f"no answer within {self.pace.timeout:g} s")
        except TRANSIENT as e:
            error = _Transient(f"the connection failed ({_root(e)})")
        except (requests.RequestException, ValueError) as e:
            error = SourceError(
                f"{self.name}: {url}: the request cannot be made ({type(e).__name__})",
                "check the configured address, key, headers and proxy",
            )
        raise error

    def _checked(self, url: str, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = _retry_after(response.headers.get("Retry-After"))
            requested = "" if wait is None else f", requests a wait of {wait:.0f} s"
            raise _Transient(f"too many requests (status 429{requested})", wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Transient(f"the service fails (status {status})")
        if status in self.manners.transient:
            raise _Transient(f"the service turns requests away (status {status})")
        if status in self.manners.absent | self.manners.doubtful:
            certain = status in self.manners.absent
            what = (
                "there is no such document" if certain else "there is no such document, or it is not for this machine"
            )
            raise Absent(f"{self.name}: {url}: {what} (status {status})", _remedy(status), certain)
        if not response.ok:
            excerpt = " ".join(response.text[:EXCERPT].split())
            answer = self.secret.hide(excerpt) if self.secret else excerpt
            raise Refused(f"{self.name}: {url}: refused with status {status}: {answer}", _remedy(status), status)
        if EMPTY.fullmatch(response.content):
            raise _Transient(f"an empty answer with status {status}")
        response.encoding = "utf-8"
        return response


def _remedy(status: int) -> str:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED):
        return "check the key of the service and the limits of its plan (docs/sources.md)"
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
        return "the service lacks the document or blocks this machine; docs/sources.md lists the requests"
    return "docs/sources.md lists the requests; the service may have changed"


def _retry_after(header: str | None) -> float | None:
    """Parse `Retry-After`, seconds or a date (RFC 9110, 10.2.3), to seconds; None if it is neither."""
    if header is None:
        return None
    if re.fullmatch(r"\s*[0-9]{1,9}\s*", header):
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - clock.now()).total_seconds())
    except (ValueError, OverflowError):
        return None


def _root(error: BaseException) -> str:
    """Name the type of the innermost error; its text may contain the address with parameters and is not shown."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return type(error).__name__
