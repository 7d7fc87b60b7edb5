"""Scripts of BigQuery: which statement of a script an error's line belongs to."""

import pytest

from nba_pipeline.warehouse.bigquery.sql import script, temporary, temporary_table_at

TEXT = script([temporary("first", "SELECT 1\nAS x"), temporary("second", "SELECT 2 AS x"), "INSERT INTO `t`\nSELECT 1"])


@pytest.mark.parametrize(
    ("line", "made"),
    [(1, "first"), (3, "first"), (4, "second"), (5, "second"), (6, None), (7, None), (8, None)],
)
def test_a_line_of_a_script_belongs_to_the_temporary_table_that_its_statement_makes(
    line: int, made: str | None
) -> None:
    assert temporary_table_at(TEXT, line) == made
