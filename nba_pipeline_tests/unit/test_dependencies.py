"""What is declared is imported, and what is imported is declared: install_requires, or an extra where it may be missing."""

import ast
import configparser
import re
import sys
from pathlib import Path

from nba_pipeline.common.extras import EXTRAS

ROOT = Path(__file__).parents[2]
# Distributions whose modules have another name, by the longest prefix of the module.
DISTRIBUTIONS = {
    "google._upb": "protobuf",
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "hcl2": "python-hcl2",
    "ibis": "ibis-framework",
    "xgboost": "xgboost-cpu",
    "yaml": "pyyaml",
}
# Declared, though no module imports it, each with its reason.
NOT_IMPORTED = {
    "google-cloud-bigquery-storage": "downloads rows for google-cloud-bigquery, which imports it when it is there",
}


# What only tests, tools and benchmarks import is declared in the extra `dev`, beside what is run and never imported.
FOR_DEVELOPMENT = ("nba_pipeline_tests", "tools", "benchmarks")
RUN = {"coverage", "import-linter", "pandas-stubs", "pyright", "pytest-xdist", "ruff", "scipy-stubs"}


def declared(text: str) -> set[str]:
    """Names of distributions in a block of requirements."""
    return {re.split(r"[\[<>=]", line)[0].lower().replace("_", "-") for line in text.split("\n") if line.strip()}


def distribution(module: str) -> str:
    for prefix, name in DISTRIBUTIONS.items():
        if f"{module}.".startswith(f"{prefix}."):
            return name
    return module.split(".")[0].replace("_", "-")


def imported(*directories: str) -> set[str]:
    """Distributions whose modules the code of these directories imports, anywhere; of the package if none is named."""
    modules: set[str] = set()
    files = [p for d in directories or ("nba_pipeline",) for p in (ROOT / d).rglob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                single = node.module in ("google", "google.cloud")
                modules |= {f"{node.module}.{a.name}" for a in node.names} if single else {node.module}
    own = sys.stdlib_module_names | {"nba_pipeline", *FOR_DEVELOPMENT}
    if directories:
        own |= {
            p.stem for p in files if not (p.parent / "__init__.py").exists()
        }  # scripts that import their neighbours
    return {distribution(m) for m in modules if m.split(".")[0] not in own}


def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_every_imported_distribution_is_declared() -> None:
    extras = set().union(*(declared(setup()["options.extras_require"][e]) for e in EXTRAS))
    assert imported() - declared(setup()["options"]["install_requires"]) - extras == set()


def test_every_distribution_that_tests_and_tools_import_is_declared() -> None:
    extras = set().union(*(declared(setup()["options.extras_require"][e]) for e in (*EXTRAS, "dev")))
    assert imported(*FOR_DEVELOPMENT) - declared(setup()["options"]["install_requires"]) - extras == set()


def test_every_distribution_declared_for_development_is_imported_or_run() -> None:
    dev = declared(setup()["options.extras_require"]["dev"]) - {"nba-pipeline"}
    assert dev - imported(*FOR_DEVELOPMENT) == RUN


def test_every_declared_distribution_is_imported_or_has_a_reason() -> None:
    assert declared(setup()["options"]["install_requires"]) - imported() == set(NOT_IMPORTED)


def test_the_libraries_of_an_extra_are_no_plain_dependencies() -> None:
    plain = declared(setup()["options"]["install_requires"])
    for extra, libraries in EXTRAS.items():
        assert {distribution(m) for m in libraries} & plain == set(), extra


def test_the_lowest_versions_are_those_that_are_declared() -> None:
    lowest = dict(
        line.lower().split("==") for line in (ROOT / "constraints-lowest.txt").read_text().split() if "==" in line
    )
    for block in (setup()["options"]["install_requires"], *(setup()["options.extras_require"][e] for e in EXTRAS)):
        for line in block.strip().split("\n"):
            name = re.split(r"[\[<>=]", line)[0].lower().replace("_", "-")
            bound = re.search(r">=([\d.]+)", line)
            assert bound is not None, f"{line} has no lower bound"
            assert lowest[name] == bound[1], line
