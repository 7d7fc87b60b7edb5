"""Shot zones counted a second time, for players and for teams."""

import pandas as pd

ZONES = ("paint", "mid_range", "corner_three", "above_break_three")
ZONE_COLUMNS = tuple(f"{zone}_{what}" for zone in ZONES for what in ("attempts", "makes"))


def counted(shots: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Count attempts and makes by zone for each group, and all attempts as `logged`."""
    shots = shots.assign(attempts=1, makes=shots.made.astype(int))
    wide = shots.pivot_table(index=by, columns="zone", values=["attempts", "makes"], aggfunc="sum", fill_value=0)
    table = {f"{zone}_{what}": wide.get((what, zone), 0) for zone in ZONES for what in ("attempts", "makes")}
    rows = pd.DataFrame(table, index=wide.index).astype("float64")
    return rows.assign(logged=sum(rows[f"{zone}_attempts"] for zone in ZONES)).reset_index()


def of_players(box_scores: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Return the zone columns per box-score line; NULL unless the log has all of the player's attempts."""
    rows = box_scores[["game_id", "player_id", "fg_attempts"]].merge(
        counted(shots, ["game_id", "player_id"]), on=["game_id", "player_id"], how="left"
    )
    in_log = rows.game_id.isin(shots.game_id)
    none_taken = in_log & (rows.fg_attempts == 0) & rows.logged.isna()
    columns = rows[list(ZONE_COLUMNS)].mask(rows.logged != rows.fg_attempts).mask(none_taken, 0.0)
    return pd.concat([rows[["game_id", "player_id"]], columns], axis=1)


def of_teams(team_lines: pd.DataFrame, box_scores: pd.DataFrame, shots: pd.DataFrame) -> pd.DataFrame:
    """Return the zone columns per team line; NULL where more than two of the team's attempts are not in the log."""
    owners = box_scores[["game_id", "player_id", "team"]]
    zones = counted(shots.merge(owners, on=["game_id", "player_id"]), ["game_id", "team"])
    rows = team_lines[["game_id", "team", "fg_attempts"]].merge(zones, on=["game_id", "team"], how="left")
    complete = (rows.logged - rows.fg_attempts).abs() <= 2
    return pd.concat([rows[["game_id", "team"]], rows[list(ZONE_COLUMNS)].where(complete)], axis=1)
