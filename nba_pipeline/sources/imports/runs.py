"""Import season files or a directory into the landing files: by file, so that an import goes on where it stopped."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.sources import landing as feeds
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.imports import shot_charts, sportsdataverse
from nba_pipeline.sources.imports.season_files import (
    SeasonFile,
    digest_of,
    locate,
    read_manifest,
    read_rows,
    write_manifest,
)
from nba_pipeline.sources.landing import PROBLEMS, Feed
from nba_pipeline.sources.landing_files import landed_rows, write_rows, writing
from nba_pipeline.sources.landing_query import is_possible
from nba_pipeline.sources.live_settings import Pace
from nba_pipeline.sources.parsing.acceptance import SetAside
from nba_pipeline.sources.parsing.values import Row

RELEASES = "https://github.com/sportsdataverse/sportsdataverse-data/releases/download"
# Folder of the releases and stem of each file; {} is the year in which the season ends.
LOG = ("nba_stats_schedules", "nba_stats_schedule_{}")
TEAMS = ("nba_stats_team_boxscores", "team_boxscores_{}")
PLAYERS = ("nba_stats_player_boxscores", "player_boxscores_{}")
SHOTS = ("nba_stats_shots", "shots_{}")
ROSTERS = ("nba_stats_rosters", "rosters_{}")
ESPN = ("espn_nba_schedules", "nba_schedule_{}")

Tell = Callable[[str], None]


@dataclass
class Imported:
    """Result of an import.

    Attributes:
        rows: Rows written, by feed.
        days: Days written, by feed.
        kept: Days whose file has rows and stays, by feed.
        set_aside: Rows that cannot be used, with their reasons.
        missing: Files that the place does not have.
        unchanged: Files that were imported before with the same sha256.
        files: sha256 of each file that was read.
    """

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    days: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kept: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    set_aside: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            **{name: dict(getattr(self, name)) for name in ("rows", "days", "kept", "files")},
            **{name: list(getattr(self, name)) for name in ("set_aside", "missing", "unchanged")},
        }


@dataclass
class _Season:
    """The files of one season, read on demand."""

    label: str
    place: str
    cache: Path
    pace: Pace
    found: Imported

    def file(self, what: tuple[str, str]) -> SeasonFile | None:
        """Find a file; record its digest, or that it is missing."""
        file = self.find(what)
        if file is None:
            self.found.missing.append(f"{what[0]}/{self._stem(what)}")
        else:
            self.found.files[file.path.name] = file.sha256
        return file

    def find(self, what: tuple[str, str]) -> SeasonFile | None:
        """Find a file, without a record."""
        return locate(self.place, what[0], self._stem(what), self.cache, self.pace)

    def _stem(self, what: tuple[str, str]) -> str:
        return what[1].format(int(self.label[:4]) + 1)

    def rows(self, what: tuple[str, str], columns: Sequence[str]) -> list[Row]:
        """Read the rows of a file; none where it is missing."""
        file = self.file(what)
        return [] if file is None else read_rows(file.path, columns)


def import_season(
    label: str, place: str, landing: Path, cache: Path, *, replace: bool, pace: Pace, tell: Tell = lambda _: None
) -> Imported:
    """Import a season of sportsdataverse-data.

    Args:
        label: The season, such as 2023-24.
        place: Directory or address of the files.
        landing: Directory of the landing files.
        cache: Directory for files from an address.
        replace: Replace files of days that have rows, and import files again that were imported before.
        pace: Time-out of requests.
        tell: Receives progress.

    Raises:
        SourceError: The place lacks the schedule or the box scores, or a file cannot be read.
    """
    done = Imported()
    season = _Season(label, place, cache, pace, done)
    tell(f"{label}: schedule")
    log = season.rows(LOG, sportsdataverse.SCHEDULE_COLUMNS)
    teams = season.rows(TEAMS, sportsdataverse.TEAM_COLUMNS)
    if not log or not teams:
        raise SourceError(
            f"{place} lacks {' and '.join(done.missing)} of {label}, without which no game is known",
            "name the directory or address of the season files with --from (docs/sources.md)",
        )
    aside: list[SetAside] = []
    espn = sportsdataverse.tip_offs(season.rows(ESPN, sportsdataverse.ESPN_COLUMNS), aside)
    games = {g["game_id"]: g for g in sportsdataverse.schedule(log, teams, espn, aside)}
    days = days_between(min(g["game_date"] for g in games.values()), max(g["game_date"] for g in games.values()))
    writer = _Writer(landing, days, replace, done)
    with writing(landing):
        manifest = read_manifest(landing)
        writer.write(feeds.SCHEDULE, games.values())
        writer.write(feeds.TEAM_BOXSCORES, sportsdataverse.team_boxscores(teams, games, aside))
        for what, feed in ((PLAYERS, feeds.PLAYER_BOXSCORES), (SHOTS, feeds.SHOTS)):
            file = season.file(what)
            if file is None:
                continue
            if not replace and manifest.get(file.path.name, {}).get("sha256") == file.sha256:
                done.unchanged.append(file.path.name)
                continue
            tell(f"{label}: {feed.name}")
            if feed is feeds.SHOTS:
                rows = read_rows(file.path, sportsdataverse.SHOT_COLUMNS)
                writer.write(feed, sportsdataverse.shots(rows, games, aside))
            else:
                rows = read_rows(file.path, sportsdataverse.PLAYER_COLUMNS)
                box, absent = sportsdataverse.player_boxscores(rows, games, aside)
                writer.write(feed, box)
                writer.write(feeds.INJURIES, absent, _is_of_box_score)
            _remember(landing, manifest, file, feed.name, len(rows))
        _write_players(season, landing, games, replace)
    done.set_aside += map(str, aside)
    return done


def _write_players(season: _Season, landing: Path, games: Mapping[str, Row], replace: bool) -> None:
    """Write the season's lists of players and ages where they are lacking.

    The box scores are read again: an import that goes on has not read them.
    """
    paths = {feed: landing / feed.name / f"{season.label}.parquet" for feed in (feeds.PLAYERS, feeds.PLAYER_AGES)}
    lacking = {feed for feed, path in paths.items() if replace or not path.is_file()}
    rosters = season.rows(ROSTERS, sportsdataverse.ROSTER_COLUMNS)
    box: list[Row] = []
    if feeds.PLAYERS in lacking and (file := season.find(PLAYERS)):
        box, _ = sportsdataverse.player_boxscores(read_rows(file.path, sportsdataverse.PLAYER_COLUMNS), games)
    for feed, rows in (
        (feeds.PLAYERS, sportsdataverse.players(rosters, box)),
        (feeds.PLAYER_AGES, sportsdataverse.ages(rosters, season.label)),
    ):
        if rows and feed in lacking:
            write_rows(paths[feed], feed, rows)
            season.found.rows[feed.name] += len(rows)


def _is_of_box_score(row: Row) -> bool:
    """Whether a row of injuries is of a box score: the feed also has reports, which an import of box scores leaves."""
    return row["record_type"] == AFTER_GAME


def import_shot_charts(paths: Sequence[Path], landing: Path, *, replace: bool, tell: Tell = lambda _: None) -> Imported:
    """Import files of shot charts with the columns of `shotchartdetail`; arguments as for `import_season`."""
    done = Imported()
    with writing(landing):
        manifest = read_manifest(landing)
        for path in paths:
            tell(f"{path.name}")
            file = SeasonFile(path, _digest(path))
            done.files[path.name] = file.sha256
            if not replace and manifest.get(path.name, {}).get("sha256") == file.sha256:
                done.unchanged.append(path.name)
                continue
            aside: list[SetAside] = []
            rows = shot_charts.shots(read_rows(path, shot_charts.COLUMNS), aside)
            _Writer(landing, [], replace, done).write(feeds.SHOTS, rows)
            done.set_aside += map(str, aside)
            _remember(landing, manifest, file, feeds.SHOTS.name, len(rows))
    return done


def import_directory(directory: Path, landing: Path, *, replace: bool, tell: Tell = lambda _: None) -> Imported:
    """Import a directory in the landing layout; arguments as for `import_season`."""
    done, source = Imported(), FilesSource(directory)
    with writing(landing):
        for feed in feeds.FEEDS.values():
            if source.path(feed) is None:
                done.missing.append(feed.name)
                continue
            tell(feed.name)
            days = source.days(feed)
            listed = source.read(feed.as_witness(), days).to_pylist()
            good: list[Row] = []
            for r in listed:
                if problem := r.pop(PROBLEMS) or _problem_of_day(feed, r):
                    done.set_aside.append(f"{feed.name}: {problem}")
                else:
                    good.append(r)
            if feed.day:
                possible = [d for d in days if is_possible(d)]
                _Writer(landing, possible, replace, done).write(feed, good)
            elif replace or not (landing / feed.name).exists():
                _write_of_no_day(landing / feed.name, feed, good)
                done.rows[feed.name] += len(good)
            else:
                done.kept[feed.name] += 1
    return done


def _problem_of_day(feed: Feed, row: Row) -> str:
    """Say why a row belongs to no day; empty where it does, or need not."""
    if feed.day is None:
        return ""
    if row[feed.day] is None:
        return f"{feed.day} is empty"
    return "" if is_possible(row[feed.day]) else f"{feed.day}: {row[feed.day]} cannot be the day of a game"


def _write_of_no_day(directory: Path, feed: Feed, rows: Sequence[Row]) -> None:
    """Write rows of a feed that is not daily, and take rows of the same keys out of its other files."""
    path = directory / "imported.parquet"
    write_rows(path, feed, rows)
    imported = {_key(feed, r) for r in rows}
    for other in sorted(p for p in directory.glob("*.parquet") if p != path):
        held = landed_rows(other)
        left = [r for r in held if _key(feed, r) not in imported]
        if not left:
            other.unlink()
        elif len(left) < len(held):
            write_rows(other, feed, left)


def _key(feed: Feed, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in feed.key)


@dataclass
class _Writer:
    """Writes rows by day; `days` get a file even without rows, so that they are days without games."""

    landing: Path
    days: Sequence[date]
    replace: bool
    done: Imported

    def write(self, feed: Feed, rows: Iterable[Row], owns: Callable[[Row], bool] = lambda _: True) -> None:
        """Write the rows of a feed; a file that has rows is left as it is unless `replace`.

        Args:
            feed: The feed.
            rows: Its rows.
            owns: Tells the rows of a file that the import may replace; the others stay, and do not count.
        """
        by_day: Mapping[date, list[Row]] = defaultdict(list)
        for r in rows:
            by_day[r[feed.day or ""]].append(r)
        # A file without rows tells that nothing happened: of an optional feed that is not known.
        for d in sorted({*(() if feed.optional else self.days), *by_day}):
            path, own = self.landing / feed.name / f"{d}.parquet", by_day.get(d, [])
            held = landed_rows(path)
            others = [r for r in held if not owns(r)]
            if path.is_file() and not self.replace and (not own or len(others) < len(held)):
                self.done.kept[feed.name] += 1 if own else 0
                continue
            write_rows(path, feed, [*others, *own])
            self.done.rows[feed.name] += len(own)
            self.done.days[feed.name] += 1


def _remember(landing: Path, manifest: dict[str, dict[str, Any]], file: SeasonFile, feed: str, rows: int) -> None:
    manifest[file.path.name] = {
        "sha256": file.sha256,
        "feed": feed,
        "rows": rows,
        "imported_at": clock.now().isoformat(),
    }
    write_manifest(landing, manifest)


def _digest(path: Path) -> str:
    if not path.is_file():
        raise SourceError(f"{path} does not exist", "name files of shot charts, Parquet or CSV")
    return digest_of(path)
