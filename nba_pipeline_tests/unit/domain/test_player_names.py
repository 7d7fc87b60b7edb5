"""One normaliser of names: one player, one key, in Python and in SQL."""

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.domain.player_names import lookup_expression, player_lookup, with_lookup

# The table of reference/operations.md 6.1: the loaders of the original made four different keys of one player.
KNOWN = {
    "Michael Porter Jr.": "michaelporterjr",
    "Robert Williams III": "robertwilliamsiii",
    "José Alvarado": "josealvarado",
    "Luka Dončić": "lukadoncic",
}
OTHERS = {
    "De'Aaron Fox": "deaaronfox",
    "Shai Gilgeous-Alexander": "shaigilgeousalexander",
    "P.J. Washington": "pjwashington",
    "Nikola Jokić": "nikolajokic",
    "Dāvis Bertāns": "davisbertans",
    "Dennis Schröder": "dennisschroder",
    "Alperen Şengün": "alperensengun",
    "Ömer Aşık": "omerasik",
    "İlkan Karaman": "ilkankaraman",
    "Đorđe Gagić": "dordegagic",
    "Łukasz Ølsen": "lukaszolsen",
    "Þór Æther ß": "thoraetherss",
    "  Trey_Murphy, III ": "treymurphyiii",
    "": "",
    "...": "",
    "Luka Doncˇic´": "lukadoncic",
    "Luka Donc\u030cic\u0301": "lukadoncic",
}


def in_sql(names: list[str | None]) -> list[str | None]:
    rows = relation({"place": "int64", "name": "string"}, name="names")
    expression = rows.select(rows.place, found=lookup_expression(rows.name))
    with duck.connect() as db:
        db.register("names", pa.table({"place": range(len(names)), "name": pa.array(names, pa.string())}))
        found = db.execute(ibis.to_sql(expression, dialect="duckdb")).fetchall()
    return [text for _, text in sorted(found)]


@pytest.mark.parametrize(("name", "lookup"), (KNOWN | OTHERS).items())
def test_a_player_has_one_key(name: str, lookup: str) -> None:
    assert player_lookup(name) == lookup


def test_sql_gives_the_same_keys_and_keeps_unknown_names_unknown() -> None:
    names = [*KNOWN, *OTHERS]
    assert in_sql([*names, None]) == [*(KNOWN | OTHERS).values(), None]


@pytest.mark.parametrize(("a", "b"), [("Gary Payton", "Gary Payton II"), ("Tim Hardaway", "Tim Hardaway Jr.")])
def test_fathers_and_sons_are_two_players(a: str, b: str) -> None:
    assert player_lookup(a) != player_lookup(b)


@given(st.text(max_size=30))
def test_a_key_has_only_letters_and_digits_and_is_its_own_key(name: str) -> None:
    key = player_lookup(name)
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789" for c in key)
    assert player_lookup(key) == key


# Ligatures and digraphs fold to two letters in Python; the SQL expression knows them only one by one.
DIGRAPHS = "ĲĳǄǅǆǇǈǉǊǋǌǱǲǳ"
LATIN = "".join(
    c for c in map(chr, [*range(0x20, 0x7F), *range(0xC0, 0x250), *range(0x1E00, 0x1F00)]) if c not in DIGRAPHS
)


def test_every_latin_letter_folds_alike_in_sql_and_python() -> None:
    letters = [f"x{c}y" for c in LATIN]
    differing = [n for n, found in zip(letters, in_sql(list(letters)), strict=True) if found != player_lookup(n)]
    assert differing == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from(LATIN + "\u0300\u0301\u030c\u0327"), max_size=12), min_size=1, max_size=20))
def test_sql_and_python_agree_on_latin_names(names: list[str]) -> None:
    assert in_sql(list(names)) == [player_lookup(n) for n in names]


@pytest.mark.parametrize("name", ["Marc van Dĳk", "Luka Ǌegoš", "Maria Lªpez"])
def test_sql_and_python_agree_on_compatibility_letters(name: str) -> None:
    assert in_sql([name]) == [player_lookup(name)]


def test_with_lookup_keeps_every_row_and_adds_the_key() -> None:
    rows = relation({"place": "int64", "name": "string"}, name="names")
    with duck.connect() as db:
        db.register("names", pa.table({"place": [1, 2, 3, 4], "name": ["José", "José", None, "Jose"]}))
        found = db.execute(ibis.to_sql(with_lookup(rows, "name"), dialect="duckdb")).fetchall()
    assert sorted((place, lookup) for place, _, lookup in found) == [(1, "jose"), (2, "jose"), (3, None), (4, "jose")]
