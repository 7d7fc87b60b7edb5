"""First names that can be one person's: short and long forms, and transliterations. Only compared under one surname."""

import re
from functools import cache

SHORTEST_STEM = 2
SHORTEST_PART = 4
SHORTEST_SKIPPING = 5
_BEGINNING = 2
# Short forms that share too few letters with the long form for `short_form` to see. Any two of a group may be one name.
SHORT_FORMS = (
    frozenset({"bob", "bobby", "robert", "robbie"}),
    frozenset({"bill", "billy", "william", "willie"}),
    frozenset({"jim", "jimmy", "james", "jay"}),
    frozenset({"mike", "mikey", "michael"}),
    frozenset({"tony", "anthony", "antonio"}),
    frozenset({"nick", "nicky", "nicholas", "nicolas", "nikolas", "nic"}),
    frozenset({"zeke", "ezekiel"}),
    frozenset({"larry", "lawrence"}),
    frozenset({"alex", "alexander", "alejandro", "aleksandar", "aleksandre", "alexandre", "sandro"}),
    frozenset({"frank", "francis", "franklin"}),
    frozenset({"joe", "joseph"}),
    frozenset({"rick", "ricky", "richard", "ricard"}),
    frozenset({"ted", "teddy", "edward", "theodore"}),
    frozenset({"jack", "john", "johnny", "jon", "jonathan"}),
    frozenset({"moe", "maurice", "morris"}),
    frozenset({"charlie", "chuck", "chaz", "charles"}),
    frozenset({"hank", "henry"}),
    frozenset({"liam", "william"}),
    frozenset({"harry", "harold", "henry"}),
    frozenset({"mac", "matthew", "matt"}),
    frozenset({"max", "maksim", "maksym", "maxim"}),
)
_DIGRAPHS = {"oe": "o", "ae": "a", "ue": "u", "dj": "d", "aa": "a"}


def plain(word: str) -> str:
    """A normalised word as it reads however its special letters were transliterated: oe, ae, ue and aa for ö, ä, ü and å, dj
    for đ, and the ending -ich for -ić."""
    for written, letter in _DIGRAPHS.items():
        word = word.replace(written, letter)
    return re.sub(r"ich$", "ic", word)


def short_form(a: str, b: str) -> bool:
    """Whether one first name can be the short form of the other.

    True where the shorter begins the longer once a pet ending (-y, -ie, -e, -s) is off (Cam, Cameron; Danny, Daniel), where it
    lies whole in the longer and has four letters (Nique, Dominique), where both begin alike and the longer has all its five
    letters or more in order (Domas, Domantas), and for the pairs of `SHORT_FORMS`; c counts as k (Nicola, Nikola).
    """
    a, b = a.replace("c", "k"), b.replace("c", "k")
    if a == b or any({a, b} <= group for group in _compared()):
        return True
    short, long = sorted((a, b), key=len)
    if any(long.startswith(s) for s in _stems(short)):
        return True
    if len(short) >= SHORTEST_PART and short in long:
        return True
    return len(short) >= SHORTEST_SKIPPING and short[:_BEGINNING] == long[:_BEGINNING] and _in_order(short, long)


@cache
def _compared() -> tuple[frozenset[str], ...]:
    """The groups of `SHORT_FORMS` as first names are compared: transliterated, and with k for c."""
    return tuple(frozenset(plain(name).replace("c", "k") for name in group) for group in SHORT_FORMS)


def _stems(word: str) -> list[str]:
    """The word, and what is left of it without a pet ending and the doubled letter before one."""
    stems = [word]
    for ending in ("ie", "y", "e", "s"):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            stems += [stem, re.sub(r"(.)\1$", r"\1", stem)]
    return [s for s in stems if len(s) >= (SHORTEST_STEM if s == word else SHORTEST_STEM + 1)]


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(c in letters for c in short)
