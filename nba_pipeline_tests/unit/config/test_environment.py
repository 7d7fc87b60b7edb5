"""A misspelt variable is refused, and every variable that the documents name exists."""

import re
from pathlib import Path

import pytest

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.environment import OF_OTHERS, READ, require_known
from nba_pipeline.config.settings import Settings

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"NBA_PIPELINE_[A-Z]+(?:_[A-Z]+)*\b(?!_)")


def test_a_misspelt_variable_names_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigurationError, match=r"NBA_PIPELINE_SORCE is not a variable.*") as error:
        Settings.from_environment({"NBA_PIPELINE_SORCE": "files"})
    assert "did you mean NBA_PIPELINE_SOURCE?" in str(error.value)


def test_variables_of_other_programs_are_none_of_ours() -> None:
    require_known({"NBA_API_PROXY": "x", "HOME": "/", "NBA_PIPELINE_SOURCE": "files"})


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]), ids=lambda p: p.name)
def test_every_variable_of_a_document_exists(page: Path) -> None:
    assert set(NAME.findall(page.read_text(encoding="utf-8"))) - READ - OF_OTHERS == set()


def test_every_variable_that_the_package_reads_is_listed() -> None:
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "nba_pipeline").rglob("*.py")]
    named = {n for s in sources for n in re.findall(r"\"(NBA_PIPELINE_[A-Z_]*[A-Z])\"", s)}
    assert named <= READ | OF_OTHERS
