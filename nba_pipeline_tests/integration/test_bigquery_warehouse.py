"""BigQuery: few jobs whatever the number of days, all or nothing wherever the line breaks, and nothing left behind."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, InternalServerError, ServiceUnavailable
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.bigquery import Table as StoredTable
from google.cloud.bigquery import TimePartitioning

from nba_pipeline.common.errors import ConfigurationError, WarehouseError
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Rows, Table
from nba_pipeline.warehouse.bigquery import client
from nba_pipeline.warehouse.bigquery.client import Connection, JobLabels, default_retry, is_transient, named_errors
from nba_pipeline.warehouse.bigquery.location import STAGING, BigQueryLocation
from nba_pipeline.warehouse.bigquery.schema import changed, definition
from nba_pipeline.warehouse.bigquery.sql import PARTITIONS_A_STATEMENT, publish
from nba_pipeline.warehouse.bigquery.staging import StagingTable, drop, staging_tables
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.protocol import Days
from nba_pipeline_tests.support.bigquery_service import Rules
from nba_pipeline_tests.support.googlesql import GoogleSQL
from nba_pipeline_tests.support.results import (
    NO_REJECTS,
    RESULTS,
    OtherName,
    OtherType,
    WiderResults,
    days,
    declared,
    entry,
    recorded,
    rejects,
    rows,
    state,
    write,
)
from nba_pipeline_tests.support.wire import When, cut, killed, tapped

TAGS = JobLabels(RESULTS.id, "run1")
OLD = {0: (2, 1), 1: (2, 1), 2: (2, 1)}
NEW = {0: (2, 1), 1: (3, 2), 2: (3, 2), 3: (3, 2)}


def fill(warehouse: BigQueryWarehouse) -> None:
    write(warehouse, days(0, 1, 2))


def change(warehouse: BigQueryWarehouse, version: int = 2) -> None:
    write(warehouse, days(1, 2, 3), version, per_day=3)


def again(warehouse: BigQueryWarehouse) -> BigQueryWarehouse:
    """The same warehouse, as another process sees it."""
    return BigQueryWarehouse(Connection(warehouse.connection.location, warehouse.connection.retry))


def staged(warehouse: BigQueryWarehouse) -> list[StagingTable]:
    return staging_tables(again(warehouse).connection)


# --- jobs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 40, 1_343])
def test_a_replace_of_any_number_of_days_is_three_jobs(bigquery_warehouse: BigQueryWarehouse, number: int) -> None:
    wire = tapped(bigquery_warehouse)
    write(bigquery_warehouse, days(*range(number)))
    assert [r.job for r in wire.jobs] == ["load", "load", "query"]


def test_without_rows_there_is_no_load_of_rows(bigquery_warehouse: BigQueryWarehouse) -> None:
    wire = tapped(bigquery_warehouse)
    write(bigquery_warehouse, days(0, 1), per_day=0)
    assert [r.job for r in wire.jobs] == ["load", "query"]


def test_every_job_says_for_which_table_and_run_it_works(bigquery_warehouse: BigQueryWarehouse) -> None:
    wire = tapped(bigquery_warehouse)
    fill(bigquery_warehouse)
    wanted = {"product": "nba_pipeline", "table": "nba_raw_results", "run": "run1"}
    assert [r.labels for r in wire.jobs] == [wanted] * 3


def test_every_query_is_bounded_in_bytes(emulator: str) -> None:
    location = BigQueryLocation("test-project", prefix="bounded_", endpoint=emulator, max_bytes_billed=12_345)
    warehouse = BigQueryWarehouse(Connection(location, default_retry().with_timeout(2)))
    wire = tapped(warehouse)
    fill(warehouse)
    state(warehouse)
    queries = [r.body["configuration"]["query"] for r in wire.jobs if r.job == "query"]
    assert queries and {q["maximumBytesBilled"] for q in queries} == {"12345"}


def test_more_days_than_a_statement_may_touch_are_split_within_one_transaction() -> None:
    script = publish(RESULTS, "p.d.t", days(*range(9_000)), "p.s.r", "p.s.c", ("p.o.l", "p.o.q"), "b")
    assert script.count("BEGIN TRANSACTION") == script.count("COMMIT TRANSACTION") == 1
    touched = [len(days_of(s)) for s in script.split(";\n") if s.startswith(("DELETE", "INSERT INTO `p.d.t`"))]
    assert touched == [4_000, 4_000, 4_000, 4_000, 1_000, 1_000]
    assert max(touched) <= PARTITIONS_A_STATEMENT


def days_of(statement: str) -> range:
    """The days of a BETWEEN, as numbers."""
    first, last = re.findall(r"DATE '([0-9-]+)'", statement)
    return range(datetime.fromisoformat(first).toordinal(), datetime.fromisoformat(last).toordinal() + 1)


def test_days_are_deleted_by_a_constant_filter_on_the_day_alone(bigquery_warehouse: BigQueryWarehouse) -> None:
    """Then BigQuery drops whole partitions and bills nothing for it."""
    wire = tapped(bigquery_warehouse)
    write(bigquery_warehouse, days(0, 2))
    (script,) = wire.statements
    deletes = [s for s in script.split(";\n") if "DELETE" in s]
    assert [re.sub(r"`[^`]*results`", "t", s) for s in deletes] == [
        "DELETE FROM t WHERE `game_date` IN (DATE '2024-01-01', DATE '2024-01-03')"
    ]


def test_reads_carry_the_filter_that_the_tables_demand(bigquery_warehouse: BigQueryWarehouse) -> None:
    fill(bigquery_warehouse)
    wire = tapped(bigquery_warehouse)
    state(bigquery_warehouse)
    for hashes in (True, False):
        bigquery_warehouse.contents([RESULTS], *days(0, 5), hashes=hashes)
    assert len(wire.statements) == 3
    assert all("`game_date` BETWEEN DATE '" in s for s in wire.statements)


def test_tables_are_as_the_contract_says(bigquery_warehouse: BigQueryWarehouse) -> None:
    fill(bigquery_warehouse)
    held = bigquery_warehouse.stored(RESULTS.id)
    assert held is not None and held.time_partitioning is not None
    assert (held.time_partitioning.type_, held.time_partitioning.field) == ("DAY", "game_date")
    assert held.description == RESULTS.description
    assert held.labels == {"product": "nba_pipeline", "stage": "nba_raw"}
    modes = {f.name: f.mode for f in held.schema}
    assert (modes["team"], modes["points"]) == ("REQUIRED", "NULLABLE")
    wanted = definition(bigquery_warehouse.connection.location, clustered())
    assert (wanted.require_partition_filter, wanted.clustering_fields) == (True, ["team"])


def clustered() -> Table:
    return Table(
        model=WiderResults,
        name="results",
        dataset="nba_raw",
        key=("game_date", "team"),
        partition="game_date",
        cluster=("team",),
    )


# --- statements -------------------------------------------------------------------------------------------------------


def test_everything_that_is_asked_of_a_warehouse_passes_googles_own_analyser(
    bigquery_warehouse: BigQueryWarehouse, bigquery_rules: Rules
) -> None:
    """The service refuses a statement that does not analyse, so each of these would fail."""
    before = len(bigquery_rules.statements)
    fill(bigquery_warehouse)
    wider = declared(WiderResults)
    written = rows(days(1), 2, table=wider, share=0.5, features=[1.0])
    for hashes in (True, False):
        bigquery_warehouse.contents([wider], *days(0, 5), hashes=hashes)
    bigquery_warehouse.replace(wider, days(1), written, [entry(days(1)[0], 2)], rejects(days(1)[0]))
    state(bigquery_warehouse)
    first, last = days(0, 1)
    later = last + timedelta(days=30)
    bigquery_warehouse.read({"both": (RESULTS, Days(first, last)), "later": (RESULTS, Days(later, later))})
    for tables in (None, [RESULTS.id]):
        bigquery_warehouse.ledger(tables, *days(0, 1))
        for dated in (True, False):
            bigquery_warehouse.quarantine(tables, *days(0, 1), dated=dated)
    sent = bigquery_rules.statements[before:]
    kinds = ("BEGIN TRANSACTION", "ALTER TABLE", "CURRENT_TIMESTAMP() AS", "FOR SYSTEM_TIME AS OF", "COUNT(*)")
    assert [k for k in kinds if not any(k in s for s in sent)] == []


def test_windows_of_the_same_days_of_a_table_are_one_job(bigquery_warehouse: BigQueryWarehouse) -> None:
    fill(bigquery_warehouse)
    first, last = days(0, 1)
    wire = tapped(bigquery_warehouse)
    bigquery_warehouse.read(
        {"games": (RESULTS, Days(first, last)), "slate": (RESULTS, Days(first, last, ("game_date", "team")))}
    )
    assert len(wire.jobs) == 1


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("SELECT CURRENT_TIMESTAMP() AS at", "Unexpected keyword AT"),
        ("SELECT `pionts` FROM `{at}` WHERE `game_date` = DATE '2024-01-01'", "pionts"),
        ("SELECT `points` FROM `{at}`", "without a filter over its partition column"),
        ("DELETE FROM `{at}` WHERE `team` = 'BOS'", "without a filter over its partition column"),
        ("SELECT '" + "x" * 1024 * 1024 + "'", "too large"),
        (
            "DELETE FROM `{at}` WHERE `game_date` BETWEEN DATE '2001-01-01' AND DATE '2021-01-01'",
            "Too many partitions",
        ),
    ],
    ids=["reserved word", "unknown name", "read without filter", "delete without filter", "size", "partitions"],
)
def test_what_the_service_refuses_is_refused_here(
    bigquery_warehouse: BigQueryWarehouse, statement: str, complaint: str
) -> None:
    fill(bigquery_warehouse)
    at = bigquery_warehouse.connection.location.table(RESULTS.id)
    with pytest.raises(WarehouseError, match=complaint):
        bigquery_warehouse.connection.query("asking", statement.replace("{at}", at), TAGS)


@pytest.mark.parametrize("patience", [30.0, 0.0], ids=["the request is repeated", "the statement is tried again"])
def test_a_job_whose_answer_was_lost_runs_once(
    bigquery_warehouse: BigQueryWarehouse, bigquery_rules: Rules, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    fill(bigquery_warehouse)
    monkeypatch.setattr(client, "REQUEST_RETRY_SECONDS", patience)
    bigquery_warehouse.connection.__dict__.pop("_patience", None)
    at = bigquery_warehouse.connection.location.table(RESULTS.id)
    values = "DATE '2024-01-01', 'LOST', 1"
    statement = f"INSERT INTO `{at}` (`game_date`, `team`, `points`) SELECT {values}"
    bigquery_rules.lost.append("'LOST'")
    bigquery_warehouse.connection.query("inserting", statement, TAGS)
    assert bigquery_rules.lost == []
    counted = f"SELECT COUNT(*) AS rows_found FROM `{at}` WHERE `game_date` = DATE '2024-01-01' AND `team` = 'LOST'"
    (row,) = bigquery_warehouse.connection.query("counting", counted, TAGS)
    assert row["rows_found"] == 1


def test_a_job_that_failed_for_a_passing_reason_is_replaced_by_a_new_one(
    bigquery_warehouse: BigQueryWarehouse,
) -> None:
    wire = tapped(bigquery_warehouse)

    def fault(number: int, when: str) -> None:
        if when == "before" and number == 2:
            raise failure(BadRequest, "jobBackendError")

    wire.fault = fault
    (row,) = bigquery_warehouse.connection.query("asking", "SELECT 1 AS one", TAGS)
    assert row["one"] == 1
    ids = [r.body["jobReference"]["jobId"] for r in wire.jobs]
    assert len(ids) == len(set(ids)) == 2


def test_a_table_changed_by_another_run_is_read_again_before_it_is_updated(
    bigquery_warehouse: BigQueryWarehouse,
) -> None:
    fill(bigquery_warehouse)
    wider, sender = declared(WiderResults), bigquery_warehouse.connection.client
    update, other_runs = sender.update_table, iter([True, False])

    def update_after_another(table: StoredTable, *arguments: Any, **options: Any) -> StoredTable:
        if next(other_runs, False):
            theirs = sender.get_table(table.reference)
            update(theirs, ["description"])
        return update(table, *arguments, **options)

    sender.update_table = update_after_another  # pyright: ignore[reportAttributeAccessIssue]
    written = rows(days(1), 2, table=wider, share=0.5, features=[1.0])
    bigquery_warehouse.replace(wider, days(1), written, [entry(days(1)[0], 2)], rejects(days(1)[0]))
    stored = bigquery_warehouse.stored(RESULTS.id)
    assert stored is not None and {"share", "features"} <= {f.name for f in stored.schema}


def test_the_analyser_finds_a_wrong_type_and_a_wrong_name(googlesql: GoogleSQL) -> None:
    location = BigQueryLocation("test-project")
    googlesql.know(location.table(RESULTS.id), definition(location, RESULTS).schema)
    right = publish(RESULTS, location.table(RESULTS.id), days(0), location.table(RESULTS.id), None, ("", ""), "b")
    assert googlesql.errors(right) == []
    assert googlesql.errors(right.replace("`points`", "`pionts`"))
    assert googlesql.errors(right.replace("SELECT `game_date`, `team`", "SELECT `team`, `game_date`"))


# --- schema -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "statement"),
    [
        (OtherType, "ALTER TABLE `{0}` ALTER COLUMN `points` SET DATA TYPE STRING"),
        (OtherName, "ALTER TABLE `{0}` DROP COLUMN `points`"),
    ],
)
def test_any_other_change_is_refused_with_the_statement_that_mends_it(
    bigquery_warehouse: BigQueryWarehouse, model: type[Rows], statement: str
) -> None:
    write(bigquery_warehouse, days(0))
    other, at = declared(model), bigquery_warehouse.connection.location.table(RESULTS.id)
    with pytest.raises(WarehouseError, match=re.escape(statement.format(at))):
        bigquery_warehouse.replace(other, days(1), other.arrow_schema.empty_table(), [entry(days(1)[0])], NO_REJECTS)
    assert state(bigquery_warehouse) == recorded(bigquery_warehouse) == {0: (2, 1)}


def test_another_partition_column_is_refused() -> None:
    location = BigQueryLocation("test-project")
    there, wanted = definition(location, RESULTS), definition(location, RESULTS)
    there.time_partitioning = TimePartitioning(field="seen")
    with pytest.raises(WarehouseError, match=r"partitioned by seen[\s\S]*DROP TABLE"):
        changed(there, RESULTS, wanted)


def test_a_table_that_is_as_the_contract_says_is_left_alone() -> None:
    location = BigQueryLocation("test-project")
    assert changed(definition(location, RESULTS), RESULTS, definition(location, RESULTS)) is None


def test_new_words_of_the_contract_reach_the_table() -> None:
    location = BigQueryLocation("test-project")
    held: StoredTable = definition(location, RESULTS)
    held.description = "old words"
    grown = changed(held, RESULTS, definition(location, RESULTS))
    assert grown is not None and grown.description == RESULTS.description


@pytest.mark.parametrize(("name", "said"), [("team", "team is missing in 1 rows"), ("features", "unknown lists")])
def test_what_the_columns_cannot_hold_is_refused_before_anything_is_sent(
    bigquery_warehouse: BigQueryWarehouse, name: str, said: str
) -> None:
    wider = declared(WiderResults)
    found = rows(days(0), per_day=2, table=wider, features=[1.0])
    values = found[name].to_pylist()
    spoilt = found.set_column(
        found.column_names.index(name), wider.arrow_schema.field(name).with_nullable(True), [[None, values[1]]]
    )
    wire = tapped(bigquery_warehouse)
    with pytest.raises(WarehouseError, match=said):
        bigquery_warehouse.replace(wider, days(0), spoilt, [entry(days(0)[0])], NO_REJECTS)
    assert wire.sent == []


# --- all or nothing ---------------------------------------------------------------------------------------------------


def requests_of_a_change(warehouse: BigQueryWarehouse) -> int:
    """How many requests a replace sends, once its tables exist."""
    fill(warehouse)
    fresh = again(warehouse)
    wire = tapped(fresh)
    change(fresh)
    assert len(wire.sent) > 10
    return len(wire.sent)


def held(warehouse: BigQueryWarehouse) -> dict[int, tuple[int, int]]:
    """What is published; rows and ledger agree or the test fails."""
    fresh = again(warehouse)
    found = state(fresh)
    assert found == {n: r for n, r in recorded(fresh).items() if r[0]}
    return found


def version_of(warehouse: BigQueryWarehouse) -> int:
    """The version that the changed days have, all of them or the test fails."""
    found = held(warehouse)
    assert found.pop(0) == (2, 1)
    (version,) = {v for _, v in found.values()}
    assert found == {n: (3, version) for n in (1, 2, 3)}
    return version


EITHER_SIDE: tuple[When, ...] = ("before", "after")


def test_a_cut_line_that_heals_at_any_request_is_not_even_noticed(bigquery_warehouse: BigQueryWarehouse) -> None:
    version = 2
    for at in range(1, requests_of_a_change(bigquery_warehouse) + 1):
        for when in EITHER_SIDE:
            version += 1
            fresh = again(bigquery_warehouse)
            tapped(fresh).fault = cut(at, when, for_good=False)
            change(fresh, version)
            assert version_of(bigquery_warehouse) == version, (at, when)
    assert staged(bigquery_warehouse) == []


def test_a_line_cut_for_good_at_any_request_leaves_the_old_days_or_the_new(
    bigquery_warehouse: BigQueryWarehouse,
) -> None:
    before, version, seen = 2, 2, set()
    location = bigquery_warehouse.connection.location
    for at in range(1, requests_of_a_change(bigquery_warehouse) + 1):
        for when in EITHER_SIDE:
            version += 1
            fresh = BigQueryWarehouse(Connection(location, default_retry().with_timeout(0.05)))
            tapped(fresh).fault = cut(at, when, for_good=True)
            failed = fails(fresh, version)
            now = version_of(bigquery_warehouse)
            assert now in (before, version), (at, when)
            assert failed or now == version, (at, when, "success without the rows")
            seen.add((failed, now == version))
            before = now
    assert seen == {(True, False), (True, True), (False, True)}, "both an early and a late cut must be met"
    assert {t.table for t in staged(bigquery_warehouse)} == {"nba_raw_results"}


def fails(warehouse: BigQueryWarehouse, version: int) -> bool:
    try:
        change(warehouse, version)
    except WarehouseError as e:
        return "cannot be reached" in e.what or pytest.fail(str(e))
    return False


def test_a_process_killed_at_any_request_leaves_the_old_days_or_the_new(bigquery_warehouse: BigQueryWarehouse) -> None:
    before, version, seen, left = 2, 2, set(), 0
    for at in range(1, requests_of_a_change(bigquery_warehouse) + 1):
        version += 1
        child = os.fork()
        if child == 0:
            try:
                fresh = again(bigquery_warehouse)
                tapped(fresh).fault = killed(at, "before")
                change(fresh, version)
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9, at
        now = version_of(bigquery_warehouse)
        assert now in (before, version), at
        seen.add(now == version)
        before = now
        for table in staged(bigquery_warehouse):
            assert (table.run, table.table) == (f"run{version}", "nba_raw_results")
            drop(bigquery_warehouse.connection, table)
            left += 1
    assert seen == {True, False}, "kills must hit both before and after the commit to prove anything"
    assert left > 3
    change(bigquery_warehouse, 99)
    assert version_of(bigquery_warehouse) == 99


def test_an_error_within_the_transaction_undoes_the_delete(bigquery_warehouse: BigQueryWarehouse) -> None:
    fill(bigquery_warehouse)
    location = bigquery_warehouse.connection.location
    journals = (location.table("nba_ops.ledger"), location.table("nba_ops.quarantine"))
    script = publish(
        RESULTS, location.table(RESULTS.id), days(0, 1), f"{location.dataset(STAGING)}.nowhere", None, journals, "b"
    )
    with pytest.raises(WarehouseError):
        bigquery_warehouse.connection.query("failing", script, TAGS)
    assert held(bigquery_warehouse) == OLD


def test_a_staging_table_that_cannot_be_dropped_does_not_fail_what_is_published(
    bigquery_warehouse: BigQueryWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    fill(bigquery_warehouse)
    wire = tapped(bigquery_warehouse)

    def fault(number: int, _: object) -> None:
        if wire.sent[number - 1].method == "DELETE":
            raise Forbidden("no")

    wire.fault = fault
    change(bigquery_warehouse)
    assert held(bigquery_warehouse) == NEW
    assert len(staged(bigquery_warehouse)) == 2
    assert "stays behind until it expires within 24 hours" in caplog.text


def test_staging_tables_expire_within_a_day(bigquery_warehouse: BigQueryWarehouse) -> None:
    wire = tapped(bigquery_warehouse)
    fill(bigquery_warehouse)
    created = [r.body for r in wire.sent if r.created_table and STAGING in r.path]
    assert len(created) == 2
    for body in created:
        expires = datetime.fromtimestamp(int(body["expirationTime"]) / 1000, UTC)
        assert expires - datetime.now(UTC) <= timedelta(hours=24)
    (dataset,) = [r.body for r in wire.sent if r.path.endswith("/datasets") and "staging" in str(r.body)]
    assert dataset["defaultTableExpirationMs"] == str(24 * 3600 * 1000)


# --- retries and errors -----------------------------------------------------------------------------------------------


def failure(kind: Any, reason: str, message: str = "told so") -> Any:
    return kind(message, errors=[{"reason": reason, "message": message}])


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (failure(ServiceUnavailable, "backendError"), True),
        (failure(InternalServerError, "internalError"), True),
        (failure(Forbidden, "rateLimitExceeded"), True),
        (failure(BadRequest, "invalidQuery", "Transaction is aborted due to concurrent update against table x"), True),
        (failure(Forbidden, "quotaExceeded"), False),
        (failure(Forbidden, "quotaExceeded", "Quota exceeded: rateLimitExceeded too"), False),
        (failure(Forbidden, "accessDenied"), False),
        (failure(BadRequest, "invalidQuery", "Syntax error"), False),
        (ValueError("a mistake"), False),
    ],
    ids=lambda v: str(v)[:40],
)
def test_passing_failures_are_tried_again_and_quotas_never(error: BaseException, again: bool) -> None:
    assert is_transient(error) is again


def test_a_conflict_with_another_transaction_is_tried_again_as_a_write_of_its_own(
    bigquery_warehouse: BigQueryWarehouse,
) -> None:
    fill(bigquery_warehouse)
    wire = tapped(bigquery_warehouse)
    conflicts = iter([True, True, False])

    def fault(number: int, when: str) -> None:
        asks_for_the_script = wire.sent[number - 1].method == "GET" and "BEGIN" in wire.sent[number - 2].statement
        if when == "before" and asks_for_the_script and next(conflicts, False):
            raise failure(BadRequest, "invalidQuery", "Transaction is aborted due to concurrent update against table")

    wire.fault = fault
    change(bigquery_warehouse)
    assert held(bigquery_warehouse) == NEW
    scripts = [s for s in wire.statements if "BEGIN" in s]
    assert len(scripts) == len(set(scripts)) == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (failure(Forbidden, "quotaExceeded", "Quota exceeded: partitions"), "a quota is used up"),
        (failure(Forbidden, "accessDenied", "Access Denied"), "grant the roles"),
        (failure(BadRequest, "bytesBilledLimitExceeded", "over the limit of bytes billed"), "MAX_BYTES_BILLED"),
        (DefaultCredentialsError("looked at /home/x/key.json"), "application-default login"),
    ],
)
def test_errors_say_what_to_do_and_name_no_address_and_no_credentials(error: Exception, said: str) -> None:
    with pytest.raises(WarehouseError) as raised, named_errors("publishing nba_raw.results"):
        raise error
    assert said in str(raised.value)
    assert str(raised.value).startswith("publishing nba_raw.results: ")
    assert "http" not in str(raised.value) and "key.json" not in str(raised.value)


def test_an_address_in_an_answer_does_not_reach_the_reader(bigquery_warehouse: BigQueryWarehouse) -> None:
    with pytest.raises(WarehouseError) as raised:
        bigquery_warehouse.connection.query("asking", "SELECT * FROM `nowhere.at.all`", TAGS)
    assert "127.0.0.1" not in str(raised.value)


# --- configuration ----------------------------------------------------------------------------------------------------


def configured(**given: str) -> Settings:
    return Settings.from_environment(
        {"NBA_PIPELINE_WAREHOUSE": "bigquery", "NBA_PIPELINE_BIGQUERY_PROJECT": "my-project"}
        | {f"NBA_PIPELINE_BIGQUERY_{name}": value for name, value in given.items()}
    )


def test_the_environment_says_where_the_datasets_are() -> None:
    location = configured(LOCATION="EU", PREFIX="dev_", MAX_BYTES_BILLED="1000000000").bigquery
    assert location is not None
    assert location == BigQueryLocation("my-project", "EU", "dev_", None, 1_000_000_000)
    assert location.table("nba_raw.shots") == "my-project.dev_nba_raw.shots"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROJECT", ""),
        ("PROJECT", "no`project"),
        ("PREFIX", "a-b"),
        ("PREFIX", "a`; DROP"),
        ("ENDPOINT", "http://bigquery.example"),
        ("ENDPOINT", "ftp://127.0.0.1"),
        ("ENDPOINT", "http://["),
        ("MAX_BYTES_BILLED", "much"),
    ],
)
def test_a_place_that_cannot_be_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"NBA_PIPELINE_BIGQUERY_{name}"):
        configured(**{name: value})


@pytest.mark.parametrize(
    ("endpoint", "loopback"),
    [
        ("http://127.0.0.1:9050", True),
        ("http://127.8.8.8:9050", True),
        ("http://localhost:9050", True),
        ("http://[::1]:9050", True),
        ("https://bigquery.example", False),
        ("https://127.0.0.1.example", False),
        ("https://10.0.0.1", False),
    ],
)
def test_only_this_machine_is_spoken_to_without_credentials(endpoint: str, loopback: bool) -> None:
    assert BigQueryLocation("my-project", endpoint=endpoint).is_loopback is loopback


def test_duckdb_needs_nothing_of_it() -> None:
    assert Settings.from_environment({"NBA_PIPELINE_BIGQUERY_PREFIX": "a-b"}).bigquery is None
