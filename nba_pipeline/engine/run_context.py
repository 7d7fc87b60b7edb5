"""What a computation knows of the run it belongs to."""

from dataclasses import dataclass, field
from datetime import datetime

from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.domain.markets import DEFAULT_MARKETS
from nba_pipeline.engine.plan import CompiledPlans, Plans
from nba_pipeline.engine.waivers import NO_WAIVERS, Waivers


@dataclass(frozen=True)
class RunContext:
    """Context of a run.

    Attributes:
        id: The id of the run.
        at: The moment of computation (UTC).
        markets: The markets to forecast.
        artifacts: The store of trained models; None where the run has none.
        waivers: The waived gaps.
        plans: Where the statements of a table come from.
    """

    id: str
    at: datetime
    markets: tuple[str, ...] = DEFAULT_MARKETS
    artifacts: ArtifactStore | None = None
    waivers: Waivers = NO_WAIVERS
    plans: Plans = field(default_factory=CompiledPlans)
