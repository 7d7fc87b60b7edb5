"""Read the environment: every variable of the pipeline with its type, its bounds and how a wrong value is fixed.

No other module touches `os.environ`. An empty variable counts as unset.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from nba_pipeline.common.errors import ConfigurationError

SourceName = Literal["simulator", "files", "nba_stats"]
WarehouseName = Literal["duckdb", "bigquery"]
SnapshotTime = Literal["never", "after_run"]
StatePlace = Literal["home", "bucket"]
MailSecurity = Literal["starttls", "tls", "none"]

PREFIX = "NBA_PIPELINE_"
# Read by the files of deploy/, the tests and the harness programs.
OF_OTHERS = frozenset(
    PREFIX + name
    for name in (
        *("VERSION", "LOG_BUCKET", "LIVE_PROJECT", "LIVE_ENDPOINT", "TEST_DATA", "TEST_SAMPLES", "TEST_CASES"),
        *("TESTS_FAULT_FILE", "RELIABILITY_HOME", "RELIABILITY_DATA"),
    )
)
SERVICE_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
LARGEST = 2**53 - 1  # every whole number up to it is a float


def _whole(text: str) -> int:
    """Parse a whole number; 1e9 is one, 1.5 is none."""
    value = float(text)
    if not value.is_integer():
        raise ValueError
    return int(value)


def _whole_numbers(text: str) -> tuple[int, ...]:
    return tuple(_whole(part) for part in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _parts(text: str, *schemes: str) -> SplitResult:
    """Split an address that can be sent: one of these schemes, a host, a valid port or none, printable ASCII without blanks."""
    parts = urlsplit(text)
    _ = parts.port  # raises ValueError where it is none
    if parts.scheme not in schemes or not parts.hostname or not _is_sendable(text) or " " in text:
        raise ValueError
    return parts


def _service_address(text: str) -> str:
    parts = _parts(text, "http", "https")
    if parts.query or parts.username:
        raise ValueError
    return text.rstrip("/")


def _secret_address(text: str) -> str:
    address = text.strip()
    if "@" in _parts(address, "http", "https").netloc:
        raise ValueError
    return address


def _alert_services(text: str) -> tuple[str, ...]:
    """Split addresses of services at blanks and line ends; each begins with a scheme, which names the service."""
    addresses = tuple(text.split())
    if not addresses or not all(SERVICE_ADDRESS.fullmatch(a) and a.isprintable() for a in addresses):
        raise ValueError
    return addresses


def _headers(text: str) -> dict[str, str]:
    headers = json.loads(text)
    if not isinstance(headers, dict):
        raise ValueError
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name) or not isinstance(value, str) or not _is_sendable(value):
            raise ValueError
    return headers


def _is_sendable(text: str) -> bool:
    """Whether a text can be sent in a header: printable ASCII, without blanks around."""
    return text.isascii() and text.isprintable() and text == text.strip()


def _key(text: str) -> str:
    """Strip a key, as a file or a shell may end it with a newline; blanks and letters that no key has are a mistake."""
    key = text.strip()
    if not _is_sendable(key) or " " in key:
        raise ValueError
    return key


def _proxy_address(text: str) -> str:
    _parts(text, "http", "https", "socks5", "socks5h")
    return text


Whole = Annotated[int, BeforeValidator(_whole)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Address = Annotated[str, AfterValidator(_service_address)]
SecretAddress = Annotated[str, AfterValidator(_secret_address)]
Day = Annotated[date, BeforeValidator(date.fromisoformat)]
Headers = Annotated[dict[str, str] | None, NoDecode, BeforeValidator(_headers)]
AlertServices = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_alert_services)]
Proxy = Annotated[str, AfterValidator(str.strip), AfterValidator(_proxy_address)]
ServiceKey = Annotated[str, AfterValidator(_key)]
Moment = Annotated[AwareDatetime, BeforeValidator(datetime.fromisoformat)]


def _variable(
    name: str, fix: str = "leave it unset", problem: str = "", default: Any = None, shown: bool = True
) -> Any:
    """Declare one variable.

    Args:
        name: Its name in the environment.
        fix: What to set instead of a wrong value.
        problem: What a wrong value is not, in place of the value, for variables that may contain secrets.
        default: Its value where it is not set.
        shown: False for a secret, which no representation may contain.
    """
    return Field(default=default, validation_alias=name, repr=shown, json_schema_extra={"fix": fix, "problem": problem})


def _number(
    name: str, least: float = 0, most: float = LARGEST, default: float | None = None, kind: str = "number"
) -> Any:
    bounds = f"from {least:g} to {most:g}" if most < LARGEST else "that is not negative"
    fix = {"fix": f"give a {kind} {bounds}, or leave it unset", "problem": ""}
    return Field(default=default, validation_alias=name, ge=least, le=most, json_schema_extra={**fix})


def _integer(name: str, least: int = 0, most: float = LARGEST, default: int | None = None) -> Any:
    return _number(name, least, most, default, "whole number")


def _choice(name: str, choices: Any, default: str | None = None) -> Any:
    return _variable(name, f"set it to one of: {', '.join(get_args(choices))}", default=default)


def _address(name: str) -> Any:
    return _variable(
        name, "give http(s)://host[:port][/path], without user or query", "is not the address of a service"
    )


_PROXY = "give http://[user:password@]host:port, user and password percent-encoded, or leave it unset"
_HOURS = "give whole numbers from 0 to 23, with commas between"
_MINUTES = "give whole numbers from 0 to 10080, with commas between"


class Environment(BaseSettings):
    """The variables with their types; None or an empty tuple where one is not set and has no default here."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", case_sensitive=True, validate_default=False, hide_input_in_errors=True
    )

    home: str = _variable("NBA_PIPELINE_HOME", default=".nba_pipeline")
    source: SourceName = _choice("NBA_PIPELINE_SOURCE", SourceName, default="simulator")
    data: str | None = _variable("NBA_PIPELINE_DATA")
    seed: Whole = _integer("NBA_PIPELINE_SEED", default=20211019)
    warehouse: WarehouseName = _choice("NBA_PIPELINE_WAREHOUSE", WarehouseName, default="duckdb")
    lock_timeout: float | None = _number("NBA_PIPELINE_LOCK_TIMEOUT")
    snapshot: SnapshotTime = _choice("NBA_PIPELINE_SNAPSHOT", SnapshotTime, default="never")
    bucket: str | None = _variable("NBA_PIPELINE_BUCKET")
    state: StatePlace = _choice("NBA_PIPELINE_STATE", StatePlace, default="home")
    first_day: Day | None = _variable(
        "NBA_PIPELINE_FIRST_DAY", "give the first day of the data as YYYY-MM-DD, or leave it unset"
    )
    markets: Names = _variable("NBA_PIPELINE_MARKETS", default=())
    pushdown: Names = _variable("NBA_PIPELINE_PUSHDOWN", default=())
    now: Moment | None = _variable(
        "NBA_PIPELINE_NOW", "give a moment with its offset: 2024-11-05T12:30:00-05:00, or leave it unset"
    )

    bigquery_project: str = _variable("NBA_PIPELINE_BIGQUERY_PROJECT", default="")
    bigquery_location: str | None = _variable("NBA_PIPELINE_BIGQUERY_LOCATION")
    bigquery_prefix: str = _variable("NBA_PIPELINE_BIGQUERY_PREFIX", default="")
    bigquery_endpoint: str | None = _variable("NBA_PIPELINE_BIGQUERY_ENDPOINT")
    bigquery_max_bytes_billed: Whole = _integer("NBA_PIPELINE_BIGQUERY_MAX_BYTES_BILLED", default=0)

    nba_stats_url: Address | None = _address("NBA_PIPELINE_NBA_STATS_URL")
    nba_cdn_url: Address | None = _address("NBA_PIPELINE_NBA_CDN_URL")
    odds_api_url: Address | None = _address("NBA_PIPELINE_ODDS_API_URL")
    injuries_url: Address | None = _address("NBA_PIPELINE_INJURIES_URL")
    odds_api_key: ServiceKey | None = _variable(
        "NBA_PIPELINE_ODDS_API_KEY",
        "copy the key of the service again: one word of ASCII characters",
        "is not a key: it has blanks, line breaks or characters that are not ASCII",
        shown=False,
    )
    nba_headers: Headers = _variable(
        "NBA_PIPELINE_NBA_HEADERS",
        'give a JSON object of names and texts, such as {"User-Agent": "..."}',
        "is not a JSON object of names and texts of printable ASCII",
        shown=False,
    )
    nba_proxy: Proxy | None = _variable("NBA_API_PROXY", _PROXY, "is not the address of a proxy", shown=False)
    odds_proxy: Proxy | None = _variable(
        "NBA_PIPELINE_ODDS_PROXY", _PROXY, "is not the address of a proxy", shown=False
    )
    odds_version: Annotated[str, Field(pattern="^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] | None = _variable(
        "NBA_PIPELINE_ODDS_API_VERSION", "give the part of the path before /sports, such as v4"
    )
    odds_key_header: Annotated[str, Field(pattern="^[A-Za-z0-9-]+$")] | None = _variable(
        "NBA_PIPELINE_ODDS_API_KEY_HEADER", "give the name of a header, such as X-API-Key"
    )
    odds_monthly_credits: Whole | None = _integer("NBA_PIPELINE_ODDS_MONTHLY_CREDITS")
    odds_regions: str | None = _variable("NBA_PIPELINE_ODDS_REGIONS")
    odds_minutes_before: Annotated[
        tuple[Annotated[int, Field(ge=0, le=7 * 24 * 60)], ...], NoDecode, BeforeValidator(_whole_numbers)
    ] = _variable("NBA_PIPELINE_ODDS_MINUTES_BEFORE", _MINUTES, default=())
    injury_hours: Annotated[
        tuple[Annotated[int, Field(ge=0, le=23)], ...], NoDecode, BeforeValidator(_whole_numbers)
    ] = _variable("NBA_PIPELINE_INJURY_HOURS", _HOURS, default=())
    injury_minutes_before: Whole | None = _integer("NBA_PIPELINE_INJURY_MINUTES_BEFORE", 0, 1440)
    schedule_minutes: Whole | None = _integer("NBA_PIPELINE_SCHEDULE_MINUTES", 0, 1440)
    live_pause: float | None = _number("NBA_PIPELINE_LIVE_PAUSE", 0, 3600)
    live_timeout: float | None = _number("NBA_PIPELINE_LIVE_TIMEOUT", 0.1, 3600)
    live_attempts: Whole | None = _integer("NBA_PIPELINE_LIVE_ATTEMPTS", 1, 100)
    live_patience: float | None = _number("NBA_PIPELINE_LIVE_PATIENCE", 0, 86400)

    alert_webhook: SecretAddress | None = _variable(
        "NBA_PIPELINE_ALERT_WEBHOOK",
        "set it to the https URL of the webhook, without user, blanks and line breaks",
        "is not a URL",
        shown=False,
    )
    alert_apprise: AlertServices = _variable(
        "NBA_PIPELINE_ALERT_APPRISE",
        "give addresses of apprise services, each with its scheme (discord://..., tgram://...), with blanks or line ends between",
        "is not a list of addresses that begin with a scheme",
        default=(),
        shown=False,
    )
    heartbeat_url: SecretAddress | None = _variable(
        "NBA_PIPELINE_HEARTBEAT_URL",
        "set it to the https URL that the monitor waits for, without user, blanks and line breaks",
        "is not a URL",
        shown=False,
    )
    alert_email_host: str | None = _variable("NBA_PIPELINE_ALERT_EMAIL_HOST")
    alert_email_port: Whole | None = _integer("NBA_PIPELINE_ALERT_EMAIL_PORT", 1, 65535)
    alert_email_user: str | None = _variable("NBA_PIPELINE_ALERT_EMAIL_USER")
    alert_email_password: str | None = _variable("NBA_PIPELINE_ALERT_EMAIL_PASSWORD", shown=False)
    alert_email_security: MailSecurity | None = _choice("NBA_PIPELINE_ALERT_EMAIL_SECURITY", MailSecurity)
    alert_email_from: str | None = _variable("NBA_PIPELINE_ALERT_EMAIL_FROM")
    alert_email_to: str | None = _variable("NBA_PIPELINE_ALERT_EMAIL_TO")

    dagster_home: str | None = _variable("DAGSTER_HOME")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `read_environment` only, which may be given variables other than the process's."""
        return (init_settings,)


READ = frozenset(str(field.validation_alias) for field in Environment.model_fields.values())
# Secrets may stand in files, as containers and clusters mount them: NBA_PIPELINE_ODDS_API_KEY_FILE=/run/secrets/odds_api_key.
SECRET_FILES = {
    f"{field.validation_alias}_FILE": str(field.validation_alias)
    for field in Environment.model_fields.values()
    if not field.repr
}


# The clock reads the environment at every look; parsing takes 10 ms.
PARSED = 4


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Parse the variables.

    Args:
        variables: Names and texts; None for those of the process.

    Raises:
        ConfigurationError: A variable with the pipeline's prefix does not exist, or values are wrong; names each, its value and
            the fix.
    """
    given = _with_secrets(os.environ if variables is None else variables)
    return _parsed(frozenset((name, text) for name, text in given.items() if name in READ and text))


@lru_cache(maxsize=PARSED)
def _parsed(given: frozenset[tuple[str, str]]) -> Environment:
    source = EnvSettingsSource(Environment)
    source.env_vars = dict(given)
    try:
        return Environment(**source())
    except ValidationError as e:
        raise _refusal(e, dict(given)) from None


def _with_secrets(given: Mapping[str, str]) -> Mapping[str, str]:
    """Replace the variables that name files of secrets by what the files hold; an empty file holds none."""
    require_known(given)
    named = {name: given[name] for name in SECRET_FILES if given.get(name)}
    both = sorted(name for name in named if given.get(SECRET_FILES[name]))
    if both:
        raise ConfigurationError(f"{both[0]} and {SECRET_FILES[both[0]]} are both set", "unset one of them")
    return {**given, **{SECRET_FILES[name]: _secret(name, Path(path)) for name, path in named.items()}}


def _secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigurationError(
            f"{name}: {path} cannot be read ({type(e).__name__})", "name a readable text file, or leave it unset"
        ) from None


def _refusal(error: ValidationError, given: Mapping[str, str]) -> ConfigurationError:
    fields = {str(field.validation_alias): field for field in Environment.model_fields.values()}
    problems, fixes = [], []
    for name in dict.fromkeys(str(details["loc"][0]) for details in error.errors()):
        extra = fields[name].json_schema_extra
        assert isinstance(extra, dict)
        shown = f"is {given[name]!r}" if fields[name].repr else "cannot be read"
        problems.append(f"{name} {extra['problem'] or shown}")
        fixes.append(str(extra["fix"]))
    return ConfigurationError(
        "; ".join(problems),
        fixes[0]
        if len(fixes) == 1
        else "; ".join(f"{p.split()[0]}: {f}" for p, f in zip(problems, fixes, strict=True)),
    )


def require_known(variables: Mapping[str, str]) -> None:
    """Refuse variables with the pipeline's prefix that do not exist: their defaults would run silently.

    Raises:
        ConfigurationError: Names the variable, and the one that was probably meant.
    """
    unknown = sorted(n for n in variables if n.startswith(PREFIX) and n not in READ | OF_OTHERS | SECRET_FILES.keys())
    if not unknown:
        return
    close = get_close_matches(unknown[0], sorted(READ), n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    raise ConfigurationError(
        f"{', '.join(unknown)} is not a variable of nba_pipeline", f"{guess}README.md and docs/ list the variables"
    )


def environment_with(changes: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the process with some replaced."""
    return {**os.environ, **changes}


def hand_down(name: str, value: str, replace: bool = True) -> None:
    """Set a variable for this process and those that it starts.

    Args:
        name: The variable.
        value: Its text.
        replace: False keeps a value that is set.
    """
    if replace or not os.environ.get(name):
        os.environ[name] = value
