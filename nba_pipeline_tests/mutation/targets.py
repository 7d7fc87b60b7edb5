"""What is mutated, and by which tests it is judged. Tests that start processes judge the real module there, and are left out."""

from dataclasses import dataclass

AT = "nba_pipeline_tests"
ASOF = (f"{AT}/test_asof_reads.py", f"{AT}/test_asof_by_hand.py", f"{AT}/test_asof.py")
CONTRACTS = (f"{AT}/test_contract_columns.py", f"{AT}/test_contracts.py")
HASHING = (f"{AT}/test_hashing.py",)
LOCKING = (f"{AT}/warehouse/test_locking.py", f"{AT}/warehouse/test_duckdb_file.py")
DUCKDB = (
    f"{AT}/warehouse/test_duckdb_file.py",
    f"{AT}/warehouse/test_warehouse_contract.py",
    f"{AT}/warehouse/test_duckdb_warehouse.py",
)
GRADING = (f"{AT}/grading/test_grade_rules.py", f"{AT}/grading/test_grading.py")
METRICS = (f"{AT}/evaluation/test_metrics.py", f"{AT}/evaluation/test_leaderboard.py")
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
    "asof": Target("nba_pipeline.asof", ASOF),
    "contracts": Target("nba_pipeline.contracts.table", CONTRACTS),
    "hashing": Target("nba_pipeline.contracts.hashing", HASHING),
    "duckdb": Target("nba_pipeline.warehouse.duckdb", DUCKDB, PROCESSES),
    "locking": Target("nba_pipeline.common.locking", LOCKING),
    "accuracy": Target("nba_pipeline.tables.grading.prediction_accuracy", GRADING),
    "performance": Target("nba_pipeline.tables.grading.system_daily_performance", GRADING),
    "metrics": Target("nba_pipeline.evaluation.metrics", METRICS),
}
