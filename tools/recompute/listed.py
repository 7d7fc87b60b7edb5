"""Who is listed for a game, and by which name, by the definition of nba_analytics.upcoming_player_game_context.

Box scores and the schedule are those of the landing files; statements, quotes and rosters are taken as the home has them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd

from tools.recompute.availability import STATEMENTS, WORDS
from tools.recompute.league import League
from tools.recompute.quotes import QUOTES

ROSTERS = "nba_raw.rosters"
NAMING = ("boxscore_dnp", "transaction", "official_report")
LAST_GAMES = 10
APPEARANCE_REACH, STATEMENT_REACH = timedelta(days=240), timedelta(days=180)


class Fact(NamedTuple):
    """An appearance or a statement: it places the player in the team from the day after on."""

    day: date
    team: str
    name: str
    lookup: str
    player: int
    says_out: bool = False


Place = tuple[date, str]
Names = tuple[str, str]


@dataclass(frozen=True)
class Evidence:
    """What is known of the players' teams; each list in the order of days, one fact a player and day in `stated`.

    Attributes:
        games: By team, days of its finished games.
        played: By player, appearances.
        appeared: By day and team, who appeared.
        named: By team, statements.
        stated: By player, statements.
        rosters: By day, team, day of capture and names of each player on a roster.
        quoted: By day and player, names by the teams of the games in which the player is quoted.
    """

    games: Mapping[str, list[date]]
    played: Mapping[int, list[Fact]]
    appeared: Mapping[Place, set[int]]
    named: Mapping[str, list[Fact]]
    stated: Mapping[int, list[Fact]]
    rosters: Mapping[date, dict[int, tuple[str, date, Names]]]
    quoted: Mapping[date, dict[int, dict[str, Names]]]


def players(league: League, appearances: pd.DataFrame) -> pd.DataFrame:
    """List the players of all teams of the days that are recomputed.

    Args:
        league: The landing files, and the home's statements, quotes and rosters.
        appearances: One row per finished game and player: game_date, team, player_id, player_name and player_lookup.

    Returns:
        game_date, team, player_id, player_name and player_lookup, one row per listed player of a game.
    """
    slate = league.within(league.teams_of_games)
    known = _evidence(league, appearances, slate)
    found = [
        (day, team, player, *_names(known, day, team, player))
        for day, team in _values(slate, "game_date", "team")
        for player in sorted(_candidates(known, day, team))
        if _is_of(known, day, team, player)
    ]
    return pd.DataFrame(found, columns=pd.Index(["game_date", "team", "player_id", "player_name", "player_lookup"]))


def _candidates(known: Evidence, day: date, team: str) -> set[int]:
    """Collect who appeared in one of the last 10 games, is placed by a statement or a roster, or is quoted in the game."""
    games = [d for d in known.games.get(team, []) if day - APPEARANCE_REACH <= d < day][-LAST_GAMES:]
    found = {p for d in games for p in known.appeared[d, team]}
    tenth = games[0] if len(games) == LAST_GAMES else date.min
    latest = games[-1] if games else date.min
    for said in known.named.get(team, []):
        if not day - STATEMENT_REACH <= said.day < day:
            continue
        before = _latest(known.played.get(said.player, []), said.day)
        if before and before.day >= day - APPEARANCE_REACH:
            placed = before.team != team and said.day >= tenth
        else:
            placed = not said.says_out and said.day >= latest
        if placed:
            found.add(said.player)
    found |= {p for p, (roster, _, _) in known.rosters.get(day, {}).items() if roster == team}
    return found | {p for p, teams in known.quoted.get(day, {}).items() if team in teams}


def _is_of(known: Evidence, day: date, team: str, player: int) -> bool:
    """Tell whether the latest evidence is for the team, against no newer roster of it and no quotes in other games only."""
    played = _latest(known.played.get(player, []), day, APPEARANCE_REACH)
    stated = _latest(known.stated.get(player, []), day, STATEMENT_REACH)
    newest = stated if stated and (not played or stated.day > played.day) else played
    rosters = known.rosters.get(day, {})
    roster = rosters.get(player)
    by_evidence = newest.team if newest else None
    current = roster[0] if roster and (not newest or roster[1] >= newest.day) else by_evidence
    captured = max((on for of, on, _ in rosters.values() if of == team), default=None)
    missing = captured and newest and captured > newest.day and not (roster and roster[0] == team)
    quoted = known.quoted.get(day, {}).get(player)
    return current == team and not missing and (quoted is None or team in quoted)


def _names(known: Evidence, day: date, team: str, player: int) -> Names:
    """Return the name in the latest game, or else on the roster, in the quote, or in the latest statement."""
    roster = known.rosters.get(day, {}).get(player)
    quote = known.quoted.get(day, {}).get(player, {}).get(team)
    if played := _latest(known.played.get(player, []), day, APPEARANCE_REACH):
        return played.name, played.lookup
    if roster and roster[0] == team:
        return roster[2]
    stated = _latest(known.stated.get(player, []), day, STATEMENT_REACH)
    if quote or not stated:
        return quote or ("", "")
    return stated.name, stated.lookup


def _latest(facts: list[Fact], day: date, reach: timedelta | None = None) -> Fact | None:
    """Return the latest fact before the day, if it is within reach."""
    at = bisect_left(facts, day, key=lambda f: f.day)
    fact = facts[at - 1] if at else None
    return None if fact and reach and fact.day < day - reach else fact


def _evidence(league: League, appearances: pd.DataFrame, slate: pd.DataFrame) -> Evidence:
    said = league.home(STATEMENTS, history=True)
    said = said[said.record_type.isin(NAMING) & said.player_id.notna() & said.team.notna()]
    out = said.status.str.strip().str.lower().map(WORDS) == "out"
    appeared, stated = _facts(appearances, "game_date", False), _facts(said, "report_date", out)
    there: dict[Place, set[int]] = defaultdict(set)
    once: dict[tuple[int, date], Fact] = {}
    for fact in appeared:
        there[fact.day, fact.team].add(fact.player)
    for fact in stated:
        once.setdefault((fact.player, fact.day), fact)
    return Evidence(
        games={team: sorted({f.day for f in facts}) for team, facts in _grouped(appeared, "team").items()},
        played=_grouped(appeared, "player"),
        appeared=there,
        named=_grouped(stated, "team"),
        stated=_grouped(once.values(), "player"),
        rosters=_rosters(league.home(ROSTERS), slate),
        quoted=_quoted(league.home(QUOTES), slate),
    )


def _facts(rows: pd.DataFrame, day: str, says_out: pd.Series | bool) -> list[Fact]:
    """Return the rows as facts in the order of days, teams and names."""
    rows = rows.assign(says_out=says_out).astype({"player_id": "int64"})
    columns = (day, "team", "player_name", "player_lookup", "player_id", "says_out")
    return sorted(Fact(*row) for row in _values(rows, *columns))


def _values(rows: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Return the columns row by row."""
    return list(zip(*(rows[c].tolist() for c in columns), strict=True))


