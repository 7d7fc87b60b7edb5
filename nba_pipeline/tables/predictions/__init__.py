"""The feature store and the forecasts."""
