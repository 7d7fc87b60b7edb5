"""What makes a table: its contract, what it reads, and the pure function that computes it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.asof.reads import Read
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import ConfigurationError, ContractError
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import season_days
from nba_pipeline.engine.lineage import frames_of_values
from nba_pipeline.sources.landing import Feed

REJECT_REASON = "reject_reason"
REJECTS = "rejects"
RESULT = "result"
SLATE = "slate_of_days"
CLOCK = "clock"
DAYS = "days"
MARKETS = "markets"

# Inputs that come from the run itself, not from a table or feed.
RUN_INPUTS = {
    CLOCK: {"now": "timestamp('UTC')"},
    DAYS: {"day": "date"},
    MARKETS: {"market": "string"},
}

# What a witness check may see beside the inputs: the rows set aside, as JSON, with their reasons.
REJECTED = {"day": "date", "reason": "string", "row": "json"}

Expression = Callable[..., ir.Table]


@dataclass(frozen=True)
class FinishContext:
    """Inputs of `apply` besides the rows of the build.

    Attributes:
        days: The requested days.
        markets: The requested markets.
        side_inputs: Rows of the transform's `side_inputs` expressions, by name.
        artifacts: The store of trained models; None where the run has none.
    """

    days: tuple[date, ...]
    markets: tuple[str, ...]
    side_inputs: Mapping[str, pa.Table]
    artifacts: ArtifactStore | None

    @property
    def store(self) -> ArtifactStore:
        if self.artifacts is None:
            raise ConfigurationError("the run has no store for trained models", "pass `artifacts` to RunContext")
        return self.artifacts


@dataclass(frozen=True)
class Witness:
    """A feed that a table is held against and not made of: its rows of the days asked for, or of their whole seasons."""

    feed: Feed
    whole_seasons: bool = False

    def days(self, days: Sequence[date]) -> list[date]:
        """The days to read for a computation of `days`."""
        return season_days(days) if self.whole_seasons else list(days)


Finish = Callable[[pa.Table], pa.Table] | Callable[[pa.Table, FinishContext], pa.Table]


@dataclass(frozen=True, eq=False)
class Transform:
    """The computation of one table.

    Attributes:
        table: The contract of the table.
        build: A pure function from ibis tables to the ibis expression of the rows. Its parameters name its inputs:
            keys of `reads` and `feeds`, or inputs of the run: `clock` (one row, its moment in `now`), `days` (one row per
            requested `day`) and `markets` (one row per requested `market`).
        reads: Warehouse tables by parameter name, each with its window of days.
        feeds: Feeds of the raw source by parameter name.
        expected: Builds the rows that must exist: some columns of the result, and `reason`, which explains why the row is
            absent; a NULL reason marks an unexplained absence.
        cross_checks: Build the violations that only show against other tables, as rows of `day` and `entity`.
        witnesses: Feeds that the table is held against, by parameter name.
        witness_checks: Build the disagreements with the witnesses, as rows of `day` and `entity`; they may also ask for
            `rejects`, the rows that were set aside. A day on which witnesses disagree is refused, unless it is waived.
        ordinary_rejects: Reasons to set a row aside that say nothing against its feed.
        apply: Completes the rows outside the engine, Arrow to Arrow, where SQL cannot compute them; takes a `FinishContext` as
            its second argument if it declares one.
        side_inputs: Further expressions whose rows `apply` reads from `FinishContext.side_inputs`.
        watched: Columns whose share of NULLs is plotted over the partitions.
        group: The asset group in the UI; empty: the group of the dataset.
        definition_check: A further check of the definition: raises ContractError where it must not be published.
        counted: What the rows of `expected` are: `rows` of the table, or what must have some: `forecasts`, `teams` or `games`.
    """

    table: Table
    build: Expression
    reads: Mapping[str, Read] = field(default_factory=dict)
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    expected: Expression | None = None
    cross_checks: Mapping[str, Expression] = field(default_factory=dict)
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    witness_checks: Mapping[str, Expression] = field(default_factory=dict)
    ordinary_rejects: frozenset[str] = frozenset()
    apply: Finish | None = None
    side_inputs: Mapping[str, Expression] = field(default_factory=dict)
    watched: tuple[str, ...] = ()
    group: str = ""
    definition_check: Callable[["Transform"], None] | None = None
    counted: Literal["rows", "forecasts", "teams", "games"] = "rows"

    def __post_init__(self) -> None:
        names = set(signature(self.build).parameters)
        given = {*self.reads, *self.feeds, *self.witnesses, *RUN_INPUTS}
        if names - given:
            raise ContractError(
                f"{self.table.id}: the build asks for inputs that are not declared: {', '.join(sorted(names - given))}",
                "declare them in `reads` or `feeds`",
            )
        unknown = [c for c in self.watched if c not in self.table.columns]
        if unknown:
            raise ContractError(f"{self.table.id}: watched columns are not in the contract: {', '.join(unknown)}")

    def check(self) -> None:
        """Compare the schema of the built expression with the contract, and run the transform's own check of its definition.
        Raises ContractError where they differ.

        Called by the tests for every table and by a run before it reads anything, so that a build that cannot satisfy its
        contract never publishes. Not where definitions load: building all expressions takes seconds.
        """
        if self.definition_check is not None:
            self.definition_check(self)
        if keys := sorted({k for e in self.expressions for k in frames_of_values(e)}):
            raise ContractError(
                f"{self.table.id}, definition: windows over {', '.join(keys)} have frames of values, which DuckDB computes "
                "wrongly with several threads",
                "use frames of rows, or nba_pipeline.asof for days before the target",
            )
        if self.apply is not None:
            return
        produced = self.expression.schema()
        names = [n for n in produced.names if n != REJECT_REASON]
        self.table.require_columns(names, "definition")
        for name in names:
            wanted, got = self.table.columns[name].type, produced[name]
            if not got.is_null() and not got.castable(wanted):
                raise ContractError(
                    f"{self.table.id}, definition: {name} is {got}, the contract says {wanted}",
                    "cast it in the build, or change the contract",
                )

    def inputs_of(self, function: Callable[..., Any]) -> dict[str, ir.Table]:
        """The unbound tables for those parameters of a function that are inputs of this transform."""
        wanted = set(signature(function).parameters)
        return {n: t for n, t in self.unbound.items() if n in wanted}

    @cached_property
    def unbound(self) -> dict[str, ir.Table]:
        tables = {n: relation({c: r.table.columns[c].type for c in r.columns}, name=n) for n, r in self.reads.items()}
        tables |= {n: relation(f.ibis_schema, name=n) for n, f in self.feeds.items()}
        tables |= {n: relation(w.feed.ibis_schema, name=n) for n, w in self.witnesses.items()}
        tables |= {n: relation(schema, name=n) for n, schema in (RUN_INPUTS | {REJECTS: REJECTED}).items()}
        return tables | {RESULT: relation(self.table.ibis_schema, name=RESULT)}

    @cached_property
    def expression(self) -> ir.Table:
        return self.build(**self.inputs_of(self.build))

    @cached_property
    def expected_expression(self) -> ir.Table | None:
        return None if self.expected is None else self.expected(**self.inputs_of(self.expected))

    @cached_property
    def cross_expressions(self) -> dict[str, ir.Table]:
        return {n: f(**self.inputs_of(f)) for n, f in self.cross_checks.items()}

    @cached_property
    def side_input_expressions(self) -> dict[str, ir.Table]:
        return {n: f(**self.inputs_of(f)) for n, f in self.side_inputs.items()}

    @cached_property
    def witness_expressions(self) -> dict[str, ir.Table]:
        return {n: f(**self.inputs_of(f)) for n, f in self.witness_checks.items()}

    @property
    def expressions(self) -> tuple[ir.Table, ...]:
        """Every expression that a run of the transform evaluates: its rows, their demand, side inputs and checks."""
        return (
            self.expression,
            *([] if self.expected_expression is None else [self.expected_expression]),
            *self.side_input_expressions.values(),
            *self.cross_expressions.values(),
            *self.witness_expressions.values(),
        )

    def finish(self, rows: pa.Table, context: Callable[[], FinishContext]) -> pa.Table:
        """The rows of the build as `apply` leaves them; `context` is made only for an `apply` that asks for them."""
        assert self.apply is not None
        wanted = len(signature(self.apply).parameters) > 1
        return self.apply(rows, context()) if wanted else self.apply(rows)  # pyright: ignore[reportCallIssue]

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of all inputs that any of its functions asks for."""
        expected = [self.expected] if self.expected else []
        functions = (self.build, *expected, *self.side_inputs.values(), *self.witness_checks.values())
        return frozenset(p for f in functions for p in signature(f).parameters)

    @property
    def unit(self) -> str:
        """What the expected rows count; empty where none are expected."""
        return "" if self.expected is None else self.counted

    def source_files(self) -> set[Path]:
        """Return the files that declare the contract and the functions of this transform."""
        checks = (*self.cross_checks.values(), *self.witness_checks.values())
        functions = (self.build, self.expected, self.apply, *checks, *self.side_inputs.values())
        modules = {sys.modules[f.__module__] for f in (self.table.model, *functions) if f is not None}
        return {Path(file) for module in modules if (file := module.__file__)}

    def upstream(self) -> list[Table]:
        """The tables it reads, each once, in order of declaration."""
        return list(dict.fromkeys(r.table for r in self.reads.values() if r.table is not self.table))
