"""Kinds of records on players' availability.

`AFTER_GAME` is known only after the game: it says nothing about availability, and from the next day on names the player's team.
"""

TRANSACTION, SNAPSHOT, OFFICIAL, AFTER_GAME = "transaction", "status_snapshot", "official_report", "boxscore_dnp"
RECORD_TYPES = (TRANSACTION, SNAPSHOT, OFFICIAL, AFTER_GAME)
# No record of a report: what a line-up says of a player.
LINEUP = "lineups"
PRE_GAME_TYPES = (TRANSACTION, SNAPSHOT, OFFICIAL)
