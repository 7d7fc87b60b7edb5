"""The pages of the documentation site: all of the repository's, and one per table that names its columns, lineage and checks."""

import json
import re
from pathlib import Path

import pytest

from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.tables.catalog import CATALOG
from tools.site_pages import PAGES, TABLES, lay_out, navigation, table_pages

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"\]\((nba_\w+\.\w+)\.md\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    lay_out(target)
    return target


def test_every_page_is_in_the_navigation_once(site: Path) -> None:
    listed = json.loads((site / "mkdocs.yml").read_text())["nav"]
    paths = [p for entry in listed for p in ([entry] if isinstance(entry, str) else next(iter(entry.values())))]
    assert sorted(paths) == sorted(p.relative_to(site / PAGES).as_posix() for p in (site / PAGES).rglob("*.md"))


def test_pages_are_grouped_by_their_readers() -> None:
    rows = (
        "page | readers | content",
        "---|---|---",
        "[a.md](a.md), [b.md](b.md) | analysts | x",
        "[C](../C.md) | all | y",
    )
    index = "".join(f"| {row} |\n" for row in rows)
    assert navigation(index, ["docs/tables/t.md"])[2:] == [
        {"For analysts": ["docs/a.md", "docs/b.md"]},
        {"For all": ["C.md"]},
        {"Tables": ["docs/tables/t.md"]},
    ]


def test_a_page_is_the_repository_s_but_for_what_tests_read_from_fences(site: Path) -> None:
    assert (site / PAGES / "docs" / "api.md").read_text() == (ROOT / "docs" / "api.md").read_text()
    assert "file=" in (ROOT / "CONTRIBUTING.md").read_text()
    assert not re.search(r"```\w+ file=", (site / PAGES / "CONTRIBUTING.md").read_text())


def test_every_table_has_a_page_with_its_columns_checks_and_lineage_in_both_directions() -> None:
    pages = table_pages()
    assert set(pages) == {f"{TABLES}/{t}.md" for t in CATALOG}
    for name, transform in CATALOG.items():
        text = pages[f"{TABLES}/{name}.md"]
        assert all(f"\n| {c} | " in text for c in transform.table.columns)
        assert all(f"`{check}`" in text for check in CHECKS)
        readers = {t for t, other in CATALOG.items() if any(u.id == name for u in other.upstream())}
        assert set(LINK.findall(text)) == readers | {r.table.id for r in transform.reads.values()}
