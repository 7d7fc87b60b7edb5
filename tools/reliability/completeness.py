"""Games, players, days, shot logs and weeks taken out of the source: each absence is said, and putting it back heals everything.

The days from the first affected one on are taken out of a published home and published again from a source with a gap, as if
they ran for the first time; then the same days from the whole source.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from nba_pipeline.cli.main import main
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, days_between
from nba_pipeline.sources.landing import PLAYER_BOXSCORES, SCHEDULE
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.tables.raw.shots import NO_SHOTS
from tools.reliability.ground import (
    REAL_FIRST,
    REAL_LAST,
    AlteredSource,
    Ground,
    differing,
    files_environment,
    real_data,
    real_home,
    refused,
    stretch,
)
from tools.reliability.proof import Proof, Scale, Tally, following, stage
from tools.reliability.same_answer import Copy

TITLE = "Complete or explained: rows missing from the source are reported with a reason, and a rerun completes them"
STRETCH = {"quick": ("2024-02-26", "2024-03-03"), "full": ("2023-10-24", "2024-04-14")}
TRIALS = {"quick": 5, "full": 60}
SEED = 5
DAYS_AFTER = 2
TABLES = tuple(t for t in graph_order() if not t.startswith("nba_predictions."))
BOXES = ("player_boxscores", "team_boxscores")
Change = Callable[[pa.Table], pa.Table]
Kind = Callable[[Ground, date, random.Random], "Gap"]


@dataclass(frozen=True)
class Gap:
    """What is taken out, of which feeds and days; whether the days must be refused for it."""

    what: str
    days: tuple[date, ...]
    changes: dict[str, Change]
    refuses: bool


def _without(keep: Callable[[dict], bool]) -> Change:
    return lambda rows: rows.filter(pa.array([keep(r) for r in rows.to_pylist()], pa.bool_()))


def _games(ground: Ground, day: date) -> list[str]:
    rows = ground.source.read(SCHEDULE, [day]).to_pylist()
    return sorted(r["game_id"] for r in rows if r["game_id"].startswith(COUNTABLE_PREFIXES))


def a_game(ground: Ground, day: date, generator: random.Random) -> Gap:
    game = generator.choice(_games(ground, day))
    gone = _without(lambda r: r["game_id"] != game)
    return Gap(f"box score of game {game}", (day,), dict.fromkeys(BOXES, gone), refuses=True)


def a_player(ground: Ground, day: date, generator: random.Random) -> Gap:
    rows = ground.source.read(PLAYER_BOXSCORES, [day]).to_pylist()
    chosen = generator.choice([r for r in rows if r["min_exact"] is None or r["min_exact"] > 1])
    key = (chosen["game_id"], chosen["player_id"])
    gone = _without(lambda r: (r["game_id"], r["player_id"]) != key)
    return Gap(f"{chosen['player_name']} in {key[0]}", (day,), {"player_boxscores": gone}, refuses=True)


def a_day(_: Ground, day: date, __: random.Random) -> Gap:
    gone = _without(lambda r: r["game_date"] != day)
    return Gap("all box scores of the day", (day,), dict.fromkeys(BOXES, gone), refuses=True)


def a_week(ground: Ground, day: date, _: random.Random) -> Gap:
    days = tuple(d for d in days_between(day, day + timedelta(days=6)) if _games(ground, d))
    gone = _without(lambda r: r["game_date"] not in days)
    return Gap("all box scores of a week", days, dict.fromkeys(BOXES, gone), refuses=True)


def shots_of_a_game(ground: Ground, day: date, generator: random.Random) -> Gap:
    game = generator.choice(_games(ground, day))
    gone = _without(lambda r: r["game_id"] != game)
    return Gap(f"shots of game {game}", (day,), {"shots": gone}, refuses=False)


def the_shot_file(_: Ground, day: date, __: random.Random) -> Gap:
    return Gap("the shot file", (day,), {"shots": lambda rows: rows.slice(0, 0)}, refuses=False)


def the_slate_of_a_game(ground: Ground, day: date, generator: random.Random) -> Gap:
    game = generator.choice(_games(ground, day))
    gone = _without(lambda r: r["game_id"] != game)
    return Gap(f"game {game} in the schedule alone", (day,), {"schedule": gone}, refuses=True)


KINDS: Sequence[Kind] = (a_player, a_game, a_player, shots_of_a_game, a_day, the_shot_file, a_week, the_slate_of_a_game)


def said_by(ground: Ground, *command: str) -> Result:
    """What a command of `nba-pipeline` says of the home, and its exit code."""
    variables = {"NBA_PIPELINE_HOME": str(ground.settings.home)}
    if ground.settings.data is not None:
        variables = files_environment(ground.settings.home, ground.settings.data)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return CliRunner().invoke(main, command, catch_exceptions=False)


def status(ground: Ground, first: date, last: date) -> dict[str, dict]:
    """What `nba-pipeline status --json` says of these days, by table."""
    said = said_by(ground, "status", str(first), str(last), "--json")
    return {t["table"]: t for t in json.loads(said.stdout)["tables"]}


def problems(ground: Ground, first: date, last: date) -> list[str]:
    """The tables that `nba-pipeline check` finds fault with, and what it says; none where it ends with 0."""
    said = said_by(ground, "check", str(first), str(last))
    found = [line for line in said.stdout.splitlines() if line.startswith("PROBLEM")]
    assert bool(said.exit_code) == bool(found), said.output
    return found


def complaints(
    gap: Gap, said: dict[str, dict], checked: Sequence[str], looking_back: Sequence[str], days: Sequence[date]
) -> Iterator[str]:
    """What is wrong with what `status` and `check` say of a home with the gap."""
    facts = "nba_analytics.player_game_summary"
    if gap.refuses != any(facts in line for line in checked):
        yield f"`check` says of {facts}: {checked or 'nothing'}"
    for day in map(str, gap.days if gap.refuses else ()):
        if not said[facts]["days_refused"].get(day, "").strip():
            yield f"{facts} {day} is not refused with a reason"
        if not any(said[f"nba_raw.{feed}"]["days_refused"].get(day) for feed in BOXES):
            yield f"{day}: no raw table says what is missing"
    if gap.refuses:
        for table in looking_back:
            silent = [d for d in map(str, days) if d > str(gap.days[0]) and d not in said[table]["days_refused"]]
            if silent or said[table]["complete"]:
                yield f"{table} passes for complete on {', '.join(silent)}"
    elif not said["nba_raw.shots"]["rows_absent_explained"].get(NO_SHOTS):
        yield "the absence of shots is not explained"


def looking_back() -> list[str]:
    """Tables that need every day of the season before, directly: they must not run over a gap."""
    return [t for t in TABLES if any(r.kind == "season" and "summary" in r.table.id for r in CATALOG[t].reads.values())]


def trial(ground: Copy, gap: Gap) -> tuple[list[str], list[str]]:
    """(what was wrong with the gap in place, table-days that did not heal)."""
    days = days_between(gap.days[0], gap.days[-1] + timedelta(days=DAYS_AFTER))
    before = ground.contents(days[0], days[-1], TABLES)
    ground.forget(days, TABLES)
    ground.publish(days, TABLES, source=AlteredSource(ground.source, gap.changes))
    said, checked = status(ground, days[0], days[-1]), problems(ground, days[0], days[-1])
    wrong = list(complaints(gap, said, checked, looking_back(), days))
    still = refused(ground.publish(days, TABLES))
    healed = differing(before, ground.contents(days[0], days[-1], TABLES))
    healed += problems(ground, days[0], days[-1])
    return wrong, healed + [f"{t} {d}: {why}" for t, of in still.items() for d, why in of.items()]


def removals(ground: Copy, days: list[date], trials: int) -> list[Proof]:
    said, healed, generator = Tally(), Tally(), random.Random(SEED)
    tried: Counter[str] = Counter()
    with_games = [d for d in days if _games(ground, d) and d + timedelta(days=8) <= days[-1]] or [days[0]]
    for n in following(range(trials), trials, "gaps"):
        kind = KINDS[n % len(KINDS)]
        gap = kind(ground, generator.choice(with_games), generator)
        wrong, left = trial(ground, gap)
        tried[kind.__name__.replace("_", " ")] += 1
        said.case(f"{gap.what} {gap.days[0]}: {'; '.join(wrong)}" if wrong else None)
        healed.case(f"{gap.what} {gap.days[0]}: {', '.join(left[:5])}" if left else None)
    on = f"real data {days[0]}..{days[-1]}, {len(TABLES)} tables from raw data to precomputed features"
    return [
        said.proof(
            "rows removed from the source are reported with a reason, and nothing downstream counts as complete",
            "random removals, published as if for the first time; `nba-pipeline status` and `nba-pipeline check` are "
            "compared with the removal",
            on,
            dict(tried),
        ),
        healed.proof(
            "once the rows are back, rerunning only the affected days completes everything",
            "the same days published again; content hashes compared with those before the removal, `check` must exit with 0",
            on,
        ),
    ]


def every_game_has_its_rows(warehouse_file: Path) -> Proof:
    """Of all countable final games of the home: two team rows, ten or more players, on the right day; no day is missing."""
    tally = Tally()
    with duckdb.connect(str(warehouse_file), read_only=True) as db:
        prefixes = ", ".join(f"'{p}'" for p in COUNTABLE_PREFIXES)
        games = db.execute(
            f"""SELECT s.game_id, s.game_date, s.season_type,
                (SELECT count(*) FROM nba_analytics.team_offense_game_summary AS t WHERE t.game_id = s.game_id),
                (SELECT count(*) FROM nba_analytics.player_game_summary AS p WHERE p.game_id = s.game_id)
            FROM nba_raw.schedule AS s WHERE status = 'final' AND substr(game_id, 1, 3) IN ({prefixes})"""
        ).fetchall()
        kinds = Counter(kind for _, _, kind, _, _ in games)
        for game, day, _, teams, players in games:
            tally.case(None if teams == 2 and players >= 10 else f"{game} {day}: {teams} teams, {players} players")
        entries = db.execute(
            "SELECT day, games, rows FROM nba_ops.ledger WHERE table_id = 'nba_raw.schedule' AND state = 'published'"
        ).fetchall()
        idle = {day for day, n, _ in entries if n == 0}
        for day in days_between(REAL_FIRST, REAL_LAST):
            tally.case(None if day in {d for d, *_ in entries} else f"{day} has no entry in the ledger")
    return tally.proof(
        "every countable game has its rows, and a day without games does not count as missing",
        "all final games by the prefix of their id; all days of the ledger",
        f"real data {REAL_FIRST}..{REAL_LAST}",
        {
            "games": len(games),
            **{f"{k} games": n for k, n in kinds.items()},
            "days without games, published as such": len(idle),
        },
    )


def prove(scale: Scale) -> list[Proof]:
    original, days = real_home(), stretch(*STRETCH[scale])
    assert real_data()
    with TemporaryDirectory(prefix="completeness-") as scratch:
        with stage("a copy of the home"):
            ground = Copy.of(original, Path(scratch))
        with stage("the stretch, published by this version"):
            assert not refused(ground.publish(days, TABLES))
        return [*removals(ground, days, TRIALS[scale]), every_game_has_its_rows(original.database)]
