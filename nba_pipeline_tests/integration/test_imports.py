"""What importing a module loads and changes, seen in a fresh interpreter."""

import json
import subprocess
import sys

import pytest

PROBE = """
import importlib, json, os, sys
before = dict(os.environ)
importlib.import_module(sys.argv[1])
print(json.dumps({"loaded": sorted(sys.modules), "changed": sorted(set(os.environ.items()) ^ set(before.items()))}))
"""


def imported(module: str) -> tuple[set[str], list]:
    """Names of all modules that importing `module` loads, and the environment variables that it changes."""
    run = subprocess.run([sys.executable, "-c", PROBE, module], capture_output=True, text=True, check=True)
    seen = json.loads(run.stdout.splitlines()[-1])
    return set(seen["loaded"]), seen["changed"]


def test_publishing_needs_no_dagster_and_changes_no_environment_variable() -> None:
    loaded, changed = imported("nba_pipeline.engine.publish")
    assert "dagster" not in loaded
    assert changed == []


@pytest.mark.parametrize("module", ["nba_pipeline.engine.publish", "nba_pipeline.definitions"])
def test_googles_clients_are_not_loaded_before_a_bigquery_warehouse_is_opened(module: str) -> None:
    loaded, _ = imported(module)
    clients = ("google.cloud.bigquery", "google.cloud.storage", "google.api_core", "dagster_gcp")
    assert [name for name in clients if name in loaded] == []


def test_definitions_load_no_pandas_which_only_pages_and_forecasts_need() -> None:
    loaded, _ = imported("nba_pipeline.definitions")
    assert "nba_pipeline.reporting.asset" in loaded
    assert "pandas" not in loaded
