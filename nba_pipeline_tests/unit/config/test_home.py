"""A home belongs to the source that filled it, and remembers its days."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.asof.reads import season_to_date
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.home import (
    FILE,
    Origin,
    move_last_day,
    moving_last_day,
    record_origin,
    recorded_origin,
    require_origin,
)
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import EPOCH, check_range, first_day, latest_day, set_days, training_day
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.tables.raw.schedule import SCHEDULE

INVENTED, REAL = Origin("simulator", 7), Origin("files")


def test_a_home_accepts_the_source_that_filled_it(tmp_path: Path) -> None:
    record_origin(tmp_path, INVENTED)
    require_origin(tmp_path, INVENTED)
    assert recorded_origin(tmp_path) == INVENTED


@pytest.mark.parametrize("other", [REAL, Origin("simulator", 8)])
def test_a_home_refuses_another_source_or_seed_by_name(tmp_path: Path, other: Origin) -> None:
    record_origin(tmp_path, INVENTED)
    with pytest.raises(ConfigurationError) as error:
        require_origin(tmp_path, other)
    assert "filled from simulator with seed 7" in str(error.value)
    assert str(other) in str(error.value)


def test_the_first_source_stays_recorded(tmp_path: Path) -> None:
    record_origin(tmp_path, REAL)
    record_origin(tmp_path, INVENTED)
    assert recorded_origin(tmp_path) == REAL


def test_a_home_without_a_record_accepts_any_source(tmp_path: Path) -> None:
    require_origin(tmp_path, REAL)


def test_a_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(ConfigurationError, match=r"source\.json"):
        recorded_origin(tmp_path)


def test_the_configured_source_is_held_against_the_home(tmp_path: Path) -> None:
    record_origin(tmp_path, INVENTED)
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path), "NBA_PIPELINE_SEED": "8"})
    with pytest.raises(ConfigurationError, match="seed 8"):
        settings.open_source()


AUGUST = date(2024, 8, 1)


def settings_of(home: Path, variables: Mapping[str, str] | None = None) -> Settings:
    return Settings.from_environment({"NBA_PIPELINE_HOME": str(home), **(variables or {})})


def test_the_first_day_bounds_partitions_ranges_windows_and_training_days(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"NBA_PIPELINE_FIRST_DAY": "2024-08-01"})
    assert settings.first_day == first_day() == AUGUST
    assert daily_partitions(settings.first_day, None).get_first_partition_key() == "2024-08-01"
    with pytest.raises(ConfigurationError, match="before the first partition"):
        check_range(date(2024, 7, 31), date(2024, 8, 2), date(2025, 1, 1))
    set_days(date(2024, 8, 20), None)
    assert season_to_date(SCHEDULE).first_needed(date(2024, 10, 1)) == date(2024, 8, 20)
    assert training_day(date(2024, 8, 25)) == date(2024, 8, 20)


def test_a_home_remembers_its_first_day_and_refuses_another_by_name(tmp_path: Path) -> None:
    variables = {
        "NBA_PIPELINE_SOURCE": "files",
        "NBA_PIPELINE_DATA": str(tmp_path),
        "NBA_PIPELINE_FIRST_DAY": "2024-08-01",
    }
    record_origin(tmp_path, settings_of(tmp_path, variables).origin)
    assert settings_of(tmp_path, {"NBA_PIPELINE_SOURCE": "files"}).first_day == AUGUST
    for other in ("2023-08-01", "2024-08-02"):
        with pytest.raises(
            ConfigurationError, match=rf"NBA_PIPELINE_FIRST_DAY is {other}, and the home \S+ begins on 2024-08-01"
        ):
            settings_of(tmp_path, {**variables, "NBA_PIPELINE_FIRST_DAY": other})
    assert settings_of(tmp_path, variables).first_day == AUGUST


def test_a_home_of_an_earlier_release_begins_on_the_first_of_all_days(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"source": "files"}')
    assert settings_of(tmp_path, {"NBA_PIPELINE_SOURCE": "files"}).first_day == EPOCH
    with pytest.raises(ConfigurationError, match=rf"FIRST_DAY is 2024-08-01, and the home \S+ begins on {EPOCH}"):
        settings_of(tmp_path, {"NBA_PIPELINE_SOURCE": "files", "NBA_PIPELINE_FIRST_DAY": "2024-08-01"})
    assert first_day() == EPOCH


def test_a_record_of_ordinary_days_is_that_of_earlier_releases(tmp_path: Path) -> None:
    record_origin(tmp_path, REAL)
    assert json.loads((tmp_path / FILE).read_text()) == {"source": "files"}


@pytest.mark.parametrize("wrong", ["2021-10-18", "2999-01-01", "2024-02-30", "August"])
def test_a_first_day_without_data_or_that_is_no_day_is_refused_by_name(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_FIRST_DAY is"):
        settings_of(tmp_path, {"NBA_PIPELINE_FIRST_DAY": wrong})


def test_a_home_with_a_last_day_ends_there_until_a_later_one_is_run(tmp_path: Path) -> None:
    record_origin(tmp_path, Origin("simulator", 20211019, last_day=date(2025, 6, 22)))
    settings = settings_of(tmp_path)
    settings.open_source()
    assert settings.last_day == latest_day() == date(2025, 6, 22)
    assert daily_partitions(EPOCH, settings.last_day).get_last_partition_key() == "2025-06-22"
    move_last_day(tmp_path, date(2025, 6, 1))
    assert settings_of(tmp_path).last_day == date(2025, 6, 22)
    move_last_day(tmp_path, date(2025, 10, 30))
    assert settings_of(tmp_path).last_day == date(2025, 10, 30)


def test_a_home_without_a_last_day_gets_none(tmp_path: Path) -> None:
    record_origin(tmp_path, REAL)
    move_last_day(tmp_path, date(2025, 6, 1))
    assert recorded_origin(tmp_path) == REAL
    assert settings_of(tmp_path, {"NBA_PIPELINE_SOURCE": "files"}).last_day is None


def test_a_last_day_that_was_moved_for_what_then_fails_is_moved_back(tmp_path: Path) -> None:
    record_origin(tmp_path, Origin("simulator", 20211019, last_day=date(2025, 6, 22)))
    before = (tmp_path / FILE).read_bytes()

    def fail(error: BaseException) -> None:
        with moving_last_day(tmp_path, date(2025, 7, 1)):
            assert settings_of(tmp_path).last_day == date(2025, 7, 1)
            raise error

    for error in (ConfigurationError("no such table"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
        assert (tmp_path / FILE).read_bytes() == before
    with moving_last_day(tmp_path, date(2025, 7, 1)):
        pass
    assert settings_of(tmp_path).last_day == date(2025, 7, 1)


@pytest.mark.parametrize("asked", [date(2025, 6, 1), date(2025, 7, 1)])
def test_a_last_day_that_another_process_moved_meanwhile_stays_where_that_one_put_it(
    tmp_path: Path, asked: date
) -> None:
    record_origin(tmp_path, Origin("simulator", 20211019, last_day=date(2025, 6, 22)))

    def fail() -> None:
        with moving_last_day(tmp_path, asked):
            move_last_day(tmp_path, date(2025, 8, 1))
            raise ConfigurationError("no such table")

    with pytest.raises(ConfigurationError):
        fail()
    assert settings_of(tmp_path).last_day == date(2025, 8, 1)


@pytest.mark.guard
@pytest.mark.parametrize(("filled_from", "simulated"), [(REAL, False), (INVENTED, True), (None, True)])
def test_a_league_is_invented_if_the_source_that_filled_the_home_is_whatever_the_shell_says(
    filled_from: Origin | None, simulated: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without NBA_PIPELINE_SOURCE the source is the simulator; figures of a home of real data raise alarms all the same."""
    monkeypatch.delenv("NBA_PIPELINE_SOURCE", raising=False)
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    if filled_from is not None:
        record_origin(tmp_path, filled_from)
    assert Settings.from_environment().is_simulated == simulated
