"""Count what the services are asked for a typical day and season: the table of docs/sources.md, from the plan itself."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources import plan
from nba_pipeline.sources.estimates import Estimate, estimate_calls, planned_calls
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import EASTERN

FIRST_DAY = date(2025, 10, 21)
# Tip-offs of a typical slate of eight games (US Eastern); a season of 1,230 games has 154 such days.
TIP_OFFS = ((19, 0), (19, 0), (19, 0), (19, 30), (19, 30), (20, 0), (20, 0), (22, 0))
SEASON_DAYS = 154
WHAT = {
    plan.BOXSCORES: "results",
    plan.SHOTS: "shots",
    plan.ROSTERS: "rosters",
    plan.INJURIES: "injury reports",
    plan.LINES: "lines",
}
HEADER = ("what", "calls", "credits, points only", "credits, all five markets")


class _Nothing:
    """Knows of no earlier call."""

    def fetched(self, source: str, kind: str, key: str) -> datetime | None:  # noqa: ARG002
        return None

    def captures(self, source: str, kind: str, key: str) -> list[datetime]:  # noqa: ARG002
        return []

    def absent(self, source: str, kind: str, key: str) -> datetime | None:  # noqa: ARG002
        return None

    def keys(self, source: str, kind: str, beginning: str) -> list[str]:  # noqa: ARG002
        return []


def cost_table() -> str:
    """Write the table: calls and credits (one region) of a day and a season, by kind of data."""
    day, season = _slates(1), _slates(SEASON_DAYS)
    rows = [HEADER, ("---",) * len(HEADER)]
    rows += [_row(f"a game day (8 games), {WHAT[kind]}", day, kind) for kind in WHAT]
    rows.append(_row("a game day, lines, each live capture before its games", _slates(1, over=False), plan.LINES))
    rows += [_row(f"a season (1,230 games) at once, {WHAT[kind]}", season, kind) for kind in WHAT]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(what: str, games: Sequence[Game], kind: str) -> tuple[str, ...]:
    one, five = (_estimate(games, kind, markets) for markets in (("points",), tuple(MARKETS)))
    calls = f"{one.total:,}: {', '.join(_counted(one.calls))}"
    if kind == plan.LINES:
        return what, calls, f"{one.credits:,}", f"{five.credits:,}"
    return what, calls, "", ""


def _counted(calls: Mapping[str, int]) -> Iterator[str]:
    by_kind = Counter({name.split(" ", 1)[1]: n for name, n in calls.items()})
    return (f"{n:,} `{kind}`" for kind, n in by_kind.items())


def _estimate(games: Sequence[Game], kind: str, markets: tuple[str, ...]) -> Estimate:
    days = sorted({g.day for g in games})
    now = datetime.combine(days[-1], datetime.min.time(), EASTERN) + timedelta(
        days=30 if games[0].over else 0, hours=14
    )
    live = replace(LiveSettings(), markets=markets)
    calls = planned_calls(games, days, (kind,), live, now, _Nothing(), {})
    return estimate_calls([c for c in calls if c.kind != "schedule"], live)


def _slates(days: int, *, over: bool = True) -> list[Game]:
    games = []
    for d in range(days):
        day = FIRST_DAY + timedelta(days=d)
        for n, (hour, minute) in enumerate(TIP_OFFS):
            if d * len(TIP_OFFS) + n >= 1230:
                break
            tip = datetime(day.year, day.month, day.day, hour, minute, tzinfo=EASTERN)
            home, away = TRICODES[(2 * n + d) % 30], TRICODES[(2 * n + 1 + d) % 30]
            points = (100, 90) if over else (None, None)
            games.append(Game(f"00225{d * 8 + n + 1:05d}", day, tip, home, away, *points, neutral=None, arena=None))
    return games
