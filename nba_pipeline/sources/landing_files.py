"""Write landing files by day from stored answers only, so that equal answers give equal files without a network."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from nba_pipeline.common.errors import SourceError, first_line
from nba_pipeline.common.files import write_atomically
from nba_pipeline.common.locking import file_lock
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.domain.calendar import season_of
from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.sources import landing as feeds
from nba_pipeline.sources import plan
from nba_pipeline.sources.answers import BOX_SCORE_SOURCE, parsed
from nba_pipeline.sources.landing import PROBLEMS, Feed
from nba_pipeline.sources.nba_stats import team_id
from nba_pipeline.sources.odds_plan import PROPS, PROPS_AT, SLATE, SLATE_AT
from nba_pipeline.sources.parsing import cdn_box_score, injury_report, lineups, odds, players, quote_rows
from nba_pipeline.sources.parsing.box_score import BoxScore
from nba_pipeline.sources.parsing.schedule import Game, by_id
from nba_pipeline.sources.parsing.values import EASTERN, Row, from_json
from nba_pipeline.sources.payloads import Payload, PayloadStore
from nba_pipeline.sources.plan import CDN_BOX_SCORE, INJURY_REPORTS, NBA_CDN, NBA_LINEUPS, NBA_STATS, ODDS_API

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute

Changed = dict[str, list[date]]
CAPTURE = "%Y%m%dT%H%M%SZ"
LANDING_TIMEOUT = 600.0
RESULTS = (feeds.PLAYER_BOXSCORES, feeds.TEAM_BOXSCORES, feeds.SHOTS)
# The sources of rows that are written from stored answers; rows of others in these feeds were imported.
SOURCES = {
    feeds.INJURIES: (injury_report.SOURCE, BOX_SCORE_SOURCE, cdn_box_score.SOURCE),
    feeds.LINEUPS: (lineups.SOURCE,),
    feeds.PROP_LINES: (odds.SOURCE,),
    feeds.GAME_LINES: (odds.SOURCE,),
}
NEVER = datetime.min.replace(tzinfo=UTC)


def writing(directory: Path) -> AbstractContextManager[None]:
    """Make the directory of the landing files, and hold its lock: one process writes them at a time.

    Raises:
        WarehouseBusyError: Another process has been writing for longer than LANDING_TIMEOUT seconds.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return file_lock(directory / ".making.lock", exclusive=True, timeout=LANDING_TIMEOUT)


