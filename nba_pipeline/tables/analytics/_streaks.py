"""Runs of equal results in an entity's sequence of games."""

from collections.abc import Sequence

import ibis

from nba_pipeline.common import ibis_types as ir


def with_runs(
    facts: ir.Table, runs: dict[str, ir.BooleanValue], *, by: Sequence[str], day: str = "game_date"
) -> ir.Table:
    """Add, per name, how many facts in a row up to and with this one meet the condition; 0 where it does not.

    `runs` maps the new column to a condition on `facts`, which has at most one row per `by` and `day`.
    """
    place = ibis.row_number().over(ibis.window(group_by=[facts[c] for c in by], order_by=facts[day]))
    numbered = facts.mutate(__place=place + 1, **{f"__{n}": condition for n, condition in runs.items()})
    so_far = ibis.window(group_by=[numbered[c] for c in by], order_by=numbered["__place"], preceding=None, following=0)
    lengths = {}
    for n in runs:
        broken = numbered[f"__{n}"].ifelse(0, numbered["__place"])
        lengths[n] = numbered["__place"] - broken.max().over(so_far)
    return numbered.mutate(**lengths).drop("__place", *[f"__{n}" for n in runs])
