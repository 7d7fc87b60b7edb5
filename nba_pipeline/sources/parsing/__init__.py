"""From the answers of the services to rows of the landing layout: pure functions, one module per kind of answer."""
