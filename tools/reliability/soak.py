"""A simulated season plays itself day by day, through outages, corrections and restarts; what stands at the end is looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline_tests.support.homes import FIRST, LAST, Home
from tools.reliability.proof import Proof, Scale, Tally, stage
from tools.soak.plan import bad_weather
from tools.soak.season import Season, forecasts, incomplete, open_alerts

TITLE = "Unattended operation: a season of schedules, sensors, outages, corrections and restarts"
DAYS = {"quick": 3, "full": 45}
REFRESH_HOURS = (17.0, 20.5)
SENSOR_HOURS = (0.4, 7.2, 11.2, 14.0, 18.8)


def prove(scale: Scale) -> list[Proof]:
    """Publish two weeks of the invented league, then let automation play the days after them."""
    first, last = LAST + timedelta(days=1), LAST + timedelta(days=DAYS[scale])
    with _home() as home:
        weather = bad_weather(home.settings.open_source(), first, last)
        season = Season(home.path, weather, REFRESH_HOURS, SENSOR_HOURS)
        season.play(first, last)
        return list(proofs(season, first, last))


@contextmanager
def _home() -> Iterator[Home]:
    with TemporaryDirectory(prefix="reliability-") as scratch:
        home = Home(Path(scratch) / "home")
        with stage(f"publishing {FIRST}..{LAST}"):
            if not home.materialize(FIRST, LAST).success:
                raise RuntimeError(f"the first days could not be published in {home.path}")
        yield home


def proofs(season: Season, first: date, last: date) -> Iterator[Proof]:
    """What must be true of a home whose season was played."""
    log, settings = season.log, season.settings
    on = f"invented league, {first}..{last}, {len(season.weather.outages)} outages, {len(season.weather.corrections)} corrections"
    method = (
        "ticks of all schedules and sensors by a simulated clock, with their runs executed and a new daemon every day"
    )
    runs = {f"runs of {by}, {how}": n for (by, how), n in sorted(log.runs.items())}
    yield _complete(settings, first, last).proof(
        "every day before the last is complete in every table, despite outages and corrections", method, on, runs
    )
    yield _untouched(season, first, last).proof(
        "every forecast was computed before its tip-off, and none changed after it",
        "forecasts of started games are recorded after each run and compared with later ones",
        on,
        {"forecasts of started games watched": len(log.frozen)},
    )
    yield _once(season).proof(
        "no event runs twice, and none is lost when the daemon dies",
        "the daemon dies between request and launch at every fifth request; its next tick must repeat the request; after "
        "successful runs their sensor ticks again at once and must request nothing",
        on,
        {"lost with the daemon": log.lost, "looked at again after success": log.looked_again},
    )
    yield _quiet(season).proof(
        "problems open an alert and their end resolves it: no alert stays open",
        method,
        on,
        {"messages": len(log.messages)},
    )


def _complete(settings: Settings, first: date, last: date) -> Tally:
    tally, wanted = Tally(), last - timedelta(days=1)
    lacking = incomplete(settings, first, wanted, graph_order())
    for day in days_between(first, wanted):
        tally.case(f"{day} is not complete" if day in lacking else None)
    return tally


def _untouched(season: Season, first: date, last: date) -> Tally:
    tally = Tally()
    for row in forecasts(season.settings, first, last):
        late = row["as_of"] >= row["tip_off"]
        tally.case(f"{row['game_date']} {row['player_id']} as of {row['as_of']}" if late else None)
    for altered in season.log.altered:
        tally.case(altered)
    return tally


def _once(season: Season) -> Tally:
    tally, log = Tally(), season.log
    for wrong, looks in ((log.forgotten, log.lost), (log.repeated, log.looked_again)):
        for said in [*wrong, *[None] * (looks - len(wrong))]:
            tally.case(said)
    return tally


def _quiet(season: Season) -> Tally:
    tally = Tally()
    opened = sum("OPEN" in m for m in season.log.messages)
    tally.case(None if opened else "nothing was ever said")
    for alert in open_alerts(season.settings):
        tally.case(alert)
    return tally
