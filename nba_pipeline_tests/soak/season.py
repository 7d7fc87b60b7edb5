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

from nba_pipeline.automation import jobs, schedules, selections, sensors
from nba_pipeline.automation.decisions import complete_days
from nba_pipeline.automation.desk import Desk
from nba_pipeline.automation.requests import RANGE_END, RANGE_START, WHY
from nba_pipeline.automation.state import State
from nba_pipeline.dagster_home import prepare
from nba_pipeline.definitions import defs
from nba_pipeline.seasons import ZONE
from nba_pipeline.settings import Settings
from nba_pipeline.table_asset import REGISTRY
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.soak.weather import Weather

EASTERN = ZoneInfo(ZONE)
LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Log:
    """What was played: ticks, skips and runs by what asked for them, with how the runs ended; forecasts seen before tip-off."""

    runs: Counter[tuple[str, str]] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    keys: list[str] = field(default_factory=list)
    repeated: int = 0
    lost_and_asked_again: int = 0
    forgotten: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    frozen: dict[tuple, tuple] = field(default_factory=dict)
    altered: list[str] = field(default_factory=list)
    seconds: float = 0.0


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
        began = time.perf_counter()
        day = first
        while day <= last:
            with _environment(self) as instance:
                for at, what in self._ticks(day):
                    with time_machine.travel(at, tick=False):
                        self._tick(instance, what, at)
            day += timedelta(days=1)
        self.log.seconds += time.perf_counter() - began
        return self.log

    def _ticks(self, day: date) -> list[tuple[datetime, object]]:
        """The schedules' own ticks of the day, and the sensors at their hours."""
        midnight = datetime.combine(day, datetime.min.time(), EASTERN)
        found: list[tuple[datetime, object]] = []
        for s in schedules.SCHEDULES:
            for at in cron_ticks(s, midnight):
                if s.name != "line_refresh" or at.astimezone(EASTERN).hour + at.minute / 60 in self.refresh_hours:
                    found.append((at, s))
        for hour in self.sensor_hours:
            for sensor in (sensors.landing, sensors.corrections, sensors.failed_partitions, sensors.alerts):
                found.append((midnight + timedelta(hours=hour), sensor))
        return sorted(found, key=lambda t: t[0])

    def _tick(self, instance: dg.DagsterInstance, what: object, at: datetime) -> None:
        if isinstance(what, dg.ScheduleDefinition):
            context = dg.build_schedule_context(instance, scheduled_execution_time=at)
            tick = what.evaluate_tick(context)
            self._launch(instance, what.name, str(what.job_name), list(tick.run_requests or []))
            self.log.skips[what.name] += not tick.run_requests
            return
        assert isinstance(what, dg.SensorDefinition)
        with dg.build_sensor_context(instance=instance, definitions=defs) as context:
            asked = list(what.evaluate_tick(context).run_requests or [])
        if asked and len(self.log.keys) % 5 == 0:
            self._ask_again(instance, what, [r.run_key or "" for r in asked])
        self._launch(instance, what.name, jobs.WHOLE_GRAPH, asked)
        self.log.skips[what.name] += not asked

    def _ask_again(self, instance: dg.DagsterInstance, sensor: dg.SensorDefinition, keys: list[str]) -> None:
        """The daemon died before it launched what was asked: the next look must ask for the same."""
        with dg.build_sensor_context(instance=instance, definitions=defs) as context:
            again = [r.run_key or "" for r in sensor.evaluate_tick(context).run_requests or []]
        self.log.lost_and_asked_again += 1
        if again != keys:
            self.log.forgotten.append(f"{sensor.name} asked for {keys}, and after a restart for {again}")

    def _launch(self, instance: dg.DagsterInstance, by: str, job: str, requests: list[dg.RunRequest]) -> None:
        """As the daemon: a key that a run has already is not run again."""
        for request in requests:
            tags = {"dagster/run_key": request.run_key or "", "soak/by": by}
            if instance.get_runs(dg.RunsFilter(tags=tags), limit=1):
                self.log.repeated += 1
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
        if requests:
            self._watch_forecasts()

    def _watch_forecasts(self) -> None:
        """Note the forecasts of games that have started; one that is not as it was noted before is altered."""
        now = datetime.now(UTC)
        today = now.astimezone(EASTERN).date()
        for row in forecasts(self.settings, today - timedelta(days=2), today):
            if row["tip_off"] <= now:
                key = (row["game_date"], row["player_id"], row["market"], row["system_id"])
                value = (row["predicted_mean"], row["line"], row["as_of"], row["recommendation"])
                if self.log.frozen.setdefault(key, value) != value:
                    self.log.altered.append(f"{key}: {self.log.frozen[key]} became {value}")
        seen = {
            (r["game_date"], r["player_id"], r["market"], r["system_id"])
            for r in forecasts(self.settings, today, today)
        }
        lost = [k for k in self.log.frozen if k[0] == today and k not in seen]
        self.log.altered += [f"{k} is lost" for k in lost]


def _say(request: dg.RunRequest, by: str, success: bool, seconds: float) -> None:
    days = f"{request.tags[RANGE_START]}..{request.tags[RANGE_END]}"
    tables, how = len(request.asset_selection or []), "ok" if success else "FAILED"
    moment = datetime.now(UTC).astimezone(EASTERN)
    print(
        f"{moment:%m-%d %H:%M} {by:<17} {days} {tables:>2} tables {how:<6} {seconds:5.1f} s  {request.tags[WHY]}",
        flush=True,
    )


def cron_ticks(schedule: dg.ScheduleDefinition, midnight: datetime) -> Iterator[datetime]:
    """The ticks of a schedule on the day that begins at `midnight`."""
    end = midnight + timedelta(days=1)
    for at in cron_string_iterator(midnight.timestamp(), str(schedule.cron_schedule), ZONE):
        if at >= end:
            return
        yield at


def forecasts(settings: Settings, first: date, last: date) -> list[dict]:
    """Forecasts of these days, with the tip-off of their game."""
    wanted = {
        "rows": (REGISTRY[selections.FORECASTS].table, Days(first, last)),
        "games": (REGISTRY[selections.SCHEDULE].table, Days(first, last)),
    }
    found = settings.open_warehouse().read(wanted)
    tips = dict(zip(found["games"]["game_id"].to_pylist(), found["games"]["tip_off"].to_pylist(), strict=True))
    return [r | {"tip_off": tips[r["game_id"]]} for r in found["rows"].to_pylist()]


def incomplete(settings: Settings, first: date, last: date, tables: Sequence[str]) -> list[date]:
    """Days on which not every one of these tables is published."""
    days = complete_days(settings.open_warehouse().ledger(tables, first, last), tables)
    every = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    return [d for d in every if d not in days]


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
    return [a.text for a in Desk(State(settings.home), []).open_alerts()]
