"""Artifacts in a Google Cloud Storage bucket."""

from dataclasses import dataclass

from nba_pipeline.artifacts.protocol import (
    Kind,
    Stored,
    content_location,
    digest,
    named_location,
    require_location,
    require_unaltered,
)
from nba_pipeline.common.bucket import ABSENT, Bucket, Superseded
from nba_pipeline.common.errors import ArtifactError


@dataclass(frozen=True)
class BucketArtifacts:
    """The artifacts below the prefix of a bucket."""

    bucket: Bucket

    def put(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = content_location(kind, name, content)
        stored = Stored(location, digest(content), len(content))
        try:
            self.bucket.replace(location, content, ABSENT)
        except Superseded:
            self.get(location, stored.sha256)
        return stored

    def get(self, location: str, sha256: str) -> bytes:
        where = self.address(location)
        content = self.bucket.read(location)
        if content is None:
            raise ArtifactError(
                f"{where} is missing",
                "restore it from the bucket's earlier versions or a backup, or run again what wrote it; "
                "if the bucket was changed, check NBA_PIPELINE_BUCKET",
            )
        return require_unaltered(content, sha256, where)

    def publish(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = named_location(kind, name)
        self.bucket.write(location, content)
        return Stored(location, digest(content), len(content))

    def read(self, kind: Kind, name: str) -> bytes | None:
        return self.bucket.read(named_location(kind, name))

    def names(self, kind: Kind) -> set[str]:
        return {v.name.removeprefix(f"{kind}/") for v in self.bucket.versions(f"{kind}/")}

    def address(self, location: str) -> str:
        return self.bucket.address(require_location(location))
