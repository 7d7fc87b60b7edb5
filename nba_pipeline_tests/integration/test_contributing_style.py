"""The worked examples of CONTRIBUTING.md pass the lint that a copy of them has to pass."""

import subprocess
import sys
from pathlib import Path

from nba_pipeline_tests.unit.test_contributing import EXAMPLE, PAGE


def lint(directory: Path) -> str:
    """Return the findings of ruff, by the rules of the repository; imports are sorted by where a file stands."""
    rules = PAGE.with_name("pyproject.toml")
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--quiet",
        "--ignore",
        "I001",
        "--config",
        str(rules),
        str(directory),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_the_examples_pass_ruff(tmp_path: Path) -> None:
    for file, text in EXAMPLE.findall(PAGE.read_text()):
        if file.endswith(".py"):
            (tmp_path / Path(file).name).write_text(text)
    assert lint(tmp_path) == ""


def test_an_argument_that_is_not_used_is_found(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text("def forecast(rows: int, market: str) -> int:\n    return rows\n")
    assert "ARG001" in lint(tmp_path)
