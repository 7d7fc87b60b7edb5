"""Scripts of BigQuery: which statement of a script an error's line belongs to, and which journals a publication adds to."""

import pytest

from nba_pipeline.warehouse.bigquery.sql import publish, script, temporary, temporary_table_at
from nba_pipeline_tests.support.results import RESULTS, days

TEXT = script([temporary("first", "SELECT 1\nAS x"), temporary("second", "SELECT 2 AS x"), "INSERT INTO `t`\nSELECT 1"])


@pytest.mark.parametrize(
    ("line", "made"),
    [(1, "first"), (3, "first"), (4, "second"), (5, "second"), (6, None), (7, None), (8, None)],
)
def test_a_line_of_a_script_belongs_to_the_temporary_table_that_its_statement_makes(
    line: int, made: str | None
) -> None:
    assert temporary_table_at(TEXT, line) == made


@pytest.mark.parametrize(
    ("records", "quarantine", "added"),
    [("p.s.c", "p.o.q", ["p.o.l", "p.o.q"]), ("p.s.c", None, ["p.o.l"]), (None, "p.o.q", []), (None, None, [])],
)
def test_the_quarantine_is_added_to_only_where_rows_are_rejected(
    records: str | None, quarantine: str | None, added: list[str]
) -> None:
    """Each statement bills a minimum for the table that it reads."""
    text = publish(RESULTS, "p.d.t", days(0), "p.s.r", records, ("p.o.l", quarantine), "b")
    assert [at for at in ("p.o.l", "p.o.q") if f"INSERT INTO `{at}`" in text] == added
    assert ("p.o.q" in text) == ("p.o.q" in added)
