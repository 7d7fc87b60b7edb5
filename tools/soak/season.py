"""Plays days of a simulated season by a clock that is moved: what the daemon would do, tick by tick."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import time_machine
from dagster._utils.schedules import cron_string_iterator

from nba_pipeline.automation import schedules, selections, sensors
from nba_pipeline.automation.alert_store import AlertStore
from nba_pipeline.automation.run_requests import WHY
from nba_pipeline.automation.schedule_rules import complete_days
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.config.settings import Settings
from nba_pipeline.definitions import defs
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration import jobs
from nba_pipeline.orchestration.instance import prepare
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days
from tools.soak.plan import at
from tools.soak.weather import Weather

LOOKING = (sensors.landing, sensors.corrections, sensors.failed_partitions, sensors.alerts)
EASTERN = ZoneInfo(ZONE)
LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Log:
    """What was played: runs by what asked for them, with how they ended; what was lost with a daemon (`lost`) and not asked
    again (`forgotten`), looked at again after it ran and asked again (`repeated`); forecasts as they were last seen, of games
    to come (`upcoming`) and of started ones (`frozen`)."""

    runs: Counter[tuple[str, str]] = field(default_factory=Counter)
    keys: list[str] = field(default_factory=list)
    lost: int = 0
    forgotten: list[str] = field(default_factory=list)
    looked_again: int = 0
    repeated: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    upcoming: dict[tuple, tuple] = field(default_factory=dict)
    frozen: dict[tuple, tuple] = field(default_factory=dict)
    altered: list[str] = field(default_factory=list)


@dataclass
class Channel:
    """Keeps what it is told."""

    log: Log
    name: str = "test"

    def send(self, subject: str, lines: list[str]) -> None:
        self.log.messages.append("\n".join([subject, *lines]))


@dataclass
class Season:
    """A home, the weather, and the hours (Eastern) at which refreshes and sensors are looked at."""

    home: Path
    weather: Weather
    refresh_hours: Sequence[float]
    sensor_hours: Sequence[float]
    log: Log = field(default_factory=Log)

    @property
    def settings(self) -> Settings:
        return Settings.from_environment({"NBA_PIPELINE_HOME": str(self.home)})

    def play(self, first: date, last: date) -> Log:
        """Play the days; every day ends with a new instance, as after a restart of the daemon."""
        for day in days_between(first, last):
            with _environment(self) as instance:
                for moment, what in self._ticks(day):
                    with time_machine.travel(moment, tick=False):
                        self._tick(instance, what, moment)
        return self.log

    def _ticks(self, day: date) -> list[tuple[datetime, object]]:
        """The schedules' own ticks of the day, and the sensors at their hours."""
        refreshes = {at(day, hour) for hour in self.refresh_hours}
        found: list[tuple[datetime, object]] = []
        for s in schedules.SCHEDULES:
            found += [(m, s) for m in cron_ticks(s, day) if s.name != "line_refresh" or m in refreshes]
        for hour in self.sensor_hours:
            found += [(at(day, hour), sensor) for sensor in LOOKING]
        return sorted(found, key=lambda t: t[0])

    def _tick(self, instance: dg.DagsterInstance, what: object, moment: datetime) -> None:
        if isinstance(what, dg.ScheduleDefinition):
            context = dg.build_schedule_context(instance, scheduled_execution_time=moment)
            asked = list(what.evaluate_tick(context).run_requests or [])
            self._launch(instance, what.name, str(what.job_name), asked)
            return
        assert isinstance(what, dg.SensorDefinition)
        asked = _asked(what, instance)
        if asked and len(self.log.keys) % 5 == 0:
            self._daemon_dies(instance, what, asked)
        if self._launch(instance, what.name, jobs.WHOLE_GRAPH, asked) and asked:
            self._nothing_is_left(instance, what, asked)

    def _daemon_dies(
        self, instance: dg.DagsterInstance, sensor: dg.SensorDefinition, asked: list[dg.RunRequest]
    ) -> None:
        """Fail before launching a request: the next tick must repeat it."""
        keys, again = ([r.run_key for r in requests] for requests in (asked, _asked(sensor, instance)))
        self.log.lost += 1
        if again != keys:
            self.log.forgotten.append(f"{sensor.name} asked for {keys}, and after a restart for {again}")

    def _nothing_is_left(
        self, instance: dg.DagsterInstance, sensor: dg.SensorDefinition, done: list[dg.RunRequest]
    ) -> None:
        """A successful run is not requested again."""
        again = [r.run_key for r in _asked(sensor, instance)]
        self.log.looked_again += 1
        if again:
            self.log.repeated.append(f"{sensor.name} ran {[r.run_key for r in done]}, and asked for {again} at once")

    def _launch(self, instance: dg.DagsterInstance, by: str, job: str, requests: list[dg.RunRequest]) -> bool:
        """As the daemon: a key that a run has already is not run again. Whether all were run, and succeeded."""
        successes = 0
        for request in requests:
            tags = {"dagster/run_key": request.run_key or "", "soak/by": by}
            if instance.get_runs(dg.RunsFilter(tags=tags), limit=1):
                continue
            self.log.keys.append(request.run_key or "")
            began = time.perf_counter()
            result = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                asset_selection=list(request.asset_selection or []) or None,
                tags={**request.tags, **tags},
                run_config=LOGGERS,
                raise_on_error=False,
            )
            _say(request, by, result.success, time.perf_counter() - began)
            self.log.runs[by, "success" if result.success else "failure"] += 1
            successes += result.success
        if requests:
            self._watch_forecasts()
        return successes == len(requests)

    def _watch_forecasts(self) -> None:
        """Note all forecasts; that of a game that has started is altered if it is not as it was last noted before the start."""
        now = datetime.now(UTC)
        today = now.astimezone(EASTERN).date()
        recent = days_between(today - timedelta(days=2), today)
        seen = set()
        for row in forecasts(self.settings, recent[0], today):
            key = (row["game_date"], row["player_id"], row["market"], row["system_id"])
            seen.add(key)
            value = (row["predicted_mean"], row["line"], row["as_of"], row["recommendation"])
            if row["tip_off"] > now:
                self.log.upcoming[key] = value
            elif self.log.frozen.setdefault(key, self.log.upcoming.pop(key, value)) != value:
                self.log.altered.append(f"{key}: {self.log.frozen[key]} became {value}")
        self.log.altered += [f"{k} is lost" for k in self.log.frozen if k[0] in recent and k not in seen]


