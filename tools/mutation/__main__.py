"""Plants the faults, judges them, keeps what came of it, and writes the page."""

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from tools.mutation.judging import Judged, judge
from tools.mutation.mutants import mutants
from tools.mutation.page import Reason, Record, load, mutation_page, reasons
from tools.mutation.targets import TARGETS
from tools.reliability.proof import following

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def run(name: str) -> Record:
    """Judge every mutant of a target."""
    target = TARGETS[name]
    began = time.monotonic()
    found = mutants((ROOT / target.file).read_text())
    judged: list[Judged] = []
    for verdict in following(judge(target, found, ROOT), len(found), name):
        judged.append(verdict)
        if not verdict.killed:
            m = verdict.mutant
            click.echo(f"survived {target.file}:{m.line} {m.place}: {m.before}  =>  {m.after}", err=True)
    counts = Counter(j.verdict for j in judged)
    survivors = tuple(j.mutant.key for j in judged if not j.killed)
    today = datetime.now(UTC).date().isoformat()
    return Record(name, today, round(time.monotonic() - began), dict(sorted(counts.items())), survivors)


def save(record: Record, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record.__dict__, indent=1, ensure_ascii=False)
    (directory / f"{record.target}.json").write_text(text + "\n")


def unexplained(records: Sequence[Record], given: Sequence[Reason]) -> list[str]:
    return [
        f"{r.target}: {key}" for r in records for key in r.survivors if not any(g.covers(r.target, key) for g in given)
    ]


@click.command()
@click.argument("names", nargs=-1, metavar="[TARGET]...")
@click.option("--page-only", is_flag=True, help="Run nothing, write the page from the records that are there.")
def main(names: tuple[str, ...], page_only: bool) -> None:
    """Mutate the targets (all, or those named), keep the results and write docs/mutation.md.

    Ends with 0 only when at least 85 % of all faults were noticed and every other one has a reason.
    """
    unknown = sorted(set(names) - set(TARGETS))
    if unknown:
        raise click.UsageError(f"no target is called {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    for name in () if page_only else names or TARGETS:
        record = run(name)
        save(record, DOCS / "mutation")
        click.echo(f"{name}: {record.killed} of {record.mutants} killed ({record.score:.1%}) in {record.seconds} s")
    records, given = load(DOCS / "mutation"), reasons()
    (DOCS / "mutation.md").write_text(mutation_page(records, given))
    silent = unexplained(records, given)
    for line in silent:
        click.echo(f"without a reason: {line}", err=True)
    enough = sum(r.killed for r in records) >= 0.85 * sum(r.mutants for r in records)
    sys.exit(0 if enough and not silent else 1)


if __name__ == "__main__":
    main()
