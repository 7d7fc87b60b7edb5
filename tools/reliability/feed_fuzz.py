"""Odd elements in every feed, by kind: ids, dates, states, tricodes, duplicates, exchanged sides, other types.

One element of an answer of a service, or one row of a landing file, is made odd. The others must all be used, the odd one must
be set aside with a reason or be read, and no day may lose its rows.
"""

import copy
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nba_pipeline.common.errors import PipelineError
from nba_pipeline.sources.answers import parsed
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.parsing.acceptance import SetAside
from nba_pipeline.sources.parsing.odds import MARKETS as ODDS_MARKETS
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.small_league import BOSTON, DAY, SEASON, services
from tools.reliability.fuzz import RAW_OF, Stand, landing
from tools.reliability.ground import RAW, ground, real_data, refused, stretch
from tools.reliability.mutations import Row, Rows
from tools.reliability.proof import Proof, Scale, Tally, following, stage

TITLE = "Odd elements: none empties a day, costs an answer, or goes without a reason"
STRETCH = {"quick": ("2024-02-01", "2024-02-03"), "full": ("2024-01-29", "2024-03-03")}
ANSWER_CASES = {"quick": 250, "full": 2000}
ROUNDS = {"quick": 1, "full": 5}
SEED = 31
NOW = datetime(2024, 11, 6, 12, tzinfo=UTC)
COPIES = 30
ODD: Sequence[Any] = (
    *(None, True, "", " ", "x" * 2000, "0", "12:30", "TBD", "PPD", "2024-13-45", "0001-01-01T00:00:00Z", -1, 0, 3, 7),
    *(10**18, -0.5, [], {}, [[]], {"a": 1}, "Ünïcødé 名前", "\ud800", "'; DROP TABLE x; --", "22400101", 22400101),
    *("0012400001", "0032400001", "0022300101", "XYZ", "BRK", "Yes", "Moved", "Suspended", "Not Necessary"),
)


@dataclass(frozen=True)
class Answers:
    """An answer of many elements: how to reach their list, and what names each element in what was read."""

    kind: str
    key: str
    payload: Any
    elements: Callable[[Any], list[Any]]
    identities: Callable[[Any], Counter[Any]]


def _leaf(element: Any, generator: random.Random) -> Any:
    """The element with a value anywhere in it replaced or removed."""
    element = copy.deepcopy(element)
    holder: Any = element
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = generator.choice(keys)
        inner = holder[key]
        if isinstance(inner, dict | list) and inner and generator.random() < 0.8:
            holder = inner
        elif isinstance(holder, dict) and generator.random() < 0.3:
            del holder[key]
            return element
        else:
            holder[key] = generator.choice(ODD)
            return element


def _result_set(payload: Any) -> list[Any]:
    return payload["resultSets"][0]["rowSet"]


