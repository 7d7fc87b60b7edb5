"""Compare listed players with players who played, by season; the listing rule does not use the day's games."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, Warehouse
from tools.reliability.ground import REAL_FIRST, REAL_LAST, real_home
from tools.reliability.proof import Proof, Scale, Tally

TITLE = "Listed against played: recall and precision of the listing rule, by season"
LEAST_MINUTES = 10
TARGET = 0.97
CONTEXT, FACTS = "nba_analytics.upcoming_player_game_context", "nba_analytics.player_game_summary"


def prove(_: Scale) -> list[Proof]:
    return held_against(real_home().open_warehouse())


def held_against(warehouse: Warehouse) -> list[Proof]:
    """A proof per season: a case is a player's game of 10 minutes or more, it fails where the player was not listed.

    The promise holds from 97 % recall on, so failures are counted only beyond the 3 % that the rule is allowed.
    """
    listed, played = (_rows(warehouse, table) for table in (CONTEXT, FACTS))
    seen = {(r["game_id"], r["player_id"]) for r in listed}
    found = []
    for season in sorted({r["season"] for r in played}):
        own = [r for r in played if r["season"] == season]
        long = [r for r in own if r["minutes_played"] >= LEAST_MINUTES]
        missed = [r for r in long if (r["game_id"], r["player_id"]) not in seen]
        why = Counter(_why(r, played) for r in missed)
        appeared = {(r["game_id"], r["player_id"]) for r in own}
        here = [r for r in listed if r["season"] == season]
        right = sum((r["game_id"], r["player_id"]) in appeared for r in here)
        allowed = int(len(long) * (1 - TARGET))
        tally = Tally()
        for i in range(len(long)):
            tally.case(f"{len(missed) - allowed} beyond the target" if i < len(missed) - allowed else None)
        found.append(
            tally.proof(
                f"{season}: at least {TARGET:.0%} of players with {LEAST_MINUTES}+ minutes were listed before the game",
                "the listing of the day compared with the box score; a case is a player's game",
                f"real data, {len(here):,} listed, {len(own):,} played",
                {
                    "recall %": round(100 * (1 - len(missed) / len(long)), 2),
                    "precision % (listed who played)": round(100 * right / len(here), 1),
                    "missed": len(missed),
                    **{f"missed: {reason}": n for reason, n in why.most_common()},
                },
            )
        )
    return found


def _rows(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    columns = ("game_date", "game_id", "player_id", "season", "team")
    wanted = columns + (("minutes_played",) if table == FACTS else ())
    return warehouse.read({"rows": (CATALOG[table].table, Days(REAL_FIRST, REAL_LAST, wanted))})["rows"].to_pylist()


def _why(missed: Mapping[str, Any], played: list[dict[str, Any]]) -> str:
    """What kind of player the rule could not know of."""
    before = [r for r in played if r["player_id"] == missed["player_id"] and r["game_date"] < missed["game_date"]]
    if not before:
        return "no earlier game since 2021-10-19"
    latest = max(before, key=lambda r: r["game_date"])
    if latest["team"] != missed["team"]:
        return "first game for the team after one for another"
    return "back after more than the team's last 10 games"
