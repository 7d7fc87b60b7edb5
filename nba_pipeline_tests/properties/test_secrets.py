"""Secrets of the environment are used and never shown: not in output, logs, errors, tables, files or the event log."""

import dataclasses
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_pipeline.automation import notifiers as notify
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.event_log.packing import pack
from nba_pipeline_tests.support.canaries import contents, sightings
from nba_pipeline_tests.support.homes import Home
from nba_pipeline_tests.support.loopback import Answer, loopback
from nba_pipeline_tests.support.serving import serving
from nba_pipeline_tests.support.small_league import services

ROOT = Path(__file__).parents[2]
MAIL = "NBA_PIPELINE_ALERT_EMAIL_"
NEXT = "2021-11-03"

# What the product reads and must not show: an address is one, too, where whoever knows it can write to people.
SECRETS = (
    "NBA_PIPELINE_ODDS_API_KEY",
    "NBA_PIPELINE_ODDS_PROXY",
    "NBA_API_PROXY",
    "NBA_PIPELINE_NBA_HEADERS",
    "NBA_PIPELINE_ALERT_WEBHOOK",
    "NBA_PIPELINE_ALERT_APPRISE",
    "NBA_PIPELINE_HEARTBEAT_URL",
    *(f"{MAIL}{n}" for n in ("HOST", "USER", "PASSWORD", "FROM", "TO")),
    "DAGSTER_POSTGRES_PASSWORD",
    "GOOGLE_APPLICATION_CREDENTIALS",
)
FOREIGN = ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PGPASSWORD", "DATABASE_URL", "SLACK_BOT_TOKEN", "SOME_PASSWORD")
PLAIN = (
    "DAGSTER_EVENT_BATCH_SIZE",
    "DAGSTER_HOME",
    "DAGSTER_POSTGRES_PASSWORD_FILE",
    *(
        f"NBA_PIPELINE_{n}_FILE"
        for n in (
            *("ODDS_API_KEY", "ALERT_WEBHOOK", "ALERT_APPRISE"),
            *("ALERT_EMAIL_PASSWORD", "HEARTBEAT_URL"),
        )
    ),
    *(f"DAGSTER_POSTGRES_{n}" for n in ("HOST", "PORT", "DB", "USER")),
    *(f"{MAIL}{n}" for n in ("PORT", "SECURITY")),
    *(f"NBA_PIPELINE_BIGQUERY_{n}" for n in ("PROJECT", "LOCATION", "PREFIX", "ENDPOINT", "MAX_BYTES_BILLED")),
    *(f"NBA_PIPELINE_LIVE_{n}" for n in ("PAUSE", "TIMEOUT", "ATTEMPTS", "PATIENCE")),
    *(f"NBA_PIPELINE_{n}_URL" for n in ("NBA_STATS", "NBA_CDN", "ODDS_API", "INJURIES")),
    *(
        f"NBA_PIPELINE_ODDS_{n}"
        for n in ("REGIONS", "MINUTES_BEFORE", "MONTHLY_CREDITS", "API_VERSION", "API_KEY_HEADER")
    ),
    *(
        f"NBA_PIPELINE_{n}"
        for n in (
            "BUCKET",
            "DATA",
            "FIRST_DAY",
            "HOME",
            "INJURY_HOURS",
            "INJURY_MINUTES_BEFORE",
            "SCHEDULE_MINUTES",
            "LOCK_TIMEOUT",
            "LOG_BUCKET",
            "MARKETS",
            "NOW",
            "PUSHDOWN",
            "SEED",
            "SNAPSHOT",
            "SOURCE",
            "STATE",
            "VERSION",
            "WAREHOUSE",
        )
    ),
)
CANARIES = {n: f"canary-{i}-{n.lower().replace('_', '-')}" for i, n in enumerate((*SECRETS, *FOREIGN))}

# Everything that any library says at any level goes to standard error.
LOUD = "import logging; logging.basicConfig(level=logging.DEBUG); from nba_pipeline.cli import main; main()"
# Several commands of one word, one after the other in one process: what they import is paid for once.
LOUD_AT_ONCE = """
import logging, sys; logging.basicConfig(level=logging.DEBUG)
from nba_pipeline.cli import main
def ended(word):
    try:
        main([word])
    except SystemExit as e:
        return e.code or 0
sys.exit(max([ended(word) for word in sys.argv[1:]]))
"""
SENSOR = """
import logging; logging.basicConfig(level=logging.DEBUG)
import dagster as dg
from nba_pipeline.automation.sensors import alerts
from nba_pipeline.orchestration.instance import prepare
from nba_pipeline.config.settings import Settings
prepare(Settings.from_environment())
with dg.DagsterInstance.get() as instance:
    print(alerts(dg.build_sensor_context(instance)))
"""


