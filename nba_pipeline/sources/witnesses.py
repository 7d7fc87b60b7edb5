"""Name documents that are known to exist: whether a service answers this machine is learnt from them.

Some services refuse a document that does not exist by the status with which they turn a machine away.
"""

from collections.abc import Mapping
from datetime import datetime

from nba_pipeline.sources.parsing.values import EASTERN
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import CDN_BOX_SCORE, INJURY_REPORTS, NBA_CDN, NBA_STATS, ODDS_API, Call
from nba_pipeline.sources.report_plan import KEY, REPORT, report_call

GAME = (("game_id", "0022300001"),)
# Small documents of the past that do not change.
KNOWN: Mapping[str, Call] = {
    NBA_STATS: Call(NBA_STATS, "box_score", GAME[0][1], GAME),
    NBA_CDN: Call(NBA_CDN, CDN_BOX_SCORE, GAME[0][1], GAME),
    ODDS_API: Call(ODDS_API, "events", "probe"),
    INJURY_REPORTS: Call(INJURY_REPORTS, REPORT, "probe", (("file", "Injury-Report_2024-01-04_05PM.pdf"),)),
}


def witnesses(source: str, store: PayloadStore) -> list[Call]:
    """List calls for documents of a service that exist: the newest of its kind that is stored, and one of the past.

    Args:
        source: the service.
        store: the stored answers.
    """
    known = KNOWN[source]
    keys = store.keys(source, known.kind, "")
    if not keys:
        return [known]
    if known.kind == REPORT:
        return [report_call(datetime.strptime(keys[-1], KEY).replace(tzinfo=EASTERN)), known]
    return [Call(source, known.kind, keys[-1], ((known.arguments[0][0], keys[-1]),)), known]