@dataclass(frozen=True)
class SeasonLanding:
    """Writes the files of one season's days below `directory`.

    `games`: the season's schedule. `fail` receives each stored answer and each file that cannot be read: the file of that feed
    and day stays as it is, and all others are written.
    """

    store: PayloadStore
    directory: Path
    season: str
    games: Sequence[Game]
    fail: Callable[[SourceError], None]
    _read: dict[Path, Any] = field(default_factory=dict)

    def land(self, days: Sequence[date], kinds: Sequence[str]) -> Changed:
        """Write the files of days.

        A day without any answer gets no file. The schedule is also updated on other days that have a file.

        Args:
            days: days of games (US Eastern).
            kinds: some of `plan.KINDS`.

        Returns:
            The days whose content changed, by feed.
        """
        changed: Changed = defaultdict(list)
        # Box scores list players who did not play, which are rows of the feed of injuries.
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
            plan.LINEUPS: ((feeds.LINEUPS, self._lineups),),
        }
        for feed, make in dict(pair for kind in kinds for pair in makers.get(kind, ())).items():
            landed = self._landed(feed) if feed is feeds.SCHEDULE else set()
            for day in sorted({*days, *landed}):
                path = self.directory / feed.name / f"{day}.parquet"
                rows = self._rows(feed, day, path, make)
                if rows is not None and write_rows(path, feed, rows):
                    changed[feed.name].append(day)
        if plan.ROSTERS in kinds:
            self._rosters()
        return dict(changed)

    def _rows(self, feed: Feed, day: date, path: Path, make: Callable[[date], list[Row] | None]) -> list[Row] | None:
        """Return the rows for a file; None without any answer, or where an answer or the file as it is cannot be read."""
        try:
            made = make(day)
            return None if made is None else [*made, *self._imported(feed, day, path, made)]
        except SourceError as e:
            self.fail(e)
            return None

    def _imported(self, feed: Feed, day: date, path: Path, rows: Sequence[Row]) -> list[Row]:
        """List the rows of a file that an import wrote and the stored answers say nothing of."""
        if feed in RESULTS:
            silent = {g.game_id for g in self._over(day)} - {r["game_id"] for r in rows}
            return [r for r in landed_rows(path) if r["game_id"] in silent] if silent else []
        if feed not in SOURCES:
            return []
        told = {g.game_id for g in self._over(day) if self._box_score(g)} if feed is feeds.INJURIES else set()
        return [
            r
            for r in landed_rows(path, without=SOURCES[feed])
            if not (r.get("record_type") == AFTER_GAME and r.get("game_id") in told)
        ]

    def _landed(self, feed: Feed) -> set[date]:
        days = {date.fromisoformat(p.stem) for p in (self.directory / feed.name).glob("????-??-??.parquet")}
        return {d for d in days if season_of(d) == self.season}

    @cached_property
    def _by_id(self) -> dict[str, Game]:
        return by_id(self.games)

    @cached_property
    def _by_day(self) -> dict[date, list[Game]]:
        by_day: dict[date, list[Game]] = defaultdict(list)
        for g in self.games:
            by_day[g.day].append(g)
        return by_day

    def _over(self, day: date) -> list[Game]:
        return [g for g in self._by_day.get(day, ()) if g.over and g.countable]

    def _parsed(self, kind: str, key: str, answer: Payload) -> Any:
        """Parse an answer once."""
        if answer.path not in self._read:
            self._read[answer.path] = parsed(kind, key, answer.read(), answer.fetched_at, self._by_id)
        return self._read[answer.path]

    def _schedule(self, day: date) -> list[Row]:
        return [g.row() for g in self._by_day.get(day, ())]

    def _players(self, day: date) -> list[Row] | None:
        return self._results(day, "player_log", lambda box: box.players)

    def _teams(self, day: date) -> list[Row] | None:
        return self._results(day, "team_log", lambda box: box.teams)

    def _results(self, day: date, log: str, of_box: Callable[[Any], list[Row]]) -> list[Row] | None:
        """Read the rows of finished games from box scores, completed from the log; None without an answer for any."""
        over = self._over(day)
        if not over:
            return []
        results = []
        for g in over:
            score = self._box_score(g)
            rows = of_box(score) if score else []
            results += rows
            if score is None or not score.is_whole:
                present = {(r["team"], r.get("player_id")) for r in rows}
                results += [r for r in self._logged(log, g) if (r["team"], r.get("player_id")) not in present]
        return results or None

    def _box_score(self, game: Game) -> BoxScore | None:
        """Read the box score of the statistics service, else that of the live data; None without either."""
        for source, kind in ((NBA_STATS, "box_score"), (NBA_CDN, CDN_BOX_SCORE)):
            box = self.store.latest(source, kind, game.game_id)
            if box:
                return self._parsed(kind, game.game_id, box)
        return None

    def _logged(self, kind: str, game: Game) -> list[Row]:
        """Read the game's lines in the latest log, of the season or of the day."""
        prefix = game.game_id[:3]
        keys = [plan.log_call(kind, self.season, prefix, d).key for d in (None, game.day)]
        return self._of_game(kind, keys).get(game.game_id, []) if any(self._latest(kind, k) for k in keys) else []

    def _of_game(self, kind: str, keys: Iterable[str]) -> dict[str, list[Row]]:
        key = max(keys, key=lambda k: answer.fetched_at if (answer := self._latest(kind, k)) else NEVER)
        newest = self._latest(kind, key)
        assert newest is not None
        by_game = Path(f"{newest.path}#games")
        if by_game not in self._read:
            grouped: dict[str, list[Row]] = defaultdict(list)
            for row in self._parsed(kind, key, newest):
                grouped[row["game_id"]].append(row)
            self._read[by_game] = grouped
        return self._read[by_game]

    def _latest(self, kind: str, key: str) -> Payload | None:
        return self.store.latest(NBA_STATS, kind, key)

    def _shots(self, day: date) -> list[Row] | None:
        over = self._over(day)
        attempts = [row for g in over for team in (g.home, g.away) for row in self._attempts(g, team)]
        return attempts if attempts or not over else None

    def _attempts(self, game: Game, team: str | None) -> list[Row]:
        """Read a team's attempts in a game from the latest answer."""
        prefix = game.game_id[:3]
        calls = [plan.shot_call(self.season, prefix, day=game.day)]
        calls += [plan.shot_call(self.season, prefix, team=team)] if team else []
        answers = [(answer, c.key) for c in calls if (answer := self._latest("shots", c.key))]
        if not answers:
            return []
        newest, key = max(answers, key=lambda pair: pair[0].fetched_at)
        by_team = Path(f"{newest.path}#teams")
        if by_team not in self._read:
            grouped: dict[tuple[str, int | None], list[Row]] = defaultdict(list)
            for shooter, row in self._parsed("shots", key, newest):
                grouped[row["game_id"], shooter].append(row)
            self._read[by_team] = grouped
        return self._read[by_team].get((game.game_id, team_id(team)), [])

    def _injuries(self, day: date) -> list[Row] | None:
        statements: list[Row] = []
        keys = self.store.keys(INJURY_REPORTS, "report", f"{day}_")
        for key in keys:
            for answer in self.store.all(INJURY_REPORTS, "report", key)[-1:]:
                statements += injury_report.rows(self._parsed("report", key, answer), self.games)
        for g in self._over(day):
            score = self._box_score(g)
            statements += score.absent if score else []
        return statements or ([] if keys else None)

    def _lineups(self, day: date) -> list[Row] | None:
        """Read all captures of a day; an answer that said nothing new was not stored."""
        answers = self.store.all(NBA_LINEUPS, plan.LINEUPS, f"{day}")
        captures = [(a.fetched_at, self._parsed(plan.LINEUPS, f"{day}", a)) for a in answers]
        rows = [r | {"captured_at": at} for at, listed in captures for r in listed if r["game_date"] == day]
        return rows if answers else None

    def _snapshots(self, day: date) -> list[odds.Snapshot]:
        """Read the snapshots of events of a day; those of a slate also list events of other days, which are left out."""
        of_events = [s for kind in (PROPS_AT, PROPS) for s in self._stored_snapshots(kind, f"{day}_")]
        listed = [s for kind in (SLATE_AT, SLATE) for each in self._stored_snapshots(kind, f"{day}_") for s in each]
        of_day = self._by_day.get(day, ())
        return [*of_events, *(s for s in listed if s.event.game(of_day))]

    def _stored_snapshots(self, kind: str, beginning: str) -> list[Any]:
        return [
            self._parsed(kind, key, answer)
            for key in self.store.keys(ODDS_API, kind, beginning)
            for answer in self.store.all(ODDS_API, kind, key)
        ]

    def _games_of(self, day: date, snapshots: Iterable[odds.Snapshot]) -> dict[str, Game]:
        """Match events to games of the day by their teams, in either order; return games by event id."""
        pairs = {s.event.id: s.event.game(self._by_day.get(day, ())) for s in snapshots}
        return {event: game for event, game in pairs.items() if game}

    def _props(self, day: date) -> list[Row] | None:
        snapshots = self._snapshots(day)
        return quote_rows.prop_rows(snapshots, day, self._games_of(day, snapshots)) if snapshots else None

    def _lines(self, day: date) -> list[Row] | None:
        snapshots = self._snapshots(day)
        return quote_rows.line_rows(snapshots, day, self._games_of(day, snapshots)) if snapshots else None

    def _rosters(self) -> None:
        for kind, feed in (("player_index", feeds.PLAYERS), ("player_bio", feeds.PLAYER_AGES)):
            answer = self._latest(kind, self.season)
            if answer:
                try:
                    rows = self._parsed(kind, self.season, answer)
                except SourceError as e:
                    self.fail(e)
                    continue
                write_rows(self.directory / feed.name / f"{self.season}.parquet", feed, rows)
        for kept in self.store.all(NBA_STATS, "player_index", self.season):
            try:
                self._roster(kept)
            except SourceError as e:
                self.fail(e)

    def _roster(self, kept: Payload) -> None:
        """Write the teams of an index that was fetched during its season: of an earlier season it names teams of the past."""
        path = self.directory / feeds.ROSTERS.name / f"{kept.fetched_at.astimezone(UTC):{CAPTURE}}.parquet"
        if season_of(kept.fetched_at.astimezone(EASTERN).date()) == self.season and not path.is_file():
            write_rows(path, feeds.ROSTERS, players.rosters(from_json(kept.read()), kept.fetched_at))


def landed_rows(path: Path, without: Sequence[str] = ()) -> list[Row]:
    """Read the rows of a landing file by day; none without one.

    Args:
        path: the file.
        without: sources whose rows are left out; a file that has no others is told from its statistics.

    Raises:
        SourceError: It cannot be read.
    """
    if not path.is_file():
        return []
    try:
        by_source = without and "source" in pq.read_schema(path).names
        others = pc.field("source").is_null() | ~pc.field("source").isin(without) if by_source else None
        return pq.read_table(path, filters=others).to_pylist()
    except (OSError, pa.ArrowException) as e:
        raise SourceError(f"{path} cannot be read: {first_line(e)}", "remove it, and run the same command again") from e


def write_rows(path: Path, feed: Feed, rows: Sequence[Row]) -> bool:
    """Write a landing file.

    Args:
        path: the file.
        feed: its feed.
        rows: its rows; their order does not matter.

    Returns:
        False if the file already has this content.
    """
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