def variables_of_the_product() -> set[str]:
    """Every variable that code or configuration of the product reads."""
    code = "\n".join(p.read_text() for p in (ROOT / "nba_pipeline").rglob("*.py"))
    files = [*(ROOT / "deploy").rglob("*.yaml"), ROOT / "nba_pipeline" / "dagster.yaml"]
    configured = "\n".join(p.read_text() for p in files)
    named = set(re.findall(r"[\"']((?:NBA_PIPELINE|NBA_API|DAGSTER|GOOGLE)_[A-Z_]*[A-Z])[\"']", code))
    named |= set(re.findall(r"\b((?:NBA_PIPELINE|NBA_API|DAGSTER)_[A-Z_]*[A-Z])\b", configured))
    return named


def test_every_variable_that_the_product_reads_is_known_here_as_secret_or_plain() -> None:
    assert variables_of_the_product() - {*SECRETS, *PLAIN} == set()
    assert {*SECRETS, *PLAIN} - variables_of_the_product() <= {"GOOGLE_APPLICATION_CREDENTIALS"}


def test_every_hidden_field_of_the_configuration_holds_a_canary_and_no_representation_shows_it() -> None:
    environment = secret_environment("http://127.0.0.1:9", Path("credentials.json"))
    settings = Settings.from_environment(environment)
    channels = notify.notifiers(settings.alerts)
    configured: list[Any] = [settings, settings.live, settings.alerts, *channels]
    hidden = {
        (type(o).__name__, f.name): getattr(o, f.name) for o in configured for f in dataclasses.fields(o) if not f.repr
    }
    assert set(hidden) == {
        *(("LiveSettings", name) for name in ("odds_api_key", "nba_proxy", "odds_proxy", "nba_headers")),
        *(("AlertSettings", name) for name in ("webhook", "apprise", "heartbeat", "password")),
        ("WebhookNotifier", "url"),
        ("AppriseNotifier", "url"),
        ("EmailNotifier", "password"),
    }
    assert all("canary-" in str(value) for value in hidden.values())
    shown = f"{settings!r} {channels!r}"
    assert not [value for value in hidden.values() if str(value) in shown]


def secret_environment(webhook: str, credentials: Path) -> dict[str, str]:
    """A canary in every variable; those that must have a form have it around."""
    own = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TZ", "TMPDIR")}
    shaped = {
        "NBA_PIPELINE_ALERT_WEBHOOK": f"{webhook}/services/{CANARIES['NBA_PIPELINE_ALERT_WEBHOOK']}",
        "NBA_PIPELINE_ALERT_APPRISE": f"{webhook.replace('http://', 'json://')}/{CANARIES['NBA_PIPELINE_ALERT_APPRISE']}",
        "NBA_PIPELINE_HEARTBEAT_URL": f"{webhook}/ping/{CANARIES['NBA_PIPELINE_HEARTBEAT_URL']}",
        **{n: f"http://user:{CANARIES[n]}@127.0.0.1:9" for n in ("NBA_API_PROXY", "NBA_PIPELINE_ODDS_PROXY")},
        "NBA_PIPELINE_NBA_HEADERS": json.dumps({"X-Session": CANARIES["NBA_PIPELINE_NBA_HEADERS"]}),
        f"{MAIL}HOST": f"{CANARIES[f'{MAIL}HOST']}.invalid",
        f"{MAIL}PORT": "25",
        f"{MAIL}SECURITY": "none",
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "DATABASE_URL": f"postgresql://user:{CANARIES['DATABASE_URL']}@127.0.0.1/db",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    return own | CANARIES | shaped


@dataclass
class Used:
    """A place in which commands ran with canaries in the environment, with what each of them said."""

    place: Path
    environment: dict[str, str] = field(repr=False)
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)

    def command(self, name: str, *arguments: str, code: str = LOUD, **variables: str) -> None:
        """Run a command of the product in a process of its own."""
        self.said[name] = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=self.environment | variables,
            cwd=self.place,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def outputs(self) -> Iterator[tuple[str, bytes]]:
        for name, done in self.said.items():
            yield f"output of {name}", done.stdout.encode()
            yield f"errors of {name}", done.stderr.encode()


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The address of a webhook that answers 500 and repeats what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = f"no: {self.path}".encode()
            self.send_response(HTTPStatus.INTERNAL_SERVER_ERROR, f"no {self.path}")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="module")
