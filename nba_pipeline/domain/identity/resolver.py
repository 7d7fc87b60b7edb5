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

SURNAME = "surname"


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
    def _spellings(self) -> dict[str, Spelling]:
        return {}

    @cached_property
    def _by_key(self) -> dict[str, dict[str, tuple[Player, ...]]]:
        index: dict[str, dict[str, list[Player]]] = {n: defaultdict(list) for n in (SURNAME, *(r.name for r in RULES))}
        for player in self.players:
            spelling = self._spelling(player)
            index[SURNAME][spelling.surname].append(player)
            for rule in RULES:
                for key in dict.fromkeys(rule.player(spelling)):
                    index[rule.name][key].append(player)
        return {rule: {k: tuple(p) for k, p in keys.items()} for rule, keys in index.items()}

    @cached_property
    def _by_alias(self) -> dict[str, list[str]]:
        """The aliases of each name: a list of players may have him under the alias."""
        found: dict[str, list[str]] = defaultdict(list)
        for alias, name in self.aliases.items():
            found[name].append(alias)
        return found

    def candidates(self, spelled: str) -> Iterable[tuple[Rule, str, tuple[Player, ...]]]:
        """Yield the players each rule matches, safest rule first, as (rule, its name, players)."""
        spelling = Spelling(spelled)
        exact, *looser = RULES
        yield exact, exact.name, self._found(exact, spelling, exact.book(spelling))
        for lookup in dict.fromkeys((player_lookup(spelled), spelling.lookup)):
            others = [*([self.aliases[lookup]] if lookup in self.aliases else []), *self._by_alias.get(lookup, ())]
            if others:
                yield exact, ALIAS, self._found(exact, spelling, others)
        for rule in looser:
            yield rule, rule.name, self._found(rule, spelling, rule.book(spelling))

    def mentioned(self, spelled: str) -> set[Player]:
        """Return the players whose latest game decides about a spelling: those a rule matches and those of the surname."""
        found = {p for _, _, players in self.candidates(spelled) for p in players}
        return found | set(self._namesakes(Spelling(spelled)))

    def _found(self, rule: Rule, spelling: Spelling, keys: Iterable[str]) -> tuple[Player, ...]:
        by_key = self._by_key[rule.name]
        players = dict.fromkeys(p for key in keys for p in by_key.get(key, ()))
        if rule.needs_rare_surname and len(players) > 1:
            return ()
        return tuple(p for p in players if rule.agree is None or rule.agree(spelling, self._spelling(p)))

    def _spelling(self, player: Player) -> Spelling:
        return self._spellings.setdefault(player.name, Spelling(player.name))

    def _namesakes(self, spelling: Spelling) -> tuple[Player, ...]:
        """Return the players with the surname of a spelling that has a generational suffix."""
        if spelling.generation is None or not spelling.surname:
            return ()
        return self._by_key[SURNAME].get(spelling.surname, ())

    def answer(self, question: Question, before: Mapping[tuple[int, str], Appearance]) -> Answer:
        """Resolve a spelling to a player, or to none.

        Args:
            question: the spelling, the day and the teams that can be meant.
            before: the latest appearance of a player before a day, by (player_id, ISO day), of all who are `mentioned`.
        """
        spelling = Spelling(question.spelled)
        if not spelling.lookup:
            return Answer(None, why="no letters in the name")
        for rule, name, matches in self.candidates(question.spelled):
            last = {p: before.get((p.player_id, question.day)) for p in matches}
            players = [p for p, seen in last.items() if p.listed or (seen is not None and seen.name == p.name)]
            if len(players) == 1 and not rule.needs_team:
                return Answer(players[0], name)
            here = [p for p in players if (seen := last[p]) is not None and seen.team in question.teams]
            if len(here) == 1:
                return self._unless_father(here[0], name, spelling, question, before)
            if here or (players and not rule.needs_team):
                names = ", ".join(f"{p.name} ({p.player_id})" for p in (here or players))
                return Answer(None, why=f"several players answer to it by the rule {name}: {names}")
        return Answer(None, why="no player answers to it")

    def _unless_father(
        self,
        player: Player,
        rule: str,
        spelling: Spelling,
        question: Question,
        before: Mapping[tuple[int, str], Appearance],
    ) -> Answer:
        """Return the player, unless the name lacks the suffix of the spelling and a son may be meant: a namesake who plays for
        the same team, or a player who is not listed and has this spelling for an alias.
        """
        if self._spelling(player).generation is None:
            if spelling.generation is not None and rule != ALIAS and spelling.lookup in self.aliases:
                return Answer(None, why=f"it is an alias of a player who is not listed, not of {player.name}")
            team = before[player.player_id, question.day].team
            for other in self._namesakes(spelling):
                seen = before.get((other.player_id, question.day))
                if other.player_id != player.player_id and seen is not None and seen.team == team:
                    return Answer(
                        None, why=f"{player.name} has no such suffix, and {other.name} plays for the same team"
                    )
        return Answer(player, rule)
