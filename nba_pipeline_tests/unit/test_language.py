"""Texts are plain, standard English: no phrase that leaves open who does what to what."""

import re
from pathlib import Path

import pytest

import nba_pipeline

PACKAGE = Path(nba_pipeline.__file__).parent
ROOT = PACKAGE.parent
PHRASES = (
    "who (is|are|may be|can be) meant",
    "(no|some|any|every)body",
    "whom",
    "as (it|they) (was|were)",
    "what (is|was) said",
    "(says|said) (so|what)",
    "is said",
    "what came of",
    "what to do:",
    "for good",
    "mend(s|ed|ing)?",
    "his (last|latest|own|games|team)",
)
BANNED = re.compile(rf"\b({'|'.join(PHRASES)})(?!\w)", re.IGNORECASE)


def phrases(path: Path) -> list[str]:
    """Banned phrases in the text, docstrings and comments of a file, as `file:line: phrase`."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return [f"{path.name}:{n}: {match.group()}" for n, line in lines for match in BANNED.finditer(line)]


def places() -> list[str]:
    packages = sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.rglob("*.py")))
    pages = sorted(p.relative_to(ROOT).as_posix() for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
    return [*packages, *(p.name for p in PACKAGE.glob("*.py")), *pages]


def phrases_of(place: str) -> list[str]:
    if place.endswith(".md"):
        return phrases(ROOT / place)
    if place.endswith(".py"):
        return phrases(PACKAGE / place)
    files = sorted(path for kind in ("*.py", "*.j2") for path in (PACKAGE / place).rglob(kind))
    return [p for path in files for p in phrases(path)]


@pytest.mark.parametrize("place", places())
def test_no_text_is_a_riddle(place: str) -> None:
    assert phrases_of(place) == []


@pytest.mark.parametrize("text", ["Who is meant.", "nobody knows", "What mends it", "mean of his last 5 games"])
def test_a_riddle_is_recognized(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{text}\n")
    assert len(phrases(page)) == 1


@pytest.mark.parametrize("text", ["Recommended settings", "mean of the player's last 5 games", "Fix: amend the file"])
def test_plain_text_passes(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    assert phrases(page) == []
