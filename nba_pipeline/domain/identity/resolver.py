"""The one resolver: from a spelling, the day and the teams of the game to a person id, or to nobody.

Safe rules come first (`spelling.RULES`). A rule that finds one player who may be meant ends the search; one that finds several
ends it too, without an answer. Looser rules, and names that two players share, take only players whose team before the day
plays in the game. Of games only those before the day count, and no others say who can be meant: a day is resolved alike
whatever is read with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nba_pipeline.domain.identity.spelling import ALIAS, RULES, Rule, Spelling
from nba_pipeline.domain.player_names import player_lookup


@dataclass(frozen=True)
class Player:
    """A person and the name he goes by. One who is not `listed` is known from box scores alone, under this name."""

    player_id: int
    name: str
    listed: bool = True


@dataclass(frozen=True)
class Appearance:
    """A player's latest game before a day, if it is not too long ago: for whom, and under which name."""

    team: str
    name: str


@dataclass(frozen=True)
class Question:
    """A spelling in its context: the teams that can be meant (empty: unknown), and the day as ISO text."""

    spelled: str
    day: str
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """The player and the rule that found him, or nobody and why not."""

    player: Player | None
    rule: str = ""
    why: str = ""


@dataclass(frozen=True)
class People:
    """Everybody who can be meant, and the aliases they are known under (lookup -> lookup)."""

    players: Sequence[Player]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_key(self) -> dict[str, dict[str, tuple[Player, ...]]]:
        found: dict[str, dict[str, list[Player]]] = {r.name: defaultdict(list) for r in RULES}
        for player in self.players:
            spelling = Spelling(player.name)
            for rule in RULES:
                for key in dict.fromkeys(rule.player(spelling)):
                    found[rule.name][key].append(player)
        return {rule: {k: tuple(p) for k, p in keys.items()} for rule, keys in found.items()}

    def candidates(self, spelled: str) -> Iterable[tuple[Rule, str, tuple[Player, ...]]]:
        """What each rule finds, safest first, as (rule, its name, players)."""
        spelling = Spelling(spelled)
        exact, *looser = RULES
        yield exact, exact.name, self._found(exact, spelling.lookup)
        for lookup in dict.fromkeys((player_lookup(spelled), spelling.lookup)):
            if lookup in self.aliases:
                yield exact, ALIAS, self._found(exact, self.aliases[lookup])
        for rule in looser:
            yield rule, rule.name, self._found(rule, rule.book(spelling))

    def _found(self, rule: Rule, key: str) -> tuple[Player, ...]:
        return self._by_key[rule.name].get(key, ()) if key else ()

    def answer(self, question: Question, before: Mapping[tuple[int, str], Appearance]) -> Answer:
        """Who is meant. `before` gives the latest appearance of a player before a day, by (player_id, ISO day)."""
        if not Spelling(question.spelled).lookup:
            return Answer(None, why="no letters in the name")
        for rule, name, found in self.candidates(question.spelled):
            last = {p: before.get((p.player_id, question.day)) for p in found}
            players = [p for p, seen in last.items() if p.listed or (seen is not None and seen.name == p.name)]
            if len(players) == 1 and not rule.needs_team:
                return Answer(players[0], name)
            here = [p for p in players if (seen := last[p]) is not None and seen.team in question.teams]
            if len(here) == 1:
                return Answer(here[0], name)
            if here or (players and not rule.needs_team):
                names = ", ".join(f"{p.name} ({p.player_id})" for p in (here or players))
                return Answer(None, why=f"several players answer to it by the rule {name}: {names}")
        return Answer(None, why="no player answers to it")
