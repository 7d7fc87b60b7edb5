"""Facts of finished games, and pre-game information on scheduled games."""
