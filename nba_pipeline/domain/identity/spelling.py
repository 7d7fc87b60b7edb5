"""Rules that match two spellings of a player's name, from the safest to the loosest.

A rule gives a spelling of a book its keys, and a player's own name the keys under which it may be found; where it has a
condition, both spellings must meet it. Rules after `alias` accept a player only if he plays for a team of the game (see
`resolver`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from nba_pipeline.domain.identity import first_names
from nba_pipeline.domain.player_names import player_lookup

# Suffix -> generation. Jr and II are both the second; Sr is the first.
SUFFIXES = {"sr": 1, "jr": 2, "ii": 2, "iii": 3, "iv": 4, "v": 5}
JUNIOR = "j"
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
_INITIALS = re.compile(r"[A-Z]\.?[A-Z]\.?")
_ABBREVIATED = re.compile(r"[^\W\d_]+\.")


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
    def generation(self) -> int | None:
        """The number of the generational suffix: Sr 1, Jr and II 2, III 3; None without one."""
        return SUFFIXES[self.words[-1]] if len(self.core) < len(self.words) else None

    @property
    def surname(self) -> str:
        """All words but the first, without a suffix, however they were transliterated; empty for a single word."""
        return "".join(map(first_names.plain, self.core[1:]))

    @property
    def first(self) -> str:
        """The first word, however it was transliterated; empty for a single word."""
        return first_names.plain(self.core[0]) if len(self.core) > 1 else ""

    @property
    def first_is_short(self) -> bool:
        """Whether the first word is an initial (`P. Pritchard`) or a beginning with a full stop (`Mil. Bridges`)."""
        if len(self.core) < 2:
            return False
        return len(self.core[0]) == 1 or _ABBREVIATED.fullmatch(self.text.split()[0]) is not None

    @property
    def first_is_initials(self) -> bool:
        """Whether the first word is two initials: `EJ Liddell`, `E.J. Liddell`, but not `Ty Jerome` or `TY JEROME`."""
        return (
            len(self.core) > 1
            and len(self.core[0]) == 2
            and not self.text.isupper()
            and _INITIALS.fullmatch(self.text.split()[0]) is not None
        )


@dataclass(frozen=True)
class Rule:
    """`book` gives the keys of a spelling (none: the rule does not apply), `player` the keys that a name answers to; of the
    players found, those count that `agree`, if the rule has it, accepts with the spelling. `needs_rare_surname`: no match
    for a player whose surname another player has."""

    name: str
    meaning: str
    book: Callable[[Spelling], Iterable[str]]
    player: Callable[[Spelling], Iterable[str]]
    agree: Callable[[Spelling, Spelling], bool] | None = None
    needs_team: bool = True
    needs_rare_surname: bool = False


def _whole(key: Callable[[Spelling], str]) -> Callable[[Spelling], list[str]]:
    """A key for spellings of two words and more whose first word is written out."""
    return lambda s: [] if len(s.core) < 2 or s.first_is_short else [key(s)]


def _two_words(key: Callable[[Spelling], str]) -> Callable[[Spelling], list[str]]:
    return lambda s: [key(s)] if len(s.core) > 1 else []


def _lookup(s: Spelling) -> list[str]:
    return [s.lookup] if s.lookup else []


def _without_suffix(s: Spelling) -> str:
    return "".join(s.core)


def _any_order(s: Spelling) -> str:
    return " ".join(sorted(s.core))


def _first_and_last(s: Spelling) -> str:
    return f"{s.core[0]} {s.core[-1]}"


def _plain(s: Spelling) -> str:
    return "".join(map(first_names.plain, s.core))


def _surname(s: Spelling) -> list[str]:
    return [s.surname] if s.surname else []


def _short(s: Spelling) -> list[str]:
    return _surname(s) if s.first_is_short else []


def _beginnings(s: Spelling) -> list[str]:
    """The name without the second half, or both further parts, of its surname: two words and more of at least three."""
    return [" ".join(s.core[:n]) for n in range(2, len(s.core))]


def _all_words(s: Spelling) -> str:
    return " ".join(s.core)


def _same_generation(written: Spelling, own: Spelling) -> bool:
    """Whether the suffixes are not those of two generations; one that is left out says nothing."""
    return written.generation is None or own.generation is None or written.generation == own.generation


def _one_begins_the_other(written: Spelling, own: Spelling) -> bool:
    short, long = sorted((written.core, own.core), key=len)
    return len(short) < len(long) and long[: len(short)] == short and _same_generation(written, own)


def _begins(written: Spelling, own: Spelling) -> bool:
    return own.core[0].startswith(written.core[0]) and _same_generation(written, own)


def _by_initials(written: Spelling, own: Spelling) -> bool:
    """Whether one first name is two initials that can stand for the other: the first begins it, the second is J (a middle name,
    or Junior), another of its letters, or the initial of a further word."""
    if written.first_is_initials == own.first_is_initials or not _same_generation(written, own):
        return False
    short, long = sorted((written.core, own.core), key=lambda core: len(core[0]))
    if len(long[0]) <= len(short[0]):
        return False
    first, second = short[0]
    others = {word[0] for word in long[1:-1]}
    return long[0][0] == first and second in {JUNIOR, *long[0][1:], *others}


def _by_short_form(written: Spelling, own: Spelling) -> bool:
    return first_names.short_form(written.first, own.first) and _same_generation(written, own)


RULES = (
    Rule("exact", "the normalised names are equal", _lookup, _lookup, needs_team=False),
    Rule(
        "suffix",
        "equal but for Jr, Sr, II, III, IV, of which one has none or both mean one generation",
        _whole(_without_suffix),
        _two_words(_without_suffix),
        _same_generation,
    ),
    Rule(
        "word_order",
        "the same words in another order",
        _whole(_any_order),
        _two_words(_any_order),
        _same_generation,
    ),
    Rule(
        "middle_name",
        "the first and the last word are equal",
        _whole(_first_and_last),
        _two_words(_first_and_last),
        _same_generation,
    ),
    Rule(
        "transliteration",
        "equal when oe, ae, ue, aa, dj and -ich are read as ö, ä, ü, å, đ and -ić",
        _whole(_plain),
        _two_words(_plain),
        _same_generation,
    ),
    Rule("initial", "the surname, and the beginning of the first name", _short, _surname, _begins),
    Rule(
        "double_name",
        "one name is the beginning of the other, which has a further surname",
        lambda s: [_all_words(s), *_beginnings(s)] if len(s.core) > 1 and not s.first_is_short else [],
        lambda s: [_all_words(s), *_beginnings(s)] if len(s.core) > 1 else [],
        _one_begins_the_other,
    ),
    Rule(
        "initials",
        "the surname, which no other player has, and two initials for a first name",
        _surname,
        _surname,
        _by_initials,
        needs_rare_surname=True,
    ),
    Rule("short_form", "the surname, and a short or long form of the first name", _surname, _surname, _by_short_form),
)
ALIAS, SOURCE = "alias", "source"
WAYS = (SOURCE, RULES[0].name, ALIAS, *(r.name for r in RULES[1:]))
