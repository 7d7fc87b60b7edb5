"""Tells a monitor elsewhere that alerts are looked for and delivered.

An alert cannot say that alerts are not evaluated: the daemon is down, the sensor switched off, the machine gone. A monitor
that waits for a request every few minutes raises the alarm when requests stop. It gets one after an evaluation that ended
well and whose messages no channel rejected; until then the silence is the message.
"""

import urllib.error
import urllib.request

from nba_pipeline.common.errors import AlertError

TIMEOUT_SECONDS = 10.0
HEARTBEAT = "NBA_PIPELINE_HEARTBEAT_URL"


def beat(url: str) -> None:
    """Send one sign of life.

    Args:
        url: The address that the monitor waits for; it appears in no error.

    Raises:
        AlertError: The monitor did not take it.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS):
            return
    except urllib.error.HTTPError as e:
        raise AlertError(f"the monitor returned status {e.code}", f"set {HEARTBEAT} to the address it names") from None
    except (OSError, ValueError) as e:
        why = type(getattr(e, "reason", e)).__name__
        raise AlertError(
            f"the monitor cannot be reached ({why})", f"check {HEARTBEAT} and the network to its host"
        ) from None
