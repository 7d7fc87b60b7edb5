"""Calls as a plan knows them: answered at a time, or without a document."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from nba_pipeline.sources.plan import Call

Name = tuple[str, str, str]


@dataclass
class KnownCalls:
    """Earlier calls; without any, nothing was ever fetched."""

    answers: dict[Name, datetime] = field(default_factory=dict)
    missing: dict[Name, datetime] = field(default_factory=dict)
    more: dict[Name, tuple[datetime, ...]] = field(default_factory=dict)

    def with_answers(self, calls: Iterable[Call], at: datetime) -> "KnownCalls":
        names = [(c.source, c.kind, c.key) for c in calls]
        earlier = {n: (*self.more.get(n, ()), self.answers[n]) for n in names if n in self.answers}
        return KnownCalls(self.answers | dict.fromkeys(names, at), self.missing, self.more | earlier)

    def with_absent(self, calls: Iterable[Call], at: datetime) -> "KnownCalls":
        return KnownCalls(self.answers, self.missing | {(c.source, c.kind, c.key): at for c in calls}, self.more)

    def fetched(self, source: str, kind: str, key: str) -> datetime | None:
        return self.answers.get((source, kind, key))

    def captures(self, source: str, kind: str, key: str) -> list[datetime]:
        return [*self.more.get((source, kind, key), ()), *filter(None, [self.fetched(source, kind, key)])]

    def absent(self, source: str, kind: str, key: str) -> datetime | None:
        return self.missing.get((source, kind, key))

    def keys(self, source: str, kind: str, beginning: str) -> list[str]:
        return sorted(k for s, n, k in self.answers if (s, n) == (source, kind) and k.startswith(beginning))
