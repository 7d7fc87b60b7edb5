"""List the prices of a day that a forecast finds too good, each with what it rests on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nba_pipeline.reporting.data import Forecast, Game, Quote, Record, ReportData
from nba_pipeline.reporting.page import form

SIDES = ("over", "under")
FORM_GAMES = 10
DIGITS = 4


@dataclass(frozen=True)
class WrongPrice:
    """The best price of one side of a forecast, and what one unit on it is expected to earn."""

    game: Game
    forecast: Forecast
    side: str
    quote: Quote
    value: float


def wrong_prices(data: ReportData, market: str | None, least_value: float) -> list[WrongPrice]:
    """Select the best prices that are worth at least `least_value`, the best value first.

    Quotes that are no candidate for the best price (pick'em operators, stale, outlying or contradictory ones) never count.

    Args:
        data: The day.
        market: The market; None for all.
        least_value: Expected profit of one unit.
    """
    found = [w for w in _best_prices(data, market) if w.value >= least_value]
    return sorted(found, key=lambda w: (-w.value, w.forecast.player, w.forecast.market, w.side))


def _best_prices(data: ReportData, market: str | None) -> Iterator[WrongPrice]:
    for game in data.games:
        for forecast in game.forecasts:
            for side in SIDES if market in (None, forecast.market) else ():
                quote = forecast.best(side)
                value = None if quote is None else quote.value(side)
                if quote is not None and value is not None:
                    yield WrongPrice(game, forecast, side, quote, value)


def priced(data: ReportData, market: str | None) -> dict[str, Any]:
    """Count the forecasts of a market (None: all), those with a line and with a price, and the players without any by reason."""
    of = [f for f in data.forecasts if market in (None, f.market)]
    with_price = [f for f in of if any(f.best(side) for side in SIDES)]
    return {
        "forecasts": len(of),
        "with_line": sum(f.line is not None for f in of),
        "with_price": len(with_price),
        "players_without_forecast": dict(sum((Counter(g.without_forecast) for g in data.games), Counter[str]())),
    }


def explained(found: WrongPrice) -> dict[str, Any]:
    """Return a price with what its value rests on: chances, fair odds, minutes, injuries, form, and reasons in words."""
    f, q, side = found.forecast, found.quote, found.side
    return {
        "player_id": f.player_id,
        "player": f.player,
        "team": f.team,
        "game": f"{found.game.away} @ {found.game.home}",
        "tip_off": found.game.tip_off,
        "market": f.market,
        "side": side,
        "book": q.book,
        "line": q.line,
        "odds": q.odds(side),
        "quoted_at": q.quoted_at,
        "value": round(found.value, DIGITS),
        "p_side": round(q.chance(side), DIGITS),
        "p_over": round(q.p_over, DIGITS),
        "p_push": round(q.p_push, DIGITS),
        "fair_odds": _rounded(q.fair(side)),
        "forecast": {
            "system": f.system,
            "mean": f.mean,
            "q10": f.q10,
            "median": f.median,
            "point": f.point,
            "q90": f.q90,
        },
        "other_systems": dict(f.others),
        "call": f.call,
        "consensus_line": f.line,
        "books": f.books,
        "other_quotes": [_quote(o, side) for o in f.quotes if o is not q],
        "line_moves": [{"book": m.book, "from": m.first, "to": m.last, "last_at": m.last_at} for m in f.moves],
        "chance_to_play": None if f.play_chance is None else round(f.play_chance, DIGITS),
        "expected_minutes": _rounded(f.minutes),
        "usual_minutes": _rounded(f.usual_minutes),
        "injury": _injury(found.game, f),
        "team_mates_out": list(f.out),
        "last_games_against_line": _form(f, q.line),
        "reasons": [{"text": r.text, "speaks": _speaks(r.lifts, side)} for r in f.reasons],
        "result": None if f.result is None else {"actual": f.result.actual},
    }


def _speaks(lifts: int, side: str) -> str:
    """Say whether an effect on the outcome speaks for a side of the line."""
    return {0: "neither way", 1: "for", -1: "against"}[lifts if side == "over" else -lifts]


def _quote(q: Quote, side: str) -> dict[str, Any]:
    value = q.value(side)
    return {
        "book": q.book,
        "line": q.line,
        "odds": q.odds(side),
        "value": None if value is None else round(value, DIGITS),
        "no_candidate_because": q.exclusion,
    }


def _injury(game: Game, f: Forecast) -> dict[str, Any]:
    """Return the player's status by the line-up or statement in force; it is not known where the game has no report."""
    own = f.statement
    return {
        "report_of_game": game.injuries_reported,
        "status": f.status,
        "source": None if own is None else own.source,
        "reported_on": None if own is None else own.day,
        "reported_at": None if own is None else own.reported_at,
    }


def _form(f: Forecast, line: float) -> dict[str, Any] | None:
    if not f.recent:
        return None
    own = form(f.recent, line, FORM_GAMES)
    return {"games": own.games, "over": own.over, "under": own.under, "push": own.push, "mean": round(own.mean, 2)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def records_of(data: ReportData, found: Sequence[WrongPrice]) -> list[Mapping[str, Any]]:
    """Return what bets of the systems behind the prices made in the days before, in the same markets."""
    behind = {(w.forecast.market, w.forecast.system) for w in found}
    return [_record(r, data.window_days) for r in data.records if (r.market, r.system) in behind]


def _record(r: Record, days: int) -> dict[str, Any]:
    return {
        "market": r.market,
        "system": r.system,
        "days": days,
        "bets_at_real_prices": r.priced_bets,
        "profit_per_unit": None if r.roi is None else r.roi.mean,
        "profit_per_unit_95": None if r.roi is None else [r.roi.low, r.roi.high],
        "share_of_outcomes_within_80_percent_range": r.coverage,
    }
