"""Aggregates over history, strictly before the target day by construction.

`attach` adds to each target row (an entity on a day) aggregates over the entity's facts of earlier days.

How `attach` guarantees it: facts are numbered per entity in order of time. A running count that ends before the target's
day is the number of the latest fact the target may see; all windows of games are read off that fact. Sums run over
integers (floats are scaled), so that a value does not depend on the order or the range in which it was computed.

For one day (`for_one_day`), the earlier facts of each target are joined to it and added up: the same integers, without
windows over every fact of the season.

All frames are frames of rows. DuckDB (seen in 1.5.6 and 2.0.1) places the ends of frames of values, as in RANGE BETWEEN 7
PRECEDING AND 1 PRECEDING, wrongly when several threads share a partition.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared

MEAN_SCALE = 10_000
STD_SCALE = 1_000
EWMA_WEIGHT_SCALE = 1_000_000
SHORTEST_HALF_LIFE = 6
# The number of facts before a target, a column of all that `attach` builds for any days.
SEEN = "__seen"

_one_day: ContextVar[bool] = ContextVar("one_day", default=False)

# What the difference of two running sums can give: the others have no windows of days.
OVER_DAYS = ("mean", "total", "count", "ratio")


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

    def __post_init__(self) -> None:
        if self.days is not None and self.how not in OVER_DAYS:
            raise ValueError(f"{self.how} has no windows of days, only {', '.join(OVER_DAYS)} have")
        if self.days is not None and self.last is not None:
            raise ValueError(f"{self.how} of {self.column}: the last facts or the last days, not both")
        for unit, length in (("days", self.days), ("facts", self.last)):
            if length is not None and length < 1:
                raise ValueError(
                    f"{self.how} of {self.column}: the last {length} {unit} are none: ask for at least one"
                )


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


def highest(column: str, *, last: int | None = None) -> Aggregate:
    """Return the largest known value; NULL if there is none."""
    return Aggregate("highest", column, last=last)


@contextmanager
def for_one_day() -> Iterator[None]:
    """Let what is built within the block be fast for one day; its values are the same for any days."""
    before = _one_day.set(True)
    try:
        yield
    finally:
        _one_day.reset(before)


def attach(
    targets: ir.Table,
    facts: ir.Table,
    aggregates: Mapping[str, Aggregate],
    *,
    by: Sequence[str],
    day: str = "game_date",
    fact_day: str = "game_date",
    within: Sequence[str] = ("season",),
    past: bool = False,
) -> ir.Table:
    """Add to every target row the aggregates over its entity's facts of strictly earlier days.

    Shapes: `targets` has the columns of `by`, `within` and `day`; `facts` those of `by`, `within`, `fact_day` and every
    aggregated column, at most one fact an entity and day where windows of games are used. Result: the rows of `targets`,
    each exactly once, plus one column per aggregate. Windows never cross `within` (by default a season). `past` says that the
    targets are of many days even where one day is computed: too many to join all earlier facts to each.
    """
    entity = [*by, *within]
    if _one_day.get() and not past:
        places = _places_of_joined_facts(targets, facts, entity, day, fact_day, aggregates)
        return _at_their_places(targets, places, entity, day, aggregates)
    calendar = {n: a for n, a in aggregates.items() if a.days is not None}
    games = {n: a for n, a in aggregates.items() if a.days is None}
    places = _places(targets, facts, entity, day, fact_day, calendar)
    if games:
        states = _states(facts, entity, fact_day, games)
        matches = [places[c] == states[c] for c in entity] + [places[SEEN] == states["__number"]]
        places = places.left_join(states, matches).select(
            places, **{n: _or_zero(states[n], a) for n, a in games.items()}
        )
    return _at_their_places(targets, places, entity, day, aggregates)


def _at_their_places(
    targets: ir.Table, places: ir.Table, entity: list[str], day: str, aggregates: Mapping[str, Aggregate]
) -> ir.Table:
    """The targets, each with the aggregates of the place (entity and `__day`) that it is at."""
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
    ago = places[SEEN] - past["__number"] + 1
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
    """One row per distinct target (entity, day): number of earlier facts, and calendar-window aggregates.

    The sum over a window of days is the difference of two running sums: up to the target, and up to the window's first day.
    """
    needed = sorted({c for a in calendar.values() for c in (a.column, a.over) if c})
    timeline = _timeline(targets, facts, entity, day, fact_day, needed, {a.days for a in calendar.values() if a.days})
    parts = {n: _summands(timeline, a) for n, a in calendar.items()}
    summands = {_sum_of(calendar[n], part): v for n, values in parts.items() for part, v in values.items()}
    in_order = ibis.window(
        preceding=None,
        following=0,
        group_by=[timeline[c] for c in entity],
        order_by=[timeline["__number"], timeline["__fact"]],
    )
    running = timeline.mutate(
        **{SEEN: timeline["__fact"].sum().over(in_order)}, **{n: v.sum().over(in_order) for n, v in summands.items()}
    )
    points = running.filter(running["__fact"] == 0)

    def up_to(name: str, days_back: int) -> ir.IntegerValue:
        return points[name].max(where=points["__back"] == days_back).fill_null(0)

    sums = {
        f"{n} {part}": up_to(_sum_of(a, part), 0) - up_to(_sum_of(a, part), a.days or 0)
        for n, a in calendar.items()
        for part in parts[n]
    }
    places = points.group_by(*entity, "__day").agg(**{SEEN: up_to(SEEN, 0)}, **sums)
    windows = {n: _finished(a, timeline, {p: places[f"{n} {p}"] for p in parts[n]}) for n, a in calendar.items()}
    return places.select(*entity, "__day", SEEN, **windows)


def _places_of_joined_facts(
    targets: ir.Table, facts: ir.Table, entity: list[str], day: str, fact_day: str, aggregates: Mapping[str, Aggregate]
) -> ir.Table:
    """One row per distinct target (entity, day) with an earlier fact: the aggregates over all its earlier facts."""
    columns = sorted({c for a in aggregates.values() for c in (a.column, a.over) if c} - set(entity))
    days = targets.select(*[targets[c].name(f"__{c}") for c in entity], __day=targets[day]).distinct()
    past = facts.select(*entity, *columns, __fact_day=facts[fact_day])
    is_earlier = [*(past[c] == days[f"__{c}"] for c in entity), past["__fact_day"] < days["__day"]]
    pairs = past.inner_join(days, is_earlier).select(past, days["__day"])
    place = [*entity, "__day"]
    group = [pairs[c] for c in place]
    forwards = ibis.window(group_by=group, order_by=pairs["__fact_day"])
    backwards = ibis.window(group_by=group, order_by=pairs["__fact_day"].desc())
    numbers = {}
    if any(a.how == "ewma" for a in aggregates.values()):
        numbers["__number"] = ibis.row_number().over(forwards) + 1
    if any(a.how == "latest" or a.last is not None for a in aggregates.values()):
        numbers["__facts_ago"] = ibis.row_number().over(backwards) + 1
    earlier = pairs.mutate(__fact=ibis.literal(1, "int64"), **numbers)
    parts = {n: _parts_in_window(earlier, a) for n, a in aggregates.items()}
    sums = {f"{n} {part}": value for n, values in parts.items() for part, value in values.items()}
    summed = earlier.group_by(*place).aggregate(**sums)
    found = {}
    for n, a in aggregates.items():
        own = {part: summed[f"{n} {part}"] for part in parts[n]}
        found[n] = own["value"] if "value" in own else _finished(a, earlier, own)
    return summed.select(*place, **found)


def _parts_in_window(earlier: ir.Table, a: Aggregate) -> dict[str, ir.Value]:
    """What an aggregate is finished from, over those earlier facts of a place that are in its window."""

    def in_window(value: ir.Value) -> ir.Value:
        if a.days is not None:
            first = _number(earlier["__day"]) - a.days
            return (_number(earlier["__fact_day"]) >= first).ifelse(value, None)
        last = 1 if a.how == "latest" else a.last
        return value if last is None else (earlier["__facts_ago"] <= last).ifelse(value, None)

    if a.how in ("latest", "highest"):
        return {"value": in_window(earlier[a.column]).max()}
    return {part: in_window(value).sum() for part, value in _summands(earlier, a).items()}


def _timeline(
    targets: ir.Table,
    facts: ir.Table,
    entity: list[str],
    day: str,
    fact_day: str,
    columns: list[str],
    windows: set[int],
) -> ir.Table:
    """The facts (`__fact` 1), and for every distinct target a point (`__fact` 0) on its day and on the first day of each window.

    `__number` is the day of a row as a number, `__day` and `__back` of a point the target's day and the days before it.
    """
    none, one = ibis.literal(0, "int64"), ibis.literal(1, "int64")
    past = facts.select(*entity, *columns, __day=facts[fact_day], __fact=one, __back=none)
    days = targets.select(*entity, __day=targets[day]).distinct()
    days = days.mutate(**{c: ibis.null(facts[c].type()) for c in columns}, __fact=none)
    timeline = past
    for back in (0, *sorted(windows)):
        timeline = timeline.union(days.mutate(__back=ibis.literal(back, "int64")).select(past.columns))
    return timeline.mutate(__number=_number(timeline["__day"]) - timeline["__back"])


def _sum_of(a: Aggregate, part: str) -> str:
    """The name of a running sum, the same for all aggregates that need it."""
    return f"__{part} {a.column} {a.over}"


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
    if a.how == "highest":
        return t[a.column].max().over(window)
    return _finished(a, t, {part: value.sum().over(window) for part, value in _summands(t, a).items()})


def _summands(t: ir.Table, a: Aggregate) -> dict[str, ir.IntegerValue]:
    """The integers of each fact whose sums make the aggregate."""
    if a.how == "count":
        return {"count": t[a.column].notnull().cast("int64") if a.column else t["__fact"]}
    is_known, value = t[a.column].notnull(), _integer(t[a.column], _scale(t, a, a.column))
    if a.how == "ratio":
        both = is_known & t[a.over].notnull()
        under = _integer(t[a.over], _scale(t, a, a.over))
        return {"count": both.cast("int64"), "top": both.ifelse(value, 0), "bottom": both.ifelse(under, 0)}
    if a.how == "ewma":
        growth = ibis.literal(2.0) ** (t["__number"].cast("float64") / a.half_life)
        weight = (growth * EWMA_WEIGHT_SCALE).round().cast("int64")
        known = is_known.cast("int64")
        return {"count": known, "top": is_known.ifelse(value * weight, 0), "bottom": is_known.ifelse(weight, 0)}
    sums = {"count": is_known.cast("int64"), "top": value}
    return sums | {"squares": value * value} if a.how == "std" else sums


def _finished(a: Aggregate, t: ir.Table, sums: Mapping[str, ir.IntegerValue]) -> ir.Value:
    """The aggregate from the sums of its summands over columns of `t`, exact: one division at the end."""
    count = sums["count"]
    if a.how == "count":
        return count
    return (count >= a.at_least).ifelse(_quotient(a, t, sums), None)


def _quotient(a: Aggregate, t: ir.Table, sums: Mapping[str, ir.IntegerValue]) -> ir.Value:
    scale, top, count = _scale(t, a, a.column), sums["top"], sums["count"]
    if a.how == "ratio":
        return _divide(top * _scale(t, a, a.over), sums["bottom"] * scale)
    if a.how == "ewma":
        return _divide(top, sums["bottom"] * scale)
    if a.how == "mean":
        return _divide(top, count * scale)
    if a.how == "std":
        return _divide(count * sums["squares"] - top * top, count * (count - 1) * (scale * scale)).sqrt()
    return top if scale == 1 else _divide(top, scale)


def _scale(t: ir.Table, a: Aggregate, column: str) -> int:
    """The factor by which a column is multiplied before it is rounded to an integer."""
    if t[column].type().is_integer():
        return 1
    return STD_SCALE if a.how == "std" else MEAN_SCALE


def _integer(value: ir.Value, scale: int) -> ir.IntegerValue:
    return value.cast("int64") if scale == 1 else (value * scale).round().cast("int64")


def _divide(top: ir.Value, bottom: ir.Value | int) -> ir.Value:
    divisor = float(bottom) if isinstance(bottom, int) else bottom.cast("float64").nullif(0.0)
    return top.cast("float64") / divisor
