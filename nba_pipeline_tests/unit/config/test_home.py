"""A home belongs to the source that filled it."""

from pathlib import Path

import pytest

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.home import FILE, Origin, record_origin, recorded_origin, require_origin
from nba_pipeline.config.settings import Settings

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