def _grouped(facts: Iterable[Fact], by: str) -> dict[Any, list[Fact]]:
    groups: dict[Any, list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[getattr(fact, by)].append(fact)
    return groups


def _rosters(rosters: pd.DataFrame, slate: pd.DataFrame) -> dict[date, dict[int, tuple[str, date, Names]]]:
    """Take the latest roster of each team that was captured by the day's first cut-off, and a player's latest of several."""
    first = slate.groupby("game_date").cutoff_at.min()
    known = rosters[rosters.captured_at <= pd.to_datetime(rosters.roster_date.map(first), utc=True)]
    newest = known.groupby(["roster_date", "team"]).captured_at.transform("max")
    known = known[known.captured_at == newest].sort_values(["captured_at", "team"], ascending=[False, True])
    found: dict[date, dict[int, tuple[str, date, Names]]] = defaultdict(dict)
    columns = ("roster_date", "captured_at", "team", "player_id", "player_name", "player_lookup")
    for day, at, team, player, name, key in _values(known, *columns):
        found[day].setdefault(player, (team, at.tz_convert("America/New_York").date(), (name, key)))
    return found


def _quoted(quotes: pd.DataFrame, slate: pd.DataFrame) -> dict[date, dict[int, dict[str, Names]]]:
    """Say in the games of which teams each player is quoted by the cut-off, with the first of the names in the alphabet."""
    rows = quotes[quotes.player_id.notna() & quotes.book_kind.isin(["sportsbook", "dfs"])]
    rows = rows.drop(columns="team", errors="ignore").merge(
        slate[["game_date", "game_id", "team", "cutoff_at"]], on=["game_date", "game_id"]
    )
    timed = rows.captured_at.notna()
    rows = rows[(timed & (rows.captured_at <= rows.cutoff_at)) | (~timed & rows.documented_pre_game.astype(bool))]
    names = rows.groupby(["game_date", "player_id", "team"])
    found: dict[date, dict[int, dict[str, Names]]] = defaultdict(lambda: defaultdict(dict))
    first = names[["player_name", "player_lookup"]].min().reset_index()
    for day, player, team, name, key in _values(first, *first.columns):
        found[day][int(player)][team] = name, key
    return found
