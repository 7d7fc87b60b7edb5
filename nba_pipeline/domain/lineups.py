"""The statuses of players in the line-up of a game, and how many players start."""

# A starter named by the team, a starter by the league's expectation, and a player who is not in uniform.
CONFIRMED, EXPECTED, INACTIVE = "confirmed", "expected", "inactive"
STATUSES = (CONFIRMED, EXPECTED, INACTIVE)
STARTING = (CONFIRMED, EXPECTED)
STARTERS = 5
