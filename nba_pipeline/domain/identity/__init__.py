"""Player name resolution: spellings of books and feeds become NBA person ids, or are reported as unresolved."""
