"""Both artifact stores keep one contract: what was put is given back unaltered, or there is an error that says why not."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from gcp_storage_emulator.handlers import objects

from nba_pipeline.artifacts import ArtifactStore, transfer
from nba_pipeline.artifacts.gcs import BucketArtifacts
from nba_pipeline.artifacts.local import ABANDONED_AFTER_SECONDS, LocalArtifacts
from nba_pipeline.artifacts.protocol import digest
from nba_pipeline.common.bucket import Bucket
from nba_pipeline.common.errors import ArtifactError, ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

PREFIX = "team/props"
NAME = "xgboost_v1/points.json"
LARGE = os.urandom(9 * 2**20)  # above the size from which Google's client uploads in several requests


class OnDisk:
    """A home below a directory, and ways to harm it."""

    def __init__(self, home: Path) -> None:
        self.environment = {"NBA_PIPELINE_HOME": str(home)}
        self._root = home / "artifacts"

    def files(self) -> list[str]:
        return sorted(str(p.relative_to(self._root)) for p in self._root.rglob("*") if p.is_file())

    def alter(self, location: str, content: bytes) -> None:
        (self._root / location).write_bytes(content)

    def lose(self, location: str) -> None:
        (self._root / location).unlink()


class InBucket:
    """A prefix in a bucket of the emulator, and ways to harm it."""

    def __init__(self, service: StorageService) -> None:
        self.environment = {"NBA_PIPELINE_BUCKET": f"gs://{BUCKET}/{PREFIX}", "STORAGE_EMULATOR_HOST": service.address}
        self._service = service

    def files(self) -> list[str]:
        return [n.removeprefix(f"{PREFIX}/") for n in self._service.names]

    def alter(self, location: str, content: bytes) -> None:
        self._service.overwrite(f"{PREFIX}/{location}", content)

    def lose(self, location: str) -> None:
        self._service.delete(f"{PREFIX}/{location}")


Place = OnDisk | InBucket


@pytest.fixture(params=["on disk", "in a bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return OnDisk(tmp_path) if request.param == "on disk" else InBucket(request.getfixturevalue("service"))


@pytest.fixture
def store(place: Place) -> ArtifactStore:
    return Settings.from_environment(place.environment).open_artifacts()


@pytest.mark.parametrize("content", [b"", b"\x00\xff\r\n", LARGE], ids=["empty", "bytes", "large"])
def test_what_was_put_is_given_back(store: ArtifactStore, content: bytes) -> None:
    stored = store.put("models", NAME, content)
    assert (stored.sha256, stored.bytes) == (digest(content), len(content))
    assert store.get(stored.location, stored.sha256) == content


def test_what_was_published_is_read_by_its_name_and_the_latest_counts(store: ArtifactStore) -> None:
    assert store.read("reports", "index.html") is None
    store.publish("reports", "index.html", b"1")
    store.publish("reports", "index.html", b"2")
    assert store.read("reports", "index.html") == b"2"


def test_a_location_names_the_content_and_does_not_depend_on_the_store(store: ArtifactStore) -> None:
    assert store.put("models", NAME, b"1").location == f"models/xgboost_v1/points.{digest(b'1')}.json"


def test_the_same_content_put_again_is_one_artifact(store: ArtifactStore, place: Place) -> None:
    stored = store.put("models", NAME, b"1")
    assert store.put("models", NAME, b"1") == stored
    assert place.files() == [stored.location]


def test_other_content_under_the_same_name_stands_beside_the_first(store: ArtifactStore) -> None:
    first, second = store.put("models", NAME, b"1"), store.put("models", NAME, b"2")
    assert store.get(first.location, first.sha256) == b"1"
    assert store.get(second.location, second.sha256) == b"2"


def test_puts_at_the_same_time_agree(store: ArtifactStore, place: Place) -> None:
    stores = [Settings.from_environment(place.environment).open_artifacts() for _ in range(8)]
    with ThreadPoolExecutor(len(stores)) as pool:
        stored = set(pool.map(lambda s: s.put("models", NAME, b"1" * 100_000), stores))
    (one,) = stored
    assert store.get(one.location, one.sha256) == b"1" * 100_000
    assert place.files() == [one.location]


def test_altered_content_is_never_given_out_nor_overwritten(store: ArtifactStore, place: Place) -> None:
    stored = store.put("models", NAME, b"good")
    place.alter(stored.location, b"evil")
    where = store.address(stored.location)
    for attempt in (lambda: store.get(stored.location, stored.sha256), lambda: store.put("models", NAME, b"good")):
        with pytest.raises(ArtifactError, match="was altered") as error:
            attempt()
        assert where in error.value.what
        assert digest(b"evil") in error.value.what
        assert "restore" in error.value.remedy


def test_content_with_another_hash_than_asked_for_is_not_given_out(store: ArtifactStore) -> None:
    stored = store.put("models", NAME, b"1")
    with pytest.raises(ArtifactError, match="was altered"):
        store.get(stored.location, digest(b"2"))


def test_a_missing_artifact_is_named_with_what_to_do(store: ArtifactStore, place: Place) -> None:
    stored = store.put("models", NAME, b"1")
    place.lose(stored.location)
    with pytest.raises(ArtifactError, match="is missing") as error:
        store.get(stored.location, stored.sha256)
    assert store.address(stored.location) in error.value.what
    assert "run again" in error.value.remedy
    assert store.put("models", NAME, b"1") == stored
    assert store.get(stored.location, stored.sha256) == b"1"


def test_the_names_of_a_kind_are_those_that_were_stored(store: ArtifactStore) -> None:
    assert store.names("reports") == set()
    for name in ("2024-01-05.html", "seasons/2023-24.html"):
        store.publish("reports", name, b"page")
    store.publish("exports", "table.csv", b"rows")
    assert store.names("reports") == {"2024-01-05.html", "seasons/2023-24.html"}


def test_a_published_file_lies_under_its_name_and_is_replaced_whole(store: ArtifactStore, place: Place) -> None:
    first = store.publish("reports", "2024-01-05.html", b"morning")
    second = store.publish("reports", "2024-01-05.html", b"evening")
    assert place.files() == [first.location] == ["reports/2024-01-05.html"]
    assert store.get(second.location, second.sha256) == b"evening"
    with pytest.raises(ArtifactError):
        store.get(first.location, first.sha256)


@pytest.mark.parametrize(
    "name", ["", "../x", "a/../b", "/x", "a//b", "a/", ".hidden", "a/.b", "a b", "ä", "a\n", "x" * 161]
)
def test_a_name_that_some_store_could_not_keep_is_refused(store: ArtifactStore, place: Place, name: str) -> None:
    for write in (store.put, store.publish):
        with pytest.raises(ArtifactError, match="cannot name an artifact"):
            write("models", name, b"1")
    assert place.files() == []


@pytest.mark.parametrize(
    "location", ["", "../nba.duckdb", "models/../../nba.duckdb", "/etc/passwd", "other/x", ".incoming/x"]
)
def test_a_location_outside_the_store_is_refused(store: ArtifactStore, location: str) -> None:
    with pytest.raises(ArtifactError, match="not the location of an artifact"):
        store.get(location, digest(b""))


def test_artifacts_are_copied_between_stores_under_their_location(tmp_path: Path, service: StorageService) -> None:
    disk, bucket = LocalArtifacts(tmp_path / "one"), BucketArtifacts(Bucket(BUCKET))
    stored = disk.put("models", NAME, b"1")
    assert transfer(stored.location, stored.sha256, disk, bucket) == stored
    assert transfer(stored.location, stored.sha256, bucket, LocalArtifacts(tmp_path / "two")) == stored
    assert service.content(stored.location) == b"1"


def test_a_moved_home_keeps_its_artifacts(tmp_path: Path) -> None:
    stored = LocalArtifacts(tmp_path / "old").put("models", NAME, b"1")
    (tmp_path / "old").rename(tmp_path / "new")
    assert LocalArtifacts(tmp_path / "new").get(stored.location, stored.sha256) == b"1"


KILLED = """
    import os, signal
    from {module} import {name} as owner
    from nba_pipeline.config.settings import Settings

    calls, original = [], owner.{method}

    def die(*arguments, **more):
        calls.append(1)
        if len(calls) == {call}:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **more)

    owner.{method} = die
    Settings.from_environment().open_artifacts().put("models", "{artifact}", bytes({size}))
