"""Every build has the columns that its contract declares, in types that can be cast to them; expected rows count what is said."""

import pytest

from nba_pipeline.tables.catalog import CATALOG


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
