"""Every build has the columns that its contract declares, in types that can be cast to them; expected rows count what is said.
Long texts are not read in vain."""

import pytest

from nba_pipeline.engine.lineage import touched_columns
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES


@pytest.mark.parametrize("table", CATALOG)
def test_the_build_satisfies_the_contract(table: str) -> None:
    CATALOG[table].check()


@pytest.mark.parametrize("table", [n for n, t in CATALOG.items() if t.expected is not None])
def test_expected_rows_have_the_keys_of_what_they_count(table: str) -> None:
    transform = CATALOG[table]
    assert transform.expected_expression is not None
    columns = set(transform.expected_expression.columns)
    rows = columns >= {*transform.table.key} - {transform.table.partition}
    other = "forecasts" if "system_id" in columns else "teams" if "team" in columns else "games"
    assert transform.unit == ("rows" if rows else other)


# Texts of the tables with the most rows that are long or differ in every row: to read them takes longer than to read numbers.
LONG_TEXTS = {
    PLAYER_PROP_LINES.id: {"data_hash", "source"},
    PLAYER_PROP_PREDICTIONS.id: {"data_hash", "components", "insufficient_data_reason"},
    PREDICTION_ACCURACY.id: {"data_hash"},
}


@pytest.mark.parametrize("table", CATALOG)
def test_no_build_reads_long_texts_that_it_does_not_need(table: str) -> None:
    transform = CATALOG[table]
    touched = set(touched_columns(transform.expression))
    for name, read in transform.reads.items():
        texts = LONG_TEXTS.get(read.table.id, set()) if read.table is not transform.table else set()
        assert not {c for c in texts if (name, c) in touched}
