"""With a live source, runs of automation bring what they read; other runs do not ask anybody."""

import dagster as dg
import pytest

from nba_pipeline.definitions import ASSETS
from nba_pipeline.orchestration.assets import Pipeline
from nba_pipeline.orchestration.live_ingest import KIND_OF, fetch
from nba_pipeline.orchestration.tags import BY, RANGE_END, RANGE_START
from nba_pipeline.sources.landing import FEEDS, PLAYER_BOXSCORES, PROP_LINES, TEAM_BOXSCORES
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.integration.test_ingest import Live, live  # noqa: F401
from nba_pipeline_tests.support.loopback import Answer
from nba_pipeline_tests.support.small_league import DAY

MORNING = {BY: "morning_slate"}


def test_every_feed_says_what_brings_it() -> None:
    assert set(KIND_OF) == set(FEEDS)


def test_a_run_of_automation_fetches_each_kind_of_data_once(live: Live) -> None:  # noqa: F811
    assert "fetched boxscores" in fetch(live.settings, "once", MORNING, [PLAYER_BOXSCORES], [DAY])
    live.server.requests.clear()
    assert fetch(live.settings, "once", MORNING, [TEAM_BOXSCORES], [DAY]) == ""
    assert live.server.requests == []


def test_a_run_that_people_asked_for_reads_what_is_kept(live: Live) -> None:  # noqa: F811
    assert fetch(live.settings, "by hand", {}, [PLAYER_BOXSCORES], [DAY]) == ""
    assert live.server.requests == []


def test_an_outage_is_remembered_until_the_same_kind_comes(live: Live) -> None:  # noqa: F811
    live.but("/odds", Answer(status=500))
    assert "did not come" in fetch(live.settings, "out", MORNING, [PROP_LINES], [DAY])
    assert list(SourceState(HomeState(live.home)).outages()) == ["lines"]
    live.server.rule = live.services
    fetch(live.settings, "back", MORNING, [PROP_LINES], [DAY])
    assert SourceState(HomeState(live.home)).outages() == {}


@pytest.mark.e2e
def test_an_empty_home_is_filled_by_a_run_of_automation_alone(live: Live) -> None:  # noqa: F811
    for name, value in live.environment.items():
        live.patch.setenv(name, value)
    raw = [a for a in ASSETS if a.key.path[0] == "nba_raw"]
    done = dg.materialize(
        raw,
        resources={"pipeline": Pipeline()},
        tags={RANGE_START: f"{DAY}", RANGE_END: f"{DAY}", **MORNING},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    assert done.success
    entries = live.settings.open_warehouse().ledger(None, DAY, DAY).to_pylist()
    assert {e["table_id"]: e["rows"] for e in entries}["nba_raw.player_boxscores"] == 32
