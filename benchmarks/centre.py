"""What moves the centre of the law beside a line: the law of `line_aware_v1` without each of its terms, walk-forward.

    python benchmarks/centre.py WAREHOUSE [--market points] [--season 2023-24 2024-25] [--days 400]

WAREHOUSE is the DuckDB file of a home whose feature store is published. Every month is forecast by what was trained on the rows
of the days before it, once whole and once with a term taken out of the artifact. Rows: played, with a line at the cut-off.
Differences to the whole law are paired; intervals (95 %) draw whole game days again.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from ablation import arguments, read_rows
from law import KEY, PRICING, by_day, law_of, log_loss
from rich.console import Console
from rich.table import Table as Grid

from nba_pipeline.systems.forecasting import forecast
from nba_pipeline.systems.training import train

WHOLE = "whole"
Change = Callable[[dict[str, Any]], dict[str, Any] | None]
LAWS: dict[str, Change] = {
    WHOLE: lambda lines: lines,
    "without the market's chance": lambda lines: {**lines, "knows_prices": False},
    "without the forecast": lambda lines: _without(lines, "slope"),
    "without the shift": lambda lines: _without(lines, "shift"),
    "the market's chance alone": lambda lines: _without(lines, "slope", "shift"),
    "the raw law": lambda _lines: None,
}


def _without(lines: dict[str, Any], *terms: str) -> dict[str, Any]:
    """The law without these terms, beside prices and without."""
    none = dict.fromkeys(terms, 0.0)
    return {**lines, **none, "beside_price": {**lines["beside_price"], **none}}


def changed(artifact: bytes, change: Change) -> bytes:
    """Return the artifact with another law beside lines."""
    stored = json.loads(artifact)
    calibration = stored["body"]["calibration"]
    return json.dumps(
        {**stored, "body": {**stored["body"], "calibration": {**calibration, "lines": change(calibration["lines"])}}}
    ).encode()


def month_of(rows: pd.DataFrame, month: pd.Period, market: str, days: int) -> pd.DataFrame:
    """Forecasts of the played rows with a line of a month, by every law."""
    first, after = month.start_time, (month + 1).start_time
    seen = rows["actual"].notna() & (rows["game_date"] < first)
    seen &= rows["game_date"] >= first - pd.Timedelta(days=days)
    artifacts = {s: t.artifact for s, t in train(rows[seen], market).systems.items()}
    day = rows[(rows["game_date"] >= first) & (rows["game_date"] < after)]
    facts, found = day[[*KEY, "season", "actual", "line"]], []
    whole = artifacts[PRICING]
    for name, change in LAWS.items():
        variant = None if whole is None else changed(whole, change)
        made = forecast(day, market, {**artifacts, PRICING: variant}, first.date()).get(PRICING)
        if made is not None:
            found.append(facts.assign(law=name, mean=made.mean, sd=made.sd, skewness=made.skewness))
    every = pd.concat(found) if found else facts.iloc[:0].assign(law="", mean=0.0, sd=0.0, skewness=0.0)
    return every[every[["actual", "line", "mean"]].notna().all(axis=1)]


def scores(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Score the rows of a law: log-loss (NaN on a push), CRPS, and the median's absolute error beyond the line's."""
    law, y, line = law_of(rows), rows["actual"].to_numpy(dtype=float), rows["line"].to_numpy(dtype=float)
    loss = np.where(y == line, np.nan, log_loss(np.clip(law.decided_over(line), 1e-6, 1 - 1e-6), y > line))
    return {"loss": loss, "crps": law.crps(y), "median": np.abs(law.quantiles()[0.50] - y) - np.abs(line - y)}


def laws_grid(made: pd.DataFrame, title: str) -> Grid:
    grid = Grid(title=title, title_justify="left")
    for name in ("law", "N", "log-loss", "- whole", "CRPS", "- whole", "bias of the mean", "median against the line"):
        grid.add_column(name, justify="left" if name == "law" else "right", no_wrap=True)
    by_law = {name: made[made["law"] == name].reset_index(drop=True) for name in LAWS}
    whole = scores(by_law[WHOLE])
    decided = ~np.isnan(whole["loss"])
    for name, rows in by_law.items():
        own = scores(rows)
        grid.add_row(
            name,
            f"{len(rows):,}",
            f"{own['loss'][decided].mean():.5f}",
            by_day((own["loss"] - whole["loss"])[decided], rows[decided], 4),
            f"{own['crps'].mean():.4f}",
            by_day(own["crps"] - whole["crps"], rows, 4),
            f"{(rows['mean'] - rows['actual']).mean():+.3f}",
            by_day(own["median"], rows),
        )
    return grid


def main() -> None:
    wanted = arguments(__doc__, "2023-24", "2024-25").parse_args()
    rows = read_rows(wanted.warehouse, wanted.market)
    lined = rows["season"].isin(wanted.season) & rows["line"].notna()
    months = sorted(rows.loc[lined, "game_date"].dt.to_period("M").unique())
    made = pd.concat([month_of(rows, m, wanted.market, wanted.days) for m in months], ignore_index=True)
    for season in wanted.season:
        title = f"{wanted.market}, {season}, {PRICING}"
        Console(width=190).print(laws_grid(made[made["season"] == season], title))


if __name__ == "__main__":
    main()
