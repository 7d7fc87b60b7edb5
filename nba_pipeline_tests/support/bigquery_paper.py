"""Every statement of a table that BigQuery computes, on paper: nothing is sent, and all inputs exist as contracts say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.contracts import rules as contract_rules
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.audit import audit
from nba_pipeline.engine.bigquery_executor import BigQueryExecutor
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import RESULT, SLATE, Transform
from nba_pipeline.tables.catalog import CATALOG, schedule_read
from nba_pipeline.warehouse import Days
from nba_pipeline.warehouse.bigquery.client import Connection, JobLabels
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.schema import definition
from nba_pipeline.warehouse.bigquery.sql import content_hashes
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

RUN = RunContext("run1", datetime(2021, 11, 1, tzinfo=UTC))


@dataclass(frozen=True)
class OnPaper(Connection):
    """Sends nothing, answers nothing, and remembers what it was asked."""

    statements: list[str] = field(default_factory=list)
    created: list[StoredTable] = field(default_factory=list)

    @cached_property
    def client(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self

    def __getattr__(self, name: str) -> Any:
        return name

    def call(self, what: str, function: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ARG002
        if function == "create_table":
            self.created.append(arguments[0])

    def query(self, what: str, statement: Any, labels: JobLabels, parameters: Sequence = ()) -> Any:  # noqa: ARG002
        self.statements.append(statement if isinstance(statement, str) else statement())
        return []


@dataclass(frozen=True)
class PaperWarehouse(BigQueryWarehouse):
    """All tables exist as their contracts say."""

    def stored(self, table_id: str) -> StoredTable | None:
        transform = CATALOG.get(table_id)
        return definition(self.connection.location, transform.table) if transform else None

    def moment(self) -> datetime:
        return RUN.at


@dataclass(frozen=True)
class Written:
    """What a table sends.

    Attributes:
        scripts: The texts, in order; the first one computes the rows.
        inputs: The tables that are read.
        staged: The staging tables that are made.
    """

    scripts: list[str]
    inputs: list[Table]
    staged: list[StoredTable]


def written(transform: Transform, days: list[date]) -> Written:
    """Compute and audit these days of a table, and hash what is stored, on paper."""
    paper, schedule = OnPaper(BigQueryLocation("test-project")), schedule_read(transform)
    assert schedule is not None
    within = Days(days[0], days[-1])
    wanted = {n: (r.table, within) for n, r in (dict(transform.reads) | {SLATE: schedule}).items()}
    executor = BigQueryExecutor(PaperWarehouse(paper), transform, wanted, RUN)
    executor.compute(transform, days, RUN)
    audit(transform, RUN.plans.of(transform, "bigquery"), executor, schedule)
    rules = contract_rules.row_rules(transform.table, transform.unbound[RESULT], "bigquery")
    executor.keep(contract_rules.flagged(rules, dialect="bigquery"), transform.table)
    table = transform.table
    paper.statements.append(
        content_hashes(table, paper.location.table(table.id), list(table.columns), days[0], days[-1])
    )
    return Written(paper.statements, list({t.id: t for t, _ in wanted.values()}.values()), paper.created)
