"""docs/mutation.md: how many faults the tests noticed, and why the others are not noticed."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutation.targets import TARGETS

REASONS = Path(__file__).with_name("reasons.toml")
Key = tuple[str, str, str]
HEAD = """# Mutation testing

Written by `make mutation` from the records in `docs/mutation/`. A fault is planted into a module, one at a time, and the
module's own tests run against it: a fault that no test notices survives. Faults are those of mutmut's operators
(comparisons, arithmetic, constants, arguments, conditions, assignments), in the whole module, and exchanged words in SQL.
Left out by rule: docstrings, annotations, text for people (messages of errors, descriptions, names of rules), what a column
or a record is declared to be (that declarations are enforced is proved once, for all tables), the case of letters in
strings, what parses to the same program, and faults that crash at once wherever the line is run (None for an argument or a
variable, a missing positional argument), which would only flatter the score. `endless` faults keep the tests from
ending; `broken` ones keep the module from being imported (told apart only where one test module judges it: with several,
they are among those that fail).

mutmut itself cannot judge this package: it leaves out decorated functions (all of the warehouse's context managers and
properties) and switches faults on when a function is called, while expressions of tables are built once, on import.
cosmic-ray starts a Python process for every fault; the imports alone take 3 to 5 seconds. Here a fault costs a forked child
of a process that has the libraries loaded."""


@dataclass(frozen=True)
class Record:
    """What became of the mutants of a target: how many by verdict, and which survived."""

    target: str
    measured: str
    seconds: int
    verdicts: Mapping[str, int]
    survivors: tuple[Key, ...]

    @property
    def mutants(self) -> int:
        return sum(self.verdicts.values())

    @property
    def killed(self) -> int:
        return self.mutants - self.verdicts.get("survived", 0)

    @property
    def score(self) -> float:
        return self.killed / self.mutants


@dataclass(frozen=True)
class Reason:
    """Why survivors are left: those of a target whose place, and lines before and after, contain these texts."""

    target: str
    reason: str
    place: str = ""
    before: str = ""
    after: str = ""

    def covers(self, target: str, key: Key) -> bool:
        wanted = zip((self.place, self.before, self.after), key, strict=True)
        return target == self.target and all(part in whole for part, whole in wanted)


def reasons() -> list[Reason]:
    return [Reason(**r) for r in tomllib.loads(REASONS.read_text())["survivor"]] if REASONS.exists() else []


def load(directory: Path) -> list[Record]:
    """The records that are kept, in the order of the targets."""
    kept = [json.loads((directory / f"{n}.json").read_text()) for n in TARGETS if (directory / f"{n}.json").exists()]
    return [Record(**k | {"survivors": tuple((p, b, a) for p, b, a in k["survivors"])}) for k in kept]


def mutation_page(records: Sequence[Record], given: Sequence[Reason]) -> str:
    return "\n".join(_lines(records, given)) + "\n"


def _lines(records: Sequence[Record], given: Sequence[Reason]) -> Iterator[str]:
    yield HEAD
    yield ""
    yield "| module | faults | noticed | score | endless | broken | survived | measured | seconds |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for r in records:
        others = " | ".join(str(r.verdicts.get(v, 0)) for v in ("endless", "broken", "survived"))
        module = f"`{TARGETS[r.target].module}`"
        yield f"| {module} | {r.mutants} | {r.killed} | {r.score:.1%} | {others} | {r.measured} | {r.seconds} |"
    total, killed = sum(r.mutants for r in records), sum(r.killed for r in records)
    if total:
        yield f"| all | {total} | {killed} | {killed / total:.1%} | | | {total - killed} | | |"
    for r in records:
        if r.survivors:
            yield ""
            yield f"## Survivors of {TARGETS[r.target].module}"
            yield ""
            yield "| where | before | after | why it is left |"
            yield "|---|---|---|---|"
        for key in r.survivors:
            why = next((g.reason for g in given if g.covers(r.target, key)), "**no reason given**")
            yield "| " + " | ".join([_code(key[0] or "module"), _code(key[1]), _code(key[2]), why]) + " |"


def _code(text: str) -> str:
    short = text if len(text) <= 140 else f"{text[:137]}..."
    return f"`{short.replace('|', chr(92) + '|').replace('`', chr(39))}`"
