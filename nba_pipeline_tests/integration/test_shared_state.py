"""State in a bucket: processes on different machines share it, several at once lose nothing, and a pod's disk may go."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore
from nba_pipeline.common.bucket import Bucket, Superseded, Version
from nba_pipeline.common.errors import ArtifactError, ConfigurationError, StateBusyError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.declared_books import read_books
from nba_pipeline.domain.identity.aliases import read_own_aliases
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.state import attempts
from nba_pipeline.state.bucket import DECLARATIONS, BucketState
from nba_pipeline.state.mirror import TRANSFERS, push
from nba_pipeline_tests.support.pods import PREFIX, SHARED, at_once
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

NOW = datetime(2024, 11, 20, 12, tzinfo=UTC)
DAY = date(2024, 11, 20)
GAP = Alert(AlertKind.GAP, "gap 1", "a day is missing")
DECLARED = f"{PREFIX}/state/declarations"
WAIVER = "written,table,first_day,last_day,until,by,reason\n2024-11-20,nba_raw.shots,2024-11-01,2024-11-01,,Ann,lost\n"


@pytest.fixture
def pod(service: StorageService, tmp_path: Path) -> Callable[[str], Settings]:
    """Settings of a pod with an empty disk of its own, by its name."""
    del service
    return lambda name: Settings.from_environment({**SHARED, "NBA_PIPELINE_HOME": str(tmp_path / name)})


def put(service: StorageService, name: str, content: bytes) -> None:
    del service  # its address is in the environment
    Bucket(BUCKET).write(name, content)


def test_what_one_pod_records_another_reads(pod: Callable[[str], Settings]) -> None:
    first, second = pod("first").open_state(), pod("second").open_state()
    AlertStore(first).report([AlertKind.GAP], [GAP], NOW)
    SourceState(first).record_built("run 1", {"shots": {DAY: "digest"}})
    assert [a.text for a in AlertStore(second).open_alerts()] == ["a day is missing"]
    assert SourceState(second).built() == {("shots", DAY): ("digest", "run 1")}


RECORDING = """
    import sys
    from datetime import date, timedelta
    from nba_pipeline.automation.alert_store import AlertStore
    from nba_pipeline.config.settings import Settings
    from nba_pipeline.sources.state_db import SourceState

    state = Settings.from_environment().open_state()
    for n in range(12):
        day = date(2024, 11, 1) + timedelta(days=n)
        SourceState(state).record_built(sys.argv[1], {sys.argv[1]: {day: str(n)}})
        AlertStore(state).put_note(f"{sys.argv[1]} {n}", str(n))
