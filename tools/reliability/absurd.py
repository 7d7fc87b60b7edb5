"""A source that says absurd things of the days after a day, yet nothing that the contracts refuse."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import floor
from typing import Any

import pyarrow as pa
import pyarrow.compute

from nba_pipeline.asof.cutoffs import cutoff_of
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES
from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources.landing import PLAYER_BOXSCORES, SCHEDULE, SHOTS, Feed
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.shared.quote_bounds import HIGHEST_LINES

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute

Row = dict[str, Any]
Rows = list[Row]
WON, LOST = 200, 100
SIX_OVERTIMES, LONGEST = 390, 70.0
STRANGER = 5_000_000
# The steepest pair that no bound of a quote speaks against.
ODDS = {"over_odds": -10_000.0, "under_odds": 2_500.0}
NOTHING = dict.fromkeys(("fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "pts", "tov", "oreb"), 0)
OTHERS = NOTHING | {"dreb": 4, "reb": 4, "ast": 3, "stl": 2, "blk": 2, "pf": 3}
NINETY = OTHERS | {"pts": 90, "fgm": 30, "fga": 40, "fg3m": 15, "fg3a": 20, "ftm": 15, "fta": 20, "tov": 10}
TWENTY = OTHERS | {"pts": 20, "fgm": 10, "fga": 20}
TEN = OTHERS | {"pts": 10, "fgm": 5, "fga": 20}
MISSING = OTHERS | {"fga": 2}
LINES = {WON: (NINETY, NINETY, TWENTY), LOST: (NINETY, TEN, MISSING)}
SAID_NOON = time(16, tzinfo=UTC)
AFTER_CUTOFF, AFTER_GAME = timedelta(seconds=30), timedelta(hours=4)


@dataclass(frozen=True)
class AbsurdLater:
    """`source`, of which every game, player's line, shot, quote and statement dated after `day` is absurd.

    Every game has six overtimes and is won by its loser, 200 to 100, players score 90 for the other team, home and away are
    swapped, games of strangers with known names are added, everybody is out, and lines lie where nobody scores.
    With `from_cutoffs`, the games of `day` itself end that way too, and quotes and statements follow its cut-offs.
    """

    source: Source
    day: date
    from_cutoffs: bool

    def describe(self) -> dict[str, str]:
        return self.source.describe()

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = self.source.read(feed, days)
        change = getattr(self, f"_{feed.name}", None)
        first = self.day if self.from_cutoffs else self.day + timedelta(days=1)
        wanted = [d for d in days if d >= first]
        if change is None or feed.day is None or not wanted:
            return rows
        poisoned = pc.fill_null(pc.greater_equal(rows[feed.day], pa.scalar(first, pa.date32())), False)
        absurd = list(change(rows.filter(poisoned).to_pylist(), wanted))
        return pa.concat_tables([rows.filter(pc.invert(poisoned)), pa.Table.from_pylist(absurd, rows.schema)])

    def _later(self, r: Row) -> bool:
        return r["game_date"] > self.day

    def _schedule(self, rows: Rows, _: Sequence[date]) -> Iterator[Row]:
        for g in rows:
            yield self._game(g)
        for g, (home, away) in self._added(rows):
            yield self._game(g | {"game_id": _other_id(g["game_id"]), "home_team": away, "away_team": home})

    def _game(self, g: Row) -> Row:
        if g["home_pts"] is not None and g["away_pts"] is not None:
            home = WON if g["home_pts"] < g["away_pts"] else LOST
            g = g | {"home_pts": home, "away_pts": WON + LOST - home}
        if not self._later(g):
            return g
        sides = {"home_team": g["away_team"], "away_team": g["home_team"]}
        return g | sides | {"home_pts": g["away_pts"], "away_pts": g["home_pts"]}

    def _added(self, rows: Rows) -> Iterator[tuple[Row, tuple[str, str]]]:
        """A finished game of each later day, with two teams that were idle."""
        for games in _grouped(rows, "game_date"):
            idle = sorted(set(TRICODES) - {g[side] for g in games for side in ("home_team", "away_team")})
            finished = [g for g in games if g["game_id"].startswith(COUNTABLE_PREFIXES) and g["home_pts"] is not None]
            if finished and len(idle) > 1 and self._later(games[0]):
                yield finished[0], (idle[0], idle[1])

    def _player_boxscores(self, rows: Rows, days: Sequence[date]) -> Iterator[Row]:
        slate = self.source.read(SCHEDULE, days).to_pylist()
        won = {g["game_id"]: self._game(g) for g in slate}
        added = {
            g["game_id"]: dict(zip((g["away_team"], g["home_team"]), t, strict=True)) for g, t in self._added(slate)
        }
        for team in _grouped(rows, "game_id", "team"):
            game = won.get(team[0]["game_id"])
            if game is None:
                continue
            lines = list(self._lines(team, game))
            yield from lines
            for r in lines if game["game_id"] in added else ():
                names = added[game["game_id"]]
                yield r | {
                    "game_id": _other_id(r["game_id"]),
                    "player_id": r["player_id"] + STRANGER,
                    "team": names[r["team"]],
                    "opponent": names[r["opponent"]],
                }

    def _lines(self, team: Rows, game: Row) -> Iterator[Row]:
        """The team's players play for its opponent; the first three by id do everything."""
        one = team[0]
        home = one["opponent"] == game["home_team"]
        points = game["home_pts"] if home else game["away_pts"]
        for rank, r in enumerate(sorted(team, key=lambda r: r["player_id"])):
            minutes = LONGEST if rank < 3 else (SIX_OVERTIMES - 3 * LONGEST) / (len(team) - 3)
            yield (
                r
                | (LINES[points][rank] if rank < 3 else MISSING)
                | {
                    "team": one["opponent"],
                    "opponent": one["team"],
                    "is_home": home,
                    "min": round(minutes),
                    "min_exact": minutes,
                    "starter": rank >= len(team) - 5,
                    "plus_minus": 80 if points == WON else -80,
                }
            )

    def _team_boxscores(self, *_: object) -> Iterator[Row]:
        """None: the pipeline sums the players."""
        return iter(())

    def _shots(self, rows: Rows, days: Sequence[date]) -> Iterator[Row]:
        """As many as the box scores say, under the basket or from a corner, for games that had any."""
        logged = {r["game_id"] for r in rows}
        logged |= {_other_id(g) for g in logged}
        for r in self.read(PLAYER_BOXSCORES, days).to_pylist() if logged else ():
            twos, made_twos = r["fga"] - r["fg3a"], r["fgm"] - r["fg3m"]
            if r["game_date"] in days and r["game_id"] in logged:
                yield from (_shot(r, 2, n < made_twos) for n in range(twos))
                yield from (_shot(r, 3, n < r["fg3m"]) for n in range(r["fg3a"]))

    def _prop_lines(self, rows: Rows, _: Sequence[date]) -> Iterator[Row]:
        bounds = self._cutoffs()
        for r in rows:
            absurd = r | ODDS | {"line": HIGHEST_LINES[r["market"]] - 0.5 - floor((r["line"] or 0) / 2)}
            if self._later(r):
                yield absurd
                continue
            bound = bounds.get(r["game_id"]) or max(bounds.values())
            seen_late = r["last_seen_utc"] is not None and r["last_seen_utc"] > bound
            yield r | {"last_seen_utc": bound + AFTER_GAME} if seen_late else r
            for at in (bound + AFTER_CUTOFF, bound + AFTER_GAME):
                yield absurd | {"first_seen_utc": at, "last_seen_utc": at}

    def _game_lines(self, rows: Rows, _: Sequence[date]) -> Iterator[Row]:
        bounds = self._cutoffs()
        for r in rows:
            side = 55.0 if (r["spread_home"] or 0) < 0 else -55.0
            favourite, other = ("ml_home", "ml_away") if side < 0 else ("ml_away", "ml_home")
            absurd = r | {"spread_home": side, "total": 330.0, favourite: -9_000.0, other: 4_000.0}
            if self._later(r):
                yield absurd
                continue
            yield r
            bound = bounds.get(r["game_id"]) or max(bounds.values())
            for at in (bound + AFTER_CUTOFF, bound + AFTER_GAME):
                yield absurd | {"snapshot_utc": at}

    def _injuries(self, rows: Rows, days: Sequence[date]) -> Iterator[Row]:
        """Everybody who plays is out; of `day` itself this is said after its cut-offs, or with no time."""
        for r in rows:
            yield r | {"status": "Out"} if r["report_date"] > self.day else r
        late = max(self._cutoffs().values(), default=datetime.combine(self.day, SAID_NOON)) + AFTER_CUTOFF
        for p in self.source.read(PLAYER_BOXSCORES, days).to_pylist():
            said = {c: p[c] for c in ("player_id", "player_name", "team", "game_id")} | {"report_date": p["game_date"]}
            said |= {"status": "Out", "reason": "absurd", "source": "absurd"}
            if self._later(p):
                noon = datetime.combine(p["game_date"], SAID_NOON)
                yield said | {"record_type": "status_snapshot", "report_utc": noon}
                continue
            yield said | {"record_type": "status_snapshot", "report_utc": late}
            yield said | {"record_type": "transaction", "report_utc": None, "status": "placed_out"}
            yield said | {"record_type": "boxscore_dnp", "report_utc": None}

    def _cutoffs(self) -> dict[str, datetime]:
        """The cut-off of each game of `day`."""
        games = self.source.read(SCHEDULE, [self.day]).to_pylist()
        return {g["game_id"]: cutoff_of(g["game_date"], g["game_datetime_utc"]) for g in games}


def _other_id(game_id: str) -> str:
    return f"{game_id[:5]}9{game_id[6:]}"


def _shot(player: Row, value: int, made: bool) -> Row:
    place = {"shot_distance": 0} if value == 2 else {"shot_distance": 22, "zone_basic": "Left Corner 3"}
    told = {c.name: None for c in SHOTS.columns} | {c: player[c] for c in ("game_id", "game_date", "player_id")}
    return told | place | {"period": 1, "mins_left": 0, "secs_left": 0, "shot_made": made, "shot_value": value}


def _grouped(rows: Iterable[Row], *columns: str) -> list[Rows]:
    groups: dict[tuple, Rows] = defaultdict(list)
    for r in rows:
        groups[tuple(r[c] for c in columns)].append(r)
    return list(groups.values())
