"""Faults planted into the source, one at a time, to see whether the tests notice: `python -m tools.mutation`.

`mutants` makes the faults, `judging` runs the tests of a target against each in a forked child, `page` writes docs/mutation.md.
"""
