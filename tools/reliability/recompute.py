"""All numbers a second time: the tables of a home, held cell by cell against pandas on the landing files."""

import time
from datetime import date

from tools.recompute import RECOMPUTED
from tools.recompute.comparison import Comparison
from tools.recompute.run import comparisons
from tools.reliability.ground import real_data, real_home
from tools.reliability.proof import EXAMPLES, Proof, Scale

TITLE = "Second computation: every cell of the tables follows from the landing files by the definition of its column"
FIRST = date(2023, 10, 24)
LAST = {"quick": date(2023, 11, 30), "full": date(2024, 6, 17)}


def prove(scale: Scale) -> list[Proof]:
    """Hold every table that has a second computation against it. One proof per table."""
    warehouse, data, last = real_home().open_warehouse(), real_data(), LAST[scale]
    proofs, began = [], time.monotonic()
    for comparison in comparisons(warehouse, data, FIRST, last, RECOMPUTED):
        now = time.monotonic()
        proofs.append(proof_of(comparison, f"real data {FIRST}..{last}", now - began))
        began = now
    return proofs


def proof_of(comparison: Comparison, data: str, seconds: float) -> Proof:
    """Make the record of a comparison: a case is a cell, it fails where the two computations differ.

    Args:
        comparison: A table's comparison.
        data: Which data were used, in words.
        seconds: How long it took.
    """
    figures: dict[str, int | float | str] = {"rows": comparison.rows}
    figures |= {f"differ: {d.column}": d.cells for d in comparison.differences}
    if comparison.left_out:
        figures["not computed again"] = ", ".join(comparison.left_out)
    examples = tuple(text for d in comparison.differences for text in d.examples)[:EXAMPLES]
    return Proof(
        f"{comparison.table}: every cell follows from the landing files by the definition in docs/tables.md",
        "computed a second time with pandas, without an expression of the pipeline; a case is a cell",
        data,
        comparison.cells,
        comparison.differing,
        figures,
        examples,
        round(seconds, 1),
    )