def used(finished_home: Home, tmp_path_factory: pytest.TempPathFactory, echo: str) -> Used:
    """What people and schedules do in a day, with things that go wrong."""
    place = tmp_path_factory.mktemp("secrets")
    credentials = tmp_path_factory.mktemp("credentials") / "key.json"
    credentials.write_text(json.dumps(service_account()))
    subprocess.run(["cp", "-r", str(finished_home.path), str(place / "home")], check=True)
    here = Used(place, secret_environment(echo, credentials) | {"NBA_PIPELINE_HOME": str(place / "home")})
    everyday(here)
    what_fails(here)
    fetching(here)
    return here


def service_account() -> Mapping[str, str]:
    """A credential file as Google gives it, with a key that is none."""
    canary = CANARIES["GOOGLE_APPLICATION_CREDENTIALS"]
    return {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": canary,
        "private_key": f"-----BEGIN PRIVATE KEY-----\n{canary}\n-----END PRIVATE KEY-----\n",
        "client_email": "x@p.iam.gserviceaccount.com",
        "client_id": canary,
        "token_uri": "http://127.0.0.1:9/token",
    }


def everyday(here: Used) -> None:
    here.command("backfill", "backfill", NEXT, NEXT, "--select", "nba_raw")
    here.command("lists", "names", "quarantine", "backfills", code=LOUD_AT_ONCE)
    here.command("states", "status", "check", "alerts", code=LOUD_AT_ONCE)
    here.command("drill", "alerts", "test")
    here.command("sensor", code=SENSOR)


def what_fails(here: Used) -> None:
    """A source that is broken, a store for events that is away, a warehouse whose key is none."""
    landing = here.place / "broken"
    landing.mkdir()
    (landing / "schedule.parquet").write_bytes(b"no parquet")
    files = {"NBA_PIPELINE_SOURCE": "files", "NBA_PIPELINE_DATA": str(landing)}
    here.command("failing backfill", "backfill", NEXT, NEXT, "--select", "nba_raw.schedule", **files)
    team = here.place / "team"
    team.mkdir()
    config = (ROOT / "deploy" / "dagster.yaml").read_text()
    (team / "dagster.yaml").write_text(re.sub(r"compute_logs:\n(?: .*\n)+", "", config))
    away = {"HOST": "127.0.0.1", "PORT": "9", "DB": "dagster", "USER": "dagster"}
    postgres = {f"DAGSTER_POSTGRES_{n}": v for n, v in away.items()}
    here.command("backfill without Postgres", "backfill", NEXT, NEXT, DAGSTER_HOME=str(team), **postgres)
    bigquery = {"NBA_PIPELINE_WAREHOUSE": "bigquery", "NBA_PIPELINE_BIGQUERY_PROJECT": "p"}
    here.command("status of BigQuery", "status", **bigquery)


def fetching(here: Used) -> None:
    """From services that refuse the key and repeat it, that fail, and that answer."""
    day, key = "2024-11-05", CANARIES["NBA_PIPELINE_ODDS_API_KEY"]
    with loopback() as server:
        live = {
            "NBA_PIPELINE_HOME": str(here.place / "live"),
            "NBA_PIPELINE_SOURCE": "nba_stats",
            "NBA_PIPELINE_NBA_STATS_URL": f"{server.url}/stats",
            "NBA_PIPELINE_ODDS_API_URL": f"{server.url}/odds",
            "NBA_PIPELINE_INJURIES_URL": f"{server.url}/injuries",
            "NBA_PIPELINE_NBA_CDN_URL": f"{server.url}/cdn",
            # The server is its own proxy: a request by proxy names the whole address.
            **{
                n: server.url.replace("://", f"://user:{CANARIES[n]}@")
                for n in ("NBA_API_PROXY", "NBA_PIPELINE_ODDS_PROXY")
            },
            "NBA_PIPELINE_LIVE_PAUSE": "0",
            "NBA_PIPELINE_LIVE_ATTEMPTS": "1",
            "NBA_PIPELINE_LIVE_PATIENCE": "0",
            "NBA_PIPELINE_INJURY_MINUTES_BEFORE": "0",
            "NBA_PIPELINE_INJURY_HOURS": "13",
            "NBA_PIPELINE_NOW": "2024-11-06T15:00:00+00:00",
        }
        made = services()
        for status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.INTERNAL_SERVER_ERROR):
            broken = Answer(f"API key {key} is not valid", status)
            server.rule = lambda r, broken=broken: broken if "/odds/" in r.path else made(r)
            here.command(f"ingest with {status.value}", "ingest", day, day, **live)
        server.rule = made
        here.command("ingest", "ingest", day, day, **live)
        assert {r.parameters.get("apiKey") for r in server.asked("/odds/")} == {key}
        assert all("Proxy-Authorization" in r.headers for r in server.requests)


