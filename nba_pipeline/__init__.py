"""Point-in-time analytics, features, predictions and grades for NBA player props."""
