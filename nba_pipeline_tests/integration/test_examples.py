"""The notebooks of `examples/` run from top to bottom, without a kernel, and what they compute agrees with the tables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from nba_pipeline.cli.main import main
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.pricing import price
from nba_pipeline_tests.support.homes import LAST, Home

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
SYSTEM = "line_aware_v1"
# American odds of over and under by book: `near` has the better under, `far` the better over.
ODDS = {"near": (-110.0, 105.0), "far": (100.0, -120.0)}


def cells(notebook: Path) -> list[dict[str, Any]]:
    return [c for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]


def run(notebook: Path) -> Mapping[str, Any]:
    """The names of a notebook after all its code."""
    names: dict[str, Any] = {}
    for number, cell in enumerate(cells(notebook)):
        exec(compile("".join(cell["source"]), f"{notebook.name}, cell {number}", "exec"), names)
    return names


@pytest.fixture
def read_copy(home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The read copy of a home of the simulator, whose models have too few rows for a forecast."""
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(home.path))
    done = CliRunner().invoke(main, ["snapshot"])
    assert done.exit_code == 0, done.output
    return home.path / "read" / "nba.duckdb"


def forecast(read_copy: Path) -> None:
    """Give the last day of a copy forecasts, priced quotes, and grades of the days before."""
    with duckdb.connect(str(read_copy)) as db:
        for table in ("player_prop_predictions", "prop_prices", "prediction_accuracy"):
            db.execute(f"CREATE OR REPLACE TABLE nba_predictions.{table} AS FROM nba_predictions.{table}")
        db.execute(
            "UPDATE nba_predictions.player_prop_predictions SET predicted_mean = line - 0.4, predicted_sd = 6.0, "
            "predicted_skewness = 0.6, is_pricing_system = TRUE WHERE system_id = ? AND line IS NOT NULL",
            [SYSTEM],
        )
        keys = "game_date, player_id, market, system_id, line"
        made = db.execute(
            f"SELECT {keys}, line - 0.4 AS mean FROM nba_predictions.player_prop_predictions WHERE predicted_mean IS NOT NULL"
        ).df()
        for market, rows in made.groupby("market"):
            lines, mean = rows["line"].to_numpy(dtype=float), rows["mean"].to_numpy(dtype=float)
            law = Law.stored(mean, np.full(len(rows), 6.0), np.full(len(rows), 0.6), str(market))
            made.loc[rows.index, ["p_over", "p_push"]] = np.column_stack(law.probability_over(lines))
            for book, (over, under) in ODDS.items():
                given = price(law, lines, np.full(len(rows), over), np.full(len(rows), under))
                made.loc[rows.index, [f"{book}_over", f"{book}_under"]] = np.column_stack(
                    (given.ev_over, given.ev_under)
                )
        db.register("made", made)
        db.execute(
            "UPDATE nba_predictions.player_prop_predictions AS f SET p_over = m.p_over, p_push = m.p_push FROM made m "
            "WHERE f.system_id = m.system_id AND (f.game_date, f.player_id, f.market) = (m.game_date, m.player_id, m.market)"
        )
        quote = "CAST(game_date AS DATE) AS game_date, player_id, market, system_id, line, p_over, p_push"
        for book, (over, under) in ODDS.items():
            db.execute(
                f"INSERT INTO nba_predictions.prop_prices BY NAME SELECT {quote}, '{book}' AS bookmaker, "
                f"{over} AS over_odds, {under} AS under_odds, "
                f"{book}_over AS ev_over, {book}_under AS ev_under, {book == 'far'} AS best_over, {book == 'near'} AS best_under "
                "FROM made"
            )
        db.execute(
            "INSERT INTO nba_predictions.prediction_accuracy BY NAME SELECT CAST(game_date AS DATE) AS game_date, player_id, "
            "market, system_id, 20 AS actual_value, 4.0 AS absolute_error, TRUE AS within_80, 0.25 AS profit FROM made"
        )


def test_the_notebook_prices_lines_finds_the_best_price_and_sums_up_the_record(read_copy: Path) -> None:
    forecast(read_copy)
    names = run(EXAMPLES / "prices_of_a_day.ipynb")
    assert names["DAY"].isoformat() == LAST.isoformat()
    assert names["differences"].max() < 1e-9
    ladder: pd.DataFrame = names["ladder"]
    assert ladder["p_over"].is_monotonic_decreasing
    assert np.allclose(ladder[["p_over", "p_push", "p_under"]].sum(axis=1), 1)
    best: pd.DataFrame = names["best"]
    assert len(best) == len(names["forecasts"]) > 0
    assert set(zip(best["bookmaker"], best["side"], best["odds"], strict=True)) == {("near", "under", 105.0)}
    assert (names["by_hand"] - best["value"]).abs().max() < 1e-9
    record = names["records"].loc[SYSTEM]
    assert (record["mae"], record["profit_per_unit"], record["low"]) == (4.0, 0.25, 0.25)


def test_a_home_without_forecasts_is_told_so(read_copy: Path) -> None:
    assert read_copy.exists()
    with pytest.raises(AssertionError, match="no day has a forecast of points"):
        run(EXAMPLES / "prices_of_a_day.ipynb")


def test_a_home_without_a_read_copy_is_told_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    with pytest.raises(AssertionError, match="run `nba-pipeline snapshot`"):
        run(EXAMPLES / "prices_of_a_day.ipynb")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_stores_no_output(notebook: Path) -> None:
    assert [c["outputs"] for c in cells(notebook) if c["outputs"] or c["execution_count"] is not None] == []


def test_every_notebook_has_a_test() -> None:
    assert [p.name for p in NOTEBOOKS] == ["prices_of_a_day.ipynb"]
