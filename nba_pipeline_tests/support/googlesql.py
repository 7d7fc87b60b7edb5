"""Google's own analyser of BigQuery's SQL: does a statement parse, and do its names and types hold?"""

from collections.abc import Iterable
from typing import Any

from google.cloud.bigquery import SchemaField
from google.protobuf.message import DecodeError
from zetasql.api import Analyzer, CatalogBuilder, TableBuilder
from zetasql.api.type_factory import TypeFactory
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


class GoogleSQL:
    """Knows tables by their full names, and says what is wrong with a statement."""

    def __init__(self) -> None:
        language = LanguageOptions.maximum_features()
        language.product_mode = ProductMode.PRODUCT_EXTERNAL
        self._functions = ZetaSQLBuiltinFunctionOptions(language_options=language)
        self._options = AnalyzerOptions(language_options=language)
        self._options.allow_undeclared_parameters = True
        self._tables: dict[str, Any] = {}
        self._analyzer: Analyzer | None = None

    def know(self, name: str, columns: Iterable[SchemaField]) -> None:
        """Add a table, or change its columns."""
        table = TableBuilder(name)
        for c in columns:
            kind = TypeFactory.create_simple_type(KINDS[c.field_type])
            table.add_column(c.name, TypeFactory.create_array_type(kind) if c.mode == "REPEATED" else kind)
        self._tables[name] = table.build()
        self._analyzer = None

    def errors(self, script: str) -> list[str]:
        """What is wrong with the statements of a script; nothing if it is right."""
        found = []
        for statement in script.split(";\n"):
            try:
                self._ready().analyze_statement(statement.strip().removesuffix(";"))
            except ZetaSQLError as e:
                found.append(f"{e}\n{statement[:2000]}")
            except DecodeError:
                continue  # accepted: what cannot be decoded is the analysed tree of a deep statement
        return found

    def _ready(self) -> Analyzer:
        if self._analyzer is None:
            catalog = CatalogBuilder("bigquery").with_builtin_functions(self._functions)
            for table in self._tables.values():
                catalog.add_table(table)
            self._analyzer = Analyzer(self._options, catalog.build())
        return self._analyzer
