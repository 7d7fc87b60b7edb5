"""Name the extra of the package that brings an optional library which is not installed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nba_pipeline.common.errors import ConfigurationError

# Import names of the libraries that only an extra of setup.cfg installs.
EXTRAS: Mapping[str, frozenset[str]] = {
    "alerts": frozenset({"apprise"}),
    "live": frozenset({"nba_api", "pypdf", "tenacity"}),
    "mcp": frozenset({"mcp"}),
    "postgres": frozenset({"dagster_postgres", "psycopg2"}),
}


@contextmanager
def required_extra(extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import of the extra's libraries into an error that names the extra.

    Args:
        extra: A key of `EXTRAS`.
        purpose: What the libraries are needed for, as the subject of the error.

    Raises:
        ConfigurationError: A library of the extra is not installed. Any other failed import passes through.
    """
    try:
        yield
    except ModuleNotFoundError as e:
        library = (e.name or "").split(".")[0]
        if library not in EXTRAS[extra]:
            raise
        raise ConfigurationError(
            f"{purpose} needs {library}, which is not installed", f"pip install 'nba_pipeline[{extra}]'"
        ) from e
