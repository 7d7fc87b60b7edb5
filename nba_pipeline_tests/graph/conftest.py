"""A home with the first two weeks of a simulated season in every table, built once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from nba_pipeline_tests.graph.homes import FIRST, LAST, Home


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Only to be read or copied."""
    home = Home(tmp_path_factory.mktemp("graph") / "home")
    result = home.materialize(FIRST, LAST)
    assert result.success
    return home


@pytest.fixture
def home(finished_home: Home, tmp_path: Path) -> Home:
    """A copy that the test may change."""
    shutil.copytree(finished_home.path, tmp_path / "home")
    return Home(tmp_path / "home")
