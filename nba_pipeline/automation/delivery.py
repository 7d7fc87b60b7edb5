"""Sends one HTTP request of the alerts; its address, which is a secret, appears in no error."""

import http.client
import urllib.error
import urllib.request

from nba_pipeline.common.errors import AlertError

TIMEOUT_SECONDS = 10.0


def deliver(url: str, receiver: str, variable: str, remedy: str, json_body: bytes | None = None) -> None:
    """Send a request and read nothing but its status.

    Args:
        url: The address.
        receiver: Who gets it, for errors.
        variable: The variable that holds its address.
        remedy: What to do where the receiver answers with another status than success.
        json_body: What to POST; None asks by GET.

    Raises:
        AlertError: The receiver did not take it.
    """
    headers = {} if json_body is None else {"Content-Type": "application/json"}
    try:
        request = urllib.request.Request(url, data=json_body, headers=headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return
    except urllib.error.HTTPError as e:
        raise AlertError(f"the {receiver} returned status {e.code}", remedy) from None
    except (OSError, ValueError, http.client.HTTPException) as e:
        inner = e.reason if isinstance(e, urllib.error.URLError) else e
        why = type(inner if isinstance(inner, BaseException) else e).__name__
        raise AlertError(
            f"the {receiver} cannot be reached ({why})", f"check {variable} and the network to its host"
        ) from None
