"""The states of a game: what each one demands, what it blocks, how a forecast of it is graded, and the words that sources use."""

import re
from dataclasses import dataclass

import ibis

from nba_pipeline.common import ibis_types as ir

SCHEDULED, IN_PROGRESS, FINAL = "scheduled", "in progress", "final"
POSTPONED, CANCELLED, SUSPENDED, NOT_NEEDED, UNKNOWN = "postponed", "cancelled", "suspended", "not needed", "unknown"

# Why an expected row of a game is absent while its result is awaited; a day with such rows is unfinished.
PENDING = "game not final yet"


@dataclass(frozen=True)
class GameState:
    """A state of a game.

    `takes_place`: the game is, or may be, played on its day, so lines and forecasts of it are expected. `blocks`: later days
    wait for its result. `absence`: why its box score and all that follows from it are absent (empty: they are expected).
    `void`: why a forecast of it is void (empty: it is graded, or waits).
    """

    name: str
    takes_place: bool
    blocks: bool
    absence: str = ""
    void: str = ""


STATES: dict[str, GameState] = {
    s.name: s
    for s in (
        GameState(SCHEDULED, takes_place=True, blocks=True, absence=PENDING),
        GameState(IN_PROGRESS, takes_place=True, blocks=True, absence=PENDING),
        GameState(FINAL, takes_place=True, blocks=False),
        GameState(POSTPONED, False, False, "the game was postponed", "the game was postponed"),
        GameState(CANCELLED, False, False, "the game was cancelled", "the game was cancelled"),
        GameState(SUSPENDED, True, False, "the game was suspended", "the game was suspended"),
        GameState(NOT_NEEDED, False, False, "the game was not needed", "the game was not needed"),
        GameState(
            UNKNOWN, True, False, "no result, and not marked as postponed or cancelled: the game's state is unknown"
        ),
    )
}
CALLED_OFF = tuple(s.name for s in STATES.values() if not s.takes_place)

# Words of the sources (landing files, stats.nba.com, cdn.nba.com and others), lower case, as regular expressions of the whole
# text. A game that was "postponed from" another day takes place.
_REASON = r"([^a-z]*|[^a-z]+(due|because|until|to|tbd|tba|covid|weather|health|safety)([^a-z].*)?)"
_WORDS: tuple[tuple[str, str], ...] = (
    (r"f(inal)?( *[/-]? *[0-9]*ot[0-9]*)?|finished|completed?|closed|3", FINAL),
    (rf"(postponed|postp?|ppd){_REASON}|rescheduled", POSTPONED),
    (rf"(cancell?ed|canc|cncl){_REASON}|abandoned", CANCELLED),
    (rf"(suspended|susp){_REASON}", SUSPENDED),
    (r"not[ _-]?(needed|necessary|required)|unnecessary", NOT_NEEDED),
    (r"in[ _-]?progress|live|halftime|half|end of .*|(q|ot)[0-9]?( .*)?|[0-9]*ot|2", IN_PROGRESS),
    (r"scheduled|sched|not[ _-]?started|upcoming|pre-?game|created|(time-?)?(tbd|tba)|if[ _-]?necessary|1", SCHEDULED),
    (r"[0-9]{1,2}:[0-9]{2} *[ap]m( *et)?|(start )?delayed", SCHEDULED),
)
_PREFIX = r"^(status|state)[ _-]"


def state_of(words: str | None) -> str | None:
    """Return the state that a source's words name; `unknown` for words that are not declared, None without words."""
    text = re.sub(_PREFIX, "", (words or "").strip().lower())
    if not text:
        return None
    return next((state for pattern, state in _WORDS if re.fullmatch(pattern, text)), UNKNOWN)


def state_expression(words: ir.StringValue) -> ir.StringValue:
    """The same as `state_of`, for a column."""
    text = words.strip().lower().re_replace(_PREFIX, "").nullif("")
    known = [(text.re_search(f"^({pattern})$"), state) for pattern, state in _WORDS]
    return ibis.cases(*known, else_=text.notnull().ifelse(UNKNOWN, None))


def is_called_off(status: ir.StringValue) -> ir.BooleanValue:
    """True for a game that is not played on its day: postponed, cancelled or not needed."""
    return status.isin(CALLED_OFF)


def absence(status: ir.StringValue) -> ir.StringValue:
    """Why the box score of a game in this state is absent; NULL where it is expected."""
    return status.cases(*((s.name, s.absence) for s in STATES.values() if s.absence), else_=ibis.null("string"))


def void_reason(status: ir.StringValue) -> ir.StringValue:
    """Why forecasts of a game in this state are void; NULL where they are graded or wait for the result."""
    return status.cases(*((s.name, s.void) for s in STATES.values() if s.void), else_=ibis.null("string"))
