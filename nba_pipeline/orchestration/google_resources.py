"""The resources `bigquery` and `gcs` for assets of a team's own, configured by the variables that the pipeline reads."""

import dagster as dg

from nba_pipeline.config.settings import Settings

PROJECT = "NBA_PIPELINE_BIGQUERY_PROJECT"


def google_resources(settings: Settings) -> dict[str, dg.ConfigurableResource]:
    """Return dagster-gcp's resources where the settings name a project or a bucket; else Google's clients are not loaded.

    Args:
        settings: The settings; values are read from the environment when a run opens the resource.
    """
    found: dict[str, dg.ConfigurableResource] = {}
    location = settings.bigquery
    if location is not None:
        from nba_pipeline.warehouse.bigquery.client import BigQueryClientResource

        optional = {
            "location": (location.region, "NBA_PIPELINE_BIGQUERY_LOCATION"),
            "endpoint": (location.endpoint, "NBA_PIPELINE_BIGQUERY_ENDPOINT"),
        }
        named = {field: dg.EnvVar(variable) for field, (value, variable) in optional.items() if value is not None}
        found["bigquery"] = BigQueryClientResource(
            project=dg.EnvVar(PROJECT),
            anonymous=location.is_loopback,
            max_bytes_billed=location.max_bytes_billed,
            **named,  # pyright: ignore[reportArgumentType]
        )
    if settings.bucket is not None:
        from dagster_gcp import GCSResource

        found["gcs"] = GCSResource(project=dg.EnvVar(PROJECT) if location is not None else None)
    return found
