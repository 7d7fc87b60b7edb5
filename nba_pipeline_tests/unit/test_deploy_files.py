"""What lies in `deploy/` fits together, and fits the package: names, variables, roles."""

import configparser
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import hcl2
import pytest
import yaml

from nba_pipeline.common.environment import READ
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Dataset
from nba_pipeline.warehouse.bigquery.location import OPERATIONS, STAGING

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PIPELINE = ("migrate", "code", "daemon", "webserver", "analysts")


def loaded(name: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / name).read_text())


def variables(value: Any) -> set[str]:
    """Names of the environment variables that a Dagster configuration reads."""
    if isinstance(value, Mapping):
        own = {value["env"]} if set(value) == {"env"} else set()
        return own.union(*(variables(v) for v in value.values()))
    return set()


def environment(*files: str) -> dict[str, dict[str, str]]:
    """The environment of each service of the pipeline, later files over earlier ones; a secret's file stands for the secret."""
    found: dict[str, dict[str, str]] = {name: {} for name in PIPELINE}
    for file in files:
        for name in PIPELINE:
            given = loaded(file)["services"][name]["environment"]
            found[name] |= {variable.removesuffix("_FILE"): value for variable, value in given.items()}
    return found


def test_the_two_instances_differ_in_where_logs_go_and_in_nothing_else() -> None:
    team, machine = loaded("dagster.yaml"), loaded("dagster.local.yaml")
    assert team.pop("compute_logs") != machine.pop("compute_logs")
    assert team == machine


def test_a_team_has_the_limits_of_the_embedded_instance() -> None:
    packaged = yaml.safe_load((ROOT / "nba_pipeline" / "dagster.yaml").read_text())
    team, helm = loaded("dagster.yaml"), loaded("helm-values.yaml")["concurrency"]["runs"]
    assert team["concurrency"] == packaged["concurrency"]
    assert team["run_monitoring"]["max_runtime_seconds"] == packaged["run_monitoring"]["max_runtime_seconds"]
    assert helm["tagConcurrencyLimits"] == packaged["concurrency"]["runs"]["tag_concurrency_limits"]


@pytest.mark.parametrize(
    ("instance", "files"),
    [("dagster.local.yaml", ["compose.yaml"]), ("dagster.yaml", ["compose.yaml", "compose.gcp.yaml"])],
)
def test_compose_gives_every_service_the_variables_that_its_instance_reads(instance: str, files: list[str]) -> None:
    for given in environment(*files).values():
        assert variables(loaded(instance)) <= set(given)


# Places that compose fixes, addresses of the services for tests, and what is of BigQuery, or of a drill.
NOT_PASSED_ON = re.compile(
    r"HOME|WAREHOUSE|VERSION|NOW|LIVE_PROJECT|\w+_URL|\w*BUCKET|BIGQUERY_\w+|RELIABILITY_\w+|TEST_\w+"
)


def test_compose_passes_on_every_variable_that_the_documents_tell_to_set() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs" / f"{n}.md" for n in ("automation", "sources", "bigquery", "deploy"))]
    told = set(re.findall(r"NBA_PIPELINE_([A-Z_]*[A-Z])", " ".join(p.read_text(encoding="utf-8") for p in pages)))
    wanted = {f"NBA_PIPELINE_{n.removesuffix('_FILE')}" for n in told if not NOT_PASSED_ON.fullmatch(n)}
    assert len(wanted) > 12
    for given in environment("compose.yaml").values():
        assert wanted <= set(given)


def test_compose_mounts_the_instance_over_that_of_the_image() -> None:
    for file, instance in (("compose.yaml", "dagster.local.yaml"), ("compose.gcp.yaml", "dagster.yaml")):
        for name in PIPELINE:
            assert f"./{instance}:/opt/dagster/home/dagster.yaml:ro" in loaded(file)["services"][name]["volumes"]


def test_all_services_share_the_volume_of_the_home() -> None:
    for name in PIPELINE:
        assert "home:/var/lib/nba" in loaded("compose.yaml")["services"][name]["volumes"]


