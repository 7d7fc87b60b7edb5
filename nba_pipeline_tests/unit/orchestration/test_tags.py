"""The tags of a run tell people its tables and days; those of the pipeline are hidden in the UI."""

from datetime import date

import pytest
from dagster._core.storage.tags import TagType, get_tag_type

from nba_pipeline.orchestration import tags

EVERY = ["nba_raw.schedule", "nba_raw.shots", "a.one", "a.two", "b.three", "b.four", "b.five", "b.six", "b.seven"]


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (EVERY, "all 9 tables"),
        (["a.one"], "one"),
        (["nba_raw.schedule", "nba_raw.shots", "a.two"], "nba_raw, two"),
        (["nba_raw.shots", "b.three", "b.four", "b.five", "b.six"], "shots, three, four, five and 1 more table"),
        ([*EVERY[1:2], *EVERY[2:8]], "a, shots, three, four and 2 more tables"),
    ],
)
def test_tables_are_named_by_dataset_where_it_is_whole_and_a_long_list_is_cut(tables: list[str], words: str) -> None:
    assert tags.tables_in_words(tables, EVERY) == words


def test_a_run_shows_its_tables_and_days() -> None:
    first, last = date(2024, 11, 1), date(2024, 11, 30)
    assert tags.shown_tags(["a.one"], first, last, EVERY) == {
        "nba_pipeline/tables": "one",
        "nba_pipeline/days": "2024-11-01..2024-11-30",
    }
    assert tags.shown_tags(["a.one"], first, first, EVERY)["nba_pipeline/days"] == "2024-11-01"


def test_the_ui_shows_the_tags_of_people_and_hides_those_of_the_pipeline() -> None:
    shown = {get_tag_type(tag) for tag in (tags.TITLE, tags.TABLES, tags.DAYS, tags.BY)}
    hidden = {get_tag_type(tag) for tag in (tags.BACKFILL, tags.TOTAL, tags.PROCESS)}
    assert (shown, hidden) == ({TagType.USER_PROVIDED}, {TagType.HIDDEN})


def test_a_run_of_an_earlier_version_has_its_tags_under_names_that_were_shown() -> None:
    assert tags.hidden_tag({"nba_pipeline/backfill_id": "b"}, tags.BACKFILL) == "b"
    assert tags.hidden_tag({"nba_pipeline/backfill_id": "b", tags.BACKFILL: "c"}, tags.BACKFILL) == "c"
    assert tags.hidden_tag({}, tags.BACKFILL) is None
