"""Days of the season run themselves: schedules, sensors, outages, corrections and restarts, by a clock that is moved."""

from dataclasses import replace
from datetime import timedelta

from nba_pipeline_tests.support.homes import LAST, Home
from tools.reliability.soak import SENSOR_HOURS, proofs
from tools.soak.plan import at, bad_weather
from tools.soak.season import Season
from tools.soak.weather import Correction

DAYS = 2
REFRESH_HOURS = (17.0,)


def test_days_run_themselves_through_outages_corrections_and_restarts(home: Home) -> None:
    first, last = LAST + timedelta(days=1), LAST + timedelta(days=DAYS)
    outages = bad_weather(home.settings.open_source(), first, last)
    weather = replace(outages, corrections=(Correction(first, at(first, 40)),))
    season = Season(home.path, weather, REFRESH_HOURS, SENSOR_HOURS)
    log = season.play(first, last)
    for proof in proofs(season, first, last):
        assert proof.holds, (proof.promise, proof.examples)
    assert log.runs["failed_partitions", "success"]
    assert log.runs["corrections", "success"]
    assert log.runs["line_refresh", "success"]
    assert log.lost and log.looked_again
    assert any("OPEN" in m for m in log.messages)
    assert any("RESOLVED" in m for m in log.messages)
