"""The record of calls in a bucket: a call costs the upload of a small part, and no pod loses what another records."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nba_pipeline.common.bucket import ABSENT, Bucket, Superseded
from nba_pipeline.common.errors import ArtifactError, StateBusyError
from nba_pipeline.config.settings import Settings
from nba_pipeline.sources.call_log import COLUMNS, CallLog, Entry, Outcome, Usage
from nba_pipeline.state import attempts, parts
from nba_pipeline.state.home import HomeState
from nba_pipeline_tests.support.pods import PREFIX, SHARED, at_once
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

AT = datetime(2024, 11, 20, 12, tzinfo=UTC)
FIRST = f"{PREFIX}/state/calls/2024-11-20-0001.jsonl"
EARLIER = f"{PREFIX}/state/calls.sqlite"
Pod = Callable[[str], CallLog]


@pytest.fixture
def pod(service: StorageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    """The record as a pod sees it that has an empty disk of its own, by its name; it is noon of 20 November 2024."""
    del service
    monkeypatch.setenv("NBA_PIPELINE_NOW", AT.isoformat())
    return lambda name: CallLog(
        Settings.from_environment({**SHARED, "NBA_PIPELINE_HOME": str(tmp_path / name)}).open_state()
    )


def bought(credits: int, minutes: int = 0, key: str = "game") -> Entry:
    return Entry(
        AT + timedelta(minutes=minutes), "odds_api", "odds", key, "answered", Usage(credits, 500 - minutes, minutes)
    )


def absent(key: str) -> Entry:
    return Entry(AT, "nba_stats", "boxscore", key, "absent")


def spent(log: CallLog) -> int:
    return log.spent("odds_api", AT - timedelta(days=19))


def recorded_earlier(tmp_path: Path, *entries: Entry) -> bytes:
    """The one file of earlier releases, which is that of a home."""
    CallLog(HomeState(tmp_path / "earlier")).record_all(entries)
    with closing(sqlite3.connect(tmp_path / "earlier" / "payloads" / "calls.sqlite")) as db:
        return db.serialize()


def test_what_one_pod_records_another_reads_with_all_its_columns(pod: Pod) -> None:
    pod("first").record_all([bought(3), bought(7, minutes=5), absent("later")])
    other = pod("second")
    assert spent(other) == 10
    assert other.usage("odds_api") == (AT + timedelta(minutes=5), Usage(7, 495, 5))
    assert other.latest("absent", "nba_stats", "boxscore", "later") == AT
    assert other.reached("nba_stats") is None


def test_a_pod_reads_what_another_adds_to_a_part_that_it_has_read(pod: Pod) -> None:
    first, second = pod("first"), pod("second")
    for total in (1, 3, 5):
        first.record(bought(1))
        assert (spent(first), spent(second)) == (total, total)
        second.record(bought(1))
        assert (spent(first), spent(second)) == (total + 1, total + 1)


def test_a_record_that_was_never_written_is_empty_and_reading_writes_nothing(service: StorageService, pod: Pod) -> None:
    assert spent(pod("one")) == 0
    pod("one").record_all([])
    assert service.names == []


def test_a_call_uploads_no_more_than_one_part_however_long_the_record_is(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded, replace = [], Bucket.replace

    def measured(self: Bucket, name: str, content: bytes, generation: int) -> int:
        uploaded.append(len(content))
        return replace(self, name, content, generation)

    log = pod("one")
    log.record_all(absent(f"{n:06d}") for n in range(20_000))
    monkeypatch.setattr(Bucket, "replace", measured)
    monkeypatch.setattr(parts, "PART_BYTES", 1000)
    for _ in range(40):
        log.record(bought(1))
    assert max(uploaded) < 1100
    assert spent(pod("another")) == 40


def test_a_full_part_is_left_as_it_is_and_each_day_begins_its_own(
    service: StorageService, pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 50)
    log = pod("one")
    log.record(bought(1))
    full = service.content(FIRST)
    log.record(bought(2))
    monkeypatch.setenv("NBA_PIPELINE_NOW", (AT + timedelta(days=1)).isoformat())
    log.record(bought(4))
    names = ("2024-11-20-0001", "2024-11-20-0002", "2024-11-21-0001")
    assert service.names == [f"{PREFIX}/state/calls/{name}.jsonl" for name in names]
    assert service.content(FIRST) == full
    assert spent(pod("another")) == 7


def test_the_file_of_earlier_releases_counts_and_is_not_written_again(
    service: StorageService, pod: Pod, tmp_path: Path
) -> None:
    earlier = recorded_earlier(tmp_path, bought(100), absent("long ago"))
    Bucket(BUCKET).write(EARLIER, earlier)
    log = pod("one")
    assert log.latest("absent", "nba_stats", "boxscore", "long ago") == AT
    log.record(bought(1))
    assert (spent(log), spent(pod("another"))) == (101, 101)
    assert service.content(EARLIER) == earlier


def test_what_a_pod_of_an_earlier_release_still_writes_counts_too(pod: Pod, tmp_path: Path) -> None:
    log = pod("one")
    log.record(bought(1))
    assert spent(log) == 1
    for total in (100, 200):
        Bucket(BUCKET).write(EARLIER, recorded_earlier(tmp_path, bought(100)))
        assert spent(log) == total + 1


def test_a_part_that_is_removed_or_put_back_as_it_was_earlier_counts_as_it_is(
    service: StorageService, pod: Pod
) -> None:
    log = pod("one")
    log.record(bought(1))
    earlier = service.content(FIRST)
    log.record(bought(2))
    assert spent(log) == 3
    Bucket(BUCKET).write(FIRST, earlier)
    assert spent(log) == 1
    service.delete(FIRST)
    assert spent(log) == 0
    log.record(bought(4))
    assert spent(log) == spent(pod("another")) == 4


RECORDING = """
    import sys
    from datetime import UTC, datetime
    from nba_pipeline.config.settings import Settings
    from nba_pipeline.sources.call_log import COLUMNS, CallLog, Entry, Usage
    from nba_pipeline.state import parts

    parts.PART_BYTES = 500
    log = CallLog(Settings.from_environment().open_state())
    for n in range(15):
        log.record(Entry(datetime(2024, 11, 20, 12, n, tzinfo=UTC), "odds_api", sys.argv[1], str(n), "answered", Usage(1)))
