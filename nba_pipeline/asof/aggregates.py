"""Aggregates over history, strictly before the target day by construction.

`attach` adds to each target row (an entity on a day) aggregates over the entity's facts of earlier days.

How `attach` guarantees it: facts are numbered per entity in order of time. A window frame that ends one day before the
target counts the facts strictly before it, and that count is the number of the latest fact the target may see; all
windows of games are read off that fact. Sums run over integers (floats are scaled), so that a value does not depend
on the order or the range in which it was computed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared

MEAN_SCALE = 10_000
STD_SCALE = 1_000
EWMA_WEIGHT_SCALE = 1_000_000
SHORTEST_HALF_LIFE = 6


@dataclass(frozen=True)
class Aggregate:
    """An aggregate over an entity's earlier facts: the latest `last` facts, or the last `days` days, or all."""

    how: Literal["mean", "std", "total", "count", "ratio", "latest", "ewma", "highest"]
    column: str
    over: str = ""
    last: int | None = None
    days: int | None = None
    at_least: int = 1
    half_life: float = 0.0


def mean(column: str, *, last: int | None = None, days: int | None = None, at_least: int = 1) -> Aggregate:
    """Return the mean of the known values; NULL with fewer than `at_least` of them."""
    return Aggregate("mean", column, last=last, days=days, at_least=at_least)


def std(column: str, *, last: int | None = None, at_least: int = 2) -> Aggregate:
    """Return the sample standard deviation of the known values; NULL with fewer than `at_least` (never fewer than 2)."""
    return Aggregate("std", column, last=last, at_least=max(2, at_least))


def total(column: str, *, last: int | None = None, days: int | None = None) -> Aggregate:
    """Return the sum of the known values; NULL if there is none."""
    return Aggregate("total", column, last=last, days=days)


def count(column: str = "", *, last: int | None = None, days: int | None = None) -> Aggregate:
    """Return the number of facts, or of facts with a known `column`; 0 if there is none."""
    return Aggregate("count", column, last=last, days=days)


def ratio(column: str, over: str, *, last: int | None = None, days: int | None = None, at_least: int = 1) -> Aggregate:
    """Return sum of `column` / sum of `over` over facts with both; NULL if the divisor is 0 or facts are too few."""
    return Aggregate("ratio", column, over=over, last=last, days=days, at_least=at_least)


def latest(column: str) -> Aggregate:
    """Return the value of the latest earlier fact."""
    return Aggregate("latest", column)


def ewma(column: str, *, half_life: float, at_least: int = 1) -> Aggregate:
    """Return the exponentially weighted mean: the weight of a fact halves every `half_life` facts.

    Weights are integers that grow with the facts of a season: a half-life below six would overflow INT64.
    """
    if half_life < SHORTEST_HALF_LIFE:
        raise ValueError(
            f"a half-life of {half_life} facts is too short: weights are exact from {SHORTEST_HALF_LIFE} on"
        )
    return Aggregate("ewma", column, half_life=half_life, at_least=at_least)


def highest(column: str, *, last: int | None = None, days: int | None = None) -> Aggregate:
    """Return the largest known value; NULL if there is none."""
    return Aggregate("highest", column, last=last, days=days)


def attach(
    targets: ir.Table,
    facts: ir.Table,
    aggregates: Mapping[str, Aggregate],
    *,
    by: Sequence[str],
    day: str = "game_date",
    fact_day: str = "game_date",
    within: Sequence[str] = ("season",),
) -> ir.Table:
    """Add to every target row the aggregates over its entity's facts of strictly earlier days.

    Shapes: `targets` has the columns of `by`, `within` and `day`; `facts` those of `by`, `within`, `fact_day` and every
    aggregated column, at most one fact an entity and day where windows of games are used. Result: the rows of `targets`,
    each exactly once, plus one column per aggregate. Windows never cross `within` (by default a season).
    """
    entity = [*by, *within]
    calendar = {n: a for n, a in aggregates.items() if a.days is not None}
    games = {n: a for n, a in aggregates.items() if a.days is None}
    places = _places(targets, facts, entity, day, fact_day, calendar)
    if games:
        states = _states(facts, entity, fact_day, games)
        matches = [places[c] == states[c] for c in entity] + [places["__seen"] == states["__number"]]
        places = places.left_join(states, matches).select(
            places, **{n: _or_zero(states[n], a) for n, a in games.items()}
        )
    keyed = places.select(*[places[c].name(f"__{c}") for c in [*entity, "__day"]], *aggregates)
    on = [targets[c] == keyed[f"__{c}"] for c in entity]
    joined = targets.left_join(keyed, [*on, targets[day] == keyed["____day"]])
    return shared(joined.select(targets, **{n: _or_zero(keyed[n], a) for n, a in aggregates.items()}))


def earlier_facts(
    targets: ir.Table,
    facts: ir.Table,
    *,
    last: int,
    by: Sequence[str],
    day: str = "game_date",
    fact_day: str = "game_date",
    within: Sequence[str] = ("season",),
) -> ir.Table:
    """Return the `last` latest facts of strictly earlier days for every target (entity on a day), one row each.

    Shapes: as for `attach`, at most one fact an entity and day. Result: one row per distinct target and earlier fact, with
    the columns of `by`, `within` and `day`, `facts_ago` (1: the latest) and the other columns of `facts` as `past_` and
    their name; a target without an earlier fact has no row.
    """
    if last < 1:
        raise ValueError(f"the latest {last} facts are none: ask for at least one")
    entity = [*by, *within]
    places = _places(targets, facts, entity, day, fact_day, {})
    past = _numbered(facts, entity, fact_day)
    others = [c for c in facts.columns if c not in entity]
    ago = places["__seen"] - past["__number"] + 1
    pairs = places.inner_join(past, [*(places[c] == past[c] for c in entity), ago >= 1, ago <= last])
    return shared(
        pairs.select(
            *[places[c] for c in entity],
            places["__day"].name(day),
            facts_ago=ago,
            **{f"past_{c}": past[c] for c in others},
        )
    )


