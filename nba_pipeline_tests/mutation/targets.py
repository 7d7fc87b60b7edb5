"""What is mutated, and by which tests it is judged. Tests that start processes judge the real module there, and are left out."""

from dataclasses import dataclass

DUCKDB = (
    "nba_pipeline_tests/warehouse/test_warehouse_contract.py",
    "nba_pipeline_tests/warehouse/test_duckdb_warehouse.py",
)
GRADING = ("nba_pipeline_tests/grading/test_grade_rules.py", "nba_pipeline_tests/grading/test_grading.py")
PROCESSES = "bigquery or killed or four_writers or full_disk or permissions or may_not or may_only or slow"


@dataclass(frozen=True)
class Target:
    """A module and its tests, quick ones first. `without` names tests to leave out, as pytest's -k does."""

    module: str
    tests: tuple[str, ...]
    without: str = ""

    @property
    def file(self) -> str:
        return self.module.replace(".", "/") + ".py"

    @property
    def arguments(self) -> list[str]:
        return [*self.tests, *(["-k", f"not ({self.without})"] if self.without else [])]


TARGETS: dict[str, Target] = {
    "asof": Target(
        "nba_pipeline.asof", tuple(f"nba_pipeline_tests/test_asof{n}.py" for n in ("_reads", "_by_hand", ""))
    ),
    "contracts": Target(
        "nba_pipeline.contracts",
        ("nba_pipeline_tests/test_contract_columns.py", "nba_pipeline_tests/test_contracts.py"),
    ),
    "hashing": Target("nba_pipeline.hashing", ("nba_pipeline_tests/test_hashing.py",)),
    "duckdb": Target("nba_pipeline.warehouse.duckdb", DUCKDB, PROCESSES),
    "locking": Target(
        "nba_pipeline.warehouse.locking", ("nba_pipeline_tests/warehouse/test_locking.py", *DUCKDB[1:]), PROCESSES
    ),
    "accuracy": Target("nba_pipeline.grading.prediction_accuracy", GRADING),
    "performance": Target("nba_pipeline.grading.system_daily_performance", GRADING),
    "metrics": Target(
        "nba_pipeline.evaluation.metrics",
        tuple(f"nba_pipeline_tests/evaluation/test_{n}.py" for n in ("metrics", "leaderboard")),
    ),
}
