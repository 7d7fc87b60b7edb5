"""Building blocks of the features, one module per table. Everything here is strictly before the day."""
