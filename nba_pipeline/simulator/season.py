"""Play one season: schedule, regular games, cup, play-in, play-offs."""

from dataclasses import dataclass

import numpy as np

from nba_pipeline.simulator.availability import Spells, availability, injury_spells
from nba_pipeline.simulator.calendar import SeasonCalendar, opening_year, season_calendar
from nba_pipeline.simulator.clubs import arena
from nba_pipeline.simulator.games import play
from nba_pipeline.simulator.league import LAST_DAY, replay
from nba_pipeline.simulator.postseason import Batch, concatenate, play_batch, play_in, playoffs, standings
from nba_pipeline.simulator.schedule import Fixtures, regular_season
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.slate import World, build_slate, build_world, previous_days
from nba_pipeline.simulator.tipoffs import eastern_minutes, instants

SPARE_DAYS = 30  # latent processes extend beyond the Finals, as availability reads the next day
_ABROAD = ("Arena CDMX", "Accor Arena", "The O2", "Uber Arena")
CUP_ARENA = "T-Mobile Arena"


@dataclass(frozen=True)
class Season:
    """All countable games of a season, with its calendar, players, tip-off times and arenas."""

    calendar: SeasonCalendar
    world: World
    spells: Spells
    games: Batch
    tip_minutes: np.ndarray  # Eastern minutes after midnight, per game
    tip: np.ndarray  # UTC, datetime64[us]
    arena: list[str]


def _neutral_sites(fixtures: Fixtures, rng: np.random.Generator) -> np.ndarray:
    """Mark the neutral sites: cup semi-finals, and a game abroad in November and in January between rest days."""
    neutral = fixtures.cup_semifinal.copy()
    before = previous_days(fixtures.home, fixtures.away, fixtures.day)
    rested = (fixtures.day - before.max(axis=1) >= 2) & (before.min(axis=1) >= 0)
    for low, high in ((12, 35), (78, 100)):
        options = np.flatnonzero(rested & (fixtures.day >= low) & (fixtures.day <= high))
        neutral[rng.choice(options)] = True
    return neutral


def _arenas(batch: Batch, calendar: SeasonCalendar, semifinal_day: int) -> list[str]:
    names = []
    for game_id, home, day, neutral in zip(
        batch.game_id, batch.slate.home, batch.slate.day, batch.slate.neutral, strict=True
    ):
        if not neutral:
            names.append(arena(int(home), calendar.year))
        elif day == semifinal_day or game_id.startswith("006"):
            names.append(CUP_ARENA)
        else:
            names.append(_ABROAD[0 if day < 60 else 1 + calendar.year % 3])
    return names


def play_season(season: str, seed: int) -> Season:
    """Play the season of the invented league of `seed`; raise ValueError for a malformed season."""
    calendar = season_calendar(opening_year(season))
    history, stints = replay(seed, calendar.year)
    world = build_world(seed, calendar.year, season, history, stints, LAST_DAY + SPARE_DAYS)
    spells = injury_spells(world)
    fixtures = regular_season(calendar, seed)
    rng = stream(seed, season, "places and times")
    neutral = _neutral_sites(fixtures, rng)
    tip = eastern_minutes(rng, calendar, fixtures.home, fixtures.day)
    order = np.lexsort((fixtures.home, tip, fixtures.day))
    home, away, day, neutral = (values[order] for values in (fixtures.home, fixtures.away, fixtures.day, neutral))
    ids = np.array([f"002{calendar.year % 100:02d}{n:05d}" for n in range(1, len(home) + 1)])
    slate = build_slate(
        world, home, away, day, neutral, np.zeros(len(home), dtype=bool), previous_days(home, away, day)
    )
    status = availability(world, slate, spells, "regular season")
    regular = Batch(ids, slate, status, play(world, slate, status, "regular season"))
    batches = [regular]
    semifinal_day = -1
    if calendar.cup_semifinals is not None and calendar.cup_final is not None:
        semifinal_day = calendar.day_index(calendar.cup_semifinals)
        semifinals = np.flatnonzero(fixtures.cup_semifinal[order])
        east, west = (int(club) for club in regular.winners()[semifinals])
        cup_id = f"006{calendar.year % 100:02d}00001"
        final_day = calendar.day_index(calendar.cup_final)
        batches.append(
            play_batch(world, spells, "cup final", [cup_id], [(east, west, final_day)], playoff=False, neutral=True)
        )
    tables = standings(regular)
    early, seeds = play_in(world, spells, calendar, tables)
    rank = {club: place for table in tables for place, club in enumerate(table)}
    batches += [*early, *playoffs(world, spells, calendar, seeds, rank)]
    later = batches[1:]
    minutes = [tip[order]] + [eastern_minutes(rng, calendar, b.slate.home, b.slate.day) for b in later]
    games = concatenate(batches)
    all_minutes = np.concatenate(minutes)
    names = _arenas(games, calendar, semifinal_day)
    return Season(calendar, world, spells, games, all_minutes, instants(calendar, games.slate.day, all_minutes), names)
