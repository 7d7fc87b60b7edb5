"""What can be wrong with a cell, a row or a file of the landing layout, and what must come of it.

Verdicts: BAD must not be in the raw table; BEYOND may be what a source says, but must not get beyond nba_raw; FINE must be
published as it is.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

BAD, BEYOND, FINE = "bad", "beyond", "fine"
Verdict = Literal["bad", "beyond", "fine"]
Row = dict[str, str]
Rows = list[Row]


@dataclass(frozen=True)
class Mutation:
    """One fault in one row: `change` takes the day's rows of a feed and the index of one, and returns the day's rows."""

    name: str
    feed: str
    verdict: Verdict
    change: Callable[[Rows, int], Rows]
    applies: Callable[[Row], bool] = lambda _: True


def cell(feed: str, column: str, verdict: Verdict, **values: Callable[[str], str] | str) -> list[Mutation]:
    """Mutations that put a value, or the change of the value, into one column."""

    def one(name: str, value: Callable[[str], str] | str) -> Mutation:
        def new(old: str) -> str:
            return value(old) if callable(value) else value

        def change(rows: Rows, i: int) -> Rows:
            return [*rows[:i], rows[i] | {column: new(rows[i][column])}, *rows[i + 1 :]]

        return Mutation(
            f"{column}: {name}", feed, verdict, change, lambda r: bool(r[column]) and new(r[column]) != r[column]
        )

    return [one(name.replace("_", " "), value) for name, value in values.items()]


def whole(feed: str, name: str, verdict: Verdict, change: Callable[[Row], Row | list[Row] | None]) -> Mutation:
    """A mutation of a whole row: it becomes another one, several, or none."""

    def apply(rows: Rows, i: int) -> Rows:
        new = change(dict(rows[i]))
        return [*rows[:i], *(new if isinstance(new, list) else [new] if new else []), *rows[i + 1 :]]

    return Mutation(name, feed, verdict, apply)


LONG = "x" * 2000
NOT_A_NUMBER: Mapping[str, str] = {
    "text": "abc",
    "infinite": "inf",
    "minus_infinite": "-Infinity",
    "hexadecimal": "0x1F",
    "two_numbers": "1;2",
    "thousand": "1,000",
    "unicode": "１2𝟛x",
    "quoted": '"',
    "sql": "1'; DROP TABLE nba_raw.schedule; --",
    "shell": "$(rm -rf /)",
    "long": LONG,
    "huge": "9" * 400,
}
COUNTED = ("pts", "fgm", "oreb", "dreb", "reb")  # each is tied to others by an identity
BOXES = ("player_boxscores", "team_boxscores")
NAMES: Mapping[str, str] = {
    "accents": "Nikola Jokić Šarić",
    "emoji": "Player 🏀 One",
    "right_to_left": "محمد علي",
    "quotes": 'O\'Neal "Shaq" O`Brien',
    "sql": "Robert'); DROP TABLE nba_raw.player_boxscores;--",
    "shell": "$(touch pwned) `id` | rm -rf ~ && x",
    "braces": "{{7*7}} %s {0} ${HOME}",
}


def _boxes(feed: str) -> list[Mutation]:
    found: list[Mutation] = []
    for column in (*COUNTED, "fga", "ast", "stl", "fg3m", "ftm"):
        found += cell(feed, column, BAD, **NOT_A_NUMBER, fraction="1.5", negative="-3", beyond_range="4000", empty="")
    for column in COUNTED:
        found += cell(
            feed, column, BAD, zero_as_text=lambda v: "0" if v != "0" else "7", one_more=lambda v: str(int(v) + 1)
        )
    found += cell(feed, "fga", BAD, fewer_than_made="0")
    for column in ("team", "opponent"):
        found += cell(feed, column, BAD, unknown="XXX", small=str.lower, empty="", long=LONG, spaced=lambda v: f"{v} ")
    found += cell(
        feed,
        "game_id",
        BAD,
        short="22300",
        letters="00223ABCDE",
        other="0022399999",
        spaced=lambda v: f" {v}",
        empty="",
    )
    found += cell(
        feed,
        "game_date",
        BAD,
        impossible="2024-02-31",
        text="yesterday",
        empty="",
        far="9999-12-31",
        early="0001-01-01",
    )
    found += cell(
        feed, "is_home", BAD, text="maybe", number="2", flipped=lambda v: "false" if v.lower() == "true" else "true"
    )

    def swapped(row: Row) -> Row:
        return row | {"team": row["opponent"], "opponent": row["team"]}

    def swapped_and_flipped(row: Row) -> Row:
        return swapped(row) | {"is_home": "false" if row["is_home"].lower() == "true" else "true"}

    found += [
        whole(feed, "team and opponent swapped", BAD, swapped),
        whole(feed, "the row in both teams", BAD, lambda r: [r, swapped_and_flipped(r)]),
        whole(feed, "the row in the other team", BAD, swapped_and_flipped),
        whole(feed, "the row twice", FINE, lambda r: [r, r]),
        whole(feed, "the row twice, with other values", BAD, lambda r: [r, r | {"ast": str(int(r["ast"]) + 1)}]),
        whole(feed, "every cell empty", BAD, dict.fromkeys),  # pyright: ignore[reportArgumentType]
    ]
    return found


def _players() -> list[Mutation]:
    feed = "player_boxscores"
    found = _boxes(feed)
    found += cell(feed, "player_id", BAD, text="abc", negative="-5", zero="0", fraction="1.5", empty="", huge="9" * 30)
    found += cell(
        feed, "min_exact", BAD, negative="-5.0", beyond_range="4800", infinite="inf", text="abc", clock="34:12"
    )
    found += cell(feed, "plus_minus", BAD, text="abc", beyond_range="500", infinite="inf", fraction="0.5")
    found += cell(feed, "player_name", FINE, **NAMES)
    found += cell(feed, "player_name", BAD, empty="", long=LONG, new_line="Two\nLines")
    return found


def _schedule() -> list[Mutation]:
    feed = "schedule"
    found = cell(feed, "game_id", BAD, short="22300", letters="00223ABCDE", kind="0092300001", empty="", long=LONG)
    found += cell(feed, "home_team", BAD, unknown="XXX", empty="", small=str.lower, long=LONG)
    found += cell(feed, "away_team", BAD, unknown="XXX", empty="")
    found += cell(feed, "home_pts", BAD, **NOT_A_NUMBER, negative="-3", beyond_range="4000", fraction="100.5")
    found += cell(feed, "home_pts", BEYOND, one_more=lambda v: str(int(v) + 1), zero_as_text="0")
    found += cell(feed, "game_datetime_utc", BAD, text="tonight", another_month="2024-07-01 00:00:00+00")
    found += cell(feed, "game_date", BAD, impossible="2024-02-31", text="yesterday", empty="", far="9999-12-31")
    found += [
        whole(
            feed,
            "home and away swapped",
            BEYOND,
            lambda r: r | {"home_team": r["away_team"], "away_team": r["home_team"]},
        ),
        whole(feed, "a team plays itself", BAD, lambda r: r | {"away_team": r["home_team"]}),
        whole(feed, "a tie", BAD, lambda r: r | {"away_pts": r["home_pts"]}),
        whole(feed, "the game twice", FINE, lambda r: [r, r]),
        whole(feed, "the game twice, with other scores", BAD, lambda r: [r, r | {"home_pts": "301"}]),
        whole(feed, "the game under another id", BEYOND, lambda r: r | {"game_id": "0022399998"}),
        whole(feed, "the game is not there", BEYOND, lambda _: None),
    ]
    return found


def _shots() -> list[Mutation]:
    feed = "shots"
    found: list[Mutation] = []
    for column in ("period", "shot_value", "shot_distance", "player_id"):
        found += cell(
            feed, column, BAD, **NOT_A_NUMBER, fraction="1.5", negative="-3", beyond_range="99999999999999999999"
        )
    found += cell(feed, "shot_value", BAD, four="4", empty="")
    found += cell(feed, "shot_distance", BAD, the_moon="9999", empty="")
    found += cell(feed, "shot_made", BAD, text="maybe", number="7", empty="")
    found += cell(feed, "game_id", BAD, other="0022399999", letters="00223ABCDE", empty="")
    found += cell(feed, "game_date", BAD, impossible="2024-02-31", empty="")
    found += cell(feed, "mins_left", BAD, negative="-5", beyond_range="60", text="abc")
    found += [
        whole(
            feed, "an attempt of a player who is not in the box score", BEYOND, lambda r: r | {"player_id": "999999"}
        ),
        whole(feed, "an attempt is not there", BEYOND, lambda _: None),
        whole(feed, "an attempt more", BEYOND, lambda r: [r, r | {"secs_left": "0", "mins_left": "0"}]),
    ]
    return found


def _later(text: str, hours: int) -> str:
    return str(datetime.fromisoformat(text) + timedelta(hours=hours))


def _lines() -> list[Mutation]:
    feed = "prop_lines"
    found = cell(
        feed,
        "line",
        BAD,
        **NOT_A_NUMBER,
        negative="-5.5",
        zero_as_text="0",
        quarter="7.3",
        beyond_range="400",
        empty="",
    )
    found += cell(feed, "over_odds", BAD, text="abc", between="50", infinite="inf", long=LONG)
    found += cell(feed, "market", BAD, unknown="touchdowns", empty="", long=LONG, sql="points' OR '1'='1")
    found += cell(feed, "bookmaker", BAD, empty="", long=LONG)
    found += cell(feed, "player_name", BAD, long=LONG, new_line="Two\nLines")
    found += cell(feed, "player_id", BAD, text="abc", negative="-5", zero="0")
    found += cell(
        feed,
        "first_seen_utc",
        BAD,
        text="noon",
        day_after=lambda v: _later(v, 24),
        year_after=lambda v: _later(v, 9000),
    )
    found += cell(feed, "last_seen_utc", BAD, before_first="2020-01-01 00:00:00+00", text="noon")
    found += cell(feed, "game_id", BAD, other="0022399999", letters="00223ABCDE")
    found += cell(feed, "game_date", BAD, impossible="2024-02-31", empty="")
    return found


def _game_lines() -> list[Mutation]:
    feed = "game_lines"
    found = cell(feed, "spread_home", BAD, **NOT_A_NUMBER, beyond_range="400")
    found += cell(feed, "total", BAD, **NOT_A_NUMBER, negative="-200", beyond_range="4000", zero_as_text="0")
    found += cell(feed, "ml_home", BAD, text="abc", infinite="inf")
    found += cell(feed, "bookmaker", BAD, empty="", long=LONG)
    found += cell(feed, "snapshot_utc", BAD, text="noon", day_after=lambda v: _later(v, 24))
    found += cell(feed, "game_id", BAD, other="0022399999", letters="00223ABCDE", empty="")
    return found


def _injuries() -> list[Mutation]:
    feed = "injuries"
    found = cell(feed, "record_type", BAD, unknown="rumour", empty="", long=LONG)
    found += cell(feed, "player_id", BAD, text="abc", negative="-5", zero="0")
    found += cell(feed, "player_name", BAD, long=LONG, new_line="Two\nLines")
    found += cell(feed, "player_name", FINE, **{k: v for k, v in NAMES.items() if k != "right_to_left"})
    found += cell(feed, "report_utc", BAD, text="noon", impossible="2024-02-31 10:00:00+00")
    found += cell(feed, "report_date", BAD, text="yesterday", impossible="2024-02-31", empty="")
    found += cell(feed, "team", BAD, unknown="XXX", long=LONG)
    return found


MUTATIONS: Mapping[str, list[Mutation]] = {
    "schedule": _schedule(),
    "player_boxscores": _players(),
    "team_boxscores": _boxes("team_boxscores"),
    "shots": _shots(),
    "prop_lines": _lines(),
    "game_lines": _game_lines(),
    "injuries": _injuries(),
}


# --- files ------------------------------------------------------------------------------------------------------------


def truncated(content: bytes, generator: random.Random) -> bytes:
    return content[: generator.randint(0, len(content) - 1)]


def garbled(content: bytes, generator: random.Random) -> bytes:
    place = generator.randint(0, len(content) - 1)
    return content[:place] + generator.randbytes(16) + content[place + 16 :]


def not_a_table(_: bytes, generator: random.Random) -> bytes:
    return generator.choice(
        [b"", b"<html><body>403</body></html>", b'{"error": "rate limited"}', b"\x00" * 64, b"PAR1"]
    )


FILES: Mapping[str, Callable[[bytes, random.Random], bytes]] = {
    "truncated": truncated,
    "garbled": garbled,
    "not a table": not_a_table,
}
