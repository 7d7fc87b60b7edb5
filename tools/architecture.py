"""Draw the packages and their imports: `python tools/architecture.py docs/images/architecture.svg`.

The rows are the layers of the import contract in .importlinter, the arrows are read from the code by grimp, which
import-linter is built on. A package may import only from rows below its own.
"""

import sys
from collections import Counter
from configparser import ConfigParser
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "nba_pipeline"
WIDTH, ROW, BOX_HEIGHT, GAP = 1040, 96, 56, 84
CHARACTER = 7.4


@dataclass(frozen=True)
class Box:
    """A package on the picture: its place and its size."""

    name: str
    modules: int
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def layers(contracts: Path) -> list[list[str]]:
    """Return the layers of the import contract, top first, each a list of package names without the prefix."""
    parser = ConfigParser()
    parser.read(contracts)
    rows = parser["importlinter:contract:layers"]["layers"].split()
    joined = " ".join(rows).replace(" | ", "|").replace(" : ", "|")
    return [[name.removeprefix(f"{PACKAGE}.") for name in row.split("|")] for row in joined.split()]


def imports(graph: grimp.ImportGraph) -> Counter[tuple[str, str]]:
    """Count the imports between packages, by importer and imported."""
    counted: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            pair = (_package(module), _package(other))
            if all(pair) and pair[0] != pair[1]:
                counted[pair] += 1
    return counted


def _package(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def place(rows: list[list[str]], sizes: Counter[str]) -> dict[str, Box]:
    """Place the packages of each layer side by side, centred."""
    boxes: dict[str, Box] = {}
    for i, names in enumerate(rows):
        widths = [max(120.0, CHARACTER * len(name) + 40) for name in names]
        x = (WIDTH - sum(widths) - GAP * (len(names) - 1)) / 2
        for name, width in zip(names, widths, strict=True):
            boxes[name] = Box(name, sizes[name], x, 24 + i * ROW, width)
            x += width + GAP
    return boxes


def draw(boxes: dict[str, Box], arrows: Counter[tuple[str, str]]) -> str:
    """Return the picture as SVG."""
    height = max(b.y for b in boxes.values()) + BOX_HEIGHT + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="system-ui, sans-serif">',
        "<title>The packages of nba_pipeline and their imports</title>",
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for (source, target), count in sorted(arrows.items()):
        if source in boxes and target in boxes:
            parts.append(_arrow(boxes[source], boxes[target], count))
    parts += [part for b in boxes.values() for part in _box(b)]
    return "\n".join([*parts, "</svg>", ""])


def _arrow(source: Box, target: Box, count: int) -> str:
    top, bottom = source.y + BOX_HEIGHT, target.y
    bend = (bottom - top) / 2
    path = (
        f"M{source.middle:.0f},{top:.0f} C{source.middle:.0f},{top + bend:.0f} "
        f"{target.middle:.0f},{bottom - bend:.0f} {target.middle:.0f},{bottom:.0f}"
    )
    label = f"{source.name} imports {target.name}: {count}"
    width = min(0.8 + count / 12, 4)
    return (
        f'<path d="{path}" fill="none" stroke="#4a6fa5" stroke-opacity="0.35" stroke-width="{width:.1f}">'
        f"<title>{escape(label)}</title></path>"
    )


def _box(b: Box) -> list[str]:
    modules = f"{b.modules} module{'s' if b.modules != 1 else ''}"
    return [
        f'<rect x="{b.x:.0f}" y="{b.y:.0f}" width="{b.width:.0f}" height="{BOX_HEIGHT}" rx="8" fill="#f3f6fb" '
        'stroke="#2b4c7e"/>',
        f'<text x="{b.middle:.0f}" y="{b.y + 25:.0f}" text-anchor="middle" font-size="15" font-weight="600" '
        f'fill="#1b2a41">{escape(b.name)}</text>',
        f'<text x="{b.middle:.0f}" y="{b.y + 44:.0f}" text-anchor="middle" font-size="11" fill="#52627a">{modules}</text>',
    ]


def picture() -> str:
    """Return the picture of the code as it stands."""
    graph = grimp.build_graph(PACKAGE)
    sizes = Counter(_package(m) for m in graph.modules)
    return draw(place(layers(ROOT / ".importlinter"), sizes), imports(graph))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture())
