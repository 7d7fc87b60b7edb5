"""Output that several commands share."""

import io

import pytest
from rich.console import Console
from rich.table import Table as Grid

from nba_pipeline.cli import console as console_module
from nba_pipeline.cli.console import print_grid


@pytest.mark.parametrize(("width", "terminal"), [(40, True), (40, False), (200, True)])
def test_no_figure_of_a_table_is_cut_where_the_terminal_is_narrower(
    width: int, terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(console_module, "console", narrow)
    grid = Grid()
    for n in range(8):
        grid.add_column(f"column {n}", no_wrap=True)
    grid.add_row(*(f"{n}23,456" for n in range(8)))
    print_grid(grid)
    assert isinstance(narrow.file, io.StringIO)
    head, row = (line for line in narrow.file.getvalue().splitlines() if "column 0" in line or "023,456" in line)
    assert all(f"column {n}" in head and f"{n}23,456" in row for n in range(8))
    assert ("(the table needs" in narrow.file.getvalue()) is (terminal and width == 40), (
        "a file is as wide as it has to be"
    )
