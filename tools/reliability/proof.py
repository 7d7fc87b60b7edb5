"""The record of a proof: what was promised, how it was tried, how often, and how often it failed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, TypeVar

Scale = Literal["quick", "full"]
Item = TypeVar("Item")
EXAMPLES = 10
SECONDS_BETWEEN_LINES = 15


@dataclass(frozen=True)
class Proof:
    """One promise that was tried. `failures` counts the cases that broke it, `examples` describes some of them.

    `figures` are what was measured beside, by its name with unit; `on` says which data were used.
    """

    promise: str
    method: str
    on: str
    cases: int
    failures: int
    figures: Mapping[str, int | float | str] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Something was tried, and nothing failed."""
        return self.cases > 0 and not self.failures


@dataclass(frozen=True)
class Record:
    """All proofs of a harness, as one run of it left them; `commit` is that of the code which was measured."""

    harness: str
    title: str
    scale: Scale
    measured: date
    commit: str
    proofs: tuple[Proof, ...]

    @property
    def holds(self) -> bool:
        return bool(self.proofs) and all(p.holds for p in self.proofs)


class NotAvailableError(Exception):
    """What a harness needs is not on this machine; the message says what, and how to provide it."""


class Tally:
    """Counts cases and failures of one proof while it runs, and keeps the first failures as examples."""

    def __init__(self) -> None:
        self.cases = 0
        self.failures = 0
        self.examples: list[str] = []
        self._began = time.monotonic()

    def case(self, failure: str | None = None) -> None:
        """One case was tried; `failure` says what went wrong with it."""
        self.cases += 1
        if failure is not None:
            self.failures += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(failure)

    def proof(
        self, promise: str, method: str, on: str, figures: Mapping[str, int | float | str] | None = None
    ) -> Proof:
        return Proof(
            promise,
            method,
            on,
            self.cases,
            self.failures,
            dict(figures or {}),
            tuple(self.examples),
            round(time.monotonic() - self._began, 1),
        )


def following(items: Iterable[Item], total: int, words: str) -> Iterator[Item]:
    """The items, while a line with progress, rate and time left appears on standard error every now and then."""
    began = said = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - said >= SECONDS_BETWEEN_LINES:
            rate = done / (now - began)
            print(
                f"  {words}: {done}/{total}, {rate:.2f}/s, ETA {(total - done) / rate:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            said = now
        yield item


@contextmanager
def stage(words: str) -> Iterator[None]:
    """Say on standard error that something longer begins, and how long it took."""
    began = time.monotonic()
    print(f"  {words} ...", file=sys.stderr, flush=True)
    yield
    print(f"  {words}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


def commit_of(directory: Path) -> str:
    """Return the commit of a repository, and whether files differ from it.

    Raises:
        NotAvailableError: The directory is in no repository.
    """

    def git(*arguments: str) -> str:
        done = subprocess.run(("git", "-C", str(directory), *arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotAvailableError(f"a record names the commit of the code: {done.stderr.strip()}")
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":(top)*.py")
    return git("rev-parse", "--short=7", "HEAD") + (" with changes" if changed else "")


def today() -> date:
    return datetime.now(UTC).date()


def save(record: Record, directory: Path) -> Path:
    """Keep the record as `<harness>.json`, in place of an earlier one."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{record.harness}.json"
    path.write_text(json.dumps(asdict(record), indent=2, default=str, ensure_ascii=False) + "\n")
    return path


def load(directory: Path) -> dict[str, Record]:
    """All records that are kept in the directory, by harness."""
    return {r.harness: r for r in (_record(json.loads(p.read_text())) for p in sorted(directory.glob("*.json")))}


def _record(kept: dict) -> Record:
    proofs = tuple(Proof(**p | {"examples": tuple(p["examples"])}) for p in kept.pop("proofs"))
    return Record(**kept | {"measured": date.fromisoformat(kept["measured"]), "proofs": proofs})
