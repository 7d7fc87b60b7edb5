"""Build what the clients of the league's services have in common: headers, and the meaning of refusals."""

from collections.abc import Iterable

from nba_api.stats.library.http import NBAStatsHTTP

from nba_pipeline.sources.client import Manners
from nba_pipeline.sources.live_settings import LiveSettings

# Without the host, which follows from the address, and without compressions that need further packages.
HEADERS: dict[str, str] = {k: v for k, v in NBAStatsHTTP.headers.items() if k != "Host"} | {
    "Accept-Encoding": "gzip, deflate"
}
# Files are refused to requests that do not come from the league's pages.
REFERER = "https://www.nba.com/"

Statuses = Iterable[int]


def league_manners(
    settings: LiveSettings, *, transient: Statuses = (), absent: Statuses = (), doubtful: Statuses = ()
) -> Manners:
    """Build the manners of a service of the league: its proxy, its private headers, and the meaning of its statuses.

    Args:
        settings: settings of the live services.
        transient: statuses that pass.
        absent: statuses of a document that does not exist.
        doubtful: statuses of a document that does not exist, or of a machine that is turned away.
    """
    return Manners(
        frozenset(transient),
        frozenset(absent),
        frozenset(doubtful),
        frozenset(settings.nba_headers),
        settings.nba_proxy,
    )
