"""Building blocks of the features, one module per table. They read only days strictly before their own."""
