"""Define the values of a daily page: all that a page shows, independent of the tables that it comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from nba_pipeline.reporting.overview import Cell
from nba_pipeline.systems.pricing import american_odds


def _fair(win: float | None, lose: float | None) -> float | None:
    """Return the American odds at which a bet is worth nothing that wins and loses with these probabilities."""
    return None if not win or not lose else float(american_odds(np.asarray(1 + lose / win)))


@dataclass(frozen=True)
class Reason:
    """An explanation of a forecast. `lifts` is the direction of its effect: 1 up, -1 down, 0 neither."""

    text: str
    lifts: int = 0


@dataclass(frozen=True)
class Quote:
    """A book's main line at the cut-off, priced by the distribution of the forecast.

    Odds are American and None for pick'em operators; `ev_over` and `ev_under` are the expected profit of one unit. `exclusion` is
    the code of the reason why the quote is no candidate for the best price; `quoted_at` is when the quote was last known.
    """

    book: str
    kind: str
    line: float
    over_odds: float | None
    under_odds: float | None
    p_over: float
    p_push: float
    ev_over: float | None
    ev_under: float | None
    best_over: bool
    best_under: bool
    exclusion: str | None
    quoted_at: datetime | None = None

    def odds(self, side: str) -> float | None:
        """American odds of a side."""
        return self.over_odds if side == "over" else self.under_odds

    def value(self, side: str) -> float | None:
        """Expected profit of one unit on a side."""
        return self.ev_over if side == "over" else self.ev_under

    def chance(self, side: str) -> float:
        """Return the probability that a side wins at this line."""
        return self.p_over if side == "over" else max(0.0, 1 - self.p_over - self.p_push)

    def fair(self, side: str) -> float | None:
        """Return the American odds at which a side is worth nothing at this line; None where there are none."""
        return _fair(self.chance(side), self.chance("under" if side == "over" else "over"))

    def is_best(self, side: str) -> bool:
        """Whether this is the best price of a side."""
        return self.best_over if side == "over" else self.best_under


@dataclass(frozen=True)
class Move:
    """The line of a book when it was first and last seen before the game."""

    book: str
    first: float
    first_at: datetime
    last: float
    last_at: datetime


@dataclass(frozen=True)
class PastGame:
    """What a player did in the market in an earlier game."""

    day: date
    actual: int


@dataclass(frozen=True)
class MadeCall:
    """A recorded call at its time and price; `outcome` and `profit` are None until it is graded."""

    snapshot: str
    side: str
    book: str | None
    line: float
    odds: float | None
    p_side: float
    expected_value: float | None
    as_of: datetime
    outcome: str | None
    profit: float | None


@dataclass(frozen=True)
class Result:
    """What happened: None where the player did not play; `outcome` is that of the call, or `pass`."""

    actual: int | None
    outcome: str


@dataclass(frozen=True)
class Statement:
    """What the line-up, or else the latest statement in force at the cut-off, says of a player.

    `source` is the kind of record, `age` the days from it to the game; `reported_at` is None where the source states no time.
    """

    status: str
    source: str
    day: date
    age: int
    reported_at: datetime | None


@dataclass(frozen=True)
class Forecast:
    """One player's forecast in one market, against the consensus line and every book's.

    `others` are the means of the other systems by name. Forecasts with a line have `reasons`, the earlier games (`recent`, latest
    first) and `outcomes`: the probability of 0, 1, 2, ... in the market's unit under the distribution of the forecast, the same
    that `p_over`, `p_push` and the prices are read from. `point` is the whole number with the smallest expected absolute error.
    """

    player_id: int
    player: str
    system: str
    team: str
    opponent: str
    home: bool
    market: str
    unit: str
    mean: float
    q10: float
    median: float
    q90: float
    outcomes: tuple[float, ...]
    line: float | None
    books: int | None
    book_kind: str | None
    p_over: float | None
    p_push: float | None
    call: str
    status: str | None
    reasons: tuple[Reason, ...]
    others: Mapping[str, float]
    quotes: tuple[Quote, ...] = ()
    moves: tuple[Move, ...] = ()
    recent: tuple[PastGame, ...] = ()
    point: int | None = None
    play_chance: float | None = None
    statement: Statement | None = None
    minutes: float | None = None
    usual_minutes: float | None = None
    out: tuple[str, ...] = ()
    made: tuple[MadeCall, ...] = ()
    result: Result | None = None

    @property
    def is_call(self) -> bool:
        """Whether a side of the line is recommended."""
        return self.call in ("OVER", "UNDER")

    @property
    def side(self) -> str:
        """The more probable side of the line, over or under; empty without a line."""
        if self.p_over is None:
            return ""
        return "over" if self.p_over >= 1 - self.p_over - (self.p_push or 0) else "under"

    @property
    def bet(self) -> str:
        """The side that a row of prices shows: that of the call, else the better value, else the more probable one."""
        if self.is_call:
            return self.call.lower()
        values = {s: q.value(s) for s in ("over", "under") for q in self.quotes if q.is_best(s)}
        return max(values, key=lambda s: -1.0 if (v := values[s]) is None else v, default=self.side)

    def chance(self, side: str) -> float | None:
        """Return the probability that a side wins at the consensus line; None without a line."""
        if self.p_over is None:
            return None
        return self.p_over if side == "over" else max(0.0, 1 - self.p_over - (self.p_push or 0))

    def fair(self, side: str) -> float | None:
        """Return the American odds at which a side is worth nothing at the consensus line; None where there are none."""
        return _fair(self.chance(side), self.chance("under" if side == "over" else "over"))

    def best(self, side: str) -> Quote | None:
        """Return the quote with the best price of a side."""
        return next((q for q in self.quotes if q.is_best(side)), None)

    @property
    def price(self) -> Quote | None:
        """The best price of the side that is shown."""
        return self.best(self.bet)

    @property
    def value(self) -> float | None:
        """Expected profit of one unit at the best price of the side that is shown."""
        return None if self.price is None else self.price.value(self.bet)

    @property
    def edge(self) -> float | None:
        """Median minus line: positive where the over is the likelier side; None without a line."""
        return None if self.line is None else self.median - self.line

    @property
    def p_side(self) -> float | None:
        """Probability of the more probable side; None without a line."""
        return None if self.p_over is None else self.chance(self.side)


@dataclass(frozen=True)
class Absence:
    """A listed player with a reported status."""

    player: str
    team: str
    status: str
    since: date | None
    points: float | None
    reported_at: datetime | None = None


@dataclass(frozen=True)
class Game:
    """A game of the day. `spread` is the home team's; `without_forecast` counts listed players without one, by reason.

    `injuries_reported` is false where the source has no report for the game: then an empty list says nothing about injuries.
    """

    game_id: str
    away: str
    home: str
    season_type: str
    tip_off: datetime | None
    spread: float | None
    total: float | None
    forecasts: tuple[Forecast, ...]
    absences: tuple[Absence, ...]
    injuries_reported: bool
    without_forecast: Mapping[str, int]


@dataclass(frozen=True)
class GradedCall:
    """A call of an earlier day with its outcome."""

    player: str
    team: str
    market: str
    call: str
    line: float
    mean: float
    actual: int | None
    outcome: str


@dataclass(frozen=True)
class GradedSystem:
    """Grades of a system on an earlier day."""

    market: str
    system: str
    played: int
    mae: float | None
    bias: float | None
    wins: int
    losses: int
    pushes: int
    priced_bets: int
    roi: float | None


@dataclass(frozen=True)
class Graded:
    """A graded day: the latest before the day of the page, or that day itself."""

    day: date
    systems: tuple[GradedSystem, ...]
    calls: tuple[GradedCall, ...]


@dataclass(frozen=True)
class Interval:
    """A mean over some days with its 95 % interval; None bounds with too few days."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Record:
    """A system over the days before the page: errors on rows that `last_10` also forecast, bets on actual lines.

    `market_difference` is the system's error minus the line's on rows with a line; `roi` is the profit per unit staked on bets
    with a real price.
    """

    market: str
    system: str
    n: int
    mae: Interval
    bias: float
    coverage: float
    difference: Interval
    n_with_line: int
    market_difference: Interval | None
    bets: int
    hit_rate: Interval | None
    priced_bets: int
    roi: Interval | None


