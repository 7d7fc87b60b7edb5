"""The landing files as frames: what every recomputation starts from."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pandas as pd

from nba_pipeline.domain.arenas import NEUTRAL_COURTS

COUNTS: Mapping[str, str] = {
    "points": "pts",
    "fg_makes": "fgm",
    "fg_attempts": "fga",
    "three_pt_makes": "fg3m",
    "three_pt_attempts": "fg3a",
    "ft_makes": "ftm",
    "ft_attempts": "fta",
    "offensive_rebounds": "oreb",
    "defensive_rebounds": "dreb",
    "rebounds": "reb",
    "assists": "ast",
    "steals": "stl",
    "blocks": "blk",
    "turnovers": "tov",
    "personal_fouls": "pf",
}
KINDS = {
    "001": "Preseason",
    "002": "Regular Season",
    "003": "All-Star",
    "004": "Playoffs",
    "005": "PlayIn",
    "006": "NBA Cup Final",
}
COUNTABLE = ("002", "004", "005", "006")
UNDECOMPOSED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i"}
)


class HomeReader(Protocol):
    """A function that reads a table of a home by its id; `history`: all its days up to the last, not only those compared."""

    def __call__(self, table: str, /, *, history: bool = False) -> pd.DataFrame: ...


@dataclass(frozen=True)
class League:
    """The landing files of a directory.

    Attributes:
        directory: One file or directory per feed, in the layout of docs/landing.md.
        known_from: First day of the history that the home under comparison holds; nothing earlier is used.
        first: First day that is recomputed.
        last: Last day that is recomputed; nothing later is used.
        home: Reads a table of the home under comparison by its id, for what a recomputation takes as given.
    """

    directory: Path
    known_from: date
    first: date
    last: date
    home: HomeReader

    def feed(self, name: str, day: str = "game_date") -> pd.DataFrame:
        """Read the rows of a feed from `known_from` to `last`; `day` names its column of dates."""
        paths = [p for p in (self.directory / f"{name}.parquet", self.directory / name) if p.exists()]
        if not paths:
            raise FileNotFoundError(f"no feed {name} in {self.directory}; point to a directory of landing files")
        rows = pd.read_parquet(paths[0])
        days = pd.to_datetime(rows[day]).dt.date
        rows = rows.assign(**{day: days})[(days >= self.known_from) & (days <= self.last)]
        if "player_id" in rows:
            rows = rows[rows.player_id.notna()].astype({"player_id": "int64"})
        return rows.reset_index(drop=True)

    def within(self, rows: pd.DataFrame, day: str = "game_date") -> pd.DataFrame:
        """Keep the rows of the days that are recomputed."""
        return rows[(rows[day] >= self.first) & (rows[day] <= self.last)].reset_index(drop=True)

    @cached_property
    def games(self) -> pd.DataFrame:
        """The countable games, with season, kind of game, score and cut-off. One row per game."""
        rows = self.feed("schedule")
        rows = rows[rows.game_id.str[:3].isin(COUNTABLE)].reset_index(drop=True)
        tip_off = pd.to_datetime(rows.game_datetime_utc, utc=True)
        noon = pd.to_datetime(rows.game_date.astype(str) + "T16:00:00Z", utc=True)
        return pd.DataFrame(
            {
                "game_id": rows.game_id,
                "game_date": rows.game_date,
                "season": rows.game_id.map(season_label),
                "season_type": rows.game_id.str[:3].map(KINDS),
                "home_team": rows.home_team,
                "away_team": rows.away_team,
                "home_points": rows.home_pts.astype("float64"),
                "away_points": rows.away_pts.astype("float64"),
                "neutral_site": _neutral(rows),
                "arena": rows.arena if "arena" in rows else None,
                "cutoff_at": (tip_off - pd.Timedelta(minutes=1)).fillna(noon),
            }
        )

    @cached_property
    def teams_of_games(self) -> pd.DataFrame:
        """Both sides of every countable game. One row per game and team."""
        home = self.games.rename(columns={"home_team": "team", "away_team": "opponent"})
        away = self.games.rename(columns={"away_team": "team", "home_team": "opponent"})
        home = home.assign(home_game=True, margin=home.home_points - home.away_points)
        away = away.assign(home_game=False, margin=away.away_points - away.home_points)
        return pd.concat([home, away], ignore_index=True).drop(columns=["home_points", "away_points"])

    @cached_property
    def openings(self) -> pd.Series:
        """The date of the first regular-season game of each season."""
        regular = self.games[self.games.season_type == "Regular Season"]
        return pd.to_datetime(regular.groupby("season").game_date.min())

    @cached_property
    def box_scores(self) -> pd.DataFrame:
        """The lines of the players who took part in finished countable games. One row per game and player."""
        rows = self.feed("player_boxscores").rename(columns={source: name for name, source in COUNTS.items()})
        exact = rows.min_exact if "min_exact" in rows else pd.Series(float("nan"), rows.index)
        starter = rows.starter if "starter" in rows else pd.Series(None, rows.index, dtype="object")
        rows = rows.assign(
            minutes=exact.fillna(rows["min"]).astype("float64"),
            minutes_are_exact=exact.notna(),
            starter=starter.astype("boolean"),
        )
        any_statistic = (rows[list(COUNTS)] != 0).any(axis=1) | (rows.plus_minus.fillna(0) != 0)
        took_part = (rows.minutes > 0) | any_statistic | rows.starter.fillna(False)
        final = self.games[self.games.home_points.notna()]
        return rows[took_part & rows.game_id.isin(final.game_id)].reset_index(drop=True)

    @cached_property
    def team_lines(self) -> pd.DataFrame:
        """The team lines of finished countable games, turnovers being those of the players. One row per game and team."""
        rows = self.feed("team_boxscores").rename(columns={source: name for name, source in COUNTS.items()})
        players = self.feed("player_boxscores")
        sums = players.groupby(["game_id", "team"], as_index=False).agg(player_tov=("tov", "sum"), floor=("min", "sum"))
        rows = rows.merge(sums, on=["game_id", "team"], validate="1:1").assign(summed_from_players=False)
        overtimes = ((rows.floor - 240) / 25).round().astype("int64")
        rows = rows.assign(turnovers=rows.player_tov, overtime_periods=overtimes, minutes=240 + 25 * overtimes)
        return rows[rows.game_id.isin(self.games.game_id)].reset_index(drop=True)

    @cached_property
    def shots(self) -> pd.DataFrame:
        """The shot log with the zone of each attempt. One row per field-goal attempt."""
        rows = self.feed("shots")
        corner = rows.zone_basic.fillna("").str.contains("Corner")
        two = rows.shot_value == 2
        zone = pd.Series("above_break_three", rows.index)
        zone = zone.mask(~two & corner, "corner_three")
        zone = zone.mask(two & (rows.shot_distance <= 8), "paint").mask(two & (rows.shot_distance > 8), "mid_range")
        return pd.DataFrame(
            {"game_id": rows.game_id, "player_id": rows.player_id, "zone": zone, "made": rows.shot_made.astype(bool)}
        )


def _neutral(rows: pd.DataFrame) -> pd.Series:
    """Tell games away from both teams' homes: by the arena's name, else as the source says; unknown where it does not say."""
    said = rows.neutral_site if "neutral_site" in rows else pd.Series(None, rows.index, dtype="object")
    known = [name for court in NEUTRAL_COURTS for name in court.names]
    return said.mask(rows.arena.isin(known), True) if "arena" in rows else said


def season_label(game_id: str) -> str:
    """Return the season of a game: digits 4-5 of its id are the year in which it began, `2023-24`."""
    year = int(game_id[3:5])
    return f"20{year:02d}-{(year + 1) % 100:02d}"


def lookup(name: str) -> str:
    """Normalize a name: lower case, accents folded, letters and digits only."""
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKD", name.lower().translate(UNDECOMPOSED)))
