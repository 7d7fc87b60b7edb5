"""Where files live that no table can hold (trained models, reports, exports): the protocol, and its two stores."""

from nba_pipeline.artifacts.protocol import ArtifactStore, Kind, Stored, transfer

__all__ = ["ArtifactStore", "Kind", "Stored", "transfer"]
