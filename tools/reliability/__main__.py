"""Runs harnesses, keeps their records, and writes the page."""

import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from nba_pipeline.cli.backfill import load_definitions
from tools.reliability import HARNESSES
from tools.reliability.page import reliability_page
from tools.reliability.proof import NotAvailableError, Proof, Record, Scale, commit_of, load, save, today

DOCS = Path(__file__).parents[2] / "docs"


def run(name: str, scale: Scale, results: Path) -> bool | None:
    """Run one harness and keep its record; whether all of its promises hold, None where it cannot run here."""
    module = import_module(f"tools.reliability.{name}")
    began = time.monotonic()
    click.echo(f"{name}: {module.TITLE}", err=True)
    try:
        commit = commit_of(DOCS)
        proofs: Sequence[Proof] = module.prove(scale)
    except NotAvailableError as e:
        click.echo(f"{name}: skipped: {e}", err=True)
        return None
    record = Record(name, module.TITLE, scale, today(), commit, tuple(proofs))
    save(record, results)
    for p in proofs:
        said = "holds " if p.holds else "BROKEN"
        click.echo(f"{said} {p.promise}: {p.failures} of {p.cases:,} cases failed; {dict(p.figures)}")
        for example in p.examples:
            click.echo(f"       {example}")
    click.echo(f"{name}: {time.monotonic() - began:.0f} s", err=True)
    return record.holds


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--scale", type=click.Choice(["quick", "full"]), default="full", show_default=True)
@click.option(
    "--results", type=click.Path(path_type=Path), default=DOCS / "reliability", help="Where records are kept."
)
@click.option("--page", type=click.Path(path_type=Path), default=DOCS / "reliability.md", help="The page to write.")
@click.option("--missing", is_flag=True, help="Run only harnesses without a record of this scale.")
@click.option("--page-only", is_flag=True, help="Run nothing, write the page from the records that are there.")
def main(names: tuple[str, ...], scale: Scale, results: Path, page: Path, missing: bool, page_only: bool) -> None:
    """Prove the promises (all, or those of the harnesses NAME), keep what was found and write the page."""
    unknown = sorted(set(names) - set(HARNESSES))
    if unknown:
        raise click.UsageError(f"no harness is called {', '.join(unknown)}; there are {', '.join(HARNESSES)}")
    wanted = [] if page_only else list(names or HARNESSES)
    if missing:
        kept = load(results)
        wanted = [n for n in wanted if n not in kept or kept[n].scale != scale]
    load_definitions()
    verdicts = [run(name, scale, results) for name in wanted]
    page.write_text(reliability_page(load(results), HARNESSES))
    click.echo(f"wrote {page.name}", err=True)
    sys.exit(0 if False not in verdicts else 1)


if __name__ == "__main__":
    main()
