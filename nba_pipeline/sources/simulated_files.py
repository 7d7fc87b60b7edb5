"""Keep the seasons of an invented league as files, each simulated when it is first read or ahead of that."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nba_pipeline.common.locking import file_lock

GENERATION_TIMEOUT = 300.0


@dataclass(frozen=True)
class SimulatedFiles:
    """The landing files of the invented league of `seed`: a directory below `directory` for each season."""

    directory: Path
    seed: int

    def of(self, season: str) -> Path:
        """Return the season's directory; simulate the season first if it is missing. The directory appears when complete."""
        home = self.place(season)
        if home.exists():
            return home
        home.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(home.parent / f"{season}.lock", exclusive=True, timeout=GENERATION_TIMEOUT):
            if not home.exists():
                import pyarrow.parquet as pq

                from nba_pipeline.simulator import simulate_season

                draft = home.with_name(f".{season}-{os.getpid()}")
                draft.mkdir()
                try:
                    for name, rows in simulate_season(season, self.seed).items():
                        pq.write_table(rows, draft / f"{name}.parquet")
                    draft.rename(home)
                finally:
                    shutil.rmtree(draft, ignore_errors=True)
        return home

    def place(self, season: str) -> Path:
        """Return where the season is or will be."""
        return self.directory / f"seed-{self.seed}" / season

    @contextmanager
    def ahead(self, seasons: Iterable[str]) -> Iterator[None]:
        """Simulate the missing ones of some seasons while the block runs, each in a process of its own.

        A reader of such a season waits until it is complete, and simulates it where its process has died. Processes that still
        run when the block ends are stopped.
        """
        missing = [s for s in sorted(set(seasons)) if not self.place(s).exists()]
        command = [sys.executable, "-m", __name__, str(self.directory), str(self.seed)]
        with ExitStack() as ended:
            for season in missing:
                # In a group of its own: Ctrl-C is for this process, which ends the others.
                process = subprocess.Popen([*command, season], stdin=subprocess.DEVNULL, process_group=0)
                ended.callback(process.wait)
                ended.callback(process.terminate)
            yield


def _main(directory: str, seed: str, season: str) -> None:
    """Simulate a season in a process of its own, which leaves no draft behind where it is told to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    SimulatedFiles(Path(directory), int(seed)).of(season)


if __name__ == "__main__":
    _main(*sys.argv[1:])
