"""What was said of a player's availability by the cut-off, and whether the source says anything at all."""

import numpy as np
import pandas as pd

from tools.recompute.league import League

STATEMENTS, LINEUPS = "nba_raw.injury_reports", "nba_raw.lineups"
KINDS, GRADED = ("transaction", "status_snapshot", "official_report"), ("status_snapshot", "official_report")
SEVERITY = ("out", "doubtful", "questionable", "probable", "available")
# Words that sources use beside the five statuses themselves.
WORDS = {
    **dict.fromkeys(("placed_out", "injured", "out for season", "out indefinitely", "suspended", "inactive"), "out"),
    "ruled out": "out",
    "unlikely to play": "doubtful",
    **dict.fromkeys(("day to day", "day-to-day", "game-time decision", "game time decision"), "questionable"),
    **dict.fromkeys(("tbd", "uncertain to play", "could return"), "questionable"),
    **dict.fromkeys(("likely to play", "expected to play", "expects to play", "on track to play"), "probable"),
    **dict.fromkeys(("expected to be available", "optimistic to play", "plans to play"), "probable"),
    **dict.fromkeys(("intends to play", "said he'll play"), "probable"),
    **dict.fromkeys(("activated", "available to play", "in", "active", "will play"), "available"),
    **dict.fromkeys(("not on injury report", "not listed on injury report"), "available"),
    **{status: status for status in SEVERITY},
}
OLDEST, BEFORE_SEASON, SILENCE = 180, 90, 7


def statuses(rows: pd.DataFrame, latest: pd.DataFrame, league: League) -> pd.DataFrame:
    """Look up the line-up or the statement in force of every listed player, and whether availability is reported and graded.

    Args:
        rows: Listed players: game_date, game_id, team, player_id, season and cutoff_at.
        latest: For each of them game_date and cutoff_at of the player's latest game of the season.
        league: The landing files, and the home's statements.

    Returns:
        The five columns, one row per row of `rows` in its order.
    """
    said = league.home(STATEMENTS, history=True)
    said = said[said.record_type.isin(KINDS) & said.player_id.notna()].astype({"player_id": "int64"})
    said = said[["player_id", "report_date", "reported_at", "record_type", "status"]].drop_duplicates()
    found = _in_force(rows, latest, said, league)
    today = found.injury_reported_on == rows.game_date
    graded_today = today & found.injury_status_source.isin(GRADED)
    days = pd.to_datetime(rows.game_date)
    columns = {}
    for name, statements, now in (
        ("injuries_reported", said, today),
        ("injuries_graded", said[said.record_type.isin(GRADED)], graded_today),
    ):
        told = np.sort(pd.to_datetime(statements.report_date).to_numpy().astype("datetime64[D]"))
        day = days.to_numpy().astype("datetime64[D]")
        lately = np.searchsorted(told, day) > np.searchsorted(told, day - np.timedelta64(SILENCE, "D"))
        columns[name] = lately | now.groupby([rows.game_date, rows.game_id]).transform("any")
    return _with_lineups(rows, found.assign(**columns), league.home(LINEUPS))


def _with_lineups(rows: pd.DataFrame, said: pd.DataFrame, lineups: pd.DataFrame) -> pd.DataFrame:
    """Put the team's latest line-up before the statements: inactive is out, a confirmed starter available.

    A statement that was published later and says out stays. A game with an inactive player counts as reported.
    """
    game = ["game_date", "game_id", "team"]
    teams = rows[[*game, "cutoff_at"]].drop_duplicates()
    known = lineups.merge(teams, on=game)
    known = known[known.captured_at <= known.cutoff_at]
    newest = known[known.captured_at == known.groupby(game).captured_at.transform("max")]
    told = newest[newest.status.isin(["inactive", "confirmed"])][[*game, "player_id", "captured_at", "status"]]
    found = (
        rows[[*game, "player_id"]].merge(told, on=[*game, "player_id"], how="left", validate="1:1").set_axis(rows.index)
    )
    dropped_out = (said.injury_status == "out") & (said.known_at > found.captured_at)
    decides = found.status.notna() & ~dropped_out
    status = found.status.map({"inactive": "out", "confirmed": "available"})
    inactive = (decides & (status == "out")).groupby([rows.game_date, rows.game_id]).transform("any")
    return said.drop(columns="known_at").assign(
        injury_status=status.where(decides, said.injury_status),
        injury_status_source=said.injury_status_source.mask(decides, "lineups"),
        injury_reported_on=rows.game_date.where(decides, said.injury_reported_on),
        injuries_reported=said.injuries_reported | inactive,
    )


def _in_force(rows: pd.DataFrame, latest: pd.DataFrame, said: pd.DataFrame, league: League) -> pd.DataFrame:
    asked = rows[["game_date", "player_id", "cutoff_at"]].assign(
        row=range(len(rows)),
        last_date=latest.game_date.to_numpy(),
        last_cutoff=latest.cutoff_at.to_numpy(),
        opening=rows.season.map(league.openings),
    )
    asked["last_cutoff"] = pd.to_datetime(asked.last_cutoff, utc=True)
    pairs = asked.merge(said, on="player_id")
    timed, told = pairs.reported_at.notna(), pd.to_datetime(pairs.report_date)
    day, last_day = pd.to_datetime(pairs.game_date), pd.to_datetime(pairs.last_date)
    known = (timed & (pairs.reported_at <= pairs.cutoff_at)) | (~timed & (told < day))
    overtaken = (timed & (pairs.reported_at <= pairs.last_cutoff)) | (~timed & (told < last_day))
    recent = ((day - told).dt.days <= OLDEST) & ((pairs.opening - told).dt.days <= BEFORE_SEASON)
    pairs = pairs[known & ~overtaken & recent]
    status = pairs.status.str.strip().str.lower().map(WORDS)
    end_of_day = pd.to_datetime(pairs.report_date, utc=True) + pd.Timedelta(days=1)
    pairs = pairs.assign(
        injury_status=status,
        known_at=pairs.reported_at.fillna(end_of_day),
        severity=status.map({s: n for n, s in enumerate(SEVERITY)}).fillna(len(SEVERITY)),
    )
    order = ["known_at", "severity", "record_type", "report_date"]
    newest = pairs.sort_values(order, ascending=[False, True, True, False]).groupby("row").head(1).set_index("row")
    names = {
        "injury_status": "injury_status",
        "record_type": "injury_status_source",
        "report_date": "injury_reported_on",
    }
    columns = [*names.values(), "known_at"]
    return newest.rename(columns=names)[columns].reindex(range(len(rows))).set_axis(rows.index)
