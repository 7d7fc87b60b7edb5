"""`nba-pipeline drift`: which features it names, and its exit codes."""

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nba_pipeline.cli import drift
from nba_pipeline.cli.main import main
from nba_pipeline.evaluation.feature_drift import FeatureDrift

STEADY = FeatureDrift("pace", 9_000, 900, 0.0, 0.01, 98.0, 98.4, 0.1)
SILENT = FeatureDrift("starts_last_10", 9_000, 900, 0.0, 1.0, 5.0, None, None)


def asked(home: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["drift", *options], env={"NBA_PIPELINE_HOME": str(home)})


@pytest.mark.parametrize(("found", "named", "code"), [([STEADY, SILENT], ["starts_last_10"], 1), ([STEADY], [], 0)])
def test_a_feature_that_drifts_is_named_and_ends_the_command_with_1(
    found: list[FeatureDrift], named: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days: list[date] = []

    def published(_: object, day: date) -> list[FeatureDrift]:
        days.append(day)
        return found

    monkeypatch.setattr(drift, "published_drift", published)
    shown, listed = asked(tmp_path, "2025-04-02"), asked(tmp_path, "2025-04-02", "--json")
    assert days == [date(2025, 4, 2)] * 2
    assert (shown.exit_code, listed.exit_code) == (code, code)
    assert [line.split()[1].rstrip(":") for line in shown.stderr.splitlines()] == named
    assert {f["feature"]: f["drifts"] for f in json.loads(listed.stdout)} == {f.feature: f.drifts for f in found}


def test_a_home_without_a_published_day_has_nothing_to_compare(tmp_path: Path) -> None:
    done = asked(tmp_path)
    assert (done.exit_code, "nothing was ever published" in done.stderr) == (1, True)
