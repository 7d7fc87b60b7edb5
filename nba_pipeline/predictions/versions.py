"""The versions of the features: lists in contractual order."""

from collections.abc import Mapping

from nba_pipeline.predictions.features import BASELINE_25, Feature, FeatureVersion
from nba_pipeline.predictions.matchup_features import MATCHUP_FEATURES
from nba_pipeline.predictions.similarity_features import SIMILARITY_FEATURES

V2 = FeatureVersion("v2", (*BASELINE_25.features, *MATCHUP_FEATURES, *SIMILARITY_FEATURES))
VERSIONS: Mapping[str, FeatureVersion] = {v.name: v for v in (BASELINE_25, V2)}


def all_features() -> tuple[Feature, ...]:
    """Every feature of any version once, in order of first appearance."""
    return tuple({f.name: f for v in VERSIONS.values() for f in v.features}.values())