"""


def test_three_processes_that_record_at_once_lose_nothing(
    service: StorageService, pod: Callable[[str], Settings], tmp_path: Path
) -> None:
    names = ("shots", "rosters", "lineups")
    at_once(service, RECORDING, *names, home=tmp_path)
    state = pod("reader").open_state()
    assert len(SourceState(state).built()) == 12 * len(names)
    assert [AlertStore(state).note(f"{name} {n}") for name in names for n in range(12)] == [*map(str, range(12))] * 3


def test_a_change_is_made_on_what_a_faster_process_wrote_and_not_over_it(pod: Callable[[str], Settings]) -> None:
    slow, fast = SourceState(pod("slow").open_state()), SourceState(pod("fast").open_state())
    calls = []

    def change(db):
        calls.append(1)
        if len(calls) == 1:
            fast.record_outages(["shots"], {"shots": "down"}, NOW)
        db.execute("INSERT INTO outages VALUES ('lines', 'late', '')")

    slow.database.update(change)
    assert len(calls) == 2
    assert fast.outages() == {"shots": "down", "lines": "late"}


def test_a_change_that_fails_changes_nothing(pod: Callable[[str], Settings]) -> None:
    state = SourceState(pod("one").open_state())

    def change(db):
        db.execute("INSERT INTO outages VALUES ('lines', 'late', '')")
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        state.database.update(change)
    assert state.outages() == {}


def test_what_changes_nothing_writes_nothing(service: StorageService, pod: Callable[[str], Settings]) -> None:
    state = SourceState(pod("one").open_state())
    state.record_outages(["lines"], {}, NOW)
    assert state.outages() == {}
    assert service.names == []


def test_an_alert_that_stays_open_is_written_once_and_again_where_its_text_changes(
    pod: Callable[[str], Settings],
) -> None:
    alerts = AlertStore(pod("one").open_state())

    def written(alert: Alert) -> int:
        alerts.report([AlertKind.GAP], [alert], NOW)
        return Bucket(BUCKET).generation(f"{PREFIX}/state/alerts.sqlite")

    first = written(GAP)
    assert written(GAP) == first
    assert written(replace(GAP, text="two days are missing")) != first


def test_a_state_that_others_change_without_end_is_an_error_that_may_pass(
    pod: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def always_slower(*_: object) -> int:
        raise Superseded

    monkeypatch.setattr(Bucket, "replace", always_slower)
    monkeypatch.setattr(attempts, "WAIT_SECONDS", 0.0)
    with pytest.raises(StateBusyError, match=r"gs://.*alerts.sqlite") as error:
        AlertStore(pod("one").open_state()).put_note("a", "b")
    assert error.value.transient


def test_a_write_whose_answer_was_lost_is_not_taken_for_that_of_another(service: StorageService) -> None:
    """Google's client repeats a request without an answer: the second meets the object that the first wrote."""
    del service
    bucket, upload = Bucket(BUCKET), Bucket._upload

    def twice(self, blob, content, generation):
        upload(self, blob, content, generation)
        upload(self, blob, content, generation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bucket, "_upload", twice)
        generation = bucket.replace("a", b"1", 0)
    assert bucket.generation("a") == generation
    with pytest.raises(Superseded):
        bucket.replace("a", b"2", 0)
    assert bucket.read("a") == b"1"


def test_a_large_state_is_replaced_only_in_place_of_the_generation_that_it_follows_from(
    service: StorageService,
) -> None:
    """Content above 8 MB is sent in parts, and the generation counts when the last one is there."""
    del service
    bucket, large = Bucket(BUCKET), bytes(9 * 2**20)
    first = bucket.replace("a", large, 0)
    second = bucket.replace("a", large + b"2", first)
    with pytest.raises(Superseded):
        bucket.replace("a", large + b"3", first)
    assert bucket.read_version("a", second) == large + b"2"
    assert bucket.read_version("a", first) is None


def test_declarations_in_the_bucket_are_those_of_every_pod(
    service: StorageService, pod: Callable[[str], Settings]
) -> None:
    put(service, f"{DECLARED}/waivers.csv", WAIVER.encode())
    put(service, f"{DECLARED}/aliases.csv", b"alias,player_name\nJo Doe,John Doe\n")
    put(service, f"{DECLARED}/books.csv", b"book,kind,region,first_day,last_day\nnew book,sportsbook,us,,\n")
    put(service, f"{DECLARED}/lines/prop_lines_1.csv", b"game_date\n")
    for name in ("first", "second"):
        declared = pod(name).open_state().declarations()
        assert list(read_waivers(declared, ["nba_raw.shots"], DAY).of("nba_raw.shots")) == [date(2024, 11, 1)]
        assert read_own_aliases(declared) == {"jodoe": "johndoe"}
        assert [b.key for b in read_books(declared)] == ["new book"]
        assert pod(name).open_source().home == declared
        assert (declared / "lines" / "prop_lines_1.csv").is_file()


def test_a_declaration_that_is_changed_or_taken_out_is_so_at_the_next_look(
    service: StorageService, pod: Callable[[str], Settings]
) -> None:
    state = pod("one").open_state()
    put(service, f"{DECLARED}/waivers.csv", b"")
    assert (state.declarations() / "waivers.csv").read_bytes() == b""
    put(service, f"{DECLARED}/waivers.csv", WAIVER.encode())
    assert (state.declarations() / "waivers.csv").read_text() == WAIVER
    Bucket(BUCKET)._client.bucket(BUCKET).delete_blob(f"{DECLARED}/waivers.csv")
    assert not (state.declarations() / "waivers.csv").exists()


