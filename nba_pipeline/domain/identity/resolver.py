"""Resolve a spelling, with the day and the teams of the game, to a person id or to an unresolved result.

Safe rules come first (`spelling.RULES`). A rule that matches one player ends the search; one that matches several ends it as
ambiguous. Looser rules, and names shared by two players, accept only players whose team before the day plays in the game.
Only games before the day count, so that a day resolves the same whatever other days are read with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nba_pipeline.domain.identity.spelling import ALIAS, RULES, Rule, Spelling
from nba_pipeline.domain.player_names import player_lookup


@dataclass(frozen=True)
class Player:
    """A person and his display name. A person not `listed` appears, under this name, in box scores only."""

    player_id: int
    name: str
    listed: bool = True


@dataclass(frozen=True)
class Appearance:
    """The team and displayed name in a player's latest recent game before a day."""

    team: str
    name: str


@dataclass(frozen=True)
class Question:
    """A spelling in its context: the teams of the game (empty: unknown) and the day as ISO text."""

    spelled: str
    day: str
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """The resolved player and the matching rule, or no player and the reason."""

    player: Player | None
    rule: str = ""
    why: str = ""


@dataclass(frozen=True)
class People:
    """All players that a spelling may resolve to, and their aliases (lookup -> lookup)."""

    players: Sequence[Player]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_key(self) -> dict[str, dict[str, tuple[Player, ...]]]:
        index: dict[str, dict[str, list[Player]]] = {r.name: defaultdict(list) for r in RULES}
        for player in self.players:
            spelling = Spelling(player.name)
            for rule in RULES:
                for key in dict.fromkeys(rule.player(spelling)):
                    index[rule.name][key].append(player)
        return {rule: {k: tuple(p) for k, p in keys.items()} for rule, keys in index.items()}

    def candidates(self, spelled: str) -> Iterable[tuple[Rule, str, tuple[Player, ...]]]:
        """Yield the players each rule matches, safest rule first, as (rule, its name, players)."""
        spelling = Spelling(spelled)
        exact, *looser = RULES
        yield exact, exact.name, self._matching(exact, spelling.lookup)
        for lookup in dict.fromkeys((player_lookup(spelled), spelling.lookup)):
            if lookup in self.aliases:
                yield exact, ALIAS, self._matching(exact, self.aliases[lookup])
        for rule in looser:
            yield rule, rule.name, self._matching(rule, rule.book(spelling))

    def _matching(self, rule: Rule, key: str) -> tuple[Player, ...]:
        return self._by_key[rule.name].get(key, ()) if key else ()

    def answer(self, question: Question, before: Mapping[tuple[int, str], Appearance]) -> Answer:
        """Resolve a spelling to a player.

        Args:
            question: The spelling with the day and teams of the game.
            before: A player's latest appearance before a day, by (player_id, ISO day).
        """
        if not Spelling(question.spelled).lookup:
            return Answer(None, why="no letters in the name")
        for rule, name, matches in self.candidates(question.spelled):
            last = {p: before.get((p.player_id, question.day)) for p in matches}
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
