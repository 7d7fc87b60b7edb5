"""Rows of figures as a console table: what every table of results is laid out by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

NOTHING = "-"


@dataclass(frozen=True)
class Figure:
    """A column of figures.

    Attributes:
        heading: The heading of the column.
        name: The figure of a row.
        form: Its format.
        interval: The format of its 95 % interval, which follows in a column of its own; empty: none.
    """

    heading: str
    name: str
    form: str
    interval: str = ""


def figures_grid(title: str, rows: pd.DataFrame, words: Mapping[str, str], figures: Sequence[Figure]) -> Grid:
    """Lay out rows: columns of words first, then figures; a dash stands for what is missing.

    Args:
        title: The title of the table.
        rows: One line each.
        words: Columns of words: their headings, and the column of the rows.
        figures: Columns of figures.
    """
    grid = Grid(title=title, title_justify="left", box=SIMPLE_HEAD)
    for place, heading in enumerate(words):
        grid.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for f in figures:
        grid.add_column(f.heading, justify="right", no_wrap=True)
        if f.interval:
            grid.add_column("95 %", justify="right", no_wrap=True)
    for r in rows.to_dict("records"):
        grid.add_row(*(str(r[column]) for column in words.values()), *(text for f in figures for text in _texts(r, f)))
    return grid


def _texts(row: Mapping[Any, Any], figure: Figure) -> list[str]:
    shown = [_number(row.get(figure.name), figure.form)]
    if figure.interval:
        bounds = [_number(row.get(f"{figure.name}_{end}"), figure.interval) for end in ("low", "high")]
        shown.append(NOTHING if NOTHING in bounds else "..".join(bounds))
    return shown


def _number(value: Any, form: str) -> str:
    return NOTHING if value is None or pd.isna(value) else format(value, form)
