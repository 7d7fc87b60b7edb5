"""What must not exist twice exists once: the syntax of engines, the bootstrap, the lock, the progress bar and more."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = {
    "the syntax of engines": (r"(?m)^ +\"bigquery\": \w", "nba_pipeline/contracts/dialects.py"),
    "the bootstrap": (r"default_rng\(\w*\)\.(integers|multinomial)\(", "nba_pipeline/evaluation/bootstrap.py"),
    "the kinds of records on availability": (
        r"\"(boxscore_dnp|official_report)\"",
        "nba_pipeline/domain/report_types.py",
    ),
    "the manners of the league's services": (r"frozenset\(settings.nba_headers\)", "nba_pipeline/sources/league.py"),
    "the lock": (r"\b(flock|lockf)\(", "nba_pipeline/common/locking.py"),
    "the parser of the environment": (r"\(BaseSettings\)", "nba_pipeline/common/environment.py"),
    "the progress bar": (r"\bProgress\(|import track\b", "nba_pipeline/cli/console.py"),
    "the liveness of processes": (
        r"\b(NoSuchProcess|pid_exists)\b|\bos\.kill\(\w+, 0\)",
        "nba_pipeline/orchestration/recovery.py",
    ),
    "the key of a game": (r"(?m)^GAME = \(\"game_id\"", "nba_pipeline/tables/shared/keys.py"),
    "the first line of an error": (r"\bstr\(\w+\)\.splitlines\(\)", "nba_pipeline/common/errors.py"),
    "the atomic write": (r"\b(mkstemp|fsync|NamedTemporaryFile)\(", "nba_pipeline/common/files.py"),
}


@pytest.mark.parametrize("thing", PLACES)
def test_it_has_one_place(thing: str) -> None:
    pattern, place = PLACES[thing]
    modules = [*(ROOT / "nba_pipeline").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    places = {p.relative_to(ROOT).as_posix() for p in modules if re.search(pattern, p.read_text(encoding="utf-8"))}
    assert places == {place}
