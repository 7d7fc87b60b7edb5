"""Google's own analyser of BigQuery's SQL: does a statement parse, and do its names and types hold?"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import pytest
from google.cloud.bigquery import SchemaField
from google.protobuf.message import DecodeError
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


# Names of staging tables end in 32 hexadecimal digits, and job scripts name their batch so.
_UNIQUE = re.compile(r"[0-9a-f]{32}")


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
        language = LanguageOptions.maximum_features()
        language.product_mode = ProductMode.PRODUCT_EXTERNAL
        self._functions = ZetaSQLBuiltinFunctionOptions(language_options=language)
        self._options = AnalyzerOptions(language_options=language)
        self._options.allow_undeclared_parameters = True
        self._tables: dict[str, tuple[SchemaField, ...]] = {}
        self._right: set[tuple[str, tuple]] = set()

    def know(self, name: str, columns: Iterable[SchemaField]) -> None:
        """Add a table, or change its columns."""
        self._tables[name] = tuple(columns)

    def errors(self, script: str) -> list[str]:
        """What is wrong with the statements of a script; nothing if it is right."""
        return [e for s in script.split(";\n") if s.strip() and (e := self._error(s)) is not None]

    def _error(self, statement: str) -> str | None:
        named = {n: c for n, c in self._tables.items() if f"`{n}`" in statement}
        shapes = tuple(sorted((_UNIQUE.sub("", n), tuple(map(str, c))) for n, c in named.items()))
        shape = (_UNIQUE.sub("", statement), shapes)
        if shape in self._right:
            return None
        catalog = CatalogBuilder("bigquery").with_builtin_functions(self._functions)
        for name, columns in named.items():
            catalog.add_table(_table(name, columns))
        try:
            Analyzer(self._options, catalog.build()).analyze_statement(statement.strip().removesuffix(";"))
        except ZetaSQLError as e:
            return f"{e}\n{statement[:2000]}"
        except DecodeError:
            pass  # accepted: what cannot be decoded is the analysed tree of a deep statement
        self._right.add(shape)
        return None


def _config(kept: Path) -> Config:
    settings = kept / "cache.toml"
    settings.write_text(f"[cache]\ndirectory = '{(kept / 'compiled').resolve()}'\n")
    config = Config()
    config.cache = str(settings)
    return config


def _table(name: str, columns: Iterable[SchemaField]) -> Any:
    table = TableBuilder(name)
    for c in columns:
        kind = TypeFactory.create_simple_type(KINDS[c.field_type])
        table.add_column(c.name, TypeFactory.create_array_type(kind) if c.mode == "REPEATED" else kind)
    return table.build()
