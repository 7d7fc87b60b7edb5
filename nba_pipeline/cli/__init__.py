"""The command line."""

from nba_pipeline.cli.main import main

__all__ = ["main"]
