"""The asset check `season_frame`: holds the schedule against the number of games that a season and each team have."""

import dagster as dg

from nba_pipeline.common import clock
from nba_pipeline.orchestration.assets import Pipeline
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.schedule_review import REMEDY, listed_seasons
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.verification.asset_check import days_of_run


@dg.asset_check(
    asset=asset_key(SCHEDULE),
    name="season_frame",
    description=(
        "Counts the games that the source lists of the run's seasons: 1,230 of a regular season, 82 of each team, 6 of the "
        "play-in and the final of the cup. A schedule of part of a season is described and not judged."
    ),
)
def frame_of_the_seasons(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Compare the seasons of the run's days with their frame; a difference is a warning."""
    span = days_of_run(context.run.tags)
    if span is None:
        return dg.AssetCheckResult(passed=True, description="the run has no days")
    with coded_failures():
        frames = listed_seasons(pipeline.settings.open_source(), *span, clock.today())
    wrong = [f for f in frames if f.is_wrong]
    text = "\n".join(f"{f.season}: {f}" for f in frames) or "the source lists no game of the season"
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{text}\nFix: {REMEDY}" if wrong else text,
        metadata={f"games_{f.season.replace('-', '_')}": f.games for f in frames},
    )