@pytest.mark.parametrize("name", ["../../escaped.csv", ".hidden.csv", "a/../../../escaped.csv", "folder/", "/a.csv"])
def test_an_object_that_is_no_file_of_the_directory_is_not_fetched(
    pod: Callable[[str], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    listed = [Version(f"state/declarations/{name}", 1, 1, NOW)]
    monkeypatch.setattr(Bucket, "versions", lambda *_: listed)
    monkeypatch.setattr(Bucket, "read_version", lambda *_: b"x")
    pod("one").open_state().declarations()
    assert [p for p in tmp_path.rglob("*") if p.is_file() and not p.name.startswith(".mirror")] == []
    listed[0] = Version("state/declarations/a.csv", 1, 1, NOW)
    assert (pod("one").open_state().declarations() / "a.csv").read_bytes() == b"x"


def put_declarations(service: StorageService, *names: str) -> None:
    for name in names:
        put(service, f"{DECLARED}/{name}", b"earlier")


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, between the list of the objects and the first that is fetched."""
    read, due = Bucket.read_version, [happens]

    def late(self: Bucket, name: str, generation: int) -> bytes | None:
        while due:
            due.pop()()
        return read(self, name, generation)

    monkeypatch.setattr(Bucket, "read_version", late)


def test_a_file_that_is_replaced_while_it_is_fetched_is_fetched_as_it_is_then(
    service: StorageService, pod: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_declarations(service, "books.csv")
    meanwhile(monkeypatch, lambda: put(service, f"{DECLARED}/books.csv", b"later"))
    assert (pod("one").open_state().declarations() / "books.csv").read_bytes() == b"later"


def test_a_file_that_is_written_here_while_it_is_fetched_stays_and_is_known_to_be_changed(
    service: StorageService, pod: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_declarations(service, "books.csv")
    here = pod("one").home / "declarations"
    pod("one").open_state().declarations()
    put(service, f"{DECLARED}/books.csv", b"of another pod")
    meanwhile(monkeypatch, lambda: (here / "books.csv").write_bytes(b"of here"))
    pod("one").open_state().declarations()
    assert (here / "books.csv").read_bytes() == b"of here"
    assert not push(Bucket(BUCKET, PREFIX), DECLARATIONS, here)


def test_files_are_left_unfetched_after_the_first_that_cannot_be_fetched(
    service: StorageService, pod: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would wait for the service as long as the first."""
    put_declarations(service, *(f"{n}.csv" for n in range(5 * TRANSFERS)))
    tried = []

    def fail(*asked: object) -> None:
        tried.append(asked)
        time.sleep(0.1)
        raise ArtifactError("no answer", "wait")

    monkeypatch.setattr(Bucket, "read_version", fail)
    with pytest.raises(ArtifactError):
        pod("one").open_state().declarations()
    assert len(tried) < 3 * TRANSFERS


def test_the_source_that_fills_the_home_is_that_of_all_pods(pod: Callable[[str], Settings]) -> None:
    pod("first").record_origin()
    other = Settings.from_environment(
        {**SHARED, "NBA_PIPELINE_HOME": str(pod("second").home), "NBA_PIPELINE_SEED": "7"}
    )
    pod("second").open_source()
    with pytest.raises(ConfigurationError, match="was filled from"):
        other.open_source()


def test_of_two_pods_that_begin_with_different_sources_the_slower_one_is_refused(
    pod: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    slower = Settings.from_environment(
        {**SHARED, "NBA_PIPELINE_HOME": str(pod("slower").home), "NBA_PIPELINE_SEED": "7"}
    )
    declare = BucketState.declare_once

    def late(self: BucketState, name: str, content: bytes) -> None:
        monkeypatch.setattr(BucketState, "declare_once", declare)
        pod("faster").record_origin()
        declare(self, name, content)

    monkeypatch.setattr(BucketState, "declare_once", late)
    with pytest.raises(ConfigurationError, match="was filled from"):
        slower.record_origin()


def test_a_place_of_declarations_is_named_where_an_operator_finds_it(pod: Callable[[str], Settings]) -> None:
    assert pod("one").open_state().declared_at("aliases.csv") == f"gs://{BUCKET}/{DECLARED}/aliases.csv"


def test_state_in_a_bucket_needs_a_bucket() -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_BUCKET is not set"):
        Settings.from_environment({"NBA_PIPELINE_STATE": "bucket"})
