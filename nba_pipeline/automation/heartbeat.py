"""Tells a monitor elsewhere that alerts are looked for and delivered.

An alert cannot say that alerts are not evaluated: the daemon is down, the sensor switched off, the machine gone. A monitor
that waits for a request every few minutes raises the alarm when requests stop. It gets one after an evaluation that ended
well and left no channel without a message that is due; until then the silence is the message.
"""

from nba_pipeline.automation.delivery import deliver

HEARTBEAT = "NBA_PIPELINE_HEARTBEAT_URL"


def beat(url: str) -> None:
    """Send one sign of life.

    Args:
        url: The address that the monitor waits for; it appears in no error.

    Raises:
        AlertError: The monitor did not take it.
    """
    deliver(url, "monitor", HEARTBEAT, f"set {HEARTBEAT} to the address it names")
