"""Every build has the columns that its contract declares, in types that can be cast to them."""

import pytest

from nba_pipeline.tables.catalog import CATALOG


@pytest.mark.parametrize("table", CATALOG)
def test_the_build_satisfies_the_contract(table: str) -> None:
    CATALOG[table].check()
