"""`python -m nba_pipeline.cli` is `nba-pipeline`."""

from nba_pipeline.cli.main import main

main(prog_name="nba-pipeline")
