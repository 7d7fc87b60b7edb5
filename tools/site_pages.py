"""Lay out the pages of the documentation site, which `make site` builds: `python -m tools.site_pages build`.

The pages are those of the repository as they stand, with a page per table from the contracts. The navigation follows
docs/index.md: one section per kind of reader.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from nba_pipeline.cli.docs import table_page
from nba_pipeline.cli.tables import description_of
from nba_pipeline.tables.catalog import CATALOG, all_tables

ROOT = Path(__file__).resolve().parents[1]
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES, TABLES = "site-pages", "docs/tables"
ROW = re.compile(r"^\| (?P<pages>.*?\]\(.*?\).*?) \| (?P<readers>[^|]+) \|", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+\.md)\)")
# A fence whose language is followed by what the tests read from it, which the site's Markdown does not know.
FENCE = re.compile(r"^(\s*```\w+) file=\S+$", re.MULTILINE)
LINEAGE = re.compile(r"^(- reads|- read by) `(nba_\w+\.\w+)`", re.MULTILINE)
WIDE = "---\nhide: [toc]\n---\n\n"
STYLE = ".md-grid { max-width: 90rem; }\n.md-typeset table:not([class]) td:nth-child(5) { min-width: 14rem; }\n"

Navigation = list[Mapping[str, Sequence[str]] | str]


def lay_out(target: Path) -> None:
    """Write the pages and the configuration of the site.

    Args:
        target: The directory of both; earlier pages in it are removed.
    """
    pages = target / PAGES
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages / "docs")
    shutil.copytree(ROOT / "examples", pages / "examples")
    for name in TOP:
        shutil.copy(ROOT / name, pages)
    for page in pages.rglob("*.md"):
        page.write_text(FENCE.sub(r"\1", page.read_text(encoding="utf-8")), encoding="utf-8")
    (pages / "site.css").write_text(STYLE, encoding="utf-8")
    (pages / TABLES).mkdir()
    for name, text in table_pages().items():
        (pages / name).write_text(text, encoding="utf-8")
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    # JSON is YAML.
    configuration = {"INHERIT": str(ROOT / "mkdocs.yml"), "nav": navigation(index, list(table_pages()))}
    (target / "mkdocs.yml").write_text(json.dumps(configuration, indent=1), encoding="utf-8")


def table_pages() -> dict[str, str]:
    """Return the page of every table by its path, in the order of the graph, with links to the tables that it names."""
    texts = {}
    for table in all_tables():
        transform = CATALOG[table.id]
        text = table_page(transform, description_of(transform)["read_by"])
        texts[f"{TABLES}/{table.id}.md"] = WIDE + LINEAGE.sub(r"\1 [\2](\2.md)", text)
    return texts


def navigation(index: str, tables: Sequence[str]) -> Navigation:
    """Return the navigation: the pages of the index by their readers, then the tables.

    Args:
        index: The text of docs/index.md.
        tables: The paths of the pages of the tables.
    """
    sections: dict[str, list[str]] = {}
    for row in ROW.finditer(index):
        for link in LINK.findall(row["pages"]):
            path = link.removeprefix("../") if link.startswith("../") else f"docs/{link}"
            sections.setdefault(row["readers"], []).append(path)
    return [
        "README.md",
        "docs/index.md",
        *({f"For {readers}": [p for p in paths if p != "README.md"]} for readers, paths in sections.items()),
        {"Tables": list(tables)},
    ]


if __name__ == "__main__":
    destination = Path(sys.argv[1])
    destination.mkdir(parents=True, exist_ok=True)
    lay_out(destination.resolve())
