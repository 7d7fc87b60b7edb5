"""Properties of the usual variants of a name: they find their player, and never another."""

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import assume, given
from hypothesis import strategies as st

from nba_pipeline.domain.identity.resolver import Appearance, People, Player, Question
from nba_pipeline.domain.identity.spelling import Spelling
from nba_pipeline.domain.player_names import player_lookup

DAY = "2024-01-15"
FIRST = st.sampled_from(("Leon", "Bron", "Marcus", "Tim", "Adam", "Jalen", "Öner", "Đorđe", "Åke", "Ömer", "Luka"))
LAST = st.sampled_from(("James", "Møller", "Pöltl", "Dončić", "Đurišić", "Åkesson", "Schröder", "Ayón", "Hale", "Dane"))
TEAM = st.sampled_from(("BOS", "NYK", "LAL"))
WRITTEN = {"ö": "oe", "ä": "ae", "ü": "ue", "å": "aa", "đ": "dj", "Đ": "Dj", "Ö": "Oe", "Å": "Aa"}
SON = st.sampled_from(("Jr.", "Jr", "II", "III"))


@dataclass(frozen=True)
class Roster:
    """Players by name, each with a team, or without an appearance yet."""

    teams: dict[str, str | None]

    def found(self, spelled: str, *teams: str, aliases: Mapping[str, str] | None = None) -> str | None:
        numbers = dict(enumerate(self.teams))
        seen = {(n, DAY): Appearance(t, name) for n, name in numbers.items() if (t := self.teams[name])}
        people = People([Player(n, name) for n, name in numbers.items()], aliases or {})
        player = people.answer(Question(spelled, DAY, frozenset(teams)), seen).player
        return player.name if player else None


names = st.builds("{} {}".format, FIRST, LAST)
rosters = st.builds(Roster, st.dictionaries(names, st.none() | TEAM, min_size=1, max_size=12))


@given(rosters, FIRST, FIRST, LAST, SON)
def test_a_son_who_is_listed_under_another_first_name_is_never_his_father(
    others: Roster, father: str, son: str, surname: str, suffix: str
) -> None:
    assume(father != son)
    family = Roster(others.teams | {f"{father} {surname}": "LAL", f"{son} {surname}": "LAL"})
    assert family.found(f"{father} {surname} {suffix}", "LAL", "BOS") is None
    assert family.found(f"{father} {surname}", "LAL", "BOS") == f"{father} {surname}"


@given(rosters, FIRST, LAST, SON)
def test_an_alias_of_somebody_who_is_not_listed_yet_is_not_his_father(
    others: Roster, father: str, surname: str, suffix: str
) -> None:
    spelled = f"{father} {surname} {suffix}"
    league = Roster(others.teams | {f"{father} {surname}": "LAL"})
    assert league.found(spelled, "LAL", "BOS", aliases={player_lookup(spelled): "somebodyelse"}) is None


@given(rosters, FIRST, LAST)
def test_a_transliterated_name_is_its_player_and_never_another(others: Roster, first: str, last: str) -> None:
    name = f"{first} {last}"
    spelled = "".join(WRITTEN.get(letter, letter) for letter in name)
    league = Roster({n: t for n, t in others.teams.items() if n != name} | {name: "LAL"})
    assert league.found(spelled, "LAL", "BOS") == name
    assert league.found(spelled.removesuffix("ć") + "ch" if spelled.endswith("ć") else spelled, "LAL", "BOS") == name
    assert spelled == name or league.found(spelled, "CHI", "MIA") is None


@given(rosters, FIRST, LAST, st.sampled_from(("{}. {}", "{} {}", "{}.{}")), TEAM)
def test_an_initial_is_a_player_of_the_game_only_where_no_other_has_it(
    others: Roster, first: str, last: str, form: str, rival: str
) -> None:
    league = Roster(others.teams | {f"{first} {last}": "LAL"})
    key = Spelling(f"{first} {last}")
    mine = [
        n
        for n, t in league.teams.items()
        if t in ("LAL", rival) and Spelling(n).surname == key.surname and Spelling(n).core[0][0] == key.core[0][0]
    ]
    found = league.found(form.format(first[0], last), "LAL", rival)
    assert found is None if len(mine) > 1 or form == "{}.{}" else found == f"{first} {last}"


@given(rosters, FIRST, LAST, LAST, TEAM)
def test_half_a_double_name_is_its_player_unless_another_is_called_so(
    others: Roster, first: str, one: str, two: str, rival: str
) -> None:
    assume(one != two)
    double = f"{first} {one}-{two}"
    league = Roster({n: t for n, t in others.teams.items() if n.split()[0] != first} | {double: "LAL"})
    for half in (one, two):
        assert league.found(f"{first} {half}", "LAL", rival) == double
        namesake = Roster(league.teams | {f"{first} {half}": rival})
        assert namesake.found(f"{first} {half}", "LAL", rival) == f"{first} {half}"
