"""A Postgres server of our own on loopback, for as long as the tests run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as db

from nba_pipeline_tests.support.services import free_port

USER = "dagster"
UNPRIVILEGED = "postgres"


@dataclass(frozen=True)
class Postgres:
    """A running server; it asks for no password."""

    port: int

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"test_{uuid4().hex[:12]}"
        engine = db.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return name

    def url(self, database: str) -> str:
        return f"postgresql+psycopg2://{USER}:any@127.0.0.1:{self.port}/{database}"

    def environment(self, database: str) -> Mapping[str, str]:
        """The variables that `deploy/dagster.yaml` reads."""
        facts = {"HOST": "127.0.0.1", "PORT": str(self.port), "DB": database, "USER": USER, "PASSWORD": "any"}
        return {f"DAGSTER_POSTGRES_{name}": value for name, value in facts.items()}


def _programs() -> Path:
    """Where `initdb` and `pg_ctl` are; skips the test where they are not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("Postgres is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent if found else Path(on_path or "").parent


def _who() -> str | None:
    """Postgres does not run as root."""
    if os.geteuid() != 0:
        return None
    if UNPRIVILEGED not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip(f"Postgres does not run as root, and there is no user {UNPRIVILEGED}")
    return UNPRIVILEGED


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    programs, who, port = _programs(), _who(), free_port()
    home = Path(tempfile.mkdtemp(prefix="nba_postgres_"))
    if who:
        shutil.chown(home, who)
    options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={home} -c fsync=off"

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(home / "data"), *arguments]
        subprocess.run(command, user=who, cwd=home, check=True, stdout=subprocess.DEVNULL)

    try:
        call("initdb", "-A", "trust", "-U", USER, "--no-sync")
        call("pg_ctl", "-o", options, "-l", str(home / "log"), "-w", "start")
        try:
            yield Postgres(port)
        finally:
            call("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)