def _say(request: dg.RunRequest, by: str, success: bool, seconds: float) -> None:
    days = f"{request.tags[RANGE_START]}..{request.tags[RANGE_END]}"
    tables, how = len(request.asset_selection or []), "ok" if success else "FAILED"
    moment = datetime.now(UTC).astimezone(EASTERN)
    print(
        f"{moment:%m-%d %H:%M} {by:<17} {days} {tables:>2} tables {how:<6} {seconds:5.1f} s  {request.tags[WHY]}",
        flush=True,
    )


def _asked(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    with dg.build_sensor_context(instance=instance, definitions=defs) as context:
        return list(sensor.evaluate_tick(context).run_requests or [])


def cron_ticks(schedule: dg.ScheduleDefinition, day: date) -> Iterator[datetime]:
    """The ticks of a schedule on an Eastern day."""
    for moment in cron_string_iterator(at(day, 0).timestamp(), str(schedule.cron_schedule), ZONE):
        if moment >= at(day, 24):
            return
        yield moment


def forecasts(settings: Settings, first: date, last: date) -> list[dict]:
    """Forecasts of these days, with the tip-off of their game."""
    wanted = {
        "rows": (CATALOG[selections.FORECASTS].table, Days(first, last)),
        "games": (CATALOG[selections.SCHEDULE].table, Days(first, last)),
    }
    found = settings.open_warehouse().read(wanted)
    tips = dict(zip(found["games"]["game_id"].to_pylist(), found["games"]["tip_off"].to_pylist(), strict=True))
    return [r | {"tip_off": tips[r["game_id"]]} for r in found["rows"].to_pylist()]


def incomplete(settings: Settings, first: date, last: date, tables: Sequence[str]) -> list[date]:
    """Days on which not every one of these tables is published."""
    days = complete_days(settings.open_warehouse().ledger(tables, first, last), tables)
    return [d for d in days_between(first, last) if d not in days]


@contextmanager
def _environment(season: Season) -> Iterator[dg.DagsterInstance]:
    """The environment of a daemon on the home, with the weather as its source and a channel that keeps what it is told."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("NBA_PIPELINE_"):
                patch.delenv(name)
        patch.setenv("NBA_PIPELINE_HOME", str(season.home))
        patch.setenv("DAGSTER_HOME", str(season.home / "dagster"))
        patch.setattr(Settings, "open_source", lambda _: season.weather)
        patch.setattr(sensors, "notifiers", lambda _: [Channel(season.log)])
        prepare(season.settings)
        with dg.DagsterInstance.get() as instance:
            yield instance


def open_alerts(settings: Settings) -> list[str]:
    return [a.text for a in AlertStore(settings.open_state()).open_alerts()]
