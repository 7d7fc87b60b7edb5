"""The embedded warehouse: days are replaced whole or not at all, whatever dies, fails or competes."""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest

from nba_pipeline import duck
from nba_pipeline.contracts import FloatArray, Instant, Rows, Table, column
from nba_pipeline.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.warehouse import Days, LedgerEntry
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.locking import file_lock
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA

FIRST = date(2024, 1, 1)
AT = datetime(2024, 2, 1, tzinfo=UTC)


class Results(Rows):
    """Results of teams. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team")
    points: int = column("points", nullable=True)


class WiderResults(Results):
    """Results of teams, with more columns. One row per team and day."""

    share: float = column("share", nullable=True)
    seen: Instant = column("moment", nullable=True)
    features: FloatArray = column("list", nullable=True)


class OtherType(Rows):
    """Points as text. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team")
    points: str = column("points", nullable=True)


class OtherName(Rows):
    """Without points. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team")


class MayBeUnknown(Rows):
    """The team may be unknown now. One row per team and day."""

    game_date: date = column("day")
    team: str = column("team", nullable=True)
    points: int = column("points", nullable=True)


def declared(model: type[Rows]) -> Table:
    return Table(model=model, name="results", dataset="nba_raw", key=("game_date", "team"), partition="game_date")


RESULTS = declared(Results)


def days(*numbers: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in numbers]


def rows(of: Sequence[date], version: int = 1, per_day: int = 2, table: Table = RESULTS, **more: Any) -> pa.Table:
    """`per_day` rows a day; `points` is the version that wrote them."""
    records = [
        {"game_date": d, "team": f"T{i}", "points": version, "data_hash": f"{version:016x}", "computed_at": AT} | more
        for d in of
        for i in range(per_day)
    ]
    return pa.Table.from_pylist(records, table.arrow_schema)


def entry(on: date, version: int = 1, state: Any = "published", per_day: int = 2, **more: Any) -> LedgerEntry:
    facts: dict[str, Any] = {
        "table": RESULTS.id,
        "day": on,
        "state": state,
        "rows": per_day,
        "expected": per_day,
        "absent": {},
        "unexplained": 0,
        "games": 1,
        "rejected": 0,
        "content_hash": str(version),
        "reasons": (),
        "run_id": f"run{version}",
        "recorded_at": AT,
    }
    return LedgerEntry(**(facts | more))


NO_REJECTS = REJECT_SCHEMA.empty_table()


def write(warehouse: DuckDBWarehouse, of: Sequence[date], version: int = 1, per_day: int = 2) -> None:
    entries = [entry(d, version, per_day=per_day) for d in of]
    warehouse.replace(RESULTS, of, rows(of, version, per_day), entries, NO_REJECTS)


def state(warehouse: DuckDBWarehouse) -> dict[int, tuple[int, int]]:
    """Day number -> (rows, version); a day of mixed versions fails."""
    found: dict[int, list[int]] = {}
    everything = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST + timedelta(days=400)))})["r"]
    for r in everything.to_pylist():
        found.setdefault((r["game_date"] - FIRST).days, []).append(r["points"])
    assert all(len(set(v)) == 1 for v in found.values()), found
    return {n: (len(v), v[0]) for n, v in sorted(found.items())}


def recorded(warehouse: DuckDBWarehouse) -> dict[int, tuple[int, int]]:
    """The same, as the ledger of published days says."""
    entries = [e for e in warehouse.ledger().to_pylist() if e["state"] == "published"]
    return {(e["day"] - FIRST).days: (e["rows"], int(e["content_hash"])) for e in entries}


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=10)


# --- replace ----------------------------------------------------------------------------------------------------------


def test_only_the_given_days_are_replaced_scattered_ones_too(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1, 2, 3, 4))
    write(warehouse, days(1, 3), version=2, per_day=3)
    assert state(warehouse) == {0: (2, 1), 1: (3, 2), 2: (2, 1), 3: (3, 2), 4: (2, 1)}
    assert recorded(warehouse) == state(warehouse)


def test_a_day_without_rows_becomes_empty_and_stays_published(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    write(warehouse, days(1), version=2, per_day=0)
    assert state(warehouse) == {0: (2, 1)}
    assert recorded(warehouse) == {0: (2, 1), 1: (0, 2)}


def test_a_rerun_leaves_one_copy(warehouse: DuckDBWarehouse) -> None:
    for _ in range(3):
        write(warehouse, days(0, 1))
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}
    assert warehouse.ledger().num_rows == 2


def test_a_row_outside_the_days_is_refused(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    with pytest.raises(WarehouseError):
        warehouse.replace(RESULTS, days(0), rows(days(0, 1), 2), [entry(days(0)[0], 2)], NO_REJECTS)
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}


def test_nothing_to_read_is_an_empty_table_of_the_right_shape(warehouse: DuckDBWarehouse) -> None:
    found = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST, ("team", "points")))})["r"]
    assert (found.num_rows, found.column_names) == (0, ["team", "points"])
    assert warehouse.ledger().num_rows == 0
    assert warehouse.quarantine().num_rows == 0
    assert not warehouse.path.exists()


def test_contents_counts_rows_and_hashes_them_without_regard_to_order(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    before = warehouse.contents([RESULTS], *days(0, 5), hashes=True).to_pylist()
    shuffled = rows(days(0, 1)).take([3, 1, 2, 0])
    warehouse.replace(RESULTS, days(0, 1), shuffled, [entry(d) for d in days(0, 1)], NO_REJECTS)
    assert warehouse.contents([RESULTS], *days(0, 5), hashes=True).to_pylist() == before
    assert [(r["day"], r["rows"]) for r in before] == [(days(0)[0], 2), (days(1)[0], 2)]


def test_contents_sees_a_cell_that_was_changed_behind_the_ledger(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    before = warehouse.contents([RESULTS], *days(0, 5), hashes=True)["content_hash"].to_pylist()
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute("UPDATE nba_raw.results SET points = 77 WHERE game_date = '2024-01-02' AND team = 'T1'")
    after = warehouse.contents([RESULTS], *days(0, 5), hashes=True)["content_hash"].to_pylist()
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    assert warehouse.contents([RESULTS], *days(0, 5), hashes=False)["content_hash"].to_pylist() == ["", ""]


def test_contents_can_be_checked_before_a_new_column_was_ever_written(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    first, last = days(0, 5)
    assert warehouse.contents([declared(WiderResults)], first, last, hashes=True).num_rows == 1


# --- ledger and quarantine --------------------------------------------------------------------------------------------


def rejects(on: date | None, reason: str = "bad", row: str = "{}") -> pa.Table:
    record = {"table_id": RESULTS.id, "day": on, "reason": reason, "row": row, "run_id": "r", "recorded_at": AT}
    return pa.Table.from_pylist([record], REJECT_SCHEMA)


def test_a_refused_day_keeps_its_rows_and_both_entries(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    refused = entry(days(0)[0], 2, "refused", reasons=("contract: bad",))
    warehouse.replace(RESULTS, [], rows([]), [refused], rejects(days(0)[0]))
    assert state(warehouse) == {0: (2, 1)}
    assert sorted(e["state"] for e in warehouse.ledger().to_pylist()) == ["published", "refused"]
    assert warehouse.quarantine(RESULTS.id).num_rows == 1


def test_a_day_refused_again_has_one_refusal_the_latest(warehouse: DuckDBWarehouse) -> None:
    for version in (1, 2):
        refused = entry(days(0)[0], version, "refused")
        warehouse.replace(RESULTS, [], rows([]), [refused], rejects(days(0)[0], f"bad {version}"))
    assert [e["run_id"] for e in warehouse.ledger().to_pylist()] == ["run2"]
    assert warehouse.quarantine(RESULTS.id)["reason"].to_pylist() == ["bad 2"]


def test_publishing_a_day_clears_its_refusal_and_its_quarantine(warehouse: DuckDBWarehouse) -> None:
    first, second = days(0, 1)
    both = pa.concat_tables([rejects(first), rejects(second)])
    warehouse.replace(RESULTS, [], rows([]), [entry(d, 1, "refused") for d in (first, second)], both)
    write(warehouse, [first], version=2)
    assert [(e["day"], e["state"]) for e in warehouse.ledger().to_pylist()] == [
        (first, "published"),
        (second, "refused"),
    ]
    assert [r["day"] for r in warehouse.quarantine(RESULTS.id).to_pylist()] == [second]


def test_the_ledger_is_filtered_by_table_and_days(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1, 2))
    assert warehouse.ledger(["nba_raw.other"]).num_rows == 0
    assert warehouse.ledger([]).num_rows == 0
    found = warehouse.ledger([RESULTS.id], *days(1, 2))
    assert found["day"].to_pylist() == days(1, 2)


NASTY = "x'); DROP TABLE nba_raw.results; --\" \\ \x00é%_"


def test_sql_in_values_is_data(warehouse: DuckDBWarehouse) -> None:
    nasty = NASTY.replace("\x00", "")
    found = rows(days(0), per_day=1, team=nasty)
    refusal = entry(days(1)[0], state="refused", reasons=(nasty,), absent={nasty: 1}, run_id=nasty)
    reject = rejects(days(1)[0], nasty, nasty)
    warehouse.replace(RESULTS, days(0), found, [entry(days(0)[0]), refusal], reject)
    read = warehouse.read({"r": (RESULTS, Days(FIRST, FIRST))})["r"]
    assert read["team"].to_pylist() == [nasty]
    assert warehouse.quarantine(RESULTS.id)["reason"].to_pylist() == [nasty]
    assert warehouse.ledger([nasty]).num_rows == 0


def test_sql_in_the_name_of_a_table_is_data(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    assert warehouse.quarantine("it's").num_rows == 0


@pytest.mark.parametrize("name", ["it's; DROP TABLE x--.duckdb", 'quo"te [a] *?.duckdb', "é ü.duckdb", "no_suffix"])
def test_sql_and_wildcards_in_the_path_are_a_path(tmp_path: Path, name: str) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "a'b" / name)
    write(warehouse, days(0))
    assert state(warehouse) == {0: (2, 1)}
    assert warehouse.path.is_file()


# --- schema -----------------------------------------------------------------------------------------------------------


def test_columns_that_the_contract_gained_are_added_and_unknown_in_old_rows(warehouse: DuckDBWarehouse) -> None:
    wider = declared(WiderResults)
    write(warehouse, days(0, 1))
    early = warehouse.read({"r": (wider, Days(FIRST, FIRST))})["r"]
    assert early["share"].to_pylist() == [None, None]
    written = rows(days(1), 2, table=wider, share=0.5, features=[1.0, float("nan")], seen=AT)
    warehouse.replace(wider, days(1), written, [entry(days(1)[0], 2)], NO_REJECTS)
    first, last = days(0, 1)
    found = warehouse.read({"r": (wider, Days(first, last, ("game_date", "share", "seen", "features")))})["r"]
    assert sorted(found["share"].to_pylist(), key=str) == [0.5, 0.5, None, None]
    assert state(warehouse) == {0: (2, 1), 1: (2, 2)}


@pytest.mark.parametrize(
    ("model", "statement"),
    [
        (OtherType, 'ALTER TABLE nba_raw.results ALTER "points" TYPE VARCHAR'),
        (OtherName, 'nba_raw.results DROP "points"'),
    ],
)
def test_any_other_change_is_refused_with_the_statement_that_mends_it(
    warehouse: DuckDBWarehouse, model: type[Rows], statement: str
) -> None:
    write(warehouse, days(0))
    other = declared(model)
    with pytest.raises(WarehouseError, match=re.escape(statement)):
        warehouse.replace(other, days(1), other.arrow_schema.empty_table(), [entry(days(1)[0])], NO_REJECTS)
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1)}


def test_a_column_that_may_be_unknown_now_accepts_unknowns(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    relaxed = declared(MayBeUnknown)
    found = rows(days(1), 2, 1, table=relaxed, team=None)
    warehouse.replace(relaxed, days(1), found, [entry(days(1)[0], 2)], NO_REJECTS)


# --- all or nothing ---------------------------------------------------------------------------------------------------


class Faulty:
    """A connection that fails at its n-th statement."""

    seen: ClassVar[int] = 0

    def __init__(self, db: duckdb.DuckDBPyConnection, fail_at: int, error: BaseException) -> None:
        self._db, self._fail_at, self._error = db, fail_at, error
        Faulty.seen = 0

    def execute(self, *arguments: Any) -> Any:
        Faulty.seen += 1
        if Faulty.seen == self._fail_at:
            raise self._error
        return self._db.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@contextmanager
def failing_at(number: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = duck.connect

    def connect(path: Path | None = None, *, read_only: bool = False) -> Any:
        return Faulty(real(path, read_only=read_only), number, error)

    with monkeypatch.context() as patch:
        patch.setattr("nba_pipeline.warehouse.duckdb.duck.connect", connect)
        yield


@pytest.mark.parametrize("error", [duckdb.Error("disk on fire"), KeyboardInterrupt()], ids=["duckdb", "ctrl-c"])
def test_an_error_at_any_statement_changes_nothing(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    write(warehouse, days(0, 1, 2))
    raised = WarehouseError if isinstance(error, duckdb.Error) else KeyboardInterrupt
    with failing_at(10**6, error, monkeypatch):
        write(warehouse, days(0, 1, 2))
    statements = Faulty.seen
    assert statements > 10
    for number in range(1, statements + 1):
        with failing_at(number, error, monkeypatch), pytest.raises(raised):
            write(warehouse, days(1, 2, 3), version=2, per_day=3)
        assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (2, 1), 2: (2, 1)}, number
    write(warehouse, days(1, 2, 3), version=2, per_day=3)
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (3, 2), 2: (3, 2), 3: (3, 2)}


def test_a_failing_first_write_leaves_no_table(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing_at(8, duckdb.Error("no"), monkeypatch), pytest.raises(WarehouseError, match="nothing was changed"):
        write(warehouse, days(0))
    assert state(warehouse) == {}
    assert warehouse.ledger().num_rows == 0


# --- other processes --------------------------------------------------------------------------------------------------

REPOSITORY = Path(__file__).parents[2]


HERE = "import nba_pipeline_tests.warehouse.test_duckdb_warehouse as t\n"


def start(code: str, *arguments: Any, prelude: str = HERE) -> subprocess.Popen[str]:
    """A Python process; it knows this module as `t`, unless the prelude is another."""
    return subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            "import sys, time\n" + prelude + textwrap.dedent(code),
            *map(str, arguments),
        ],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# Forks a child per version, so that the price of the imports is paid once; kills each at a random moment.
KILLER = """
import os, random, signal
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=10)
chance = random.Random(5)
of = t.days(*range(40))
began = time.monotonic()
t.write(warehouse, of, 1, per_day=50)
usual = time.monotonic() - began
for version in range(2, 2 + int(sys.argv[2])):
    before = t.state(warehouse)
    child = os.fork()
    if child == 0:
        try:
            t.write(warehouse, of, version, per_day=50 + version)
        finally:
            os._exit(0)
    time.sleep(chance.uniform(0, 2 * usual))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    after = t.state(warehouse)
    assert after == t.recorded(warehouse), (version, "ledger and rows disagree")
    whole = {n: (50 + version, version) for n in range(40)}
    assert after in (before, whole), (version, "torn")
    print("after" if after == whole else "before", flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_the_days_as_they_were_or_as_they_should_be(
    warehouse: DuckDBWarehouse,
) -> None:
    outcomes = finish(start(KILLER, warehouse.path, 30)).split()
    assert len(outcomes) == 30
    assert set(outcomes) == {"before", "after"}, "kills must hit both before and after the commit to prove anything"
    write(warehouse, days(*range(40)), version=99)
    assert set(state(warehouse).values()) == {(2, 99)}
    left = {p.name for p in warehouse.path.parent.iterdir()}
    assert left == {"nba.duckdb", "nba.duckdb.lock"}


# Four writers and a reader, each a process of its own that opens the file itself.
COMPETITORS = """
import os
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=60)

def writes(me):
    for turn in range(5):
        first = (me * 3 + turn * 2) % 10
        t.write(warehouse, t.days(*range(first, first + 10)), version=100 * me + turn, per_day=20 + me)

def reads(me):
    for _ in range(12):
        found = t.state(warehouse)
        assert all(rows == 20 + version // 100 for rows, version in found.values()), found

def run(job, me):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            job(me)
            code = 0
        finally:
            if code:
                import traceback
                traceback.print_exc()
            os._exit(code)
    return child

children = [run(writes, n) for n in (1, 2, 3, 4)] + [run(reads, 0)]
sys.exit(max(os.waitpid(c, 0)[1] != 0 for c in children))
"""


def test_four_writers_and_a_reader_of_overlapping_days_see_only_whole_days(warehouse: DuckDBWarehouse) -> None:
    finish(start(COMPETITORS, warehouse.path))
    found = state(warehouse)
    assert found == recorded(warehouse)
    assert len(found) > 15
    assert all(n == 20 + version // 100 for n, version in found.values())


HOLD_LOCK = """
import fcntl
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""
HOLD_FILE = """
import duckdb
db = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("reading", [False, True], ids=["write", "read"])
@pytest.mark.parametrize(("code", "suffix"), [(HOLD_LOCK, ".lock"), (HOLD_FILE, "")], ids=["our lock", "duckdb shell"])
def test_waiting_is_bounded_and_the_error_names_the_holder(
    tmp_path: Path, code: str, suffix: str, reading: bool
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=0.3)
    write(warehouse, days(0))
    holder = start(code, f"{warehouse.path}{suffix}", prelude="")
    try:
        assert said(holder) == "held"
        began = time.monotonic()
        with pytest.raises(WarehouseBusyError, match=rf"nba\.duckdb: process {holder.pid}\b.*(0\.3 s)"):
            state(warehouse) if reading else write(warehouse, days(1), 2)
        assert time.monotonic() - began < 2
    finally:
        holder.kill()
        holder.communicate()
    assert state(warehouse) == {0: (2, 1)}


def test_the_lock_is_free_once_its_holder_died(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    holder = start(HOLD_LOCK, lock, prelude="")
    assert said(holder) == "held"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with file_lock(lock, exclusive=True, timeout=1):
        pass


def test_readers_share_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    with (
        file_lock(lock, exclusive=False, timeout=1),
        file_lock(lock, exclusive=False, timeout=0.1),
        pytest.raises(WarehouseBusyError),
        file_lock(lock, exclusive=True, timeout=0.1),
    ):
        pass


# --- a hostile disk ---------------------------------------------------------------------------------------------------

FULL_DISK = """
import resource, signal
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=5)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = warehouse.path.stat().st_size + 4096
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    t.write(warehouse, t.days(*range(300)), version=2, per_day=2000)
except t.WarehouseError as e:
    print("refused:", e)
"""


def test_a_full_disk_changes_nothing_and_says_so(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    assert re.search(r"refused: .*nothing was changed[\s\S]*disk space", finish(start(FULL_DISK, warehouse.path)))
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (2, 1)}
    write(warehouse, days(0, 1), version=3)
    assert state(warehouse) == {0: (2, 3), 1: (2, 3)}


# Runs as a user without rights even where the tests run as root.
UNPRIVILEGED = """
import os
import ibis, numpy, pandas
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=1)
t.DuckDBWarehouse(t.Path(sys.argv[2])).ledger()
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    {action}
    print("no error")
except Exception as e:
    print(type(e).__name__, e)
"""


@pytest.fixture
def public(tmp_path: Path) -> Iterator[tuple[DuckDBWarehouse, Path]]:
    """A warehouse that everybody may reach, and another one to warm up with."""
    warm = DuckDBWarehouse(tmp_path / "warm.duckdb")
    write(warm, days(0))
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        warehouse = DuckDBWarehouse(Path(directory) / "nba.duckdb")
        write(warehouse, days(0))
        yield warehouse, warm.path


def unprivileged(action: str, at: tuple[DuckDBWarehouse, Path]) -> str:
    return finish(start(UNPRIVILEGED.format(action=action), at[0].path, at[1]))


def test_a_file_that_may_not_be_written_is_a_named_error(public: tuple[DuckDBWarehouse, Path]) -> None:
    for path in public[0].path.parent.iterdir():
        path.chmod(0o444)
    text = unprivileged("t.write(warehouse, t.days(1), 2)", public)
    assert text.startswith("WarehouseError")
    assert "permissions" in text
    assert state(public[0]) == {0: (2, 1)}


def test_a_directory_that_may_not_be_written_is_a_named_error(public: tuple[DuckDBWarehouse, Path]) -> None:
    public[0].path.parent.chmod(0o555)
    elsewhere = DuckDBWarehouse(public[0].path.parent / "below" / "nba.duckdb"), public[1]
    text = unprivileged("t.write(warehouse, t.days(1), 2)", elsewhere)
    public[0].path.parent.chmod(0o755)
    assert text.startswith("WarehouseError")
    assert "permissions" in text


def test_reading_a_file_that_may_only_be_read_works_or_is_a_named_error(public: tuple[DuckDBWarehouse, Path]) -> None:
    for path in public[0].path.parent.iterdir():
        path.chmod(0o444)
    assert re.match(r"WarehouseError|\{0: \(2, 1\)\}", unprivileged("print(t.state(warehouse))", public))


@pytest.mark.parametrize("content", [b"this is no database", b"\x00" * 20_000, b""], ids=["text", "zeros", "empty"])
def test_a_file_that_is_no_database_is_a_named_error_and_stays_as_it_is(
    warehouse: DuckDBWarehouse, content: bytes
) -> None:
    warehouse.path.write_bytes(content)
    with pytest.raises(WarehouseError, match=r"nba\.duckdb"):
        warehouse.ledger()
    if content:
        with pytest.raises(WarehouseError, match=r"nba\.duckdb"):
            write(warehouse, days(0))
        assert warehouse.path.read_bytes() == content


def test_a_question_that_is_no_sql_is_an_error_not_a_change(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    for sql in ("SELEKT 1", "DELETE FROM nba_raw.results", "SELECT * FROM nowhere"):
        with pytest.raises((WarehouseError, duckdb.Error)):
            warehouse.query(sql)
    assert warehouse.query("SELECT count(*) AS n FROM nba_raw.results").to_pylist() == [{"n": 2}]


def test_days_of_every_pattern_are_replaced_exactly(warehouse: DuckDBWarehouse) -> None:
    chance = random.Random(3)
    wanted: dict[int, tuple[int, int]] = {}
    for version in range(1, 15):
        chosen = chance.sample(range(12), chance.randint(1, 8))
        write(warehouse, days(*chosen), version, per_day=version % 4)
        wanted |= {n: (version % 4, version) for n in chosen}
    assert recorded(warehouse) == dict(sorted(wanted.items()))
    assert state(warehouse) == {n: w for n, w in sorted(wanted.items()) if w[0]}