"""


def killed_during_put(place: Place, module: str, name: str, method: str, call: int) -> None:
    """Put a large artifact in a process that dies at the n-th call of a function on the way."""
    script = textwrap.dedent(KILLED).format(
        module=module, name=name, method=method, call=call, artifact=NAME, size=len(LARGE)
    )
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | place.environment, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("place", "module", "name", "method", "call"),
    [
        ("on disk", "nba_pipeline.common.files", "os", "fsync", 1),
        ("on disk", "pathlib", "Path", "replace", 1),
        ("in a bucket", "requests.adapters", "HTTPAdapter", "send", 1),
        ("in a bucket", "requests.adapters", "HTTPAdapter", "send", 2),
    ],
    indirect=["place"],
)
def test_a_put_that_is_killed_leaves_nothing_that_get_would_return(
    place: Place, module: str, name: str, method: str, call: int
) -> None:
    content = bytes(len(LARGE))
    killed_during_put(place, module, name, method, call)
    store = Settings.from_environment(place.environment).open_artifacts()
    location = f"models/xgboost_v1/points.{digest(content)}.json"
    with pytest.raises(ArtifactError, match="is missing"):
        store.get(location, digest(content))
    assert store.get(store.put("models", NAME, content).location, digest(content)) == content


def test_what_killed_processes_left_is_swept_by_a_later_put(tmp_path: Path) -> None:
    place = OnDisk(tmp_path)
    killed_during_put(place, "pathlib", "Path", "replace", 1)
    (left,) = (tmp_path / "artifacts" / ".incoming").iterdir()
    store = LocalArtifacts(tmp_path / "artifacts")
    store.put("models", NAME, b"young ones may still be at work")
    assert left.exists()
    long_ago = left.stat().st_mtime - ABANDONED_AFTER_SECONDS - 1
    os.utime(left, (long_ago, long_ago))
    stored = store.put("models", NAME, b"1")
    assert not left.exists()
    assert store.get(stored.location, stored.sha256) == b"1"


def test_a_full_disk_leaves_nothing_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    store = LocalArtifacts(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ArtifactError, match="No space left") as error:
            store.put("models", NAME, b"1")
    assert "disk space" in error.value.remedy
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.usefixtures("service")
def test_a_bucket_that_does_not_exist_is_named() -> None:
    with pytest.raises(ArtifactError, match=r"gs://no-such/.*the bucket does not exist"):
        BucketArtifacts(Bucket("no-such")).put("models", NAME, b"1")


def test_denied_access_names_the_role_and_nothing_of_the_request(
    service: StorageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(_request: object, response: Any, _storage: object) -> None:
        response.status = HTTPStatus.FORBIDDEN
        response.json({"error": {"message": "somebody@example.iam lacks storage.objects.create"}})

    monkeypatch.setattr(objects, "_multipart_upload", deny)
    with pytest.raises(ArtifactError, match="access denied") as error:
        BucketArtifacts(Bucket(BUCKET)).put("models", NAME, b"1")
    assert "roles/storage.objectUser" in error.value.remedy
    assert "somebody" not in str(error.value)
    assert service.address not in str(error.value)


def test_without_credentials_the_error_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(ArtifactError, match="no usable application default credentials") as error:
        BucketArtifacts(Bucket(BUCKET)).get(f"models/{NAME}", digest(b""))
    assert "gcloud auth application-default login" in error.value.remedy


@pytest.mark.parametrize(
    "given", ["nba-props", "gs://", "s3://x", "gs://UPPER", "gs://nba-props/a//b", "gs://nba-props/a b"]
)
def test_a_bucket_that_is_no_address_is_refused_when_settings_are_read(given: str) -> None:
    with pytest.raises(ConfigurationError, match="NBA_PIPELINE_BUCKET"):
        Settings.from_environment({"NBA_PIPELINE_BUCKET": given})


@pytest.mark.parametrize(
    ("given", "bucket", "prefix"),
    [("gs://nba-props", "nba-props", ""), ("gs://nba-props/", "nba-props", ""), ("gs://b.c_d/e/f/", "b.c_d", "e/f")],
)
def test_a_bucket_is_read_with_its_prefix(given: str, bucket: str, prefix: str) -> None:
    assert Settings.from_environment({"NBA_PIPELINE_BUCKET": given}).open_artifacts() == BucketArtifacts(
        Bucket(bucket, prefix)
    )
