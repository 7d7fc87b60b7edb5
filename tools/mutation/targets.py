"""What is mutated, and by which tests it is judged. Tests that start processes judge the real module there, and are left out."""

from dataclasses import dataclass

UNIT, INTEGRATION = "nba_pipeline_tests/unit", "nba_pipeline_tests/integration"
ASOF = (
    f"{UNIT}/asof/test_reads.py",
    f"{UNIT}/asof/test_aggregates_by_hand.py",
    f"{UNIT}/asof/test_aggregates.py",
)
CUTOFFS = (f"{UNIT}/asof/test_cutoffs.py", f"{UNIT}/asof/test_quote_times.py")
CONTRACTS = (f"{UNIT}/contracts/test_columns.py", f"{UNIT}/contracts/test_table.py")
HASHING = (f"{UNIT}/contracts/test_hashing.py",)
LOCKING = (f"{UNIT}/common/test_locking.py", f"{UNIT}/warehouse/test_duckdb_file.py")
DUCKDB = (
    f"{UNIT}/warehouse/test_duckdb_file.py",
    f"{INTEGRATION}/test_warehouse_contract.py",
    f"{INTEGRATION}/test_duckdb_warehouse.py",
)
GRADING = (f"{UNIT}/tables/grading/test_grade_rules.py", f"{UNIT}/tables/grading/test_grading.py")
METRICS = (
    f"{UNIT}/evaluation/test_metrics.py",
    f"{UNIT}/evaluation/test_bootstrap.py",
    f"{UNIT}/evaluation/test_leaderboard.py",
)
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
    "reads": Target("nba_pipeline.asof.reads", ASOF),
    "aggregates": Target("nba_pipeline.asof.aggregates", ASOF),
    "cutoffs": Target("nba_pipeline.asof.cutoffs", CUTOFFS),
    "contracts": Target("nba_pipeline.contracts.table", CONTRACTS),
    "hashing": Target("nba_pipeline.contracts.hashing", HASHING),
    "duckdb": Target("nba_pipeline.warehouse.duckdb", DUCKDB, PROCESSES),
    "locking": Target("nba_pipeline.common.locking", LOCKING),
    "accuracy": Target("nba_pipeline.tables.grading.prediction_accuracy", GRADING),
    "performance": Target("nba_pipeline.tables.grading.system_daily_performance", GRADING),
    "metrics": Target("nba_pipeline.evaluation.metrics", METRICS),
    "bootstrap": Target("nba_pipeline.evaluation.bootstrap", METRICS),
}
