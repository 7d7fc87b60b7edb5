"""A missing optional library is an error that names its extra; any other missing module stays what it is."""

import pytest

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.extras import required_extra


def test_a_missing_library_of_the_extra_names_the_extra() -> None:
    with (
        pytest.raises(ConfigurationError, match=r"fetching needs nba_api.*\n.*pip install 'nba_pipeline\[live\]'"),
        required_extra("live", "fetching"),
    ):
        raise ModuleNotFoundError("No module named 'nba_api.stats'", name="nba_api.stats")


def test_a_missing_module_of_no_extra_passes_through() -> None:
    with pytest.raises(ModuleNotFoundError), required_extra("live", "fetching"):
        raise ModuleNotFoundError("No module named 'other'", name="other")
