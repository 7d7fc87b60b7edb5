"""Define the values of a daily page: all that a page shows, independent of the tables that it comes from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Reason:
    """An explanation of a forecast. `lifts` is the direction of its effect: 1 up, -1 down, 0 neither."""

    text: str
    lifts: int = 0


@dataclass(frozen=True)
class Price:
    """The sportsbook quote with the highest value of the called side.

    `odds` are American, `value` is the expected profit per unit staked.
    """

    book: str
    line: float
    odds: float
    value: float


@dataclass(frozen=True)
class Forecast:
    """One player's forecast in one market, and the call against the consensus line.

    `others` are the means of the other systems by name. Calls and leans have `reasons` and `outcomes`: the probability of
    0, 1, 2, ... in the market's unit under the distribution of the forecast; `p_over` and `p_push` are calibrated. Calls
    also have a `price` where a sportsbook quotes one.
    """

    player: str
    team: str
    opponent: str
    home: bool
    market: str
    unit: str
    mean: float
    q10: float
    q25: float
    median: float
    q75: float
    q90: float
    outcomes: tuple[float, ...]
    line: float | None
    books: int | None
    book_kind: str | None
    p_over: float | None
    p_push: float | None
    call: str
    confidence: float | None
    status: str | None
    price: Price | None
    reasons: tuple[Reason, ...]
    others: Mapping[str, float]

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
    def edge(self) -> float | None:
        """Median minus line: positive where the over is the likelier side; None without a line."""
        return None if self.line is None else self.median - self.line

    @property
    def p_side(self) -> float | None:
        """Probability of the more probable side; None without a line."""
        return None if self.p_over is None else max(self.p_over, 1 - self.p_over - (self.p_push or 0))


@dataclass(frozen=True)
class Absence:
    """A listed player with a reported status."""

    player: str
    team: str
    status: str
    since: date | None
    points: float | None


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
    """The latest graded day before the day of the page."""

    day: date
    systems: tuple[GradedSystem, ...]
    calls: tuple[GradedCall, ...]


@dataclass(frozen=True)
class Interval:
    """A mean over some days with its 95 % interval; None bounds with too few days."""

    mean: float
    low: float | None
    high: float | None
    days: int


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
    """State of one table on the day according to the ledger: published, refused or never run."""

    table: str
    state: str
    rows: int
    expected: int
    unit: str
    absent: Mapping[str, int]
    reasons: tuple[str, ...]
    recorded_at: datetime | None


@dataclass(frozen=True)
class ReportData:
    """A page's data. `lead` is the system whose forecasts and calls are shown; empty if no system has a forecast."""

    day: date
    season: str
    lead: str
    games: tuple[Game, ...]
    graded: Graded | None
    window_days: int
    records: tuple[Record, ...]
    tables: tuple[TableState, ...]

    @property
    def forecasts(self) -> tuple[Forecast, ...]:
        """All forecasts of the day."""
        return tuple(f for g in self.games for f in g.forecasts)

    @property
    def calls(self) -> tuple[Forecast, ...]:
        """The calls, most probable first."""
        return _by_probability(f for f in self.forecasts if f.is_call)

    @property
    def leans(self) -> tuple[Forecast, ...]:
        """The forecasts nearest to a call, most probable first."""
        return _by_probability(f for f in self.forecasts if f.outcomes and not f.is_call)

    @property
    def refused(self) -> tuple[TableState, ...]:
        """The tables that refused the day."""
        return tuple(t for t in self.tables if t.state == "refused")


def _by_probability(forecasts: Iterable[Forecast]) -> tuple[Forecast, ...]:
    return tuple(sorted(forecasts, key=lambda f: (-(f.p_side or 0), -abs(f.edge or 0), f.player, f.market)))
