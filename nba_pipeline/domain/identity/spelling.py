"""Rules that match two spellings of a player's name, from the safest to the loosest.

A rule derives one key from a book's spelling, and from a player's own name the keys that match it. Rules after `alias`
accept a player only if the player's team plays in the game (see `resolver`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from nba_pipeline.domain.player_names import player_lookup

SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "v"})
LONGEST_INITIAL = 3
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")


@dataclass(frozen=True)
class Spelling:
    """A name as spelled by a source, split into normalised words."""

    text: str

    @cached_property
    def lookup(self) -> str:
        return player_lookup(_BRACKETS.sub(" ", self.text))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Normalised words; a hyphen separates, brackets and their content are left out."""
        parts = re.split(r"[\s\-‐‑–]+", _BRACKETS.sub(" ", self.text))
        return tuple(w for w in map(player_lookup, parts) if w)

    @cached_property
    def core(self) -> tuple[str, ...]:
        """The words without a generational suffix at the end."""
        words = self.words
        return words[:-1] if len(words) > 2 and words[-1] in SUFFIXES else words

    @property
    def first_is_short(self) -> bool:
        """Whether the first word is an initial (`P. Pritchard`) or a beginning with a full stop (`Mil. Bridges`)."""
        written = self.text.strip().split()
        return bool(written) and (len(self.core[0]) == 1 or written[0].endswith(".")) if len(self.core) > 1 else False


@dataclass(frozen=True)
class Rule:
    """`book` gives the key of a spelling (empty: the rule does not apply), `player` the keys that match a name."""

    name: str
    meaning: str
    book: Callable[[Spelling], str]
    player: Callable[[Spelling], Iterable[str]]
    needs_team: bool = True


def _unless_short(key: Callable[[Spelling], str]) -> Callable[[Spelling], str]:
    return lambda s: "" if len(s.core) < 2 or s.first_is_short else key(s)


def _without_suffix(s: Spelling) -> str:
    return "".join(s.core)


def _any_order(s: Spelling) -> str:
    return " ".join(sorted(s.core))


def _first_and_last(s: Spelling) -> str:
    return f"{s.core[0]} {s.core[-1]}"


def _initial(s: Spelling) -> str:
    if not s.first_is_short or len(s.core[0]) > LONGEST_INITIAL:
        return ""
    return f"{s.core[0]} {''.join(s.core[1:])}"


def _initials(s: Spelling) -> list[str]:
    if len(s.core) < 2:
        return []
    first, rest = s.core[0], "".join(s.core[1:])
    return [f"{first[:n]} {rest}" for n in range(1, min(LONGEST_INITIAL, len(first)) + 1)]


RULES = (
    Rule("exact", "the normalised names are equal", lambda s: s.lookup, lambda s: [s.lookup], needs_team=False),
    Rule(
        "suffix",
        "equal but for Jr, Sr, II, III, IV",
        _unless_short(_without_suffix),
        lambda s: [_without_suffix(s)] if len(s.core) > 1 else [],
    ),
    Rule(
        "word_order",
        "the same words in another order",
        _unless_short(_any_order),
        lambda s: [_any_order(s)] if len(s.core) > 1 else [],
    ),
    Rule(
        "middle_name",
        "the first and the last word are equal",
        _unless_short(_first_and_last),
        lambda s: [_first_and_last(s)] if len(s.core) > 1 else [],
    ),
    Rule("initial", "the last name, and the beginning of the first", _initial, _initials),
)
ALIAS, SOURCE = "alias", "source"
WAYS = (SOURCE, RULES[0].name, ALIAS, *(r.name for r in RULES[1:]))
