"""Columns by which rows of several tables belong together."""

# A game that moves to another day has one id on two days: what is of a game is of its day, too.
GAME = ("game_id", "game_date")
