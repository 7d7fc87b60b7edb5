"""What the documents tell people to type and to open is there."""

import re
from pathlib import Path

import pytest

from nba_pipeline.automation.alert_store import AlertKind
from nba_pipeline.cli.docs import pages
from nba_pipeline.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"nba-pipeline ([a-z][a-z_-]*)")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")
FRAGMENT = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MODULE = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.py)`")


def test_generated_pages_are_what_the_code_says() -> None:
    generated = {name: text.rstrip() for name, text in pages(ROOT / "docs").items()}
    written = {name: (ROOT / "docs" / name).read_text(encoding="utf-8").rstrip() for name in generated}
    assert [n for n in generated if written[n] != generated[n]] == [], "Fix: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_in_a_document_exists(page: Path) -> None:
    assert set(COMMAND.findall(page.read_text(encoding="utf-8"))) <= set(main.commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_of_a_document_leads_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


def anchors(page: Path) -> set[str]:
    """The fragments under which the headings of a page can be reached."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    links = FRAGMENT.findall(page.read_text(encoding="utf-8"))
    assert [(f, h) for f, h in links if h not in anchors(page.parent / f if f else page)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_module_that_a_document_names_exists(page: Path) -> None:
    files = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("**/*.py") if ".venv" not in p.parts}
    names = MODULE.findall(page.read_text(encoding="utf-8"))
    assert [n for n in names if not any(f == n or f.endswith(f"/{n}") for f in files)] == []


def test_the_index_lists_every_page() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    assert {p.name for p in (ROOT / "docs").glob("*.md")} - {"index.md"} <= listed


def test_the_page_on_automation_explains_every_kind_of_alert() -> None:
    text = (ROOT / "docs" / "automation.md").read_text(encoding="utf-8")
    table = text[text.index("| kind | says |") :].split("\n\n")[0]
    assert set(re.findall(r"^\| ([a-z]+) \|", table, re.MULTILINE)) - {"kind"} == set(AlertKind)
