"""A spelling becomes a player only where it says who is meant; otherwise it stays open, with the reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.identity.aliases import SHIPPED, read_aliases
from nba_pipeline.domain.identity.resolver import Appearance, People, Player, Question
from nba_pipeline.domain.identity.spelling import WAYS, Spelling
from nba_pipeline_tests.support.real_data import REAL_DATA, needs_real_data

DAY = "2024-01-15"
PLAYERS = [
    Player(1, "Luka Dončić"),
    Player(2, "Michael Porter Jr."),
    Player(3, "Jalen Johnson"),
    Player(4, "Jalen Johnson"),
    Player(5, "Kentavious Caldwell-Pope"),
    Player(6, "Miles Bridges"),
    Player(7, "Mikal Bridges"),
    Player(8, "Kevin Knox II"),
    Player(9, "Bam Adebayo"),
    Player(10, "Payton Pritchard"),
    Player(11, "Gary Payton"),
    Player(12, "Gary Payton II"),
    Player(13, "Nene"),
]
TEAMS = {2: "DEN", 3: "ATL", 4: "MIA", 5: "DEN", 6: "CHA", 7: "BKN", 8: "DET", 10: "BOS", 11: "SEA", 12: "GSW"}
PEOPLE = People(PLAYERS, {"edricefemiadebayo": "bamadebayo"})


def asked(spelled: str, *teams: str, day: str = DAY) -> tuple[int | None, str]:
    answer = PEOPLE.answer(
        Question(spelled, day, frozenset(teams)), {(i, DAY): Appearance(t, "") for i, t in TEAMS.items()}
    )
    return (answer.player.player_id if answer.player else None), answer.rule or answer.why


@pytest.mark.parametrize(
    ("spelled", "teams", "player", "rule"),
    [
        ("Luka Doncic", (), 1, "exact"),
        ("luka  DONČIĆ", (), 1, "exact"),
        ("Michael Porter", ("DEN", "BOS"), 2, "suffix"),
        ("Jalen (2001) Johnson", ("ATL", "BOS"), 3, "exact"),
        ("Jalen Johnson (MIA)", ("MIA", "BOS"), 4, "exact"),
        ("Caldwell Pope Kentavious", ("DEN",), 5, "word_order"),
        ("K. Caldwell-Pope", ("DEN",), 5, "initial"),
        ("Mil. Bridges", ("CHA", "BKN"), 6, "initial"),
        ("Kevin Devon Knox II", ("DET",), 8, "middle_name"),
        ("Edrice Femi Adebayo", (), 9, "alias"),
        ("P Pritchard", ("BOS", "DEN"), 10, "initial"),
        ("Nenê", (), 13, "exact"),
    ],
)
def test_a_spelling_finds_its_player(spelled: str, teams: tuple[str, ...], player: int, rule: str) -> None:
    assert asked(spelled, *teams) == (player, rule)


@pytest.mark.parametrize(
    "spelled",
    ["Michael Porter", "Caldwell Pope Kentavious", "P. Pritchard", "Kevin Devon Knox II"],
)
def test_a_loose_rule_takes_nobody_whose_team_does_not_play(spelled: str) -> None:
    assert asked(spelled, "LAL", "UTA")[0] is None
    assert asked(spelled)[0] is None


def test_two_who_answer_to_a_spelling_are_named_and_none_is_taken() -> None:
    assert asked("M. Bridges", "CHA", "BKN")[0] is None
    assert asked("Jalen Johnson") == (
        None,
        "several players answer to it by the rule exact: Jalen Johnson (3), Jalen Johnson (4)",
    )


def test_the_exact_name_of_the_father_is_never_the_son() -> None:
    assert asked("Gary Payton", "GSW") == (11, "exact")
    assert asked("Gary Payton II", "GSW") == (12, "exact")


def test_a_team_of_another_day_says_nothing() -> None:
    assert asked("P. Pritchard", "BOS", day="2024-01-16")[0] is None


@pytest.mark.parametrize("spelled", ["", "...", "torn ACL in left knee", "Heat", "Jr."])
def test_what_is_no_name_names_nobody(spelled: str) -> None:
    assert asked(spelled, "DEN", "BOS", "MIA")[0] is None


@given(st.text(max_size=25))
def test_no_text_is_too_strange_and_every_answer_has_a_rule_or_a_reason(spelled: str) -> None:
    answer = PEOPLE.answer(Question(spelled, DAY, frozenset({"DEN"})), {})
    assert (answer.rule in WAYS) if answer.player else answer.why


def test_the_shipped_aliases_hold_and_those_of_a_home_stand_over_them(tmp_path: Path) -> None:
    assert read_aliases()["edricefemiadebayo"] == "bamadebayo"
    (tmp_path / "aliases.csv").write_text("alias,player_name,note\nThe Beard,James Harden,nickname\n", encoding="utf-8")
    assert read_aliases(tmp_path)["thebeard"] == "jamesharden"
    assert SHIPPED.read_text(encoding="utf-8").startswith("alias,player_name,note\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name,player\na,b\n", "has no columns alias and player_name"),
        ("alias,player_name\n,James Harden\n", "line 2: a name is empty"),
        (
            "alias,player_name\nA B,James Harden\nA. B.,Luka Doncic\n",
            "line 3: the alias 'A. B.' is given to two players",
        ),
    ],
)
def test_a_faulty_alias_file_is_refused_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "aliases.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        read_aliases(tmp_path)


LEAGUE = {
    "Hans Pöbel": "SAC",
    "Jakob Doeltl": "TOR",
    "Nikola Đurković": "ATL",
    "Elias Halmar": "UTA",
    "BJ Tabor": "PHI",
    "Nick Hales-Dane": "DEN",
    "Willie Caul-Steen": "HOU",
    "Sandro Ablo": "MIA",
    "Nique Cliffe": "BOS",
    "Domantas Sabo": "SAC",
    "Cam Whit": "WAS",
    "Ronald Hollin II": "DET",
    "Daniel Wolff": "BKN",
    "Anders Åkesson": "ORL",
    "Robert Porter": "MIL",
    "Leon James": "LAL",
    "Bron James": "LAL",
    "Gus Trent Jr.": "TOR",
    "Marcus Morr Sr.": "PHX",
}
NUMBERS = {name: number for number, name in enumerate(LEAGUE, 1)}
LEAGUE_PEOPLE = People([Player(number, name) for name, number in NUMBERS.items()])
APPEARANCES = {(number, DAY): Appearance(LEAGUE[name], name) for name, number in NUMBERS.items()}


def resolved(spelled: str, *teams: str) -> tuple[str | None, str]:
    answer = LEAGUE_PEOPLE.answer(Question(spelled, DAY, frozenset(teams)), APPEARANCES)
    return (answer.player.name if answer.player else None), answer.rule or answer.why


@pytest.mark.parametrize(
    ("spelled", "name", "rule"),
    [
        ("Hans Pobel", "Hans Pöbel", "exact"),
        ("Hans Poebel", "Hans Pöbel", "transliteration"),
        ("Jakob Döltl", "Jakob Doeltl", "transliteration"),
        ("Jakob Doltl", "Jakob Doeltl", "transliteration"),
        ("Nikola Djurkovic", "Nikola Đurković", "transliteration"),
        ("Nikola Djurkovich", "Nikola Đurković", "transliteration"),
        ("Anders Aakesson", "Anders Åkesson", "transliteration"),
        ("EJ Halmar", "Elias Halmar", "initials"),
        ("E.J. Halmar", "Elias Halmar", "initials"),
        ("Brandon Tabor", "BJ Tabor", "initials"),
        ("Brandon Tabor Jr.", "BJ Tabor", "initials"),
        ("Nick Hales", "Nick Hales-Dane", "double_name"),
        ("Nick Dane", "Nick Hales-Dane", "middle_name"),
        ("Willie Caul", "Willie Caul-Steen", "double_name"),
        ("Sand. Ablo", "Sandro Ablo", "initial"),
        ("Dominique Cliffe", "Nique Cliffe", "short_form"),
        ("Domas Sabo", "Domantas Sabo", "short_form"),
        ("Cameron Whit", "Cam Whit", "short_form"),
        ("Ron Hollin", "Ronald Hollin II", "short_form"),
        ("Ron Hollin II", "Ronald Hollin II", "short_form"),
        ("Danny Wolff", "Daniel Wolff", "short_form"),
        ("Bobby Porter", "Robert Porter", "short_form"),
        ("Gus Trent II", "Gus Trent Jr.", "suffix"),
        ("Daniel Wolff Jr.", "Daniel Wolff", "suffix"),
    ],
)
def test_a_usual_variant_of_a_name_finds_its_player_and_no_one_of_other_teams(
    spelled: str, name: str, rule: str
) -> None:
    assert resolved(spelled, LEAGUE[name], "NYK") == (name, rule)
    if rule != "exact":
        assert resolved(spelled, "NYK", "CHI")[0] is None


@pytest.mark.parametrize(
    "spelled",
    [
        "Leon James Jr.",  # a son plays for the same team
        "Leon James III",
        "Gus Trent Sr.",  # the father of Gus Trent Jr.
        "Gus Trent III",
        "Marcus Morr Jr.",  # not Marcus Morr Sr.
        "Eric Hales-Dane",  # only the surname is the same
        "Ty Tabor",  # no initials, and no short form of BJ
        "Sabo Sabo",
    ],
)
def test_a_name_of_another_person_finds_nobody(spelled: str) -> None:
    assert resolved(spelled, *LEAGUE.values())[0] is None


@pytest.mark.parametrize(
    ("spelled", "other"),
    [
        ("JR Marsh", "Jason Marsh"),  # no r in Jason
        ("Jason Marsh", "JR Marsh"),
        ("KJ Lund", "Kelan Lund"),
        ("Kelan Lund", "KJ Lund"),
        ("D.J. Lund", "Kelan Lund"),
    ],
)
def test_initials_name_nobody_where_the_right_player_is_absent_and_others_have_the_surname(
    spelled: str, other: str
) -> None:
    people = People([Player(1, other), Player(2, "Caleb Lund"), Player(3, "Cody Lund")])
    assert (
        people.answer(Question(spelled, DAY, frozenset({"BOS"})), {(1, DAY): Appearance("BOS", other)}).player is None
    )


@needs_real_data
def test_a_player_absent_from_the_list_is_no_other_player_of_his_surname() -> None:
    """Each player of a season is taken out and asked for in a game between his team and that of each namesake."""
    with duck.connect() as db:
        rows = db.execute(
            f"""SELECT season, CAST(player_id AS BIGINT), max(player_name), max_by(team, game_date)
            FROM (SELECT *, year(game_date - INTERVAL 7 MONTH) AS season FROM '{REAL_DATA}/player_boxscores.parquet')
            GROUP BY ALL"""
        ).fetchall()
    aliases, wrong = read_aliases(), []
    by_surname: dict[tuple[int, str], list[tuple[Player, str]]] = {}
    for season, number, name, team in rows:
        by_surname.setdefault((season, Spelling(name).surname), []).append((Player(number, name), team))
    for namesakes in by_surname.values():
        for absent, team in namesakes:
            others = [(p, t) for p, t in namesakes if p != absent]
            seen = {(p.player_id, DAY): Appearance(t, p.name) for p, t in others}
            people = People([p for p, _ in others], aliases)
            answers = [people.answer(Question(absent.name, DAY, frozenset({team, t})), seen) for _, t in others]
            wrong += [f"{absent.name}: {a.player.name}" for a in answers if a.player]
    assert wrong == []


@pytest.mark.parametrize(
    ("spelled", "listed"),
    [
        ("Michael Conley", "Mike Conley"),
        ("Nicola Jokic", "Nikola Jokić"),
        ("Bones Hyland", "Nah'Shon Hyland"),
        ("Nah'Shon Hyland", "Bones Hyland"),
        ("Chukwuemeka Okpala", "KZ Okpala"),
        ("Jonathan Konchar", "John Konchar"),
        ("Brandon Boston Jr.", "BJ Boston"),
    ],
)
def test_the_forms_that_sources_print_find_the_listed_player(spelled: str, listed: str) -> None:
    people = People([Player(1, listed)], read_aliases())
    found = people.answer(Question(spelled, DAY, frozenset({"BOS"})), {(1, DAY): Appearance("BOS", listed)})
    assert found.player == Player(1, listed)


def test_of_two_whose_first_names_both_fit_none_is_taken() -> None:
    people = People([Player(1, "Cameron Lee"), Player(2, "Camden Lee")])
    seen = {(1, DAY): Appearance("BOS", "Cameron Lee"), (2, DAY): Appearance("NYK", "Camden Lee")}
    answer = people.answer(Question("Cam Lee", DAY, frozenset({"BOS", "NYK"})), seen)
    assert answer.player is None and "several players answer to it" in answer.why
    assert people.answer(Question("Cam Lee", DAY, frozenset({"BOS", "CHI"})), seen).player == Player(1, "Cameron Lee")


@needs_real_data
def test_spellings_of_real_feeds_find_their_player_in_97_of_100_and_never_another() -> None:
    """The feeds came with ids for these spellings; the team of the quote is the one fact that the resolver gets."""
    with duck.connect() as db:
        spelled = db.execute(
            f"""SELECT player_name_source, CAST(player_id AS BIGINT), max(team) FROM '{REAL_DATA}/prop_lines.parquet'
            WHERE player_id IS NOT NULL AND player_name_source <> player_name AND team IS NOT NULL GROUP BY ALL"""
        ).fetchall()
        players = db.execute(
            f"SELECT CAST(player_id AS BIGINT), player_name FROM '{REAL_DATA}/players.parquet'"
        ).fetchall()
    people = People([Player(*p) for p in players], read_aliases())
    answers = []
    for name, number, team in spelled:
        answer = people.answer(Question(name, DAY, frozenset({team})), {(number, DAY): Appearance(team, name)})
        answers.append(None if answer.player is None else answer.player.player_id == number)
    assert len(spelled) > 100
    assert False not in answers
    assert answers.count(True) >= 0.97 * len(answers)
