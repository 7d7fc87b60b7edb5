"""The versions of the features: lists in contractual order."""

from collections.abc import Mapping

from nba_pipeline.tables.predictions.features import BASELINE_25, Feature, FeatureVersion
from nba_pipeline.tables.predictions.form_features import FORM_FEATURES
from nba_pipeline.tables.predictions.game_features import GAME_FEATURES
from nba_pipeline.tables.predictions.matchup_features import MATCHUP_FEATURES
from nba_pipeline.tables.predictions.role_features import ROLE_FEATURES
from nba_pipeline.tables.predictions.similarity_features import SIMILARITY_FEATURES

V2 = FeatureVersion(
    "v2",
    (
        *BASELINE_25.features,
        *FORM_FEATURES,
        *ROLE_FEATURES,
        *GAME_FEATURES,
        *MATCHUP_FEATURES,
        *SIMILARITY_FEATURES,
    ),
)
VERSIONS: Mapping[str, FeatureVersion] = {v.name: v for v in (BASELINE_25, V2)}

# The version that the systems forecast from.
MODEL_FEATURES = V2


def all_features() -> tuple[Feature, ...]:
    """Every feature of any version once, in order of first appearance."""
    return tuple({f.name: f for v in VERSIONS.values() for f in v.features}.values())
