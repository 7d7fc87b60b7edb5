"""List documents that exist: a service that does not give them either turns this machine away.

Some services answer for a document that does not exist with the status with which they turn a machine away.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, from_json
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import (
    CDN_BOX_SCORE,
    INJURY_REPORTS,
    NBA_CDN,
    NBA_LINEUPS,
    NBA_STATS,
    ODDS_API,
    Call,
    lineup_call,
)
from nba_pipeline.sources.report_plan import KEY, REPORT, report_call

GAME, DAY, MOMENT = "0022300001", date(2024, 1, 4), datetime(2024, 1, 4, 17, 30, tzinfo=EASTERN)
PDF = b"%PDF-"


def _of_game(source: str, kind: str) -> Callable[[str], Call]:
    return lambda game_id: Call(source, kind, game_id, (("game_id", game_id),))


# The call for a stored document by its key, of the services that may turn a machine away unnoticed.
STORED: Mapping[str, Callable[[str], Call]] = {
    NBA_CDN: _of_game(NBA_CDN, CDN_BOX_SCORE),
    INJURY_REPORTS: lambda key: report_call(datetime.strptime(key, KEY).replace(tzinfo=EASTERN)),
}
# Small documents of the past that do not change; line-ups of the past are gone, and a service without them answers, too.
KNOWN: Mapping[str, Call] = {
    NBA_STATS: _of_game(NBA_STATS, "box_score")(GAME),
    NBA_CDN: STORED[NBA_CDN](GAME),
    ODDS_API: Call(ODDS_API, "events", "probe"),
    INJURY_REPORTS: report_call(MOMENT),
    NBA_LINEUPS: lineup_call(DAY),
}


def witnesses(source: str, store: PayloadStore) -> list[Call]:
    """List calls for documents of a service that exist: the newest of its kind that is stored, and one of the past.

    Args:
        source: the service.
        store: the stored answers.
    """
    known = KNOWN[source]
    keys = store.keys(source, known.kind, "") if source in STORED else []
    return [*(STORED[source](key) for key in keys[-1:]), known]


def require_document(call: Call, content: bytes) -> None:
    """Raise PayloadError where an answer is no document of its kind, such as the page of a proxy or of a block."""
    if call.kind != REPORT:
        from_json(content)
    elif not content.startswith(PDF):
        raise PayloadError(f"{call}: the answer is no PDF")
