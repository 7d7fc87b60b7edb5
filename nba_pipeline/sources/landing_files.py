"""Landing files by day, made from kept answers only: the same answers give the same files, with or without a network."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from nba_pipeline.common.files import write_atomically
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.sources import landing as feeds
from nba_pipeline.sources import plan
from nba_pipeline.sources.answers import parsed
from nba_pipeline.sources.landing import PROBLEMS, Feed
from nba_pipeline.sources.nba_stats import team_id
from nba_pipeline.sources.parsing import injury_report, odds
from nba_pipeline.sources.parsing.schedule import Game, by_id
from nba_pipeline.sources.parsing.values import Row
from nba_pipeline.sources.payloads import Payload, PayloadStore
from nba_pipeline.sources.plan import INJURY_REPORTS, NBA_STATS, ODDS_API

Changed = dict[str, list[date]]
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class SeasonLanding:
    """Makes the files of one season's days below `directory`. `games`: the season's schedule."""

    store: PayloadStore
    directory: Path
    season: str
    games: Sequence[Game]
    _read: dict[Path, Any] = field(default_factory=dict)

    def land(self, days: Sequence[date], kinds: Sequence[str]) -> Changed:
        """Write the files of these kinds of data; returns, by feed, the days whose content changed.

        A day of which no answer says anything has no file. The schedule of days that have a file is brought up to date too.
        """
        changed: Changed = defaultdict(list)
        # Box scores say who did not play, which is a statement like those of the injury reports.
        makers: dict[str, tuple[tuple[Feed, Callable[[date], list[Row] | None]], ...]] = {
            plan.SCHEDULE: ((feeds.SCHEDULE, self._schedule),),
            plan.BOXSCORES: (
                (feeds.PLAYER_BOXSCORES, self._players),
                (feeds.TEAM_BOXSCORES, self._teams),
                (feeds.INJURIES, self._injuries),
            ),
            plan.SHOTS: ((feeds.SHOTS, self._shots),),
            plan.LINES: ((feeds.PROP_LINES, self._props), (feeds.GAME_LINES, self._lines)),
            plan.INJURIES: ((feeds.INJURIES, self._injuries),),
        }
        for feed, make in dict(pair for kind in kinds for pair in makers.get(kind, ())).items():
            known = self._landed(feed) if feed is feeds.SCHEDULE else set()
            for day in sorted({*days, *known}):
                rows = make(day)
                if rows is not None and write_rows(self.directory / feed.name / f"{day}.parquet", feed, rows):
                    changed[feed.name].append(day)
        if plan.ROSTERS in kinds:
            self._rosters()
        return dict(changed)

    def _landed(self, feed: Feed) -> set[date]:
        days = {date.fromisoformat(p.stem) for p in (self.directory / feed.name).glob("????-??-??.parquet")}
        return {d for d in days if plan.season_of(d) == self.season}

    @cached_property
    def _by_id(self) -> dict[str, Game]:
        return by_id(self.games)

    @cached_property
    def _by_day(self) -> dict[date, list[Game]]:
        found: dict[date, list[Game]] = defaultdict(list)
        for g in self.games:
            found[g.day].append(g)
        return found

    def _over(self, day: date) -> list[Game]:
        return [g for g in self._by_day.get(day, ()) if g.over and g.countable]

    def _said(self, kind: str, key: str, kept: Payload) -> Any:
        """What an answer says; each is read once."""
        if kept.path not in self._read:
            self._read[kept.path] = parsed(kind, key, kept.read(), kept.fetched_at, self._by_id)
        return self._read[kept.path]

    def _schedule(self, day: date) -> list[Row]:
        return [g.row() for g in self._by_day.get(day, ())]

    def _players(self, day: date) -> list[Row] | None:
        return self._results(day, "player_log", lambda box: box.players)

    def _teams(self, day: date) -> list[Row] | None:
        return self._results(day, "team_log", lambda box: box.teams)

    def _results(self, day: date, log: str, of_box: Callable[[Any], list[Row]]) -> list[Row] | None:
        """Per game its box score, and from the log what that lacks; None where games are over and nothing is known of any."""
        over = self._over(day)
        if not over:
            return []
        found = []
        for g in over:
            box = self.store.latest(NBA_STATS, "box_score", g.game_id)
            said = self._said("box_score", g.game_id, box) if box else None
            rows = of_box(said) if said else []
            found += rows
            if said is None or not said.is_whole:
                named = {(r["team"], r.get("player_id")) for r in rows}
                found += [r for r in self._logged(log, g) if (r["team"], r.get("player_id")) not in named]
        return found or None

    def _logged(self, kind: str, game: Game) -> list[Row]:
        """The game's lines in the log that was fetched last, of the season or of the day."""
        prefix = game.game_id[:3]
        keys = [plan.log_call(kind, self.season, prefix, d).key for d in (None, game.day)]
        return self._of_game(kind, keys).get(game.game_id, []) if any(self._kept(kind, k) for k in keys) else []

    def _of_game(self, kind: str, keys: Iterable[str]) -> dict[str, list[Row]]:
        key = max(keys, key=lambda k: kept.fetched_at if (kept := self._kept(kind, k)) else NEVER)
        kept = self._kept(kind, key)
        assert kept is not None
        by_game = Path(f"{kept.path}#games")
        if by_game not in self._read:
            grouped: dict[str, list[Row]] = defaultdict(list)
            for row in self._said(kind, key, kept):
                grouped[row["game_id"]].append(row)
            self._read[by_game] = grouped
        return self._read[by_game]

    def _kept(self, kind: str, key: str) -> Payload | None:
        return self.store.latest(NBA_STATS, kind, key)

    def _shots(self, day: date) -> list[Row] | None:
        over = self._over(day)
        found = [row for g in over for team in (g.home, g.away) for row in self._attempts(g, team)]
        return found if found or not over else None

    def _attempts(self, game: Game, team: str | None) -> list[Row]:
        """A team's attempts in a game, from the answer that was fetched last."""
        prefix = game.game_id[:3]
        calls = [plan.shot_call(self.season, prefix, day=game.day)]
        calls += [plan.shot_call(self.season, prefix, team=team)] if team else []
        kept = [(k, c.key) for c in calls if (k := self._kept("shots", c.key))]
        if not kept:
            return []
        newest, key = max(kept, key=lambda found: found[0].fetched_at)
        by_team = Path(f"{newest.path}#teams")
        if by_team not in self._read:
            grouped: dict[tuple[str, int | None], list[Row]] = defaultdict(list)
            for shooter, row in self._said("shots", key, newest):
                grouped[row["game_id"], shooter].append(row)
            self._read[by_team] = grouped
        return self._read[by_team].get((game.game_id, team_id(team)), [])

    def _injuries(self, day: date) -> list[Row] | None:
        found: list[Row] = []
        keys = self.store.keys(INJURY_REPORTS, "report", f"{day}_")
        for key in keys:
            for kept in self.store.all(INJURY_REPORTS, "report", key)[-1:]:
                found += injury_report.rows(self._said("report", key, kept), self.games)
        for g in self._over(day):
            box = self.store.latest(NBA_STATS, "box_score", g.game_id)
            found += self._said("box_score", g.game_id, box).absent if box else []
        return found or ([] if keys else None)

    def _snapshots(self, day: date) -> list[odds.Snapshot]:
        return [
            self._said(kind, key, kept)
            for kind in ("event_odds_at", "event_odds")
            for key in self.store.keys(ODDS_API, kind, f"{day}_")
            for kept in self.store.all(ODDS_API, kind, key)
        ]

    def _games_of(self, day: date, snapshots: Iterable[odds.Snapshot]) -> dict[str, Game]:
        """Event id -> game, by the teams that play on the day, whichever is listed as home."""
        pairs = {s.event.id: s.event.game(self._by_day.get(day, ())) for s in snapshots}
        return {event: game for event, game in pairs.items() if game}

    def _props(self, day: date) -> list[Row] | None:
        taken = self._snapshots(day)
        return odds.prop_rows(taken, day, self._games_of(day, taken)) if taken else None

    def _lines(self, day: date) -> list[Row] | None:
        taken = self._snapshots(day)
        return odds.line_rows(taken, day, self._games_of(day, taken)) if taken else None

    def _rosters(self) -> None:
        for kind, feed in (("player_index", feeds.PLAYERS), ("player_bio", feeds.PLAYER_AGES)):
            kept = self._kept(kind, self.season)
            if kept:
                rows = self._said(kind, self.season, kept)
                write_rows(self.directory / feed.name / f"{self.season}.parquet", feed, rows)


def write_rows(path: Path, feed: Feed, rows: Sequence[Row]) -> bool:
    """Write a landing file, in an order that does not depend on that of the rows; False if it holds this content already."""
    schema = pa.schema([(n, arrow_type(t)) for n, t in feed.ibis_schema.items() if n != PROBLEMS])
    ordered = sorted(rows, key=lambda r: [str(r.get(n)) for n in schema.names])
    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ordered, schema), target)
    content = target.getvalue()
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return True
