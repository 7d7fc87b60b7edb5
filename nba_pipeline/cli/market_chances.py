"""The market's chances of the over on the rows of a leaderboard, from the published quotes."""

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation, shared
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import EPOCH
from nba_pipeline.evaluation.market_rival import KEY, MARKET, MARKET_CLOSE
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.shared.consensus_lines import chance_at, in_force
from nba_pipeline.warehouse import Days

QUOTED = (
    *(
        "game_date",
        "game_id",
        "player_id",
        "market",
        "bookmaker",
        "book_kind",
        "line",
        "line_kind",
        "over_odds",
        "under_odds",
    ),
    *("captured_at", "last_seen_at", "ended_at", "documented_pre_game", "contradicted", "evaluation_only"),
)
ROWS_FROM = ("game_date", "game_id", "player_id", "market", "line", "as_of")
ROWS = {
    "game_date": "date",
    "game_id": "string",
    "player_id": "int64",
    "market": "string",
    "line": "float64",
    "cutoff_at": "timestamp('UTC')",
}


def market_chances(settings: Settings, rows: pd.DataFrame) -> pd.DataFrame:
    """Read the market's chances at the lines of graded rows, when the forecasts were made and at the close.

    Args:
        settings: Where the tables are.
        rows: Rows of `leaderboard.RowSet.select`, of one market, with `game_id` and `as_of`.

    Returns:
        One row per day and player whose line books quoted with both prices, as `market_rival.with_market` takes it.
    """
    lined = rows[rows["line"].notna()].drop_duplicates(KEY)
    if lined.empty:
        return pd.DataFrame({"game_date": [], "player_id": [], MARKET: [], MARKET_CLOSE: []})
    days = Days(max(lined["game_date"].min(), EPOCH), lined["game_date"].max(), QUOTED)
    quotes = settings.open_warehouse().read({"quotes": (PLAYER_PROP_LINES, days)})["quotes"]
    of_market = quotes.filter(pc.field("market") == lined["market"].iloc[0])
    return chances_at_lines(of_market, pa.Table.from_pandas(lined[list(ROWS_FROM)], preserve_index=False))


def chances_at_lines(quotes: pa.Table, lines: pa.Table) -> pd.DataFrame:
    """Compute the market's chances of the over at lines.

    Args:
        quotes: Quotes with the columns `QUOTED`.
        lines: `ROWS_FROM`, one row per day and player; `as_of` is the time of the forecast.
    """
    with duck.connect() as db:
        db.register("quotes", quotes)
        db.register("lines", lines.rename_columns(list(ROWS)))
        return db.execute(_statement()).df().assign(game_date=lambda f: f["game_date"].dt.date)


def _statement() -> str:
    types = {c: PLAYER_PROP_LINES.ibis_schema[c] for c in QUOTED}
    quotes, lines = relation(types, name="quotes"), relation(ROWS, name="lines")
    games = lines.select("game_date", "game_id", "player_id", "cutoff_at")
    at = lines.select("game_date", "player_id", "market", "line")
    then = chance_at(in_force(quotes, games), at)
    close = chance_at(in_force(quotes, games, closes=True), at)
    joined = shared(then.outer_join(close, ["game_date", "player_id", "market"]))
    return ibis.to_sql(
        joined.select(
            game_date=joined.game_date.coalesce(joined.game_date_right),
            player_id=joined.player_id.coalesce(joined.player_id_right),
            **{MARKET: joined["over"], MARKET_CLOSE: joined["over_right"]},
        ),
        dialect="duckdb",
    )
