"""Jobs, schedules, sensors, alerts."""
