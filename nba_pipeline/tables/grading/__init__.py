"""Grades of the forecasts, on what really happened."""
