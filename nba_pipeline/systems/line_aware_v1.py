"""`line_aware_v1`: the ensemble beside the market: its law on a line takes the probability that the books' prices state, moved by
what the ensemble's disagreement with the line has been worth: beside prices where the price is known, else beside all lines
(`line_law.LineLaw`). No line, no forecast."""

SYSTEM_ID = "line_aware_v1"
VERSION = "8"
