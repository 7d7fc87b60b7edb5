"""Grades of the forecasts against actual results."""