def test_the_ui_is_reachable_from_its_own_machine_only() -> None:
    (port,) = loaded("compose.yaml")["services"]["webserver"]["ports"]
    assert port.startswith("127.0.0.1:")


class _Merged(yaml.SafeLoader):
    """Reads the tags by which compose replaces what an earlier file says."""


def _sequence(loader: yaml.SafeLoader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


_Merged.add_constructor("!reset", _sequence)


def test_the_port_of_the_code_location_is_reached_by_the_pipeline_alone() -> None:
    services = loaded("compose.yaml")["services"]
    login = yaml.load((DEPLOY / "compose.login.yaml").read_text(), _Merged)["services"]
    for name, service in {**services, "login": login["login"]}.items():
        shared = set(service["networks"]) & set(services["code"]["networks"])
        assert shared <= {"inside"} or name == "code"
        assert (shared == {"inside"}) == (name in PIPELINE or name == "postgres") or name == "code"
    assert set(login["login"]["networks"]) & set(login["webserver"]["networks"]) == {"front"}
    assert loaded("compose.yaml")["networks"]["inside"] == {"internal": True}


COOKIE_SECRET_FILE_SINCE = (7, 11, 0)  # the first of oauth2-proxy whose documented options have it


def test_the_login_is_a_version_that_reads_its_secrets_from_files() -> None:
    login = yaml.load((DEPLOY / "compose.login.yaml").read_text(), _Merged)["services"]["login"]
    version = tuple(int(part) for part in login["image"].rsplit(":v", 1)[1].split("."))
    assert version >= COOKIE_SECRET_FILE_SINCE
    files = {option.partition("=")[2] for option in login["command"] if "-secret-file=" in option}
    assert files == {f"/run/secrets/{name}" for name in login["secrets"]}


def test_no_password_is_written_down() -> None:
    for file in DEPLOY.rglob("*"):
        if file.is_file() and file.parent.name != "secrets":
            for line in file.read_text().splitlines():
                if re.search(r"(password|secret): (?!false)\S", line, re.IGNORECASE):
                    assert "{env: " in line or "{file: ./secrets/" in line, f"{file}: {line}"


def test_secrets_are_files_that_are_neither_committed_nor_sent_to_the_builder_nor_in_an_environment() -> None:
    assert (DEPLOY / "secrets" / ".gitignore").read_text().splitlines()[-2:] == ["*", "!.gitignore"]
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text().splitlines()
    compose = loaded("compose.yaml")
    for service in compose["services"].values():
        for variable in service["environment"]:
            assert not re.search(r"(PASSWORD|API_KEY|WEBHOOK|APPRISE|HEARTBEAT_URL)$", variable)
        assert set(service["secrets"]) <= set(compose["secrets"])
        files = {file for name, file in service["environment"].items() if name.endswith("_FILE")}
        assert files == {f"/run/secrets/{name}" for name in service["secrets"]}


def test_containers_of_the_pipeline_may_write_their_volumes_and_nothing_else() -> None:
    for name in PIPELINE:
        service = loaded("compose.yaml")["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] == "10001:10001"


def test_pods_may_write_their_scratch_and_nothing_else() -> None:
    values = loaded("helm-values.yaml")
    pods = [values["dagsterWebserver"], values["dagsterDaemon"], *values["dagster-user-deployments"]["deployments"]]
    for pod in pods:
        assert pod["podSecurityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"name": "tmp", "mountPath": "/tmp"} in pod["volumeMounts"]


def test_the_requirements_of_the_image_are_the_tested_versions_with_hashes() -> None:
    text = (DEPLOY / "requirements.txt").read_text()
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE))
    tested = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    normal = {re.sub(r"[-_.]+", "-", name.lower()): version for name, version in tested.items()}
    assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 100
    assert {name: normal.get(name) for name in pinned} == pinned


def test_a_policy_lets_only_dagster_reach_the_code_server() -> None:
    with (DEPLOY / "networkpolicy.yaml").open() as file:
        policies = {p["metadata"]["name"]: p["spec"] for p in yaml.safe_load_all(file)}
    assert policies["nothing-comes-in"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert all(p["policyTypes"] == ["Ingress"] for p in policies.values())


def test_the_settings_in_the_files_are_settings_of_the_package() -> None:
    given = environment("compose.yaml", "compose.gcp.yaml")["code"]
    given |= loaded("helm-values.yaml")["dagster-user-deployments"]["deployments"][0]["env"]
    named = {name for name in given if name.startswith("NBA_PIPELINE_")} - variables(loaded("dagster.yaml"))
    assert named - READ == set()


def test_the_values_for_kubernetes_make_settings_that_load() -> None:
    env = loaded("helm-values.yaml")["dagster-user-deployments"]["deployments"][0]["env"]
    settings = Settings.from_environment({k: v.replace("PROJECT", "some-project") for k, v in env.items()})
    assert settings.warehouse == "bigquery"
    assert settings.bucket == "gs://some-project-nba-pipeline/props"


def test_the_code_location_that_is_served_exists_and_is_named_as_in_the_workspaces() -> None:
    command = (DEPLOY / "Dockerfile").read_text().rsplit("CMD ", 1)[1]
    grpc = loaded("helm-values.yaml")["dagster-user-deployments"]["deployments"][0]["dagsterApiGrpcArgs"]
    (server,) = loaded("workspace.yaml")["load_from"]
    for argument in ("--module-name", "nba_pipeline.definitions", "--location-name", "nba_pipeline"):
        assert f'"{argument}"' in command
        assert argument in grpc
    assert importlib.import_module("nba_pipeline.definitions").defs
    assert server["grpc_server"] == {"host": "code", "port": 4000, "location_name": "nba_pipeline"}
    assert str(server["grpc_server"]["port"]) in command


def test_the_image_runs_as_an_ordinary_user_and_takes_only_what_the_repository_and_docker_give_it() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    for source in (s for group in copied for s in group if not s.startswith("--")):
        assert (ROOT / source).exists()
        assert source.split("/")[0] in taken


def test_the_image_has_what_every_extra_for_servers_needs() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    installed = (DEPLOY / "requirements.txt").read_text()
    for extra in ("alerts", "live", "postgres", "kubernetes"):
        for line in setup["options.extras_require"][extra].split():
            name = re.split(r"[<>=]", line)[0].lower().replace("_", "-")
            assert re.search(rf"^{name}==", installed, re.MULTILINE), name


def _plain(value: Any) -> Any:
    """What the parser found, without the quotes that it keeps."""
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.strip('"') if isinstance(value, str) else value


def test_terraform_makes_the_datasets_of_the_package_and_staging_expires_after_a_day() -> None:
    with (DEPLOY / "terraform" / "main.tf").open() as file:
        plan = _plain(hcl2.load(file))
    text = (DEPLOY / "terraform" / "main.tf").read_text()
    (values,) = plan["locals"]
    named = set(re.findall(r"nba_\w+", f"{values['kept']} {values['datasets']}"))
    assert named == {*get_args(Dataset), OPERATIONS, STAGING}
    assert f'each.value == "{STAGING}" ? {24 * 60 * 60 * 1000} : null' in text


def test_the_service_account_gets_the_roles_that_the_documentation_lists_and_no_other() -> None:
    text = (DEPLOY / "terraform" / "main.tf").read_text()
    given = set(re.findall(r"roles/[\w.]+", text)) - {"roles/iam.workloadIdentityUser"}
    documented = (ROOT / "docs" / "deploy.md").read_text()
    table = {m for line in documented.splitlines() for m in re.findall(r"^\| `(roles/[\w.]+)`", line)}
    assert given == table
    assert not {r for r in given if re.search(r"admin|owner|roles/editor", r, re.IGNORECASE)}
