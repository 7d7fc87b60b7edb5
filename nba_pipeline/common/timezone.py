"""The time zone of the schedule."""

ZONE = "America/New_York"