EXPECTED = {
    "backfill": 0,
    "lists": 0,
    "sensor": 0,
    "drill": 1,
    "failing backfill": 1,
    "backfill without Postgres": 1,
    "status of BigQuery": 1,
    "ingest with 401": 1,
    "ingest with 500": 1,
    "ingest": 0,
}


@pytest.mark.e2e
def test_the_commands_did_what_they_are_there_for(used: Used) -> None:
    ended = {n: min(used.said[n].returncode, 1) for n in EXPECTED}
    assert ended == EXPECTED, {n: used.said[n].stderr[-800:] for n in EXPECTED if ended[n] != EXPECTED[n]}
    assert "the webhook returned status 500" in used.said["drill"].stderr
    assert "no message" in used.said["sensor"].stdout
    assert "the mail server rejected the message" in used.said["drill"].stderr
    assert "refused with status 401" in used.said["ingest with 401"].stderr + used.said["ingest with 401"].stdout


@pytest.mark.e2e
def test_no_secret_is_in_any_output(used: Used) -> None:
    assert sightings(CANARIES, used.outputs()) == []


@pytest.mark.e2e
def test_no_secret_is_in_any_file_table_or_event(used: Used) -> None:
    assert sightings(CANARIES, contents(used.place)) == []


@pytest.mark.e2e
def test_a_message_that_contains_a_key_is_found_in_output_and_event_log(used: Used) -> None:
    """The directory of the source is called as the key is, and the run's error names the directory."""
    name, key = "NBA_PIPELINE_ODDS_API_KEY", CANARIES["NBA_PIPELINE_ODDS_API_KEY"]
    planted = Used(used.place / "planted", used.environment | {"NBA_PIPELINE_HOME": str(used.place / "planted" / "h")})
    landing = used.place.parent / key
    planted.place.mkdir()
    landing.mkdir()
    (landing / "schedule.parquet").write_bytes(b"no parquet")
    files = {"NBA_PIPELINE_SOURCE": "files", "NBA_PIPELINE_DATA": str(landing)}
    planted.command("planted", "backfill", NEXT, NEXT, "--select", "nba_raw.schedule", **files)
    said = sightings({name: key}, planted.outputs())
    kept = sightings({name: key}, contents(planted.place))
    subprocess.run(["rm", "-r", str(planted.place)], check=True)
    assert f"{name} in errors of planted" in said
    assert any("table event_logs" in place for place in kept), kept


@pytest.mark.parametrize(
    "form", ["text", "name", "sqlite", "compressed in sqlite", "packed in sqlite", "duckdb", "parquet", "gzip"]
)
def test_a_word_is_found_in_every_form_in_which_a_home_keeps_things(tmp_path: Path, form: str) -> None:
    word, path = "canary-word", tmp_path / "kept"
    plant(form, word, path)
    assert sightings({"it": word}, contents(tmp_path))
    assert not sightings({"it": "another-word"}, contents(tmp_path))


def plant(form: str, word: str, path: Path) -> None:
    rows: Sequence[str] = [word] + [f"{word[:6]} {n}" for n in range(20_000)]
    if form == "text":
        path.write_text(f"a line\nwith {word}\n")
    elif form == "name":
        path.with_name(f"x {word}").touch()
    elif form.endswith("sqlite"):
        packed = {"compressed in sqlite": zlib.compress(word.encode()), "packed in sqlite": pack(word)}
        cell = packed.get(form, word)
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE t (x)")
            db.execute("INSERT INTO t VALUES (?)", [cell])
    elif form == "duckdb":
        with duckdb.connect(str(path)) as db:
            db.register("rows", pa.table({"x": rows}))
            db.execute("CREATE TABLE t AS FROM rows")
    elif form == "parquet":
        pq.write_table(pa.table({"x": rows}), path, compression="zstd")
    else:
        path.write_bytes(gzip.compress(word.encode()))