def _many(payload: Any, column: str, label: Callable[[int, Any], Any]) -> Any:
    """A result set with its rows many times over, under other ids."""
    payload = copy.deepcopy(payload)
    found = payload["resultSets"][0]
    at = found["headers"].index(column)
    rows = [list(row) for row in found["rowSet"]][:COPIES]
    times = max(2, COPIES // len(rows))
    found["rowSet"] = [[*row[:at], label(n, row[at]), *row[at + 1 :]] for n in range(times) for row in rows]
    return payload


def _game_id(n: int, _: Any) -> str:
    return f"00224{n + 101:05d}"


def answers() -> tuple[list[Answers], Mapping[str, Game]]:
    """Answers of the invented league with enough elements that one is under every floor, and the schedule they belong to."""
    made = services()
    game = made.games[0]
    season = made.schedule({})
    first = season["leagueSchedule"]["gameDates"][0]["games"][0]
    season["leagueSchedule"]["gameDates"] = [{"games": [first | {"gameId": _game_id(n, 0)} for n in range(COPIES)]}]
    box = made.box_score(BOSTON)
    people = box["boxScoreTraditional"]["homeTeam"]["players"]
    box["boxScoreTraditional"]["homeTeam"]["players"] = [
        p | {"personId": 1000 + 100 * n + i} for n in range(4) for i, p in enumerate(people)
    ]
    books = made._books(game, set(ODDS_MARKETS))
    quotes = made._event(game) | {"bookmakers": [b | {"key": f"book{n}"} for n in range(10) for b in books]}
    log = {"SeasonType": "Regular Season"}
    of_season = f"{SEASON}_Regular-Season"

    def by(name: str) -> Callable[[Any], Counter[Any]]:
        return lambda rows: Counter(r[name] for r in rows)

    def rows_of(kind: str, key: str, payload: Any, who: Callable[[Any], Counter[Any]]) -> Answers:
        return Answers(kind, key, payload, _result_set, who)

    shots = _many(made.shot_chart(log | {"TeamID": "0"}), "PLAYER_ID", lambda n, i: int(i) * 100 + n)
    made_of: list[Answers] = [
        Answers(
            *("schedule", SEASON, season),
            lambda p: p["leagueSchedule"]["gameDates"][0]["games"],
            lambda games: Counter(g.game_id for g in games),
        ),
        rows_of(
            "player_log",
            of_season,
            _many(made.game_log(log | {"PlayerOrTeam": "P"}), "GAME_ID", _game_id),
            by("game_id"),
        ),
        rows_of(
            "team_log", of_season, _many(made.game_log(log | {"PlayerOrTeam": "T"}), "GAME_ID", _game_id), by("game_id")
        ),
        Answers(
            *("box_score", BOSTON, box),
            lambda p: p["boxScoreTraditional"]["homeTeam"]["players"],
            lambda b: Counter([r["player_id"] for r in (*b.players, *b.absent)] + [r["team"] for r in b.teams]),
        ),
        rows_of("shots", of_season, shots, lambda found: Counter(r["player_id"] for _, r in found)),
        rows_of(
            *("player_index", SEASON, _many(made.player_index(), "PERSON_ID", lambda n, i: int(i) * 100 + n)),
            by("player_id"),
        ),
        rows_of("player_bio", SEASON, _many(made.bios(), "PLAYER_ID", lambda n, i: int(i) * 100 + n), by("player_id")),
        Answers(
            *("events", f"{DAY}", [made._event(game) | {"id": f"event{n}"} for n in range(COPIES)]),
            lambda p: p,
            lambda events: Counter(e.id for e in events),
        ),
        Answers(
            *("event_odds", f"{DAY}_event{BOSTON}_now", quotes),
            lambda p: p["bookmakers"],
            lambda s: Counter(q["bookmaker"] for q in (*s.props, *s.lines)),
        ),
    ]
    return made_of, {g.game_id: g for g in parsed("schedule", SEASON, json.dumps(made.schedule({})).encode(), NOW, {})}


def answers_proof(cases: int) -> Proof:
    """One odd element an answer."""
    tally, generator, seen = Tally(), random.Random(SEED), Counter[str]()
    kinds, games = answers()

    def read(a: Answers, payload: Any) -> tuple[Counter[Any], list[SetAside]]:
        aside: list[SetAside] = []
        found = parsed(a.kind, a.key, json.dumps(payload).encode(), NOW, games, aside)
        return a.identities(found), aside

    clean = {a.kind: read(a, a.payload)[0] for a in kinds}
    for n in following(range(cases), cases, "answers with an odd element"):
        a = kinds[n % len(kinds)]
        payload = copy.deepcopy(a.payload)
        elements = a.elements(payload)
        at = generator.randrange(len(elements))
        how = generator.choice(("cell", "cell", "cell", "whole", "twice"))
        if how == "twice":
            elements.insert(at, copy.deepcopy(elements[at]))
        else:
            elements[at] = generator.choice(ODD) if how == "whole" else _leaf(elements[at], generator)
        name = f"{a.kind} element {at} {how}: {str(elements[at])[:120]}"
        try:
            found, aside = read(a, payload)
        except PipelineError as e:
            tally.case(f"{name}: the answer is lost: {e}")
            continue
        except Exception as e:  # noqa: BLE001 - whatever it is, it is what the harness looks for
            tally.case(f"{name}: {type(e).__name__}: {str(e)[:200]}")
            continue
        lost = clean[a.kind] - found
        seen["set aside" if aside else "read"] += 1
        if len(lost) > 1:
            tally.case(f"{name}: {len(lost)} elements are missing, such as {list(lost)[:3]}")
        elif lost and not aside and not found - clean[a.kind] and how != "cell":
            tally.case(f"{name}: {list(lost)} is missing without a reason")
        elif any(not x.reason.strip() or not x.element.strip() for x in aside):
            tally.case(f"{name}: set aside without a name or a reason")
        else:
            tally.case()
    return tally.proof(
        "one odd element never costs an answer: it is set aside by name with its reason, and all others are used",
        f"answers of {len(kinds)} kinds with one element odd, or twice: ids, dates, states, teams, types, form",
        "answers in the form of the services, of an invented league",
        dict(seen) | {"kinds of answer": len(kinds)},
    )


Change = Callable[[Row], list[Row]]


def _set(**cells: str) -> Change:
    return lambda r: [r | {k: v for k, v in cells.items() if k in r}]


def _twice(**cells: str) -> Change:
    return lambda r: [r, r | {k: v for k, v in cells.items() if k in r}]


def _exchanged(*pairs: tuple[str, str]) -> Change:
    return lambda r: [r | {k: v for a, b in pairs if a in r and b in r for k, v in ((a, r[b]), (b, r[a]))}]


def _of(column: str, change: Callable[[str], str]) -> Change:
    return lambda r: [r | {column: change(r[column])}]


ANY: Mapping[str, Change] = {
    "id without zeros": _of("game_id", lambda v: v.lstrip("0")),
    "id as a decimal": _of("game_id", lambda v: f"{v.lstrip('0')}.0"),
    "id of an exhibition": _set(game_id="0032300001"),
    "id of another season": _of("game_id", lambda v: f"{v[:3]}20{v[5:]}"),
    "no id": _set(game_id=""),
    "date of another form": _of("game_date", lambda v: f"{v[8:]}.{v[5:7]}.{v[:4]}"),
    "date that cannot be": _set(game_date="2024-02-31"),
    "no date": _set(game_date=""),
    "an exact copy": _twice(),
}
KINDS: Mapping[str, Mapping[str, Change]] = {
    "schedule": ANY
    | {
        "unknown tricode": _set(home_team="XYZ"),
        "tricode of another source": _of("home_team", lambda v: {"BKN": "BRK", "PHX": "PHO"}.get(v, v.lower())),
        "no team": _set(away_team=""),
        "sides exchanged": _exchanged(("home_team", "away_team"), ("home_pts", "away_pts")),
        "a copy with another score": _twice(home_pts="201"),
        "a score of 0:0": _set(home_pts="0", away_pts="0"),
        "no score": _set(home_pts="", away_pts=""),
        "tip-off a day later": _set(game_datetime_utc="2024-06-30T23:30:00Z"),
    },
    "player_boxscores": ANY
    | {
        "unknown tricode": _set(team="XYZ"),
        "sides exchanged": _exchanged(("team", "opponent")),
        "another person with the same line": _twice(player_id="999999999"),
        "a copy with other points": _twice(pts="77"),
    },
    "team_boxscores": ANY | {"unknown tricode": _set(team="XYZ"), "sides exchanged": _exchanged(("team", "opponent"))},
    "shots": ANY | {"unknown value": _set(shot_value="4"), "unknown zone": _set(zone_basic="Moon")},
    "prop_lines": ANY
    | {
        "unknown book": _set(bookmaker="newbook"),
        "unknown market": _set(market="sneezes"),
        "prices exchanged": _exchanged(("over_odds", "under_odds")),
        "a copy with other prices": _twice(over_odds="-125", under_odds="-105"),
        "decimal odds": _set(over_odds="1.91", under_odds="1.91"),
        "absurd odds": _set(over_odds="199900", under_odds="-110"),
        "unknown kind of book": _twice(book_kind="casino"),
    },
    "game_lines": ANY
    | {
        "unknown book": _set(bookmaker="newbook"),
        "a copy with another spread": _twice(spread_home="31.5"),
        "prices exchanged": _exchanged(("ml_home", "ml_away")),
        "absurd total": _set(total="2200"),
    },
    "injuries": {
        "unknown status": _set(status="day-to-day"),
        "unknown tricode": _set(team="XYZ"),
        "no date": _set(report_date=""),
        "an exact copy": _twice(),
        "unknown kind of record": _set(record_type="rumour"),
    },
}


def odd_rows(here: Stand, feed: str, first: int, generator: random.Random) -> Iterator[tuple[date, str, Rows]]:
    """One odd row a day, the kinds in turn."""
    names = list(KINDS[feed])
    for n, day in enumerate(here.days):
        rows = here.landing.by_day[feed][str(day)]
        if rows:
            name, at = names[(first + n) % len(names)], generator.randrange(len(rows))
            yield day, name, [*rows[:at], *KINDS[feed][name](dict(rows[at])), *rows[at + 1 :]]


def rows_proof(here: Stand, rounds: int) -> Proof:
    """One odd row a day and feed, published over the good days."""
    tally, generator, seen = Tally(), random.Random(SEED), Counter[str]()
    work = [(n, feed) for n in range(rounds) for feed in KINDS]
    for n, feed in following(work, len(work), "files with odd rows"):
        chosen = list(odd_rows(here, feed, n * 7, generator))
        table = RAW_OF[feed]
        with TemporaryDirectory() as scratch:
            here.landing.write(feed, Path(scratch), {str(day): rows for day, _, rows in chosen})
            here.restore()
            try:
                source = here.with_files([feed], Path(scratch))
                done = here.ground.publish(here.days, [table], source=source)[table]
            except PipelineError as e:
                tally.case(f"{feed}: the whole file is refused: {e}")
                continue
        found = here.hashes([table])
        reasons: dict[date, list[str]] = {}
        for r in here.ground.warehouse.quarantine(table, here.days[0], here.days[-1]).to_pylist():
            reasons.setdefault(r["day"], []).append(r["reason"])
        refusals = {v.day: v.reason for v in done.refused}
        undated = bool(here.ground.warehouse.quarantine(table).num_rows)
        for day, name, _ in chosen:
            before, after = here.clean[table, day], found[table, day]
            said = f"{feed} {day} {name}"
            reported = bool(refusals.get(day, "").strip() or any(x.strip() for x in reasons.get(day, ())) or undated)
            if before and not after:
                tally.case(f"{said}: the day is empty")
            elif day not in refusals and len(before - after) > max(2, len(before) // 4):
                tally.case(f"{said}: {len(before - after)} of {len(before)} rows are gone")
            elif before - after and not after - before and not reported:
                tally.case(f"{said}: rows are gone and nothing reports it")
            else:
                seen["refused" if day in refusals else "set aside" if day in reasons else "read"] += 1
                tally.case(
                    f"{said}: set aside without a reason" if any(not x.strip() for x in reasons.get(day, ())) else None
                )
    return tally.proof(
        "one odd row never empties a day: it is set aside with a reason, or its day is refused and keeps its rows",
        f"{sum(map(len, KINDS.values()))} kinds of odd row in {len(KINDS)} feeds: ids, dates, states, tricodes, duplicates, "
        "exchanged sides, unknown books and markets; one a day and feed, published over the good days",
        f"real data {here.days[0]}..{here.days[-1]}, landing files in CSV",
        dict(seen),
    )


def prove(scale: Scale) -> list[Proof]:
    proofs = [answers_proof(ANSWER_CASES[scale])]
    days = stretch(*STRETCH[scale])
    data = real_data()
    with TemporaryDirectory(prefix="feed-fuzz-") as scratch, ground(data) as home:
        clean = Path(scratch) / "clean"
        clean.mkdir()
        with stage("the clean stretch, published"):
            rows = landing(data, days)
            for feed in rows.columns:
                rows.write(feed, clean)
            said = refused(home.publish(days, RAW, source=FilesSource(clean)))
            assert not said, said
            template = Path(scratch) / "template.duckdb"
            shutil.copy(home.settings.database, template)
            here = Stand(home, clean, days, rows, {}, template)
            here.clean = here.hashes([t for t in RAW if t in CATALOG])
        return [*proofs, rows_proof(here, ROUNDS[scale])]
