"""Days that people and agents name by a word or by how long ago they were."""

import re
from datetime import date, timedelta

from nba_pipeline.common import clock

DAYS_AGO = re.compile(r"-(\d{1,4})")
NAMED_DAYS = {"today": 0, "yesterday": 1}


def named_day(text: str) -> date | None:
    """Return the day that `today`, `yesterday` or -7, seven days ago, stands for (Eastern); None for any other text."""
    ago = DAYS_AGO.fullmatch(text)
    if ago is None and text not in NAMED_DAYS:
        return None
    return clock.today() - timedelta(days=int(ago[1]) if ago else NAMED_DAYS[text])
