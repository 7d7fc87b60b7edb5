"""Google's own analyser of BigQuery's SQL: does a statement parse, and do its names and types hold?"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from google._upb import _message as protobuf
from google.cloud.bigquery import SchemaField
from wasmtime import Config
from zetasql.api import Analyzer, CatalogBuilder, TableBuilder
from zetasql.api.type_factory import TypeFactory
from zetasql.core import wasm_client
from zetasql.core.exceptions import ZetaSQLError
from zetasql.types import AnalyzerOptions, LanguageOptions, ProductMode, TypeKind, ZetaSQLBuiltinFunctionOptions

KINDS = {
    "STRING": TypeKind.TYPE_STRING,
    "INTEGER": TypeKind.TYPE_INT64,
    "INT64": TypeKind.TYPE_INT64,
    "FLOAT": TypeKind.TYPE_DOUBLE,
    "FLOAT64": TypeKind.TYPE_DOUBLE,
    "BOOLEAN": TypeKind.TYPE_BOOL,
    "BOOL": TypeKind.TYPE_BOOL,
    "DATE": TypeKind.TYPE_DATE,
    "TIMESTAMP": TypeKind.TYPE_TIMESTAMP,
}

TEMPORARY = re.compile(r"\s*CREATE TEMP TABLE `([^`]+)`")
# Names of staging tables end in 32 hexadecimal digits, and job scripts name their batch so.
_UNIQUE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class TypedColumn:
    """A column of a table, and its type as the analyser has it."""

    name: str
    type: Any


class Analyser(Protocol):
    """Knows tables by their full names, and says what is wrong with a statement."""

    def know(self, name: str, columns: Iterable[SchemaField]) -> None:
        """Add a table, or change its columns."""
        ...

    def errors(self, script: str) -> list[str]:
        """What is wrong with the statements of a script; nothing if it is right."""
        ...


class NoAnalyser:
    """Finds nothing wrong."""

    def know(self, name: str, columns: Iterable[SchemaField]) -> None:
        del name, columns

    def errors(self, script: str) -> list[str]:
        del script
        return []


class GoogleSQL:
    """Google's analyser, in this process.

    Args:
        kept: A directory for its compiled code: compiling takes half a minute, reading what was compiled half a second.
    """

    def __init__(self, kept: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wasm_client, "Config", lambda: _config(kept))
            self._start()

    def _start(self) -> None:
        # The analysed tree of a statement is nested more deeply than messages usually may be.
        protobuf.SetAllowOversizeProtos(True)  # pyright: ignore[reportAttributeAccessIssue]
        language = LanguageOptions.maximum_features()
        language.product_mode = ProductMode.PRODUCT_EXTERNAL
        self._functions = ZetaSQLBuiltinFunctionOptions(language_options=language)
        self._options = AnalyzerOptions(language_options=language)
        self._options.allow_undeclared_parameters = True
        self._tables: dict[str, tuple[TypedColumn, ...]] = {}
        self._right: dict[tuple[str, tuple], tuple[TypedColumn, ...]] = {}

    def know(self, name: str, columns: Iterable[SchemaField]) -> None:
        """Add a table, or change its columns."""
        self._tables[name] = tuple(TypedColumn(c.name, _kind(c)) for c in columns)

    def errors(self, script: str) -> list[str]:
        """What is wrong with the statements of a script; nothing if it is right.

        A later statement knows the temporary tables of earlier ones; those of one that is wrong, it does not.
        """
        temporary: dict[str, tuple[TypedColumn, ...]] = {}
        wrong: list[str] = []
        for statement in filter(str.strip, script.split(";\n")):
            made = TEMPORARY.match(statement)
            try:
                columns = self._columns(statement, temporary)
            except ZetaSQLError as e:
                wrong.append(f"{e}\n{statement[:2000]}")
                continue
            if made:
                temporary[made[1]] = columns
        return wrong

    def _columns(self, statement: str, temporary: Mapping[str, tuple[TypedColumn, ...]]) -> tuple[TypedColumn, ...]:
        """The columns of the table that a statement makes; none where it makes none. Raises ZetaSQLError if it is wrong."""
        named = {n: c for n, c in {**self._tables, **temporary}.items() if f"`{n}`" in statement}
        shapes = tuple(sorted((_UNIQUE.sub("", n), tuple(map(str, c))) for n, c in named.items()))
        shape = (_UNIQUE.sub("", statement), shapes)
        if shape not in self._right:
            catalog = CatalogBuilder("bigquery").with_builtin_functions(self._functions)
            for name, columns in named.items():
                table = TableBuilder(name)
                for column in columns:
                    table.add_column(column.name, column.type)
                catalog.add_table(table.build())
            resolved: Any = Analyzer(self._options, catalog.build()).analyze_statement(
                statement.strip().removesuffix(";")
            )
            made = getattr(resolved, "column_definition_list", ())
            self._right[shape] = tuple(TypedColumn(c.name, c.type) for c in made)
        return self._right[shape]


def _config(kept: Path) -> Config:
    settings = kept / "cache.toml"
    settings.write_text(f"[cache]\ndirectory = '{(kept / 'compiled').resolve()}'\n")
    config = Config()
    config.cache = str(settings)
    return config


def _kind(c: SchemaField) -> Any:
    kind = TypeFactory.create_simple_type(KINDS[c.field_type])
    return TypeFactory.create_array_type(kind) if c.mode == "REPEATED" else kind
