"""Facts of finished games, and what is known of scheduled games before tip-off."""
