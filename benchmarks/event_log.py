"""What recording costs: a run that computes nothing, on Dagster's own SQLite event log and on the batched one.

python benchmarks/event_log.py            the table: both at a small size, the batched one at full size
python benchmarks/event_log.py --days 100 --tables 5 --storage batched
"""

import argparse
import datetime
import resource
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from nba_pipeline.domain.calendar import EPOCH
from nba_pipeline.engine.verdicts import CheckVerdict, PartitionVerdict
from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage
from nba_pipeline.orchestration.partition_results import Reported, check_specs, report
from nba_pipeline.orchestration.partitions import daily_partitions

DAILY = daily_partitions(EPOCH, None)

CHECKS = ("contract", "hash_fields_complete", "coverage", "business_rules")


@dataclass(frozen=True)
class Measurement:
    storage: str
    tables: int
    days: int
    seconds: float
    cpu: float
    events: int
    megabytes: float

    def line(self) -> str:
        rate = self.events / self.seconds
        return (
            f"{self.storage:<8} {self.tables:>6} {self.days:>6} {self.seconds:>9.1f} {self.cpu:>8.1f} "
            f"{self.events:>9,} {rate:>9,.0f} {self.megabytes:>7.0f}"
        )


HEADER = f"{'storage':<8} {'tables':>6} {'days':>6} {'wall s':>9} {'cpu s':>8} {'events':>9} {'events/s':>9} {'MB':>7}"


def _verdict(key: str) -> PartitionVerdict:
    checks = {name: CheckVerdict(True, "every row passed", {"rows": 250, "failed_rows": 0}) for name in CHECKS}
    return PartitionVerdict(datetime.date.fromisoformat(key), True, 250, checks, {"expected_rows": 250})


def empty_asset(number: int) -> dg.AssetsDefinition:
    """A table that publishes every day without doing anything."""
    key = dg.AssetKey(["benchmark", f"table_{number:02d}"])
    upstream = [dg.AssetKey(["benchmark", f"table_{n:02d}"]) for n in range(max(0, number - 2), number)]

    @dg.asset(
        key=key,
        deps=upstream,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(key, CHECKS, dict.fromkeys(CHECKS, "rule"), DAILY),
    )
    def table(context: dg.AssetExecutionContext) -> Iterator[Reported]:
        yield from report(context, key, [_verdict(day) for day in context.partition_keys])

    return table


def _instance(home: Path, storage: str) -> dg.DagsterInstance:
    overrides = (
        {
            "event_log_storage": {
                "module": BatchedSqliteEventLogStorage.__module__,
                "class": BatchedSqliteEventLogStorage.__name__,
                "config": {"base_dir": str(home / "history")},
            }
        }
        if storage == "batched"
        else {}
    )
    return dg.DagsterInstance.local_temp(
        str(home), overrides={**overrides, "telemetry": {"enabled": False}, "python_logs": {"python_log_level": "INFO"}}
    )


def measure(storage: str, tables: int, days: int) -> Measurement:
    """Create and execute one run over all tables and days; what is measured is the whole of it."""
    assets = [empty_asset(number) for number in range(tables)]
    last = EPOCH + datetime.timedelta(days=days - 1)
    tags = {"dagster/asset_partition_range_start": EPOCH.isoformat(), "dagster/asset_partition_range_end": str(last)}
    with tempfile.TemporaryDirectory() as home, _instance(Path(home), storage) as instance:
        started, used = time.perf_counter(), _cpu()
        result = dg.materialize(assets, instance=instance, tags=tags)
        seconds, cpu = time.perf_counter() - started, _cpu() - used
        if not result.success:
            raise SystemExit(f"the run on the {storage} storage failed; its log is above")
        events = tables * (days * (2 + 2 * len(CHECKS)))
        size = sum(file.stat().st_size for file in Path(home).rglob("*") if file.is_file())
    return Measurement(storage, tables, days, seconds, cpu, events, size / 1e6)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Cost of recording a run that computes nothing")
    parser.add_argument("--tables", type=int, default=22)
    parser.add_argument("--days", type=int)
    parser.add_argument("--storage", choices=("stock", "batched"), default="batched")
    options = parser.parse_args(arguments)
    sizes = [("stock", 4, 10), ("batched", 4, 10), ("batched", 22, 1), ("batched", 22, 1343)]
    if options.days:
        sizes = [(options.storage, options.tables, options.days)]
    warnings.simplefilter("ignore", dg.BetaWarning)
    print(HEADER)
    for storage, tables, days in sizes:
        print(measure(storage, tables, days).line(), flush=True)


if __name__ == "__main__":
    main()
