"""Write the injury feed: transactions, status reports before the games, and absences from box scores."""

import numpy as np

from nba_pipeline.domain.report_types import AFTER_GAME, SNAPSHOT, TRANSACTION
from nba_pipeline.simulator.availability import (
    DOUBTFUL,
    HEALTHY,
    OUT,
    OUT_FOR_SEASON,
    PARTS,
    PERSONAL,
    REST,
    STATUS_NAMES,
    SUSPENSION,
)
from nba_pipeline.simulator.clubs import TEAM_COUNT
from nba_pipeline.simulator.rotation import ranks
from nba_pipeline.simulator.season import Season

# Minutes before tip-off; the snapshots of `prop_lines` lie between them.
MORNING_MINUTES, FINAL_MINUTES, SCRATCH_MINUTES = 600, 90, 35
_DRESSED = 12  # players ranked lower are inactive and in no box score
_NO_GAME = -1
_INJURIES = ("sprained", "sore", "strained", "bruised")


def _reason(part: int, word: int) -> str:
    return (
        str(PARTS[part])
        if part >= REST or PARTS[part] in ("illness", "concussion protocol")
        else f"{_INJURIES[word % 4]} {PARTS[part]}"
    )


def _transactions(season: Season) -> list[tuple]:
    """List the transactions of absences of three or more days: placed out at the start, activated at the end."""
    clubs, spells, last = (
        season.world.clubs,
        season.spells,
        season.calendar.day_index(season.calendar.series_days(4, False)[-1]),
    )
    club_of = np.full((len(season.world.history.names), last + 2), _NO_GAME)
    for club in range(TEAM_COUNT):
        for person, first, final in zip(clubs.person[club], clubs.first_day[club], clubs.last_day[club], strict=True):
            if person >= 0:
                club_of[person, max(first, 0) : final + 1] = club
    rows = []
    end = season.calendar.day_index(season.calendar.regular_end)
    for person, number in zip(
        *np.nonzero((spells.last - spells.first >= 2) & (spells.last >= 0) & (spells.first <= end)), strict=True
    ):
        first, final, part = (int(v[person, number]) for v in (spells.first, spells.last, spells.part))
        reason = _reason(part, int(person) + int(number))
        for day, status, text in (
            (first, "placed_out", f"placed on IL with {reason}"),
            (final + 1, "activated", f"activated from IL ({reason})"),
        ):
            if 0 <= day <= end and club_of[person, day] >= 0:
                rows.append((TRANSACTION, day, None, _NO_GAME, int(club_of[person, day]), int(person), status, text))
    return rows


def injury_rows(season: Season, rng: np.random.Generator) -> list[tuple]:
    """List the feed's rows in order of day.

    A row is (record type, day, minutes before tip-off or None, game, club, person, status, reason).
    """
    batch = season.games
    slate, status, seconds = batch.slate, batch.status, batch.played.seconds
    rows = _transactions(season)
    listed = slate.member & (status.listed > HEALTHY)
    rank = ranks(slate.score, slate.member)

    def add(mask: np.ndarray, kind: str, minutes: int | None, words: np.ndarray) -> None:
        at, slot = np.nonzero(mask)
        late = rng.integers(0, 10, len(at)).tolist()
        person, part = slate.person[at, slot].tolist(), status.part[at, slot].tolist()
        columns = (at.tolist(), slot.tolist(), late, person, part, slate.row_day[at].tolist(), slate.club[at].tolist())
        for r, s, shift, person_number, part_code, day, club in zip(*columns, strict=True):
            when = None if minutes is None else minutes + shift
            text = str(words[r, s]) if kind == AFTER_GAME else _reason(part_code, person_number)
            rows.append(
                (
                    kind,
                    day,
                    when,
                    r // 2,
                    club,
                    person_number,
                    "did_not_play" if kind == AFTER_GAME else str(words[r, s]),
                    text,
                )
            )

    add(listed, SNAPSHOT, MORNING_MINUTES, STATUS_NAMES[status.listed])
    undecided = listed & (status.listed <= DOUBTFUL)
    add(undecided, SNAPSHOT, FINAL_MINUTES, np.where(status.out, "out", "available"))
    add(status.scratched & slate.member, SNAPSHOT, SCRATCH_MINUTES, np.full(slate.person.shape, "out"))
    missed = slate.member & (seconds == 0) & (rank < _DRESSED) & (status.listed < OUT_FOR_SEASON)
    absent = np.where((status.listed == OUT) | (status.listed == OUT_FOR_SEASON), "Did Not Dress", "Did Not Play")
    away = np.where(
        status.part == SUSPENSION, "Player Suspended", np.where(status.part == PERSONAL, "Not With Team", absent)
    )
    add(missed, AFTER_GAME, None, np.where(status.out & (status.listed >= OUT), away, absent))
    return sorted(rows, key=lambda row: (row[1], row[0], row[3], row[4], row[5], -(row[2] or 0)))
