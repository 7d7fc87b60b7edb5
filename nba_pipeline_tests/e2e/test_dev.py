"""`make dev` on a machine where nothing has run yet."""

import signal
from contextlib import ExitStack
from pathlib import Path

from nba_pipeline_tests.support.homes import Home
from nba_pipeline_tests.support.services import Services, free_port, group_alive, process_group, until


def test_two_servers_start_at_once_on_an_empty_home_and_end_with_all_their_children(tmp_path: Path) -> None:
    home, ports = Home(tmp_path / "home"), (free_port(), free_port())
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                process_group(
                    ["-m", "nba_pipeline.cli.dev", "--port", str(port), "--pages-port", "0"],
                    {k: v for k, v in home.environment.items() if k != "DAGSTER_HOME"},
                    tmp_path / f"{port}.log",
                )
            )
            for port in ports
        ]
        for port, process in zip(ports, processes, strict=True):
            server = Services(f"http://127.0.0.1:{port}/graphql")
            until(lambda server=server, process=process: process.poll() is not None or server.loaded())
            assert process.poll() is None, (tmp_path / f"{port}.log").read_text()[-3000:]
        for process, asked in zip(processes, (signal.SIGINT, signal.SIGTERM), strict=True):
            process.send_signal(asked)
        for process in processes:
            assert process.wait(60) == 0
            until(lambda process=process: not group_alive(process.pid), 20)
    with home.instance() as instance:
        assert instance.get_run_records() == []
        assert not instance.get_asset_keys()
