"""The only normaliser of player names: all sources use it, so that a player has one `player_lookup`."""

import re
import unicodedata
from functools import cache

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared

LOOKUP_SQL_PATTERN = r"^[a-z0-9]{1,60}$"

# Letters that canonical decomposition does not split into a base letter and a mark.
_UNDECOMPOSABLE = {
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "ı": "i",
    "ħ": "h",
}


def player_lookup(name: str) -> str:
    """Fold accents, lower-case, drop everything but letters and digits; suffixes (Jr, II, III) are kept.

    >>> player_lookup("Luka Dončić"), player_lookup("Michael Porter Jr."), player_lookup("De'Aaron Fox")
    ('lukadoncic', 'michaelporterjr', 'deaaronfox')
    """
    folded = unicodedata.normalize("NFD", name.lower().translate(str.maketrans(_UNDECOMPOSABLE)))
    return re.sub(r"[^a-z0-9]", "", folded)


@cache
def _accented_letters() -> tuple[str, str]:
    """Return all lower-case Latin letters (up to U+1EFF) that fold to one plain letter, and these plain letters."""
    pairs = [(c, player_lookup(c)) for c in map(chr, range(0xC0, 0x1F00)) if c == c.lower() and c.isalpha()]
    single = [(c, plain) for c, plain in pairs if len(plain) == 1]
    return "".join(c for c, _ in single), "".join(plain for _, plain in single)


def with_lookup(rows: ir.Table, name: str, lookup: str = "player_lookup") -> ir.Table:
    """Add the normalised name to the rows; each distinct name is normalised once."""
    names = rows.select(name).distinct()
    lookups = names.select(__name=names[name], **{lookup: lookup_expression(names[name])})
    return shared(rows.left_join(lookups, rows[name] == lookups["__name"]).select(rows, lookups[lookup]))


def lookup_expression(name: ir.StringValue) -> ir.StringValue:
    """Return `player_lookup` for a column of names in the Latin alphabet."""
    folded = name.lower()
    for letter, plain in _UNDECOMPOSABLE.items():
        if len(plain) > 1:
            folded = folded.replace(letter, plain)
    return folded.translate(*_accented_letters()).re_replace(r"[^a-z0-9]", "")
