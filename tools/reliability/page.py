"""docs/reliability.md: promises, methods, cases and results, from the records of the harnesses."""

from collections.abc import Iterator, Mapping, Sequence

from tools.reliability.proof import Proof, Record

COMMAND = "python -m tools.reliability"
HEAD = """# Reliability, in figures

Written by `make reliability` from the records in `docs/reliability/`, one a harness; every figure was measured. A case is one
attempt to break the promise; it holds when no case failed. A single harness is repeated with the command below its table;
`--scale quick` is the size that the tests run. Real data are read from `NBA_PIPELINE_RELIABILITY_DATA` (a directory in the
landing layout; else `../shared/nba_data`), a published home of them from `NBA_PIPELINE_RELIABILITY_HOME` (else it is built in
`.nba_pipeline/reliability`, in minutes); without real data a harness says so and is skipped."""


def reliability_page(records: Mapping[str, Record], order: Sequence[str]) -> str:
    """The whole page: a summary line per harness, then a section for each, in this order."""
    kept = [records[name] for name in order if name in records]
    lines = [HEAD, "", "| harness | what it proves | promises | cases | failures |", "|---|---|---|---|---|"]
    for r in kept:
        cases, failures = (sum(getattr(p, n) for p in r.proofs) for n in ("cases", "failures"))
        lines.append(
            f"| [{r.harness}](#{r.harness.replace('_', '-')}) | {r.title} | {len(r.proofs)} | {cases:,} | {failures} |"
        )
    missing = [name for name in order if name not in records]
    if missing:
        lines += ["", f"Not measured: {', '.join(missing)}."]
    for r in kept:
        lines += ["", *_section(r)]
    return "\n".join(lines) + "\n"


def _section(record: Record) -> Iterator[str]:
    yield f"## {record.harness.replace('_', ' ')}"
    yield ""
    yield f"{record.title}. Measured {record.measured}, scale {record.scale}."
    yield ""
    yield "| promise | method | on | cases | result | seconds |"
    yield "|---|---|---|---|---|---|"
    for p in record.proofs:
        cells = (p.promise, p.method, p.on, f"{p.cases:,}", _result(p), f"{p.seconds:,.0f}")
        yield "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"
    broken = [(p.promise, e) for p in record.proofs for e in p.examples]
    if broken:
        yield ""
        yield from (f"- {promise}: {example}" for promise, example in broken)
    yield ""
    yield f"`{COMMAND} {record.harness} --scale {record.scale}`"


def _result(p: Proof) -> str:
    verdict = f"{p.failures} failures" if p.failures else "holds" if p.cases else "nothing was tried"
    return "; ".join([verdict, *(f"{name} {_number(value)}" for name, value in p.figures.items())])


def _number(value: int | float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