@dataclass(frozen=True)
class TableState:
    """What became of the day in one table; `unit` is that of its expected rows, empty where none are expected."""

    table: str
    unit: str
    cell: Cell


@dataclass(frozen=True)
class ReportData:
    """A page's data. `lead` is the system whose forecasts and calls are shown; empty if no system has a forecast.

    `results` are the day's own grades once they are in; nothing else of a page depends on them but the results of its forecasts.
    `simulated` is true for an invented league.
    """

    day: date
    season: str
    lead: str
    games: tuple[Game, ...]
    graded: Graded | None
    window_days: int
    records: tuple[Record, ...]
    tables: tuple[TableState, ...]
    results: Graded | None = None
    simulated: bool = False

    @property
    def forecasts(self) -> tuple[Forecast, ...]:
        """All forecasts of the day."""
        return tuple(f for g in self.games for f in g.forecasts)

    @property
    def calls(self) -> tuple[Forecast, ...]:
        """The calls, most probable first."""
        return _by_probability(f for f in self.forecasts if f.is_call)

    @property
    def lined(self) -> tuple[Forecast, ...]:
        """The forecasts with a line: calls first, then the best values, then the most probable."""

        def place(f: Forecast) -> tuple[bool, bool, float, float, str, str]:
            return (not f.is_call, f.value is None, -(f.value or 0), -(f.p_side or 0), f.player, f.market)

        return tuple(sorted((f for f in self.forecasts if f.line is not None), key=place))

    @property
    def refused(self) -> tuple[TableState, ...]:
        """The tables that refused the day."""
        return tuple(t for t in self.tables if t.cell.state == "refused")

    @property
    def stopped(self) -> tuple[TableState, ...]:
        """The tables that refused the day or wait for another one, with reasons."""
        return tuple(t for t in self.tables if t.cell.reasons)


def _by_probability(forecasts: Iterable[Forecast]) -> tuple[Forecast, ...]:
    return tuple(sorted(forecasts, key=lambda f: (-(f.p_side or 0), -abs(f.edge or 0), f.player, f.market)))
