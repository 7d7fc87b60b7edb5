"""Computes three tables of a season with this product, SQLMesh and Dagster's DuckDB I/O manager; compares rows, time and memory.

    python -m benchmarks.against_peers HOME [START END] [--environment DIRECTORY] [--days 10] [--rounds 1]

HOME has published the range, and the facts of the year before it; it is only read. The other tools are installed by pip into an
environment of their own, DIRECTORY or a temporary one, with the same DuckDB and Dagster as here. All run the same statements on
copies of one database; a process counts from its start to its end. Only ours hashes rows and days, keeps a ledger and gives a
verdict per day and check. SQLMesh audits required columns, the grain and all ranges. The I/O manager checks nothing.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from benchmarks.peer_projects import SCHEMA, Specification, name_of, write_dagster, write_sqlmesh
from benchmarks.peer_tables import TRANSFORMS, specification, write_inputs
from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.calendar import days_between

PEERS = ("sqlmesh", "dagster-duckdb", "dagster-duckdb-pandas")
SAME = ("dagster", "duckdb")
CHECKOUT = Path(__file__).parents[1]
COMMAND = """
from benchmarks.peer_tables import FORM, TRANSFORMS
from nba_pipeline.tables import catalog
catalog.TRANSFORMS, catalog.CATALOG[FORM.id] = (*catalog.TRANSFORMS, TRANSFORMS[-1]), TRANSFORMS[-1]
from nba_pipeline.cli.main import main
main()
"""
OURS = "ours: nba-pipeline backfill, first run"


class Cost(NamedTuple):
    """What a process and its children took: seconds on the clock and of the processor, and the memory of the largest, in MiB."""

    wall: float
    cpu: float
    peak: float


def extrapolated(costs: Sequence[Cost], runs: int) -> Cost:
    """Return the cost of so many runs, one after the other, at the mean cost of those that were measured."""
    wall, cpu, _ = (runs * statistics.mean(figures) for figures in zip(*costs, strict=True))
    return Cost(wall, cpu, max(c.peak for c in costs))


def measure(command: Sequence[str], directory: Path, variables: Mapping[str, str]) -> Cost:
    """Run a command to its end and return its cost; leaves with the command's output where it fails.

    Processes keep their bytecode, as those of a user do, whatever PYTHONDONTWRITEBYTECODE says here.
    """
    left_out = ("NBA_PIPELINE", "DAGSTER", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    environment.update(variables)
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{output.read()[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


Measured = Iterator[tuple[str, Cost]]


def ours(database: Path, specs: Sequence[Specification]) -> Measured:
    # None of the tables reads a feed, so that the simulated league, which needs no files, is never asked.
    variables = {"NBA_PIPELINE_HOME": str(database.parent), "NBA_PIPELINE_SOURCE": "simulator"}
    command = [sys.executable, "-W", "ignore", "-c", COMMAND]  # in the checkout, which "-c" imports from
    measure([*command, "reconcile"], CHECKOUT, variables)
    shutil.rmtree(database.parent / "cache", ignore_errors=True)
    command += ["backfill", specs[0]["start"], specs[0]["end"], *(f"--select={s['table']}" for s in specs)]
    yield OURS, measure(command, CHECKOUT, variables)
    yield "ours: all of it again, statements kept", measure(command, CHECKOUT, variables)


def sqlmesh(peers: Path, database: Path, specs: Sequence[Specification]) -> Measured:
    project = database.parent / "project"
    write_sqlmesh(project, database, specs)
    plan = [str(peers / "bin" / "sqlmesh"), "plan", "--auto-apply", "--no-prompts"]
    yield "SQLMesh: plan with audits, first run", measure(plan, project, {})
    plan += ["--start", specs[0]["start"], "--end", specs[0]["end"]]
    plan += [f"--restate-model={name_of(spec['table'])}" for spec in specs]
    yield "SQLMesh: all of it again, restated", measure(plan, project, {})


def dagster(peers: Path, database: Path, specs: Sequence[Specification], days: Sequence[date], sample: int) -> Measured:
    project = database.parent / "project"
    write_dagster(project, database, specs)
    run = [str(peers / "bin" / "dagster"), "asset", "materialize", "-f", "assets.py", "--select", f'key:"{SCHEMA}/*"']
    variables, whole = {"DAGSTER_HOME": str(project)}, ["--partition-range", f"{days[0]}...{days[-1]}"]
    yield "Dagster, DuckDB I/O manager: one run", measure([*run, *whole], project, variables)
    chosen = days[:: max(1, len(days) // sample)][:sample]
    costs = [measure([*run, "--partition", str(day)], project, variables) for day in chosen]
    yield f"Dagster: a run a day ({len(chosen)} days measured, extrapolated)", extrapolated(costs, len(days))


def install(environment: Path) -> str:
    """Install the other tools where they are missing, and return the versions of all."""
    python = str(environment / "bin" / "python")
    if not (environment / "bin" / "sqlmesh").exists():
        venv.create(environment, with_pip=True)
        pinned = [f"{name}=={version(name)}" for name in SAME]
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS, *pinned], check=True)
    code = f"from importlib.metadata import version; print(*(n + ' ' + version(n) for n in {PEERS + SAME}), sep=', ')"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def differences(files: Mapping[str, Path], specs: Sequence[Specification]) -> Iterator[tuple[str, str, int, int]]:
    """Compare all columns with ours: table, tool, its rows, and how many rows of either the other does not have."""
    for spec in specs:
        rows, columns = {}, ", ".join(spec["columns"])
        for tool, path in files.items():
            table = spec["table"] if tool == "ours" else name_of(spec["table"])
            within = f"WHERE {spec['day']} BETWEEN DATE '{spec['start']}' AND DATE '{spec['end']}'"
            with duck.connect(path, read_only=True) as db:
                rows[tool] = db.execute(f"SELECT {columns} FROM {table} {within}").to_arrow_table()
        with duck.connect() as db:
            db.register("mine", rows["ours"])
            for tool, theirs in rows.items():
                db.register("theirs", theirs)
                either = "(FROM mine EXCEPT ALL FROM theirs) UNION ALL (FROM theirs EXCEPT ALL FROM mine)"
                differing = db.execute(f"SELECT count(*) FROM ({either})").fetchall()[0][0]
                yield spec["table"], tool, theirs.num_rows, differing


def lines(costs: Mapping[str, Cost], table_days: int) -> Iterator[str]:
    """Write the table of costs, each beside ours."""
    yield f"{'':<56}{'wall s':>9}{'CPU s':>9}{'peak MiB':>10}{'table-days':>12}{'wall/ours':>11}{'CPU/ours':>10}"
    for name, c in costs.items():
        ratios = f"{c.wall / costs[OURS].wall:>11.2f}{c.cpu / costs[OURS].cpu:>10.2f}"
        yield f"{name:<56}{c.wall:>9.1f}{c.cpu:>9.1f}{c.peak:>10.0f}{table_days:>12}{ratios}"


def compare(place: Path, peers: Path, days: Sequence[date], sample: int, rounds: int) -> None:
    """Run all tools in every round; print how the rows of the last one differ, and the medians of the costs."""
    specs = [specification(t, days[0], days[-1]) for t in TRANSFORMS]
    measured: dict[str, list[Cost]] = {}
    files: dict[str, Path] = {}
    for number in range(rounds):
        for tool in ("ours", "sqlmesh", "dagster"):
            files[tool] = place / f"{tool}{number}" / "nba.duckdb"
            files[tool].parent.mkdir()
            shutil.copy(place / "inputs.duckdb", files[tool])
        others = (sqlmesh(peers, files["sqlmesh"], specs), dagster(peers, files["dagster"], specs, days, sample))
        for name, cost in chain(ours(files["ours"], specs), *others):
            measured.setdefault(name, []).append(cost)
            print(f"  {name}: {cost.wall:.1f} s, {cost.cpu:.1f} s CPU", file=sys.stderr, flush=True)
    print("\nrows, and rows that differ from ours in any column")
    for table, tool, count, differing in differences(files, specs):
        print(f"  {table:<40}{tool:<10}{count:>9,}{differing:>9,}")
    medians = {name: Cost(*map(statistics.median, zip(*costs, strict=True))) for name, costs in measured.items()}
    print("", *lines(medians, len(days) * len(specs)), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("start", type=date.fromisoformat, nargs="?", default=date(2023, 10, 24))
    parser.add_argument("end", type=date.fromisoformat, nargs="?", default=date(2024, 6, 17))
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        peers = (given.environment or place / "environment").absolute()
        print(f"{given.start}..{given.end}; {install(peers)}; {os.cpu_count()} cores", flush=True)
        write_inputs(given.home, place / "inputs.duckdb", given.start, given.end)
        compare(place, peers, days_between(given.start, given.end), given.days, given.rounds)


if __name__ == "__main__":
    main()
