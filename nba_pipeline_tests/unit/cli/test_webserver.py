"""The arguments of the guarded web server."""

import pytest

from nba_pipeline.cli.own_pages import LOCAL_NAMES
from nba_pipeline.cli.webserver import split_names
from nba_pipeline.common.errors import ConfigurationError


def test_names_are_taken_from_the_arguments_and_the_others_stay_in_order() -> None:
    given = ["--host", "::1", "--allow-host", "UI.example.org", "--allow-host=other", "--port", "3000"]
    assert split_names(given) == (LOCAL_NAMES | {"ui.example.org", "other"}, ["--host", "::1", "--port", "3000"])


@pytest.mark.parametrize("given", [["--allow-host"], ["--allow-host="], ["--allow-host", "--port", "1"]])
def test_a_name_that_is_missing_is_asked_for(given: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"--allow-host is followed by[\s\S]*Fix: give the name"):
        split_names(given)


def test_a_name_that_no_request_would_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="without scheme and port"):
        split_names(["--allow-host", "https://ui.example.org"])
