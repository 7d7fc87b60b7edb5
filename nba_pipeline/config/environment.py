"""The variables of the environment that exist: a misspelt one is refused, since its default would run silently."""

from collections.abc import Mapping
from difflib import get_close_matches

from nba_pipeline.common.errors import ConfigurationError

PREFIX = "NBA_PIPELINE_"

# Read by the package.
READ = frozenset(
    PREFIX + name
    for name in (
        *("HOME", "SOURCE", "DATA", "SEED", "WAREHOUSE", "LOCK_TIMEOUT", "BUCKET", "MARKETS", "PUSHDOWN", "NOW"),
        *("BIGQUERY_PROJECT", "BIGQUERY_LOCATION", "BIGQUERY_PREFIX", "BIGQUERY_ENDPOINT", "BIGQUERY_MAX_BYTES_BILLED"),
        *("NBA_STATS_URL", "ODDS_API_URL", "ODDS_API_KEY", "ODDS_REGIONS", "ODDS_MINUTES_BEFORE", "INJURIES_URL"),
        *("INJURY_HOURS", "LIVE_PAUSE", "LIVE_TIMEOUT", "LIVE_ATTEMPTS", "ALERT_WEBHOOK"),
        *("ALERT_EMAIL_HOST", "ALERT_EMAIL_PORT", "ALERT_EMAIL_USER", "ALERT_EMAIL_PASSWORD", "ALERT_EMAIL_SECURITY"),
        *("ALERT_EMAIL_FROM", "ALERT_EMAIL_TO"),
    )
)
# Read by the files of deploy/, the tests and the harness programs.
OF_OTHERS = frozenset(
    PREFIX + name
    for name in (
        *("VERSION", "LOG_BUCKET", "LIVE_PROJECT", "TEST_DATA", "TEST_SAMPLES", "TESTS_FAULT_FILE"),
        *("RELIABILITY_HOME", "RELIABILITY_DATA"),
    )
)


def require_known(environment: Mapping[str, str]) -> None:
    """Refuse variables with the package's prefix that do not exist.

    Raises:
        ConfigurationError: names the variable, and the one that was probably meant.
    """
    unknown = sorted(n for n in environment if n.startswith(PREFIX) and n not in READ | OF_OTHERS)
    if not unknown:
        return
    close = get_close_matches(unknown[0], sorted(READ), n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    raise ConfigurationError(
        f"{', '.join(unknown)} is not a variable of nba_pipeline", f"{guess}README.md and docs/ list the variables"
    )
