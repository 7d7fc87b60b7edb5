"""The same content hash, however a stretch of days is published: the stretch is taken out of a copy of a home and put back.

What is expected are the hashes of one range over the days as they are.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import duckdb
import numpy as np
import pyarrow as pa

from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Table
from nba_pipeline.sources.landing import FEEDS
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Days, Warehouse
from tools.reliability.ground import (
    ROOT,
    AlteredSource,
    Contents,
    Ground,
    differing,
    files_environment,
    real_home,
    refused,
    stretch,
)
from tools.reliability.proof import Proof, Scale, Tally, stage

TITLE = "Same answer: content hashes do not depend on ranges, order, process, place, time zone or hash seed"
STRETCH = {"quick": ("2024-01-31", "2024-02-02"), "full": ("2024-01-28", "2024-02-03")}
SEED = 7


@dataclass(frozen=True)
class Shuffled:
    """A warehouse that hands out rows in another order every time; everything else is the warehouse's own."""

    warehouse: Warehouse
    random: np.random.Generator

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        return {n: shuffled(rows, self.random) for n, rows in self.warehouse.read(wanted).items()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.warehouse, name)


def shuffled(rows: pa.Table, generator: np.random.Generator) -> pa.Table:
    return rows.take(pa.array(generator.permutation(rows.num_rows)))


class Copy(Ground):
    """A copy of a home; the original is only read."""

    @staticmethod
    def of(settings: Settings, directory: Path) -> "Copy":
        home = directory / "home"
        left_out = shutil.ignore_patterns("dagster", "*.lock")
        shutil.copytree(settings.home, home, ignore=left_out)
        return Copy(replace(settings, home=home))

    def forget(self, days: Sequence[date], tables: Sequence[str]) -> None:
        """Take these days out of the tables and their ledger."""
        span = f"BETWEEN DATE '{days[0]}' AND DATE '{days[-1]}'"
        with duckdb.connect(str(self.settings.database)) as db:
            for name in tables:
                db.execute(f"DELETE FROM {name} WHERE {CATALOG[name].table.partition} {span}")
                db.execute(f"DELETE FROM nba_ops.ledger WHERE table_id = '{name}' AND day {span}")


def cut(days: Sequence[date], generator: random.Random) -> list[list[date]]:
    """The days in consecutive ranges of random length."""
    parts, rest = [], list(days)
    while rest:
        n = generator.randint(1, len(rest))
        parts.append(rest[:n])
        rest = rest[n:]
    return parts


def publish_parts(ground: Ground, parts: Sequence[Sequence[date]], tables: Sequence[str], **more: Any) -> None:
    """Publish ranges one after the other; a refused day is an error."""
    for part in parts:
        said = refused(ground.publish(list(part), tables, **more))
        assert not said, said


def elsewhere(
    ground: Ground, days: Sequence[date], tables: Sequence[str], environment: Mapping[str, str], place: Path
) -> None:
    """Publish the days as one range in a separate process, in another directory and with other variables."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    home = {"NBA_PIPELINE_HOME": str(ground.settings.home)}
    if ground.settings.data is not None:
        home = files_environment(ground.settings.home, ground.settings.data)
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tools.reliability.same_answer",
        str(days[0]),
        str(days[-1]),
        *tables,
    ]
    subprocess.run(command, env=own | home | {"PYTHONPATH": str(ROOT)} | dict(environment), cwd=place, check=True)


def ways(
    ground: Ground, days: list[date], tables: Sequence[str], place: Path
) -> Iterator[tuple[str, bool, Callable[[], None]]]:
    """(name, whether the days are taken out first, how they are published)."""
    generator = np.random.default_rng(SEED)
    yield "one range", True, lambda: publish_parts(ground, [days], tables)
    yield "published again", False, lambda: publish_parts(ground, [days], tables)
    yield "day by day", True, lambda: publish_parts(ground, [[d] for d in days], tables)
    for seed in range(2):
        yield f"random ranges {seed}", True, lambda s=seed: publish_parts(ground, cut(days, random.Random(s)), tables)
    yield (
        "rows of sources and tables shuffled",
        True,
        lambda: publish_parts(
            ground,
            [days],
            tables,
            source=AlteredSource(ground.source, dict.fromkeys(FEEDS, lambda rows: shuffled(rows, generator))),
            warehouse=cast(Warehouse, Shuffled(ground.warehouse, generator)),
        ),
    )
    for zone, seed in (("Asia/Kolkata", "1"), ("Pacific/Honolulu", "4242")):
        yield (
            f"another process and directory, TZ={zone}, PYTHONHASHSEED={seed}",
            True,
            lambda z=zone, s=seed: elsewhere(ground, days, tables, {"TZ": z, "PYTHONHASHSEED": s}, place),
        )


def compared(
    ground: Copy, days: list[date], tables: Sequence[str], tally: Tally, place: Path, but: tuple[str, ...] = ()
) -> Contents:
    """Try every way whose name does not begin with one of `but`; a case is one table's day. Returns what was expected: what
    one range of this version publishes."""
    publish_parts(ground, [days], tables)
    expected = ground.contents(days[0], days[-1], tables)
    for name, anew, publish in ways(ground, days, tables, place):
        if name.startswith(but):
            continue
        with stage(name):
            if anew:
                ground.forget(days, tables)
            publish()
        found = ground.contents(days[0], days[-1], tables)
        wrong = differing(expected, found)
        for key in wrong:
            tally.case(f"{name}: {key}")
        for _ in range(len(expected) - len(wrong)):
            tally.case()
    return expected


def prove(scale: Scale) -> list[Proof]:
    original = real_home()
    days, tally = stretch(*STRETCH[scale]), Tally()
    with TemporaryDirectory(prefix="reliability-") as scratch:
        ground = Copy.of(original, Path(scratch))
        tables = graph_order()
        expected = compared(ground, days, tables, tally, Path(scratch))
        names = [n for n, *_ in ways(ground, days, tables, Path(scratch))]
    return [
        tally.proof(
            "a table's day has the same content hash for every way of publishing",
            f"{len(names)} ways, each compared with one range: {'; '.join(names)}; a case is one table's day",
            f"real data {days[0]}..{days[-1]}, every table with models, forecasts and grades",
            {"tables": len({t for t, _ in expected}), "days": len(days), "rows": sum(n for n, _ in expected.values())},
        )
    ]


if __name__ == "__main__":
    settings = Settings.from_environment()
    publish_parts(Ground(settings), [stretch(sys.argv[1], sys.argv[2])], sys.argv[3:])
