"""How good the forecasts are, said with N and intervals."""
