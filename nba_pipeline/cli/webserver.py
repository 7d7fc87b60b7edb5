"""Dagster's web server behind a guard: `python -m nba_pipeline.cli.webserver [--allow-host NAME]... [options of the server]`.

Dagster's server answers every request, so that any page open in a browser on the same machine could run mutations on it.
The guard (`own_pages`) refuses requests of other pages and for other hosts.
"""

import sys
from collections.abc import Collection, Sequence

from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware

from nba_pipeline.cli.options import USAGE
from nba_pipeline.cli.own_pages import ALLOW_HOST, LOCAL_NAMES, OwnPagesOnly, host_name
from nba_pipeline.common.errors import ConfigurationError


def guard(names: Collection[str]) -> None:
    """Put the guard before every request of the web servers of this process.

    Args:
        names: The names of this server.
    """
    plain = DagsterWebserver.build_middleware

    def guarded(self: DagsterWebserver) -> list[Middleware]:
        return [Middleware(OwnPagesOnly, names=frozenset(names)), *plain(self)]

    DagsterWebserver.build_middleware = guarded


def split_names(arguments: Sequence[str]) -> tuple[frozenset[str], list[str]]:
    """Return the names given by --allow-host with the local ones, and the other arguments.

    Args:
        arguments: The arguments of the command.

    Raises:
        ConfigurationError: A name is missing, or is more than a name.
    """
    names, others, rest = set(LOCAL_NAMES), [], iter(arguments)
    for argument in rest:
        option, given, value = argument.partition("=")
        if option == ALLOW_HOST:
            names.add(host_name(value if given else next(rest, "")))
        else:
            others.append(argument)
    return frozenset(names), others


def main() -> None:
    """Run the guarded server with the arguments of the process."""
    from dagster_webserver.cli import main as serve

    try:
        names, arguments = split_names(sys.argv[1:])
    except ConfigurationError as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(USAGE)
    guard(names)
    sys.argv = ["dagster-webserver", *arguments]
    serve()


if __name__ == "__main__":
    main()