"""


def test_three_processes_that_record_at_once_lose_nothing_and_nothing_counts_twice(
    service: StorageService, pod: Pod, tmp_path: Path
) -> None:
    at_once(service, RECORDING, "first", "second", "third", home=tmp_path)
    assert spent(pod("reader")) == 45
    assert len(service.names) > 5


def test_rows_are_added_to_what_a_faster_process_wrote_and_not_over_it(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast, replace = pod("slow"), pod("fast"), Bucket.replace
    fast.record(bought(1))

    def late(self: Bucket, name: str, content: bytes, generation: int) -> int:
        monkeypatch.setattr(Bucket, "replace", replace)
        fast.record(bought(10))
        return replace(self, name, content, generation)

    monkeypatch.setattr(Bucket, "replace", late)
    slow.record(bought(100))
    assert spent(slow) == spent(fast) == 111


def test_a_record_to_which_others_add_without_end_is_an_error_that_may_pass(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always_slower(*_: object) -> int:
        raise Superseded

    monkeypatch.setattr(Bucket, "replace", always_slower)
    monkeypatch.setattr(attempts, "WAIT_SECONDS", 0.0)
    with pytest.raises(StateBusyError, match=r"gs://.*state/calls") as error:
        pod("one").record(bought(1))
    assert error.value.transient


ROW = b'["2024-11-20T12:00:00+00:00", "odds_api", "odds", "game", "answered", 9, 9, 9]\n'


@pytest.mark.parametrize("content", [b"[1, 2", b"[1, 2]\n", b"{}\n", ROW + b"[1, 2]\n"])
def test_a_part_that_cannot_be_read_is_named_and_the_others_count_once_it_is_gone(
    service: StorageService, pod: Pod, content: bytes
) -> None:
    log = pod("one")
    log.record(bought(1))
    assert spent(log) == 1
    broken = FIRST.replace("0001", "0002")
    Bucket(BUCKET).write(broken, content)
    for _ in range(2):
        with pytest.raises(ArtifactError, match=r"gs://.*-0002\.jsonl cannot be read"):
            spent(log)
    service.delete(broken)
    assert spent(log) == 1


def test_an_object_that_is_no_part_is_not_read(pod: Pod) -> None:
    for name in ("calls/notes.txt", "calls/2024-11-20.jsonl", "calls_of_old.sqlite", "calls/2024-11-20-0001.jsonl.bak"):
        Bucket(BUCKET, PREFIX).write(f"state/{name}", b"no rows")
    pod("one").record(bought(1))
    assert spent(pod("one")) == 1


def test_a_part_that_goes_while_it_is_fetched_counts_for_nothing(
    service: StorageService, pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod("other").record(bought(1))
    read = Bucket.read_version

    def late(self: Bucket, name: str, generation: int) -> bytes | None:
        if Bucket.generation(self, name) != ABSENT:
            service.delete(FIRST)
        return read(self, name, generation)

    monkeypatch.setattr(Bucket, "read_version", late)
    assert spent(pod("one")) == 0


def test_lines_of_the_parts_are_the_rows_of_a_home_that_takes_them_back(
    service: StorageService, pod: Pod, tmp_path: Path
) -> None:
    """docs/deploy.md has this as a command."""
    pod("one").record_all([bought(3), absent("later")])
    home = HomeState(tmp_path / "home")
    home.record("calls", COLUMNS).append([tuple(json.loads(line)) for line in service.content(FIRST).splitlines()])
    assert (spent(CallLog(home)), CallLog(home).usage("odds_api")) == (3, (AT, Usage(3, 500, 0)))


@pytest.mark.parametrize("outcome", ["unreachable", "refused"])
def test_other_pods_are_told_of_failures(pod: Pod, outcome: Outcome) -> None:
    pod("first").record(Entry(AT, "nba_stats", "schedule", "2024-25", outcome))
    assert pod("second").latest(outcome, "nba_stats", "schedule", "2024-25") == AT