def _or_zero(value: ir.Value, a: Aggregate) -> ir.Value:
    return value.fill_null(0) if a.how == "count" else value


def _number(day: ir.DateValue) -> ir.IntegerValue:
    return day.delta(ibis.date(1970, 1, 1), unit="day")


def _places(
    targets: ir.Table, facts: ir.Table, entity: list[str], day: str, fact_day: str, calendar: Mapping[str, Aggregate]
) -> ir.Table:
    """One row per distinct target (entity, day): number of earlier facts, and calendar-window aggregates."""
    needed = sorted({c for a in calendar.values() for c in (a.column, a.over) if c})
    past = facts.select(*entity, *needed, __day=facts[fact_day], __fact=ibis.literal(1, "int64"))
    target_days = targets.select(*entity, __day=targets[day]).distinct()
    nulls = {c: ibis.null(facts[c].type()) for c in needed}
    timeline = past.union(target_days.mutate(**nulls, __fact=ibis.literal(0, "int64")).select(past.columns))
    timeline = timeline.mutate(__number=_number(timeline["__day"]))

    def up_to_yesterday(days: int | None) -> ibis.expr.builders.WindowBuilder:
        frame = ibis.range_window(preceding=(days, 1), order_by=timeline["__number"])
        return frame.group_by([timeline[c] for c in entity])

    earlier_facts = timeline["__fact"].sum().over(up_to_yesterday(None)).fill_null(0)
    windows = {n: _over(timeline, a, up_to_yesterday(a.days)) for n, a in calendar.items()}
    return (
        timeline.mutate(__seen=earlier_facts, **windows)
        .filter(lambda t: t["__fact"] == 0)
        .select(*entity, "__day", "__seen", *calendar)
    )


def _numbered(facts: ir.Table, entity: list[str], fact_day: str) -> ir.Table:
    """The facts with their number in the entity's order of time, from 1."""
    in_order = ibis.window(group_by=[facts[c] for c in entity], order_by=facts[fact_day])
    return facts.mutate(__number=ibis.row_number().over(in_order) + 1)


def _states(facts: ir.Table, entity: list[str], fact_day: str, games: Mapping[str, Aggregate]) -> ir.Table:
    """One row per fact: its number in the entity's order of time, and the aggregates over the facts up to it."""
    numbered = _numbered(facts, entity, fact_day).mutate(__fact=ibis.literal(1, "int64"))

    def up_to_it(last: int | None) -> ibis.expr.builders.WindowBuilder:
        preceding = None if last is None else last - 1
        return ibis.window(
            preceding=preceding,
            following=0,
            group_by=[numbered[c] for c in entity],
            order_by=numbered["__number"],
        )

    values = {
        n: numbered[a.column] if a.how == "latest" else _over(numbered, a, up_to_it(a.last)) for n, a in games.items()
    }
    return numbered.select(*entity, "__number", **values)


def _over(t: ir.Table, a: Aggregate, window: ibis.expr.builders.WindowBuilder) -> ir.Value:
    """The aggregate over a window, exact: sums of integers, one division at the end."""

    def added(value: ir.Value) -> ir.Value:
        return value.sum().over(window)

    if a.how == "count":
        return added(t["__fact"] if not a.column else (t[a.column].notnull()).cast("int64"))
    if a.how == "highest":
        return t[a.column].max().over(window)
    if a.how == "ratio":
        both = t[a.column].notnull() & t[a.over].notnull()
        (top, scale), (bottom, under) = _integer(t[a.column], MEAN_SCALE), _integer(t[a.over], MEAN_SCALE)
        share = _divide(added(both.ifelse(top, 0)) * under, added(both.ifelse(bottom, 0)) * scale)
        return (added(both.cast("int64")) >= a.at_least).ifelse(share, None)
    value, scale = _integer(t[a.column], STD_SCALE if a.how == "std" else MEAN_SCALE)
    if a.how == "total":
        return added(value) if scale == 1 else _divide(added(value), scale)
    if a.how == "ewma":
        return _ewma(t, a, value, scale, added)
    count = added(t[a.column].notnull().cast("int64"))
    if a.how == "mean":
        return (count >= a.at_least).ifelse(_divide(added(value), count * scale), None)
    spread = count * added(value * value) - added(value) * added(value)
    variance = _divide(spread, count * (count - 1) * (scale * scale))
    return (count >= a.at_least).ifelse(variance.sqrt(), None)


def _ewma(t: ir.Table, a: Aggregate, value: ir.Value, scale: int, added: Callable[[ir.Value], ir.Value]) -> ir.Value:
    weight = (
        (ibis.literal(2.0) ** (t["__number"].cast("float64") / a.half_life) * EWMA_WEIGHT_SCALE).round().cast("int64")
    )
    is_known = t[a.column].notnull()
    average = _divide(added(is_known.ifelse(value * weight, 0)), added(is_known.ifelse(weight, 0)) * scale)
    return (added(is_known.cast("int64")) >= a.at_least).ifelse(average, None)


def _integer(value: ir.Value, scale: int) -> tuple[ir.Value, int]:
    """The value as an integer and the factor by which it was scaled."""
    if value.type().is_integer():
        return value.cast("int64"), 1
    return (value * scale).round().cast("int64"), scale


def _divide(top: ir.Value, bottom: ir.Value | int) -> ir.Value:
    divisor = float(bottom) if isinstance(bottom, int) else bottom.cast("float64").nullif(0.0)
    return top.cast("float64") / divisor
