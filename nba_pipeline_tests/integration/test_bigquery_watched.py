"""What sensors ask BigQuery every minute is queried only after something was published, and is never old."""

from nba_pipeline.warehouse import Days
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.bigquery.watched import WatchedWarehouse
from nba_pipeline_tests.support.bigquery_service import Rules
from nba_pipeline_tests.support.results import FIRST, OTHERS, RESULTS, days, recorded, state, write

DAYS = Days(FIRST, FIRST)


def queries(rules: Rules) -> int:
    return sum(s.lstrip().startswith(("SELECT", "WITH")) for s in rules.statements)


def test_questions_between_two_publications_cost_no_query(
    bigquery_warehouse: BigQueryWarehouse, bigquery_rules: Rules
) -> None:
    watched = WatchedWarehouse(bigquery_warehouse)
    assert watched.ledger().num_rows == 0
    write(bigquery_warehouse, days(0, 1))
    assert recorded(watched) == recorded(bigquery_warehouse) == {0: (2, 1), 1: (2, 1)}
    assert watched.read({"r": (RESULTS, DAYS)})["r"].num_rows == 2
    before = queries(bigquery_rules)
    for _ in range(5):
        assert recorded(watched) == {0: (2, 1), 1: (2, 1)}
        assert watched.ledger([RESULTS.id], *days(1, 1)).num_rows == 1
        assert watched.ledger(["nba_raw.others"]).num_rows == 0
        assert watched.read({"r": (RESULTS, DAYS)})["r"].num_rows == 2
    assert queries(bigquery_rules) == before


def test_a_publication_is_seen_at_once_and_costs_one_query_of_the_ledger_and_of_what_it_changed(
    bigquery_warehouse: BigQueryWarehouse, bigquery_rules: Rules
) -> None:
    watched = WatchedWarehouse(bigquery_warehouse)
    write(bigquery_warehouse, days(0))
    assert state(watched) == {0: (2, 1)}
    write(bigquery_warehouse, days(0), version=2)
    assert recorded(watched) == {0: (2, 2)}
    assert state(watched) == {0: (2, 2)}
    write(bigquery_warehouse, days(0), table=OTHERS)
    before = queries(bigquery_rules)
    assert watched.ledger([OTHERS.id]).num_rows == 1
    assert state(watched) == {0: (2, 2)}
    assert queries(bigquery_rules) == before + 1
    for tables, bounds in ((None, ()), ([RESULTS.id], ()), (None, days(0, 0)), (None, days(1, 2))):
        assert watched.ledger(tables, *bounds).equals(bigquery_warehouse.ledger(tables, *bounds))
